//! The fuzz target around `playlock_fuzz::cmaf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::cmaf::property(input));
