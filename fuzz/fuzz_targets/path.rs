//! The fuzz target around `playlock_fuzz::path`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::path::property(input));
