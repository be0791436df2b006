//! The splice, by foreign parsers: outside the gaps an answer is its request byte for byte, it is well-formed, and an
//! answer to an answer is the same. Mutated documents never panic.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::string_slice, reason = "a test")]

mod common;

use std::ops::Range;

use common::answers::{Computed, answer, requests, settings};
use common::{Chance, read};
use playlock_speke::document::{CPIX, SPEKE};
use playlock_speke::{Document, Supply, Version};
use roxmltree::{Document as Tree, Node};

const VERSIONS: [Version; 3] = [Version::V1, Version::V2_0, Version::V2_1];

fn version(name: &str) -> Version {
    VERSIONS[["1.0", "2.0", "2.1"].iter().position(|version| name.starts_with(version)).unwrap()]
}

fn is(node: Node<'_, '_>, local: &str) -> bool {
    node.is_element() && node.tag_name().namespace() == Some(CPIX) && node.tag_name().name() == local
}

/// The ranges where an answer may differ, by roxmltree.
fn gaps(tree: &Tree<'_>, version: Version) -> Vec<Range<usize>> {
    let mut gaps = Vec::new();
    for node in tree.descendants() {
        if ["ContentKey", "DRMSystem", "DeliveryData"].iter().any(|name| is(node, name)) {
            gaps.push(node.range());
        }
        if version == Version::V1 {
            continue;
        }
        if node.tag_name().namespace() == Some(SPEKE) {
            gaps.push(node.range());
        }
        for attribute in node.attributes() {
            let leftover = attribute.namespace() == Some(SPEKE);
            if leftover || (node == tree.root_element() && attribute.name() == "id" && attribute.namespace().is_none())
            {
                // The white space before an attribute goes with it.
                let source = &tree.input_text()[..attribute.range().start];
                gaps.push(source.trim_end().len()..attribute.range().end);
            }
        }
    }
    gaps
}

/// Checks one document; returns whether it was answered.
fn check(source: &str, version: Version) -> bool {
    let Ok(document) = Document::read(source.as_bytes(), version) else { return false };
    let settings = settings();
    let supply = Supply { keys: &Computed, settings: &settings, scheme: None, seed: &[7; 32] };
    let Ok(splice) = document.splice(&supply) else { return false };
    let tree = Tree::parse(source).unwrap_or_else(|error| panic!("{error}: {source}"));
    let gaps = gaps(&tree, version);
    let mut at = 0;
    for edit in splice.edits() {
        assert!(edit.range.start >= at, "edits overlap: {source}");
        at = edit.range.end;
        let within = |gap: &Range<usize>| gap.start <= edit.range.start && edit.range.end <= gap.end;
        let declaration = version != Version::V1 && edit.text.is_empty() && source[edit.range.clone()].contains(SPEKE);
        assert!(declaration || gaps.iter().any(within), "an edit outside the gaps, at {:?}: {source}", edit.range);
    }
    let answer = answer(&document, None).unwrap();
    let answered = Tree::parse(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
    check_content(&answered, version);
    if !document.is_encrypted() {
        let again = Document::read(answer.as_bytes(), version).unwrap_or_else(|error| panic!("{error:?}: {answer}"));
        assert!(self::answer_of(&again) == answer, "the answer to the answer differs: {answer}");
    }
    true
}

fn answer_of(document: &Document<'_>) -> String {
    answer(document, None).unwrap()
}

/// No gap is left, and version 2 has nothing of version 1.
fn check_content(tree: &Tree<'_>, version: Version) {
    for node in tree.descendants().filter(Node::is_element) {
        if is(node, "ContentKey") && tree.descendants().any(|node| is(node, "ContentKeyList")) {
            let iv = node.attribute("explicitIV").unwrap_or_default();
            assert!(!iv.is_empty() || !is(node.parent().unwrap(), "ContentKeyList"));
        }
        if is(node, "DRMSystem") && is(node.parent().unwrap(), "DRMSystemList") {
            for child in node.children().filter(|child| child.tag_name().namespace() == Some(CPIX)) {
                assert!(child.text().is_some_and(|text| !text.trim().is_empty()), "an empty {:?}", child.tag_name());
            }
        }
        if version != Version::V1 {
            assert!(!tree.root_element().has_attribute("id"));
            assert_ne!(node.tag_name().namespace(), Some(SPEKE));
            assert!(node.namespaces().all(|namespace| namespace.uri() != SPEKE));
            assert!(!is(node, "URIExtXKey") || !is(node.parent().unwrap(), "DRMSystem"));
        }
    }
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
            assert_eq!(Document::read(&bytes, version).err().unwrap().status(), 400);
        }
    }
}
