//! The fuzz target around `playlock_fuzz::jwt`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::jwt::property(input));
