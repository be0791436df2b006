//! The splice, by foreign parsers: outside the gaps an answer is its request byte for byte, it is well-formed, and an
//! answer to an answer is the same. Mutated documents never panic.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::string_slice, reason = "a test")]

mod common;

use std::ops::Range;

use common::answers::requests;
use common::properties::check;
use common::{Chance, read};
use playlock_speke::{Document, Version};

const VERSIONS: [Version; 3] = [Version::V1, Version::V2_0, Version::V2_1];

fn version(name: &str) -> Version {
    VERSIONS[["1.0", "2.0", "2.1"].iter().position(|version| name.starts_with(version)).unwrap()]
}

#[test]
fn outside_the_gaps_an_answer_is_its_request() {
    for name in requests() {
        assert!(check(&read(&format!("requests/{name}")), version(&name)), "{name}");
    }
}

/// Takes pieces of documents out, doubles them, and puts pieces of others in: at the bounds of markup, so that much of it
/// stays well-formed.
#[test]
fn mutated_documents_keep_the_properties() {
    let documents: Vec<String> = requests().iter().map(|name| read(&format!("requests/{name}"))).collect();
    let mut chance = Chance(0x0123_4567_89AB_CDEF);
    let mut answered = 0;
    for round in 0..6000 {
        let mut document = documents[chance.below(documents.len())].clone();
        for _ in 0..=chance.below(3) {
            let other = &documents[chance.below(documents.len())];
            let (piece, place) = (piece(other, &mut chance), piece(&document, &mut chance));
            match chance.below(4) {
                0 => document.replace_range(place, ""),
                1 => document.replace_range(place.start..place.start, &other[piece]),
                2 => document.replace_range(place, &other[piece]),
                _ => {
                    let own = document[place.clone()].to_owned();
                    document.insert_str(place.end, &own);
                }
            }
        }
        let name = VERSIONS[round % 3];
        answered += usize::from(check(&document, name));
    }
    assert!(answered > 300, "only {answered} were answered");
}

/// A range between two bounds of markup: of a tag, an element's text, an attribute or a word.
fn piece(text: &str, chance: &mut Chance) -> Range<usize> {
    let bounds: Vec<usize> = text
        .char_indices()
        .filter(|(_, character)| matches!(character, '<' | '>' | ' ' | '"' | '=' | '&' | '\n'))
        .map(|(at, _)| at)
        .collect();
    let first = chance.below(bounds.len());
    let last = (first + 1 + chance.below(6)).min(bounds.len() - 1);
    bounds[first]..bounds[last]
}

/// Bytes that are no text, and lengths up to the limit.
#[test]
fn bytes_never_panic() {
    let document = read("requests/2.0-all.xml");
    let mut chance = Chance(42);
    for round in 0..3000 {
        let mut bytes = document.clone().into_bytes();
        for _ in 0..=chance.below(3) {
            let at = chance.below(bytes.len());
            bytes[at] = u8::try_from(chance.below(256)).unwrap();
        }
        bytes.truncate(1 + chance.below(bytes.len() * 2));
        let version = VERSIONS[round % 3];
        if let Ok(text) = std::str::from_utf8(&bytes) {
            check(text, version);
        } else {
            assert!(Document::read(&bytes, version).is_err());
        }
    }
}
