//! Property of the documents of packagers (CPIX): an answer differs from its request only in the gaps, is well-formed if the
//! request was, and has no gap left; by a foreign parser, as in the tests of `playlock-speke`.

use playlock_speke::Version;
use playlock_speke::document::limits;

use crate::source::Source;

#[path = "../../crates/speke/tests/common/mod.rs"]
mod common;

/// Input: the version; then the document.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let version = source.pick(&[Version::V1, Version::V2_0, Version::V2_1]);
    let Ok(document) = std::str::from_utf8(source.rest()) else { return };
    let answered = common::properties::check(document, version);
    assert!(!answered || document.len() <= limits::BODY, "a document of {} bytes", document.len());
}
