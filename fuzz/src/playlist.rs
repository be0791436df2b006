//! Property of playlists: the output is independent of chunks, of how the end is signaled and of held headers; without
//! playlock's additions it equals the input; every URI that leads back has its token and no other has one; playlock's
//! media is under its key; memory is bounded.

use playlock_core::http::reply::{Header, Reason};
use playlock_core::media::batch::Batch;

use crate::edge::{self, Asked, End, Flow, header};
use crate::memory;
use crate::site::{SITES, Site, site};
use crate::source::{Source, pieces};
use crate::text;
use crate::viewer::{self, reference, viewer};

/// Stands for as many KiB of `a` as the byte after it says.
const LONG: u8 = 0x1a;

/// The kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// A playlist of a session.
    Playlist,
    /// A playlist that opens one.
    Entry,
    /// A steering manifest or asset list.
    Document,
}

/// Input: the site, what is asked for, how it ends, whether much of it is sent; how it is cut, behind the number of
/// bytes that say so; the text.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let index = source.below(SITES);
    let site = site(index);
    let what = source.pick(&[What::Playlist, What::Entry, What::Document]);
    let (announced, empty_end) = (source.flag(), source.flag());
    let much = source.byte() == 1;
    let cuts: Vec<u8> = (0..source.below(32)).map(|_| source.byte()).collect();
    let text = expanded(source.rest());

    let (target, cookies) = request(&site, index, what);
    let run = |hold: bool, cut: bool| {
        let mut cuts = Source::new(if cut { &cuts } else { &[] });
        let ends = Ends { announced, empty: empty_end && cut };
        rewritten(&site, &target, &cookies, pieces(&text, &mut cuts), ends, hold)
    };
    let whole = run(false, false);
    let held = run(true, false);
    for (hold, expected) in [(false, &whole), (true, &held)] {
        let cut = run(hold, true);
        assert!(cut == *expected, "{}, {what:?}: held {hold}: {:?}, {:?}", site.name, show(expected), show(&cut));
    }
    // Of two reasons for a refusal the other one may come first.
    assert!(
        held.as_ref().ok() == whole.as_ref().ok(),
        "{}, {what:?}: {:?}, {:?}",
        site.name,
        show(&whole),
        show(&held)
    );
    if let Ok(out) = whole {
        match what {
            What::Document => document(&text, &out, &site),
            _ => {
                let wrapped = what == What::Entry && out.starts_with(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n");
                let plain = undo_segment(&out, &target, &viewer(index).token);
                if !wrapped && !site.in_path {
                    undone(&text, &out, &site);
                } else if let (false, Some(plain)) = (wrapped || has_other_forms(&text), plain) {
                    undone(&text, &plain, &site);
                }
                let token = secret_part(&viewer(index).token);
                // A fuzzer finds it out by what it is compared with; no origin knows it.
                if !String::from_utf8_lossy(&text).contains(&token) {
                    tokens(&out, (&site, index), &target, &token);
                }
                keys(&out, &site, &viewer::prefix(&site, &viewer(index).token));
            }
        }
    }
    if much && what == What::Playlist && text.len() > 16 {
        bounded(&site, &target, &cookies, &text);
    }
}

fn show(result: &Result<Vec<u8>, Reason>) -> Result<String, Reason> {
    result.as_ref().map(|out| String::from_utf8_lossy(out).chars().take(2000).collect()).map_err(|reason| *reason)
}

fn expanded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut source = Source::new(bytes);
    while !source.is_empty() {
        match source.byte() {
            LONG if out.len() < 1 << 18 => out.resize(out.len() + usize::from(source.byte()) * 1024, b'a'),
            byte => out.push(byte),
        }
    }
    out
}

fn request(site: &Site, index: usize, what: What) -> (String, Vec<Header>) {
    let viewer = viewer(index);
    match what {
        What::Playlist => (viewer.playlist, viewer.cookies),
        What::Entry => (format!("/vod/a/media.m3u8?{}={}", site.access, site.ticket()), Vec::new()),
        What::Document => (viewer.document.target, viewer.cookies),
    }
}

#[derive(Clone, Copy)]
struct Ends {
    announced: bool,
    empty: bool,
}

fn rewritten(
    site: &Site,
    target: &str,
    cookies: &[Header],
    pieces: Vec<&[u8]>,
    ends: Ends,
    hold: bool,
) -> Result<Vec<u8>, Reason> {
    let policies = if hold { &site.holding } else { &site.policies };
    let Asked::Forwarded(exchange, _) = edge::get(policies, target.as_bytes(), cookies) else {
        panic!("{target} was refused")
    };
    let mut head = vec![header(":status", "200")];
    if target.contains(".m3u8") {
        head.push(header("content-type", "application/x-mpegURL"));
    }
    if ends.announced {
        head.push(header("content-length", pieces.iter().map(|piece| piece.len()).sum::<usize>().to_string()));
    }
    let mut flow = Flow::new(exchange);
    let mut batch = Batch::default();
    flow.head(&head, false, hold);
    let last = pieces.len() - 1;
    for (at, piece) in pieces.into_iter().enumerate() {
        if flow.is_open() {
            flow.chunk(piece, at == last && !ends.empty, 0, &mut batch);
        }
    }
    if flow.is_open() && ends.empty {
        flow.chunk(&[], true, 0, &mut batch);
    }
    match (flow.end, flow.replied) {
        (End::Clean, false) => {
            if site.encrypts || target.contains(".m3u8") {
                let length = flow.body.len().to_string();
                let announced = edge::value(&flow.headers, "content-length");
                assert!(announced.is_none_or(|announced| hold && announced == length), "it is not what it was");
            }
            Ok(flow.body)
        }
        (End::Clean, true) => Err(flow.exchange.reason().expect("a refusal")),
        (End::Reset(reason), _) => Err(reason),
        (End::Open, _) => panic!("it does not end"),
    }
}

/// Without the session's segment, and what stands before it in a URI that was relative.
fn undo_segment(out: &[u8], target: &str, token: &str) -> Option<Vec<u8>> {
    let segment = format!("/~{token}");
    // A playlist that opens a session is in this directory.
    let added = if target.starts_with(&segment) { segment } else { format!("{segment}/vod/a/") };
    let out = String::from_utf8(out.to_vec()).ok()?.replace(&added, "");
    // The same before URIs that have the token in the query.
    let start = |text: String, before| text.replace(&format!("{before}/vod/a/"), before);
    Some(start(start(out, "\n"), "\"").into_bytes())
}

/// Whether a playlist may have URIs that are written otherwise to have the token: absolute ones, and those with dots.
fn has_other_forms(text: &[u8]) -> bool {
    ["//", "..", "/.", "./", "\n/", "\"/", "\n ", "/~", "?", "#/"]
        .iter()
        .any(|form| text.windows(form.len()).any(|window| window == form.as_bytes()))
}

const NAMES: [&str; 5] = ["hdntl=", "hdnts=", "plk=", "ticket=", "hdnea="];

/// Without what is ours, it is what came.
fn undone(came: &[u8], out: &[u8], site: &Site) {
    let contains = |what: &str| came.windows(what.len()).any(|window| window == what.as_bytes());
    // What is rewritten in more ways has no one way back.
    let names = ["hdnt", "plk", "ticket", "hdnea", "%", "#EXT-X-DEFINE"];
    if names.iter().any(|name| contains(name)) || came.to_ascii_lowercase().windows(5).any(|text| text == b"http:") {
        return;
    }
    let came = came.strip_prefix(b"\xef\xbb\xbf").unwrap_or(came);
    let ranges = contains("BYTERANGE");
    let lines = |text: &[u8], ours: bool| -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let tag = line.trim_ascii();
            let dropped: &[&[u8]] = &[b"#EXT-X-KEY", b"#EXT-X-VERSION", b"#EXT-X-BYTERANGE", b"#EXT-X-PRELOAD-HINT"];
            let ranged: &[&[u8]] = &[b"#EXT-X-PART", b"#EXT-X-MAP"];
            let is = |tags: &[&[u8]]| tags.iter().any(|known| tag.starts_with(known));
            if site.encrypts && (is(dropped) || ranges && is(ranged)) {
                continue;
            }
            lines.push(if ours { without_ours(line) } else { line.to_vec() });
        }
        if contains("#EXT-X-PART") || contains("#EXT-X-MAP") {
            // These go before the segment that they stand in; the last line needs an end there.
            lines.iter_mut().for_each(|line| line.truncate(line.trim_ascii_end().len()));
            lines.sort();
        }
        lines
    };
    let (before, after) = (lines(came, false), lines(out, true));
    if before != after {
        let at = before.iter().zip(&after).position(|(before, after)| before != after);
        let show =
            |lines: &[Vec<u8>]| lines.get(at.unwrap_or(0)).map(|line| String::from_utf8_lossy(line).into_owned());
        panic!(
            "{}: {:?} became {:?}, of {} lines {}",
            site.name,
            show(&before),
            show(&after),
            before.len(),
            after.len()
        );
    }
}

/// A line without the parameters that are ours.
fn without_ours(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if matches!(byte, b'?' | b'&') && NAMES.iter().any(|name| tail.starts_with(name.as_bytes())) {
            let ours = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!*/:@=%".contains(byte);
            let length = tail.iter().take_while(|byte| ours(byte)).count();
            rest = &tail[length..];
        } else {
            out.push(byte);
        }
    }
    out
}

/// Whether a client asks us for this URI, as RFC 3986 says; `None` if clients differ.
fn is_own(uri: &str, site: &Site) -> Option<bool> {
    if uri.is_empty() || uri.bytes().any(|byte| byte < b' ' || byte == 0x7f || byte == b'\\') {
        return None;
    }
    let path = uri.split(['#', '?']).next().unwrap_or_default();
    // The playlist comes by https.
    let (secure, authority) = match path.split_once(':') {
        Some((scheme, rest)) if !scheme.contains('/') => {
            let secure = scheme.eq_ignore_ascii_case("https");
            let web = secure || scheme.eq_ignore_ascii_case("http");
            match rest.strip_prefix("//") {
                Some(rest) if web => (secure, rest),
                _ if web => return None,
                _ => return Some(false),
            }
        }
        _ => match path.strip_prefix("//") {
            Some(rest) => (true, rest),
            None => return Some(true),
        },
    };
    let authority = authority.split('/').next().unwrap_or_default().to_ascii_lowercase();
    if authority.is_empty() || authority.contains('@') {
        return None;
    }
    let own = ["tv.example", if secure { "tv.example:443" } else { "tv.example:80" }];
    Some(own.contains(&&*authority) || site.name == "key server" && authority == "cdn.example:8443")
}

/// The end of a session token, which nobody else knows: its MAC without the first bits.
fn secret_part(token: &str) -> String {
    token[token.len() - 21..].to_owned()
}

/// Every URI that leads back here has the session token, once, and no other has it.
fn tokens(out: &[u8], (site, index): (&Site, usize), base: &str, token: &str) {
    let expected = format!("{}=", site.session);
    let segment = format!("/~{}/", viewer(index).token);
    let check = |uri: &[u8], content: bool| {
        let Ok(uri) = std::str::from_utf8(uri) else { return };
        let Some(own) = is_own(uri, site) else { return };
        let query = uri.split('#').next().unwrap_or_default().split_once('?').map_or("", |(_, query)| query);
        let found: Vec<&str> = query.split('&').filter_map(|parameter| parameter.strip_prefix(&*expected)).collect();
        let free = content && !site.on_content;
        let http = uri.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("http:"));
        assert!(!own || !http, "{}: {uri:?} leaves https", site.name);
        if own && site.in_path {
            let path = text::resolved(base, uri);
            let in_path = path.starts_with(&segment) && path.matches(token).count() == 1 && found.is_empty();
            // The session may be opened again by each reload.
            let in_query = content && !path.starts_with("/~") && found.len() == 1 && found[0].ends_with(token);
            assert!(in_path || in_query, "{}: {uri:?} leads to {path}", site.name);
        } else if own && !free {
            let says = if site.in_query { found[0].ends_with(token) } else { found[0] == reference() };
            assert!(found.len() == 1 && says, "{}: {uri:?} does not say which session", site.name);
        } else if own {
            assert!(found.is_empty(), "{}: {uri:?} has a token", site.name);
        } else {
            assert!(!uri.contains(token), "{}: {uri:?} has the token", site.name);
        }
    };
    let mut variant = false;
    for line in out.split(|byte| *byte == b'\n').skip(1) {
        let line = line.trim_ascii();
        if line.is_empty() {
        } else if !line.starts_with(b"#") {
            check(line, !std::mem::take(&mut variant));
        } else if let Some((tag, list)) = text::tag(line) {
            variant |= tag == "#EXT-X-STREAM-INF";
            let names: &[(&str, bool)] = match tag {
                "#EXT-X-MAP" | "#EXT-X-PART" | "#EXT-X-PRELOAD-HINT" | "#EXT-X-SESSION-DATA" => &[("URI", true)],
                "#EXT-X-MEDIA" | "#EXT-X-I-FRAME-STREAM-INF" | "#EXT-X-IMAGE-STREAM-INF" => &[("URI", false)],
                "#EXT-X-RENDITION-REPORT" => &[("URI", false)],
                "#EXT-X-CONTENT-STEERING" => &[("SERVER-URI", false)],
                "#EXT-X-DATERANGE" => &[("X-ASSET-URI", false), ("X-ASSET-LIST", false), ("X-URI", false)],
                _ => &[],
            };
            for (name, content) in names {
                if let Some(uri) = text::attribute(list, name) {
                    check(uri.as_bytes(), *content);
                }
            }
        } else if line.starts_with(b"#EXT-X-STREAM-INF") {
            variant = true;
        }
    }
}

/// Media of ours stands under a key of ours, and no other media does.
fn keys(out: &[u8], site: &Site, prefix: &str) {
    let contains = |what: &str| out.windows(what.len()).any(|window| window == what.as_bytes());
    // Else it may be spared.
    if !site.encrypts || site.name == "both" || contains("#EXT-X-IMAGES-ONLY") {
        return;
    }
    let (mut ours, mut variant) = (false, false);
    for line in out.split(|byte| *byte == b'\n').skip(1) {
        let text = line.trim_ascii();
        if let Some(list) = text.strip_prefix(b"#EXT-X-KEY:") {
            let own = format!("{prefix}/serve.key?plk=key~");
            // The token of a session that each reload opens again is in the query.
            let endpoints = if site.endpoint { [&own, "/serve.key?plk=key~"] } else { ["https://keys.example/"; 2] };
            let is_at = |endpoint| list.starts_with(format!("METHOD=AES-128,URI=\"{endpoint}").as_bytes());
            ours = endpoints.into_iter().any(is_at);
            assert!(ours || list == b"METHOD=NONE", "{}: a key of the origin's", site.name);
        } else if text.starts_with(b"#EXT-X-STREAM-INF") {
            variant = true;
        } else if !text.is_empty() && !text.starts_with(b"#") && !std::mem::take(&mut variant) {
            let own = std::str::from_utf8(text).ok().and_then(|uri| is_own(uri, site));
            assert!(own.is_none_or(|own| own == ours), "{}: {:?}", site.name, String::from_utf8_lossy(text));
        }
    }
}

/// Only strings that are URIs have changed, and those only by what is ours.
fn document(came: &[u8], out: &[u8], site: &Site) {
    let read = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).ok();
    match (read(came), read(out)) {
        (Some(before), Some(after)) => {
            let names = ["hdnt", "plk", "ticket", "hdnea"];
            let text = before.to_string();
            if !names.iter().any(|name| text.contains(name)) && !text.to_ascii_lowercase().contains("http:") {
                let undone = without_ours(after.to_string().as_bytes());
                assert_eq!(String::from_utf8_lossy(&undone), before.to_string(), "{}", site.name);
            }
        }
        (None, _) => assert!(came == out, "{}: what is no JSON was changed", site.name),
        (Some(_), None) => panic!("{}: JSON became something else", site.name),
    }
}

/// Bytes that an exchange may keep between chunks: twice the longest line and the longest segment, which vectors may
/// have room for twice over, and the list of variables.
const KEPT: isize = 1 << 20;

/// Memory is bounded for a playlist of any length: all that follows the first line comes again and again.
fn bounded(site: &Site, target: &str, cookies: &[Header], text: &[u8]) {
    let Asked::Forwarded(exchange, _) = edge::get(&site.policies, target.as_bytes(), cookies) else { return };
    let mut flow = Flow::new(exchange);
    let mut batch = Batch::default();
    flow.head(&[header(":status", "200"), header("content-type", "audio/mpegurl")], false, false);
    let first = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| at + 1);
    let again = text[first..].repeat((16 << 10) / text.len() + 1);
    let before = memory::in_use();
    let mut next = text;
    let mut sent = 0;
    while sent < 2 * KEPT && flow.is_open() && !next.is_empty() {
        flow.chunk(next, false, 0, &mut batch);
        sent += next.len().cast_signed();
        flow.body = Vec::new();
        let kept = memory::in_use() - before;
        assert!(kept < KEPT, "{}: {kept} bytes are kept after {sent}", site.name);
        next = &again;
    }
}
