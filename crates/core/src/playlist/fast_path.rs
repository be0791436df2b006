//! Fast path for runs of plain segments: `#EXTINF`, optionally with a time before it, and a simple URI, under the key
//! in force. Most playlists consist of little else. Each such segment takes two copies: everything since the last
//! token, and the token. If its URI inherits a token in the path, the whole run is one copy.

use alloc::vec::Vec;

use super::Body;
use super::key_scope::InForce;
use super::line::MAX_LINE;
use super::scan::{self, BLOCK};
use super::session_link::SessionLink;
use super::uri::LinkTarget;
use crate::bytes::bug;
use crate::http::reply::Reason;
use crate::http::url;
use crate::token::signed::Resource;

const EXTINF: &[u8] = b"#EXTINF:";
const DATE_TIME: &[u8] = b"#EXT-X-PROGRAM-DATE-TIME:";
const MEDIA: LinkTarget = LinkTarget::Resource(Resource::MEDIA);
/// The only key of a session without rotation.
const FIRST: InForce = InForce { period: 0, iv: None };

impl Body {
    /// Rewrites the plain segments at the start of `chunk`, as [`Body::line`] would line by line. Returns their length
    /// in bytes.
    ///
    /// # Errors
    /// Only because of a bug.
    pub(super) fn run(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<usize, Reason> {
        if extinf(chunk, 0).is_none() || !self.is_plain() {
            return Ok(0);
        }
        // The texts are the same around every URI that does not climb.
        let Some((before, after)) = self.marks.around(b"segment", MEDIA) else { return Ok(0) };
        let taken = match self.marks.link(MEDIA) {
            Some(SessionLink::Segment(_)) if before.is_empty() => inherited(chunk, out)?,
            Some(SessionLink::Segment(_) | SessionLink::Rooted(_)) => enclosed(chunk, &before, after, out)?,
            Some(SessionLink::Parameter(_)) | None => extended(chunk, after, out)?,
        };
        if taken > 0 {
            self.segments.forget();
        }
        Ok(taken)
    }

    /// Whether a segment without properties of its own needs nothing but its token here.
    fn is_plain(&self) -> bool {
        let same = self.marks.is_plain(MEDIA)
            && self.marks.encryption.as_ref().is_none_or(|encryption| {
                encryption.is_uniform() && self.spared.is_none() && self.scope.is_in_force(FIRST)
            });
        same && self.end.is_some()
            && !self.variant
            && self.byterange.is_none()
            && !self.scope.is_open()
            && !self.marks.variables.are_used()
    }
}

/// Copies the segments at the start of `chunk` whose URIs inherit the token: all at once.
fn inherited(chunk: &[u8], out: &mut Vec<u8>) -> Result<usize, Reason> {
    let mut taken = 0;
    while let Some(next) = segment::<true>(chunk, taken) {
        taken = next.end;
    }
    out.extend_from_slice(bug::part(chunk, ..taken, Reason::Line)?);
    Ok(taken)
}

/// Copies the segments at the start of `chunk` with `before` in front of each URI and the parameter `after`, if it is not
/// empty, behind it.
fn enclosed(chunk: &[u8], before: &str, after: &str, out: &mut Vec<u8>) -> Result<usize, Reason> {
    let (mut taken, mut copied) = (0, 0);
    while let Some(next) = segment::<true>(chunk, taken) {
        push_short(out, chunk, copied, next.uri_start)?;
        out.extend_from_slice(before.as_bytes());
        (taken, copied) = (next.end, next.uri_start);
        if !after.is_empty() {
            push_short(out, chunk, copied, next.uri_end)?;
            out.push(b'?');
            out.extend_from_slice(after.as_bytes());
            copied = next.uri_end;
        }
    }
    out.extend_from_slice(bug::part(chunk, copied..taken, Reason::Line)?);
    Ok(taken)
}

/// Copies the segments at the start of `chunk` with the parameter `after`, if it is not empty, behind each URI.
fn extended(chunk: &[u8], after: &str, out: &mut Vec<u8>) -> Result<usize, Reason> {
    let (mut taken, mut copied) = (0, 0);
    while let Some(next) = segment::<false>(chunk, taken) {
        if !after.is_empty() {
            push_short(out, chunk, copied, next.uri_end)?;
            out.push(b'?');
            out.extend_from_slice(after.as_bytes());
            copied = next.uri_end;
        }
        taken = next.end;
    }
    out.extend_from_slice(bug::part(chunk, copied..taken, Reason::Line)?);
    Ok(taken)
}

/// Appends `text[from..to]`. Copying a fixed number of bytes and truncating is faster than a call for a few bytes.
fn push_short(out: &mut Vec<u8>, text: &[u8], from: usize, to: usize) -> Result<(), Reason> {
    let length = out.len() + (to - from);
    match text.get(from..).and_then(<[u8]>::first_chunk::<64>) {
        Some(few) if to - from <= few.len() => {
            out.extend_from_slice(few);
            out.truncate(length);
        }
        _ => out.extend_from_slice(bug::part(text, from..to, Reason::Line)?),
    }
    Ok(())
}

/// The positions of a plain segment's URI, and the end of the segment.
struct Segment {
    uri_start: usize,
    uri_end: usize,
    end: usize,
}

/// The plain segment at `start`, if it is complete and some more text follows. `STRAIGHT`: only if its URI leads to its
/// directory or below (`http::path_token::is_straight`).
#[inline]
fn segment<const STRAIGHT: bool>(text: &[u8], start: usize) -> Option<Segment> {
    let uri_start = newline(text, extinf(text, start)? + EXTINF.len())? + 1;
    let uri_end = uri_end::<STRAIGHT>(text, uri_start)?;
    let end = match text.get(uri_end..)? {
        [b'\n', ..] => uri_end + 1,
        [b'\r', b'\n', ..] => uri_end + 2,
        _ => return None,
    };
    let fits = uri_start - start <= MAX_LINE && end - uri_start <= MAX_LINE;
    (fits && url::is_simple_start(text.get(uri_start..uri_end)?)).then_some(Segment { uri_start, uri_end, end })
}

/// The position of `#EXTINF` at `start` or after a time there.
#[inline]
fn extinf(text: &[u8], start: usize) -> Option<usize> {
    let tag = text.get(start..)?;
    if tag.starts_with(EXTINF) {
        return Some(start);
    }
    let at = newline(text, start + tag.starts_with(DATE_TIME).then_some(DATE_TIME.len())?)? + 1;
    text.get(at..)?.starts_with(EXTINF).then_some(at)
}

/// The position of the first line feed from `at` on, if whole blocks are available up to there.
#[inline]
fn newline(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let found = scan::newlines(text.get(at..)?.first_chunk::<BLOCK>()?);
        if found != 0 {
            return Some(at + usize::try_from(found.trailing_zeros()).ok()?);
        }
        at += BLOCK;
    }
}

/// The position of the first byte from `at` on that no simple URI contains, if whole blocks are available up to there.
/// `STRAIGHT`: `None` if a `/` is first, or a `.` is first or behind a `/`.
#[inline]
fn uri_end<const STRAIGHT: bool>(text: &[u8], mut at: usize) -> Option<usize> {
    if STRAIGHT && text.get(at) == Some(&b'/') {
        return None;
    }
    // Whether a `/` is before the block. The URI follows the directory's.
    let mut after_slash = 1;
    loop {
        let block = text.get(at..)?.first_chunk::<BLOCK>()?;
        let special = scan::special(block);
        if STRAIGHT {
            let (slashes, dots) = scan::slashes_and_dots(block);
            let before_end = special.wrapping_sub(1) & !special;
            if (slashes << 1 | after_slash) & dots & before_end != 0 {
                return None;
            }
            after_slash = slashes >> (BLOCK - 1);
        }
        if special != 0 {
            return Some(at + usize::try_from(special.trailing_zeros()).ok()?);
        }
        at += BLOCK;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::path_token;

    /// At any position in a block, a segment is found if and only if its URI is straight.
    #[test]
    fn only_straight_uris_inherit() {
        let odd = ["/", ".", "./", "../", "/.", "/./", "/../", "/.a", "a.", "..", "a/b", "//", "/x//y", "", "a/"];
        for before in 0..36 {
            for odd in odd {
                for after in [0, 1, 15, 16, 17] {
                    let uri = ["u".repeat(before), odd.into(), "v".repeat(after)].concat();
                    let text = alloc::format!("#EXTINF:4,\n{uri}\n{}", "/.".repeat(16));
                    let expected = url::is_simple(uri.as_bytes()).then_some(11..11 + uri.len());
                    let place = |found: Segment| found.uri_start..found.uri_end;
                    assert_eq!(segment::<false>(text.as_bytes(), 0).map(place), expected, "{uri}");
                    let expected = expected.filter(|_| path_token::is_straight(uri.as_bytes()));
                    assert_eq!(segment::<true>(text.as_bytes(), 0).map(place), expected, "{uri}");
                }
            }
        }
    }
}
