//! Property of signed parameters: each is accepted only as issued, for its path and query, and keeps its meaning.

use crate::edge::{self, Asked};
use crate::site::{SITES, Site, site};
use crate::source::Source;
use crate::text;
use crate::token::changed;
use crate::viewer::{self, Viewer, viewer};

/// Input: the site, whose parameter, onto which path, how it is spelled; offset and length of a byte range, eight bytes
/// each; changes, four bytes each, behind their number; what else is in the query.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let index = source.below(SITES);
    let (site, viewer) = (site(index), viewer(index));
    let (from, onto, spelling) = (source.byte(), source.byte(), source.below(3));
    let mut number = || u64::from_be_bytes(core::array::from_fn(|_| source.byte()));
    let range = (number(), number());
    let part = ranged(&site, &viewer, range);
    let changes: Vec<[u8; 4]> =
        (0..source.below(6)).map(|_| [source.byte(), source.byte(), source.byte(), source.byte()]).collect();

    let mut urls = vec![&viewer.playlist, &viewer.segments[0].target, &viewer.part.target, &viewer.init.target];
    urls.extend([&viewer.document.target].into_iter().chain(part.as_ref()));
    if !viewer.key.is_empty() {
        urls.push(&viewer.key);
    }
    let url = urls[usize::from(from) % urls.len()];
    let Some(said) = viewer::parameter(url, "plk") else { return };
    let path = |url: &str| url.split('?').next().unwrap_or_default().to_owned();
    let onto = path(urls[usize::from(onto) % urls.len()]);

    let value = changed(said, &changes);
    let plain = |byte: u8| byte > b' ' && byte < 0x7f && !b"#&".contains(&byte);
    let sent = match spelling {
        0 if value.bytes().all(plain) => value,
        1 => text::encode(value.as_bytes()),
        _ => text::encode_but(value.as_bytes(), |byte| plain(byte) && byte != b'%'),
    };
    let as_said = text::decode(sent.as_bytes()).as_deref() == Some(said.as_bytes());
    let (query, harmless) = source.pick(&[
        ("", true),
        ("f=x&", false),
        ("CMCD=br%3d1&", true),
        ("_HLS_x=1&", false),
        ("_DASH_x=1&", false),
        ("&", false),
    ]);
    let target = viewer::with_session(&site, &format!("{onto}?{query}plk={sent}"), &viewer.token);
    let effect = effect(&site, &viewer, &target);
    // A key and what a playlist imports are for whatever else the query says, a document for what steering adds.
    let any_query = match said.split('~').next() {
        Some("key" | "variables") => true,
        Some("document") => query.starts_with("_HLS_") || query.starts_with("_DASH_"),
        _ => false,
    };
    let own = path(url) == onto && (harmless || any_query);
    match effect {
        Effect::Refused => assert!(!(own && as_said), "{}: {target} was refused", site.name),
        _ => assert!(own && as_said, "{}: {target} was taken: {effect:?}", site.name),
    }
    // And it says what it said.
    if own && as_said {
        let expected = match urls.iter().position(|known| *known == url) {
            Some(2) => Effect::Range("bytes=720-1719".into()),
            Some(5) if part.is_some() => Effect::Range(format!("bytes={}-{}", range.1, range.1 + (range.0 - 1))),
            _ if url == &viewer.key => Effect::Key,
            _ => Effect::Whole,
        };
        assert!(effect == expected || !site.encrypts, "{effect:?}, not {expected:?}");
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Effect {
    Refused,
    Key,
    Range(String),
    Whole,
}

fn effect(site: &Site, viewer: &Viewer, target: &str) -> Effect {
    match edge::get(&site.policies, target.as_bytes(), &viewer.cookies) {
        Asked::Forwarded(_, headers) => match edge::value(&headers, "range") {
            Some(range) => Effect::Range(range.into()),
            None => Effect::Whole,
        },
        Asked::Answered(exchange, reply) if exchange.reason().is_none() && reply.body.len() == 16 => Effect::Key,
        Asked::Answered(exchange, reply) => {
            assert!(exchange.reason().is_some() && reply.status == 403);
            Effect::Refused
        }
    }
}

/// The URL of a byte range (length, offset) of a file; `None` if there is no such range.
fn ranged(site: &Site, viewer: &Viewer, (length, offset): (u64, u64)) -> Option<String> {
    let text = format!("#EXTM3U\n#EXTINF:4,\n#EXT-X-BYTERANGE:{length}@{offset}\nbig.ts\n#EXT-X-ENDLIST\n");
    if !site.encrypts || length == 0 || offset.checked_add(length).is_none() {
        return None;
    }
    let (_, rewritten) = viewer::playlist(site, &viewer.playlist, &viewer.cookies, text.as_bytes());
    let uri = rewritten.lines().find(|line| line.starts_with("big.ts"))?;
    Some(format!("{}/vod/a/{uri}", viewer::prefix(site, &viewer.token)))
}
