//! Measures the whole of Tandem beside nginx: intake, pass-through, time to a waiting poll, memory.

fn main() {}
