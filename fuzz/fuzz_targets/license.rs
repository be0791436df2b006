//! The fuzz target around `playlock_fuzz::license`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::license::property(input));
