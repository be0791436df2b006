//! Replays the seeds and all findings through their properties, with some random input.

use std::fs;
use std::path::Path;

use playlock_fuzz::PROPERTIES;

#[test]
fn every_property_holds_of_its_seeds() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for (name, property) in PROPERTIES {
        let mut files: Vec<_> = fs::read_dir(seeds.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 4, "{name} has hardly any seeds");
        for file in files {
            let input = fs::read(&file).unwrap();
            let held = std::panic::catch_unwind(|| property(&input));
            assert!(held.is_ok(), "{} does not hold of {}", name, file.display());
        }
    }
}

#[test]
fn every_property_holds_of_noise() {
    let mut state: u64 = 88_172_645_463_325_252;
    // xorshift64 (Marsaglia 2003).
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for (name, property) in PROPERTIES {
        for round in 0..200 {
            let length = next() % 200;
            let input: Vec<u8> = (0..length).map(|_| next() as u8).collect();
            let held = std::panic::catch_unwind(|| property(&input));
            assert!(held.is_ok(), "{name} does not hold of the noise of round {round}: {input:?}");
        }
    }
}
