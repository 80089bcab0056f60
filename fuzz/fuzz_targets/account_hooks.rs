//! The property is in `crates/hostile/src/account_hooks.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tandem_hostile::hold("account_hooks", data));
