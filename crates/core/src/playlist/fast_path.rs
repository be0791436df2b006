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
use crate::http::path_token;
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
        let (mut taken, mut copied) = (0, 0);
        let Some(mut next) = segment(chunk).filter(|_| self.is_plain()) else { return Ok(0) };
        // The texts are the same around every URI that does not climb.
        let Some((before, after)) = self.marks.around(b"segment", MEDIA) else { return Ok(0) };
        let in_path = matches!(self.marks.link(MEDIA), Some(SessionLink::Segment(_)));
        loop {
            let (uri_start, uri_end) = (taken + next.uri_start, taken + next.uri_end);
            if in_path {
                if !path_token::is_straight(bug::look(chunk, uri_start..uri_end)) {
                    break;
                }
                if !before.is_empty() {
                    push_short(out, chunk, copied, uri_start)?;
                    out.extend_from_slice(before.as_bytes());
                    copied = uri_start;
                }
            } else if !after.is_empty() {
                push_short(out, chunk, copied, uri_end)?;
                out.push(b'?');
                out.extend_from_slice(after.as_bytes());
                copied = uri_end;
            }
            taken += next.end;
            match segment(bug::look(chunk, taken..)) {
                Some(segment) => next = segment,
                None => break,
            }
        }
        if taken > 0 {
            out.extend_from_slice(bug::part(chunk, copied..taken, Reason::Line)?);
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

/// The plain segment at the start of `text`, if it is complete and some more text follows.
fn segment(text: &[u8]) -> Option<Segment> {
    let tag = end_of(text, extinf(text)? + EXTINF.len(), scan::newlines)? + 1;
    let uri_end = end_of(text, tag, scan::special)?;
    let end = match text.get(uri_end..)? {
        [b'\n', ..] => uri_end + 1,
        [b'\r', b'\n', ..] => uri_end + 2,
        _ => return None,
    };
    let fits = tag <= MAX_LINE && end - tag <= MAX_LINE;
    (fits && url::is_simple_start(text.get(tag..uri_end)?)).then_some(Segment { uri_start: tag, uri_end, end })
}

/// The position of `#EXTINF` at the start of `text` or after a time there.
fn extinf(text: &[u8]) -> Option<usize> {
    if text.starts_with(EXTINF) {
        return Some(0);
    }
    let time = text.strip_prefix(DATE_TIME)?;
    let at = DATE_TIME.len() + end_of(time, 0, scan::newlines)? + 1;
    text.get(at..)?.starts_with(EXTINF).then_some(at)
}

/// The position of the first byte from `at` on that `bits` selects, if whole blocks are available up to there.
fn end_of(text: &[u8], mut at: usize, bits: impl Fn(&[u8; BLOCK]) -> u16) -> Option<usize> {
    loop {
        let found = bits(text.get(at..)?.first_chunk()?);
        if found != 0 {
            return Some(at + usize::try_from(found.trailing_zeros()).ok()?);
        }
        at += BLOCK;
    }
}
