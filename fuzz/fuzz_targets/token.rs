//! The fuzz target around `playlock_fuzz::token`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::token::property(input));
