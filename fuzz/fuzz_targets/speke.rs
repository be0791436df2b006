//! The fuzz target around `playlock_fuzz::speke`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::speke::property(input));
