//! The property is in `crates/hostile/src/told.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tandem_hostile::hold("told", data));
