//! Property of tokens in the path: a target has one reading; a request is admitted with its token in one carrier only, the path
//! or the query; the origin gets the rest of the target, which the log shows, and never the token.

use playlock_core::http::path_token::{self, Split};
use playlock_core::http::target::BadTarget;

use crate::edge::{self, Asked, header};
use crate::site::{SITES, Site, site};
use crate::source::Source;
use crate::text;
use crate::viewer::{Viewer, viewer};

/// The sites with tokens in the path are the last ones.
const FIRST: usize = SITES - 2;

/// Input: the site; the target, a line; then cookies. In both the byte 1 stands for the session token, 2 for an access token
/// with its name, its slashes escaped, 3 for the name of session tokens, 4 for a session cookie's.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let index = FIRST + source.below(SITES - FIRST);
    let (site, viewer) = (site(index), viewer(index));
    let target = filled(source.until(b'\n'), &site, &viewer);
    let cookie = filled(source.rest(), &site, &viewer);
    if cookie.iter().chain(&target).any(u8::is_ascii_control) {
        return;
    }
    let split = path_token::split(&target, "~");
    assert_eq!(split, expected(&target), "{:?}", String::from_utf8_lossy(&target));

    let cookies = if cookie.is_empty() { Vec::new() } else { vec![header("cookie", cookie.clone())] };
    let asked = edge::get(&site.policies, &target, &cookies);
    let exchange = match &asked {
        Asked::Forwarded(exchange, _) | Asked::Answered(exchange, _) => exchange,
    };
    // What the log shows instead of a target with a token in its path.
    let rest = split.ok().flatten().and_then(|split| String::from_utf8(split.plain.to_vec()).ok());
    match (exchange.plain_target(), &asked) {
        (Some(shown), _) => assert_eq!(shown, rest.as_deref().unwrap_or("/")),
        // It gets another target, as checked below.
        (None, Asked::Forwarded(..)) => {}
        (None, _) => assert!(expected(&target) == Ok(None), "the log shows {:?}", String::from_utf8_lossy(&target)),
    }
    let Asked::Forwarded(_, seen) = &asked else { return };
    let path = edge::value(seen, ":path").expect("one target");
    // A viewer may write its token anywhere else, too, as any text.
    let again = rest.as_deref().is_some_and(|rest| rest.contains(&viewer.token));
    assert!(again || !has(path.as_bytes(), &viewer.token), "the origin gets the token: {path}");
    if !path.starts_with("/vod/") {
        return;
    }
    let sent = rest.as_deref().unwrap_or_else(|| std::str::from_utf8(&target).expect("else it is refused"));
    assert_eq!(path.split('?').next(), sent.split('?').next());
    // Content needs the session's token; a playlist may have an access token in its place.
    let decoded = text::decode_leniently(&target);
    let in_path = first_segment(&target).is_some_and(|first| has(&first, &viewer.token));
    let access = [&decoded[..], &cookie].iter().any(|bytes| has(bytes, &format!("{}=", site.access)));
    let query = sent.split_once('?').map_or("", |(_, query)| query);
    let queried = text::parameters(query).filter(|(name, _)| name == site.session.as_bytes()).count();
    assert!(in_path || queried == 1 || access && path.contains(".m3u8"), "admitted without a token: {target:?}");
    if in_path || queried == 1 {
        assert!(!in_path || queried == 0, "in path and query");
        let names = [site.session.to_owned(), crate::viewer::cookie_name(&site)];
        let mut pairs = cookie.split(|byte| *byte == b';').filter_map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            Some(pair[..at].trim_ascii())
        });
        assert!(!pairs.any(|name| names.iter().any(|known| known.as_bytes() == name)), "in the URL and in a cookie");
    }
}

fn filled(bytes: &[u8], site: &Site, viewer: &Viewer) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in bytes {
        match byte {
            1 => out.extend(viewer.token.bytes()),
            2 => out.extend(format!("{}={}", site.access, site.ticket().replace('/', "%2f")).bytes()),
            3 => out.extend(site.session.bytes()),
            4 => out.extend(crate::viewer::cookie_name(site).bytes()),
            _ => out.push(*byte),
        }
    }
    out
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The first segment, decoded if it can be; `None` if the target is not absolute.
fn first_segment(target: &[u8]) -> Option<Vec<u8>> {
    let first = target.strip_prefix(b"/")?.split(|byte| b"/?#".contains(byte)).next()?;
    Some(text::decode(first).unwrap_or_else(|| first.to_vec()))
}

/// The documented reading: the marker as it is, and then the text as it is; or any of it escaped, and then all decoded.
fn expected(target: &[u8]) -> Result<Option<Split<'_>>, BadTarget> {
    let Some(sent) = marked(target) else { return Ok(None) };
    let end = 1 + target[1..].iter().position(|byte| b"/?#".contains(byte)).ok_or(BadTarget)?;
    let plain = &target[end..];
    if plain[0] != b'/' || !sent.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'\\') {
        return Err(BadTarget);
    }
    let sent = String::from_utf8(sent).map_err(|_| BadTarget)?;
    // Further tokens are left out, and with more than four of them the whole path.
    let (mut rest, mut further) = (plain, 0);
    while marked(rest).is_some() {
        let end = rest[1..].iter().position(|byte| b"/?#".contains(byte)).map(|end| 1 + end);
        (rest, further) = (end.map(|end| &rest[end..]).filter(|rest| rest[0] == b'/').unwrap_or(b"/"), further + 1);
    }
    let plain = if further > 4 { b"/" } else { rest };
    Ok(Some(Split { sent: sent.into(), plain, repeated: further > 0 }))
}

/// The text behind the marker in the first segment.
fn marked(target: &[u8]) -> Option<Vec<u8>> {
    let first = target.strip_prefix(b"/")?.split(|byte| b"/?#".contains(byte)).next()?;
    if let Some(sent) = first.strip_prefix(b"~") {
        return Some(sent.to_vec());
    }
    let decoded = text::decode(first).filter(|text| std::str::from_utf8(text).is_ok() && first.contains(&b'%'))?;
    std::str::from_utf8(first).ok()?;
    decoded.strip_prefix(b"~").map(<[u8]>::to_vec)
}
