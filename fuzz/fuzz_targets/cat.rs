//! The fuzz target around `playlock_fuzz::cat`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::cat::property(input));
