//! The fuzz target around `playlock_fuzz::query`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::query::property(input));
