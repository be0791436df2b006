//! Tests every available playlist: rewritten by the filter and checked against the oracles.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test, and what it counts")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use playlock_corpus::check::check;
use playlock_corpus::edge::Edge;
use playlock_corpus::sources;
use playlock_corpus::tally::Tally;
use playlock_corpus::transport::Transport;

/// Runs the whole corpus under one configuration, with each transport.
fn run(name: &str, media_encryption: &str) {
    for transport in [Transport::Query, Transport::Path] {
        run_with(transport, name, media_encryption);
    }
}

/// Lists all failures.
fn run_with(transport: Transport, name: &str, media_encryption: &str) {
    let edge = Edge::new(transport, media_encryption).unwrap();
    let files = sources::playlists().unwrap();
    let mut counts = Tally::default();
    let mut failures = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let input = fs::read(file).unwrap();
        let seed = u64::try_from(index).unwrap() * 2 + 1;
        let checked = catch_unwind(AssertUnwindSafe(|| check(&edge, &input, seed, &mut counts)));
        match checked {
            Ok(Ok(())) => {}
            Ok(Err(what)) => failures.push(format!("{}: {what}", file.display())),
            Err(_) => failures.push(format!("{}: panicked", file.display())),
        }
    }
    println!("{} playlists, {name}, {}:", files.len(), transport.word());
    for line in counts.lines() {
        println!("{line}");
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), files.len(), failures.join("\n"));
}

#[test]
fn encrypting() {
    run("encrypting", r#"{"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f"}"#);
}

/// All options that change the encryption of a session key, at once.
#[test]
fn rotating() {
    run(
        "rotating keys, counting IVs, passing encrypted origins",
        r#"{"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f", "keyRotation": {"segments": 3},
            "ivMode": "sequence", "onEncryptedOrigin": "passthrough"}"#,
    );
}

#[test]
fn sharing() {
    run(
        "keys that viewers of a stream share",
        r#"{"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f", "keyScope": "stream", "keyRotation": {"segments": 5}}"#,
    );
}

#[test]
fn tokens_only() {
    run("tokens only", r#"{"enabled": false}"#);
}
