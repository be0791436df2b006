//! Property of client ranges on encrypted segments: the response is that range of the whole ciphertext (RFC 9110),
//! however the origin handles ranges; if the origin misbehaves, no response looks complete.

use playlock_core::http::reply::Header;
use playlock_core::media::batch::Batch;

use crate::cipher::Key;
use crate::edge::{self, Asked, End, Flow, header};
use crate::origin;
use crate::site::{SITES, Site, site};
use crate::source::{Source, pieces};
use crate::viewer::viewer;

/// An origin's treatment of ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// As it should.
    Good,
    /// It says nothing of its lengths but in `content-range`.
    Unsized,
    /// It sends the whole.
    Whole,
    /// It sends the whole and does not say how much that is.
    Endless,
    /// It ends before it said it would.
    Short,
    /// It goes on beyond what it said.
    Long,
    /// It does not know the length of the whole.
    Unknown,
    /// It sends another part than it was asked for.
    Shifted,
}

const ORIGINS: [Origin; 8] = [
    Origin::Good,
    Origin::Unsized,
    Origin::Whole,
    Origin::Endless,
    Origin::Short,
    Origin::Long,
    Origin::Unknown,
    Origin::Shifted,
];

/// Input: the site, the origin, a size, by how much it is wrong, whether If-Range comes along, how the end comes; the
/// Range header, a line; how the body is cut.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let index = source.below(SITES);
    let site = site(index);
    let origin = source.pick(&ORIGINS);
    let plain = origin::body(source.size());
    let wrong = 1 + source.below(40);
    let conditional = source.byte() == 1;
    let empty_end = source.flag();
    let range = source.until(b'\n').to_vec();
    if range.iter().any(|byte| matches!(byte, 0 | b'\r')) {
        return;
    }
    let resource = &viewer(index).segments[source.below(2)];
    let Some(key) = resource.key else { return };
    let mut headers = viewer(index).cookies;
    headers.push(header("range", range.clone()));
    if conditional {
        headers.push(header("if-range", "\"tag\""));
    }
    let Asked::Forwarded(exchange, seen) = edge::get(&site.policies, resource.target.as_bytes(), &headers) else {
        panic!("a segment was refused")
    };
    let (head, body) = answer(origin, edge::value(&seen, "range"), &plain, wrong);
    let mut flow = Flow::new(exchange);
    flow.head(&head, false, false);
    if flow.is_open() {
        send(&mut flow, &body, &mut source, empty_end);
    }
    let wanted = if conditional { None } else { read(&range) };
    check(&site, origin, &key, &plain, wanted.as_ref(), &flow);
}

fn send(flow: &mut Flow, body: &[u8], source: &mut Source<'_>, empty_end: bool) {
    let mut batch = Batch::default();
    let pieces = pieces(body, source);
    let last = pieces.len() - 1;
    for (at, piece) in pieces.into_iter().enumerate() {
        flow.chunk(piece, at == last && !empty_end, 0, &mut batch);
        if !flow.is_open() {
            return;
        }
    }
    if empty_end {
        flow.chunk(&[], true, 0, &mut batch);
    }
}

/// This origin's response to a request for `range` of its bytes.
fn answer(origin: Origin, range: Option<&str>, plain: &[u8], wrong: usize) -> (Vec<Header>, Vec<u8>) {
    let whole = || (0, plain.len());
    let asked = range.map(|range| {
        let (first, last) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).expect("one range");
        let (first, last): (u64, u64) = (first.parse().expect("a number"), last.parse().expect("a number"));
        assert!(first == 0 && last % 16 == 15, "whole blocks from the beginning");
        (0, usize::try_from(last).unwrap_or(usize::MAX).saturating_add(1).min(plain.len()))
    });
    let mut headers = vec![header("content-type", "video/mp2t"), header("etag", "\"tag\"")];
    let ignores = matches!(origin, Origin::Whole | Origin::Endless);
    let Some((mut start, mut end)) = asked.filter(|_| !ignores) else {
        let (start, end) = whole();
        headers.push(header(":status", "200"));
        if origin != Origin::Endless && origin != Origin::Unsized {
            headers.push(header("content-length", end.to_string()));
        }
        let mut body = plain[start..end].to_vec();
        match origin {
            Origin::Short => body.truncate(end.saturating_sub(wrong)),
            Origin::Long => body.extend(origin::body(wrong)),
            _ => {}
        }
        return (headers, body);
    };
    if plain.is_empty() {
        return (vec![header(":status", "416"), header("content-range", "bytes */0")], Vec::new());
    }
    if origin == Origin::Shifted {
        start = wrong.min(plain.len() - 1);
        end = (end + wrong).min(plain.len()).max(start + 1);
    }
    let total = if origin == Origin::Unknown { "*".to_owned() } else { plain.len().to_string() };
    headers.push(header(":status", "206"));
    headers.push(header("content-range", format!("bytes {start}-{}/{total}", end - 1)));
    if origin != Origin::Unsized {
        headers.push(header("content-length", (end - start).to_string()));
    }
    let mut body = plain[start..end].to_vec();
    match origin {
        Origin::Short => body.truncate(body.len().saturating_sub(wrong)),
        Origin::Long => body.extend(origin::body(wrong)),
        _ => {}
    }
    (headers, body)
}

/// A byte range by RFC 9110 section 14.1.2; `None` for what is answered whole.
#[derive(Debug)]
enum Wanted {
    From(u128, Option<u128>),
    Last(u128),
}

fn read(header: &[u8]) -> Option<Wanted> {
    let text = std::str::from_utf8(header).ok()?.trim().strip_prefix("bytes=")?;
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let (first, last) = text.split_once('-')?;
    match (first.is_empty(), last.is_empty()) {
        (true, true) => None,
        (true, false) => Some(Wanted::Last(number(last)?.into())),
        (false, true) => Some(Wanted::From(number(first)?.into(), None)),
        (false, false) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Wanted::From(first.into(), Some(last.into())))
        }
    }
}

fn check(site: &Site, origin: Origin, key: &Key, plain: &[u8], wanted: Option<&Wanted>, flow: &Flow) {
    assert_eq!(origin::leak(&flow.body), None, "{} by {origin:?}", site.name);
    let whole = key.encrypt(plain);
    let length = whole.len() as u128;
    // Nothing but a beginning of what should come, ever.
    let place = match wanted {
        None => Ok(None),
        Some(Wanted::From(first, last)) if *first < length => {
            Ok(Some(*first as usize..last.map_or(length, |last| (last + 1).min(length)) as usize))
        }
        Some(Wanted::Last(count)) if *count > 0 => Ok(Some(length.saturating_sub(*count) as usize..whole.len())),
        Some(_) => Err(()),
    };
    let honest = !matches!(origin, Origin::Short | Origin::Long | Origin::Unknown | Origin::Shifted);
    if flow.end != End::Clean || flow.replied && flow.status() >= 500 {
        assert!(!honest, "{} by {origin:?}: {:?}", site.name, flow.exchange.reason());
        return;
    }
    let says = |name: &str| edge::value(&flow.headers, name);
    match flow.status() {
        200 => {
            assert!(flow.body == whole, "not the whole");
            assert!(matches!(place, Ok(None)) || origin == Origin::Endless || origin == Origin::Unsized);
            assert!(says("content-length").is_none_or(|said| said == whole.len().to_string()));
            assert_eq!(says("content-range"), None);
        }
        206 => {
            let place = place.expect("it is there").expect("it was asked for");
            assert!(flow.body == whole[place.clone()], "not that part");
            let range = format!("bytes {}-{}/{length}", place.start, place.end - 1);
            assert_eq!(says("content-range"), Some(&*range));
            assert!(says("content-length").is_none_or(|said| said == place.len().to_string()));
        }
        416 => assert!(place.is_err() || plain.is_empty()),
        other => panic!("{other}"),
    }
    assert_eq!(says("etag"), None, "it is the plaintext's");
}
