//! The fuzz target around `playlock_fuzz::dash`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::dash::property(input));
