//! The fuzz target around `playlock_fuzz::parameter`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::parameter::property(input));
