//! The fuzz target around `playlock_fuzz::session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::session::property(input));
