//! The fuzz target around `playlock_fuzz::uri_signing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::uri_signing::property(input));
