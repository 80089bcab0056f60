//! The property is in `crates/hostile/src/paths.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tandem_hostile::hold("paths", data));
