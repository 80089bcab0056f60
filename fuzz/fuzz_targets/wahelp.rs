//! The property is in `crates/hostile/src/wahelp.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tandem_hostile::hold("wahelp", data));
