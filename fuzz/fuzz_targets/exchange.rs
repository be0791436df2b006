//! The fuzz target around `playlock_fuzz::exchange`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::exchange::property(input));
