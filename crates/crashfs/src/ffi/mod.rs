//! The seam to SQLite: the only unsafe code. It turns SQLite's pointers into slices and references and its
//! numbers into our types, calls the machine, and turns the answer back into SQLite's codes; nothing more.

mod file;
mod vfs;

pub(crate) use vfs::Registered;
