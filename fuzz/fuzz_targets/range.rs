//! The fuzz target around `playlock_fuzz::range`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::range::property(input));
