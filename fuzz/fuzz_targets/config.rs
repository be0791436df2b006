//! The fuzz target around `playlock_fuzz::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::config::property(input));
