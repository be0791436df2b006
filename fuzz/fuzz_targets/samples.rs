//! The fuzz target around `playlock_fuzz::samples`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::samples::property(input));
