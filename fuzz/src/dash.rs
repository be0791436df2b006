//! Property of MPDs under tokens and protection: any cut has the same output; what is well-formed stays so; only URLs
//! change, and no token reaches another host, whichever base a player chooses. By a foreign parser, as in the tests of
//! `playlock-dash`.

use playlock_dash::{Additions, Protection, is_mpd};
use url::Url;

use crate::source::Source;

#[path = "../../crates/dash/tests/common/mod.rs"]
mod common;

use common::{Kind, Site, properties};

/// Input: the kind of links; additions; the position of a cut, two bytes; then the document.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let kind = source.pick(&[Kind::Query, Kind::Path, Kind::None, Kind::Signed]);
    let added = source.byte();
    let cut = source.number();
    let document = source.rest();
    let site = Site {
        document: Url::parse("https://own.example/live/a.mpd?q").expect("a URL"),
        hosts: vec!["own.example".into(), "two.own.example".into()],
        kind,
    };
    let protection = Protection { scheme: "cbcs", kid: [7; 16], license: "/license?a&b".into() };
    let additions = Additions {
        location: (added & 1 == 1).then(|| "/reload?a&b".into()),
        base: None,
        protection: (added & 2 == 2).then_some(protection),
    };
    let known = is_mpd(document);
    if properties::check(document, &site, &additions, [cut, document.len() / 2].into_iter()) {
        assert!(known != Some(false), "an MPD that is not recognised");
    }
}
