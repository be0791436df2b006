//! The fuzz target around `playlock_fuzz::in_path`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::in_path::property(input));
