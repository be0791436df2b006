//! Property of paths: the path that a token is checked against is the one that the origin serves, however the origin
//! interprets paths; patterns match by definition; no spelling of a path gets further than the plain one.

use playlock_core::token::acl;

use crate::edge::{self, Asked};
use crate::site::site;
use crate::source::Source;
use crate::text;
use crate::viewer::opened;

/// Bytes of a path or pattern that are within the 727 bytes which a session token has for its ACL, when all of them are
/// escaped, with `/vod` before them.
const LONGEST: usize = 230;

/// Input: which bytes are escaped, two bytes; the pattern, a line; the path as it is asked for.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let escapes = source.number();
    let pattern = String::from_utf8_lossy(source.until(b'\n')).into_owned();
    let raw = source.rest();
    // Beside what any policy covers there is nothing to see, and a session token has room for no longer pattern.
    if !raw.starts_with(b"/") || raw.len() > LONGEST || pattern.len() > LONGEST {
        return;
    }

    let normal = normal(raw);
    let everywhere = admits("*", raw);
    assert_eq!(everywhere, normal.is_some(), "{:?}", String::from_utf8_lossy(raw));
    if let Some(path) = &normal {
        served(raw, path);
        // The core's reading of it is this one and no other: the pattern of this path alone lets it in.
        let exactly = text::encode_but(path, |byte| byte.is_ascii_alphanumeric() || byte == b'/');
        assert!(admits(&exactly, raw));
        let spelled = exactly.strip_prefix("/vod").expect("where it begins");
        assert!(admits(&exactly, spelled.as_bytes()), "{spelled} is another spelling of it");
        assert!(!admits(&format!("{exactly}?"), raw));
        escaped(&pattern, path, escapes);
    }
    let path = normal.unwrap_or_else(|| raw.to_vec());
    patterns(&pattern, &path, raw, escapes);
}

/// Whether a session with this ACL gets this path of the origin's. If so, the origin gets the path as it was sent.
fn admits(acl: &str, raw: &[u8]) -> bool {
    let site = site(0);
    let token = opened(&site, acl);
    let target = [b"/vod", raw, format!("?{}={}", site.session, text::encode(token.as_bytes())).as_bytes()].concat();
    match edge::get(&site.policies, &target, &[]) {
        Asked::Forwarded(_, headers) => {
            let path = headers.iter().find(|(name, _)| name == ":path").expect("a path");
            assert_eq!(path.1, [b"/vod", raw].concat());
            true
        }
        Asked::Answered(..) => false,
    }
}

/// The one path that a raw path below `/vod` names; `None` if anyone could read another one.
fn normal(raw: &[u8]) -> Option<Vec<u8>> {
    let raw = [b"/vod", raw].concat();
    if std::str::from_utf8(&raw).is_err() || raw.iter().any(|b| *b <= b' ' || *b == 0x7f || b"#?".contains(b)) {
        return None;
    }
    let path = text::decode(&raw)?;
    let text = std::str::from_utf8(&path).ok()?;
    let slashes = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'/').count();
    if slashes(&path) != slashes(&raw) || text.chars().any(|c| c.is_control() || "\\?#".contains(c)) {
        return None;
    }
    // A second decoding must find nothing.
    if text::decode_leniently(&path) != path {
        return None;
    }
    let segments: Vec<&str> = text.strip_prefix('/')?.split('/').collect();
    let (last, others) = segments.split_last()?;
    let plain = |segment: &&str| !["", ".", ".."].contains(&segment.split(';').next().unwrap_or_default());
    (others.iter().all(plain) && (last.is_empty() || plain(last))).then(|| path.clone())
}

/// Origins of many kinds serve for this path what it names.
fn served(raw: &[u8], path: &[u8]) {
    let raw = [b"/vod", raw].concat();
    let once = text::decode_leniently(&raw);
    let twice = text::decode_leniently(&once);
    // Windows, and what is behind some proxies.
    let slashed: Vec<u8> = twice.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
    // C strings.
    let cut = slashed.split(|byte| *byte == 0).next().unwrap_or_default();
    for read in [&once[..], &twice, &slashed, cut] {
        assert_eq!(resolved(read), path, "{:?}", String::from_utf8_lossy(&raw));
    }
    // Servlets cut the parameters of every segment off first; dots that stood before them must not count then.
    assert_eq!(resolved(&without_parameters(&once)), without_parameters(path));
}

/// Empty segments merged, dots resolved.
fn resolved(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let segments: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    for (index, segment) in segments.iter().enumerate() {
        let last = index + 1 == segments.len();
        match *segment {
            b"" | b"." if !last => {}
            b".." => drop(kept.pop()),
            b"." => kept.push(b""),
            other => kept.push(other),
        }
    }
    kept.iter().flat_map(|segment| [b"/", *segment]).flatten().copied().collect()
}

fn without_parameters(path: &[u8]) -> Vec<u8> {
    let segments = path.split(|byte| *byte == b'/');
    segments
        .map(|segment| segment.split(|byte| *byte == b';').next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(&b'/')
}

/// Escaping parts of a path changes nothing of what a session may have.
fn escaped(pattern: &str, path: &[u8], escapes: usize) {
    let path = path.strip_prefix(b"/vod").unwrap_or_default();
    let raw = |escapes: usize| {
        let mut at = 0;
        text::encode_but(path, |byte| {
            at += 1;
            let plain = byte.is_ascii_alphanumeric() || b"/-._~!$'()*+,:@".contains(&byte);
            byte == b'/' || plain && escapes >> (at % 16) & 1 == 0
        })
    };
    if text::is_acl(pattern) {
        assert_eq!(admits(pattern, raw(0).as_bytes()), admits(pattern, raw(escapes).as_bytes()), "{pattern}");
    }
}

/// Patterns mean what they say, and an escape in one takes its meaning away.
fn patterns(pattern: &str, path: &[u8], raw: &[u8], escapes: usize) {
    assert_eq!(acl::is_valid(pattern), text::is_acl(pattern), "{pattern:?}");
    let Ok(text) = std::str::from_utf8(path) else { return };
    let matched = acl::allows(pattern, text);
    assert_eq!(matched, text::matches(pattern, path), "{pattern:?} on {text:?}");
    if text::is_acl(pattern) {
        assert_eq!(admits(pattern, raw), normal(raw).is_some_and(|path| text::matches(pattern, &path)));
    }
    let mut at = 0;
    let literal = text::encode_but(pattern.as_bytes(), |byte| {
        at += 1;
        b"!%/".contains(&byte) || escapes >> (at % 16) & 1 == 0
    });
    if !pattern.contains('%') && acl::allows(&literal, text) {
        assert!(matched, "{literal:?} matches {text:?}, {pattern:?} does not");
    }
    // The directory's own pattern matches what is below it and nothing beside.
    if let Some((directory, _)) = text.rsplit_once('/') {
        let below = acl::below(&format!("{directory}/"));
        assert!(acl::allows(&below, text));
        assert!(!acl::allows(&below, directory));
    }
}
