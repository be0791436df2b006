//! The fuzz target around `playlock_fuzz::media_cdn`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| playlock_fuzz::media_cdn::property(input));
