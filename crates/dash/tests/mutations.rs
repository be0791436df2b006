//! Cases with random changes keep the properties of any document.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::string_slice, reason = "a test")]

mod common;
#[path = "../../xml/tests/common/mod.rs"]
mod files;

use common::{Kind, cases, properties};
use files::Chance;

/// Pieces of documents.
const PIECES: [&str; 34] = [
    "<BaseURL>",
    "</BaseURL>",
    "<BaseURL>https://other.example/</BaseURL>",
    "<BaseURL>//two.own.example/a/</BaseURL>",
    "<BaseURL>../b</BaseURL>",
    "<Location>https://other.example/</Location>",
    "<Location>/l</Location>",
    "<Period>",
    "</Period>",
    "<AdaptationSet mimeType='audio/mp4'>",
    "</AdaptationSet>",
    "<Representation>",
    "</Representation>",
    "<Representation/>",
    "<SegmentTemplate media='m' initialization='/i'/>",
    "<SegmentTemplate media='//other.example/m'/>",
    "<SegmentList><SegmentURL media='s'/></SegmentList>",
    "<ContentSteering>s</ContentSteering>",
    "<PatchLocation>p</PatchLocation>",
    "<InitializationSet initialization='i'/>",
    "<x:BaseURL xmlns:x='urn:x'>x</x:BaseURL>",
    " xmlns='urn:mpeg:dash:schema:mpd:2011'",
    " type='dynamic'",
    "<![CDATA[a]]>",
    "<!-- a -->",
    "&amp;",
    "?",
    "#",
    "/",
    "\\",
    "'",
    "\"",
    ">",
    "<",
];

#[test]
fn mutated_documents_keep_the_properties() {
    let cases: Vec<_> = cases::all().into_iter().filter(|case| case.input.len() < 3000).collect();
    let rounds = std::env::var("PLAYLOCK_ROUNDS").map_or(30_000, |rounds| rounds.parse().unwrap());
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    let mut accepted = 0;
    for _ in 0..rounds {
        let case = &cases[chance.below(cases.len())];
        let other = &cases[chance.below(cases.len())].input;
        let mut document = case.input.clone();
        for _ in 0..=chance.below(4) {
            mutate(&mut document, other, &mut chance);
        }
        let mut site = case.site.clone();
        site.kind = [Kind::Query, Kind::Path, Kind::Signed, Kind::None][chance.below(4)];
        let cut = chance.below(document.len());
        accepted += usize::from(properties::check(document.as_bytes(), &site, &case.additions, [cut].into_iter()));
    }
    assert!(accepted > rounds / 20, "{accepted} of {rounds} accepted");
}

fn mutate(document: &mut String, other: &str, chance: &mut Chance) {
    let boundary = |text: &str, chance: &mut Chance| {
        let mut at = chance.below(text.len() + 1);
        // Most often between tags.
        if chance.below(3) > 0 {
            at += text.as_bytes()[at..].iter().position(|byte| *byte == b'<').unwrap_or(0);
        }
        (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
    };
    let (one, two) = (boundary(document, chance), boundary(document, chance));
    let (start, end) = (one.min(two), one.max(two));
    match chance.below(8) {
        0 => document.replace_range(start..end, ""),
        1 => {
            let piece = document[start..end].to_owned();
            let at = boundary(document, chance);
            document.insert_str(at, &piece);
        }
        2 => {
            let (one, two) = (boundary(other, chance), boundary(other, chance));
            document.insert_str(start, &other[one.min(two)..one.max(two)]);
        }
        _ => document.insert_str(start, PIECES[chance.below(PIECES.len())]),
    }
    document.truncate((0..=document.len().min(6000)).rev().find(|at| document.is_char_boundary(*at)).unwrap_or(0));
}
