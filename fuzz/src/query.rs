//! Property of queries and cookies: playlock's own never reach the origin in any spelling; everything else does, byte
//! for byte and in order; a duplicate token opens nothing.

use playlock_core::http::reply::Header;

use crate::edge::{self, Asked, header};
use crate::site::{SITES, Site, site};
use crate::source::Source;
use crate::text;
use crate::viewer::{self, viewer};

/// Input: the site; the path, of four; the query, a line; then request headers, each a line: its name, of six, by the first
/// byte, and its value. In all of them the byte 1 stands for a session token as a parameter or cookie, 2 for an access
/// token, 3 for a signed parameter.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let index = source.below(SITES);
    let site = site(index);
    let path = source.pick(&["/vod/a/media.m3u8", "/vod/a/1.ts", "/vod/a/unknown", "/vod/a/init.mp4"]);
    let query = filled(source.until(b'\n'), index);
    let mut headers = Vec::new();
    while !source.is_empty() && headers.len() < 8 {
        let name = source.pick(&["cookie", "cookie", site.access, "range", "if-none-match", "x-other"]);
        headers.push(header(name, filled(source.until(b'\n'), index)));
    }
    // No proxy lets these in (RFC 9110 section 5.5).
    if headers.iter().any(|(_, value)| value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t')) {
        return;
    }
    let target = [viewer::prefix(&site, &viewer(index).token).as_bytes(), path.as_bytes(), b"?", &query].concat();
    match edge::get(&site.policies, &target, &headers) {
        Asked::Forwarded(_, seen) => {
            once(&site, &query, &headers);
            check_query(&site, path, &query, &seen);
            check_cookies(&site, &headers, &seen);
            check_headers(&site, path, &headers, &seen);
        }
        Asked::Answered(mut exchange, reply) => {
            assert!(exchange.reason().is_some() && !reply.body.is_empty());
            edge::quiet(&mut exchange, &reply);
        }
    }
}

fn filled(bytes: &[u8], index: usize) -> Vec<u8> {
    let (site, viewer) = (site(index), viewer(index));
    let mut out = Vec::new();
    for byte in bytes {
        match byte {
            1 if site.in_cookie && !site.in_query => {
                out.extend(format!("{}={}", viewer::cookie_name(&site), viewer.token).bytes());
            }
            1 => out.extend(format!("{}={}", site.session, viewer.token).bytes()),
            2 => out.extend(format!("{}={}", site.access, site.ticket()).bytes()),
            3 => out.extend(format!("plk={}", viewer::parameter(&viewer.init.target, "plk").unwrap_or("0")).bytes()),
            _ => out.push(*byte),
        }
    }
    out
}

fn ours(site: &Site) -> Vec<&[u8]> {
    vec![b"plk", site.session.as_bytes(), site.access.as_bytes()]
}

/// An admitted query has one reading only.
fn once(site: &Site, query: &[u8], headers: &[Header]) {
    let query = std::str::from_utf8(query).expect("else it is refused");
    let count = |name: &str| text::parameters(query).filter(|(found, _)| found == name.as_bytes()).count();
    assert!(count("plk") <= 1);
    if site.in_query && site.on_content {
        assert!(count(site.session) <= 1, "{query}");
    }
    if site.in_path {
        assert_eq!(count(site.session), 0, "in two places: {query}");
    }
    // What has no `=` has no name (RFC 6265 section 5.2).
    let named = |name: &str, pair: &[u8]| pair.starts_with(name.as_bytes()) && pair.contains(&b'=');
    let cookies =
        |name: &str| cookies(headers).filter(|(found, pair)| *found == name.as_bytes() && named(name, pair)).count();
    if site.in_cookie && !site.in_query && site.on_content {
        assert!(cookies(&viewer::cookie_name(site)) <= 1);
    }
}

fn check_query(site: &Site, path: &str, query: &[u8], seen: &[Header]) {
    let query = std::str::from_utf8(query).expect("else it is refused");
    let mut names = ours(site);
    if site.name == "both" {
        // A delta update is not asked for where the origin's own encryption passes.
        names.push(b"_HLS_skip");
    }
    let kept: Vec<&str> = text::parameters(query)
        .filter(|(name, _)| !names.contains(&&name[..]))
        .map(|(_, parameter)| parameter)
        .collect();
    let all = text::parameters(query).count() == kept.len();
    let expected = if all || !kept.is_empty() { format!("{path}?{}", kept.join("&")) } else { path.to_owned() };
    assert_eq!(edge::value(seen, ":path"), Some(&*expected));
    // However the origin reads it.
    for parameter in expected.split_once('?').map_or("", |(_, query)| query).split('&') {
        let name = text::decode_leniently(parameter.split('=').next().unwrap_or_default().as_bytes());
        assert!(!ours(site).contains(&&name[..]), "the origin sees {parameter}");
    }
}

/// All pairs of all cookie headers: names and whole pairs, without blanks around them.
fn cookies(headers: &[Header]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let values = headers.iter().filter(|(name, _)| name == "cookie").flat_map(|(_, value)| value.split(|b| *b == b';'));
    values.map(|pair| (pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii(), pair.trim_ascii()))
}

fn check_cookies(site: &Site, sent: &[Header], seen: &[Header]) {
    let session = |name: &[u8]| match name.strip_prefix(site.session.as_bytes()) {
        Some([b'-', reference @ ..]) => {
            reference.len() == 8 && reference.iter().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(b))
        }
        rest => rest == Some(&[]),
    };
    let is_ours = |name: &[u8]| session(name) || name == site.access.as_bytes();
    for (name, pair) in cookies(seen) {
        assert!(!is_ours(name), "the origin sees the cookie {:?}", String::from_utf8_lossy(pair));
    }
    let others = |headers: &[Header]| -> Vec<Vec<u8>> {
        cookies(headers).filter(|(name, _)| !is_ours(name)).map(|(_, pair)| pair.to_vec()).collect()
    };
    assert!(others(sent) == others(seen) || others(seen).is_empty() && others(sent).iter().all(Vec::is_empty));
}

fn check_headers(site: &Site, path: &str, sent: &[Header], seen: &[Header]) {
    assert!(seen.iter().all(|(name, _)| name != site.access));
    let others = |headers: &[Header], name: &str| -> Vec<Header> {
        headers.iter().filter(|(found, _)| found == name).cloned().collect()
    };
    assert_eq!(others(sent, "x-other"), others(seen, "x-other"));
    // What is encrypted or rewritten must come whole.
    if site.encrypts && path.ends_with(".ts") || path.ends_with(".m3u8") {
        assert!(others(seen, "if-none-match").is_empty());
    }
}
