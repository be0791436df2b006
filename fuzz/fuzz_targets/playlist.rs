//! The fuzz target around `playlock_fuzz::playlist`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::playlist::property(input));
