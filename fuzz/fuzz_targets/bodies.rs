//! The property is in `crates/hostile/src/bodies.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tandem_hostile::hold("bodies", data));
