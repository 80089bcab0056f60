//! The property is in `crates/hostile/src/objects.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tandem_hostile::hold("objects", data));
