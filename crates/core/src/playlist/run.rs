//! Runs of plain segments: `#EXTINF` and a simple URI, over and over, under the key in force. Most playlists consist of
//! little else, and here such a segment is two copies: all since the last token, and the token.

use alloc::vec::Vec;

use super::Body;
use super::line::MAX_LINE;
use super::uri::Lead;
use crate::signed::Resource;
use crate::url;

const MEDIA: Lead = Lead::Resource(Resource::MEDIA);

impl Body {
    /// Takes the plain segments that `chunk` begins with; writes what they come to, as [`Body::line`] would line by line.
    /// Returns how many bytes they are.
    pub(super) fn run(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        let (mut taken, mut copied) = (0, 0);
        let Some(mut next) = segment(chunk).filter(|_| self.is_plain()) else { return 0 };
        let token = self.marks.token_for(MEDIA).unwrap_or_default().as_bytes();
        loop {
            let uri_end = taken + next.uri_end;
            out.extend_from_slice(chunk.get(copied..uri_end).unwrap_or_default());
            if !token.is_empty() {
                out.push(b'?');
                out.extend_from_slice(token);
            }
            copied = uri_end;
            taken += next.end;
            match segment(chunk.get(taken..).unwrap_or_default()) {
                Some(segment) => next = segment,
                None => break,
            }
        }
        out.extend_from_slice(chunk.get(copied..taken).unwrap_or_default());
        self.segments.forget();
        taken
    }

    /// Whether a segment that says nothing of itself needs nothing but its token here.
    fn is_plain(&self) -> bool {
        let same = self.marks.is_plain(MEDIA)
            && self.marks.encryption.as_ref().is_none_or(|encryption| {
                !encryption.counts() && self.spared.is_none() && self.scope.is_in_force(Resource::MEDIA.period)
            });
        same && self.end.is_some()
            && !self.variant
            && self.byterange.is_none()
            && !self.scope.is_open()
            && !self.marks.variables.are_used()
    }
}

/// Where a plain segment's URI and the segment itself end.
struct Segment {
    uri_end: usize,
    end: usize,
}

/// The plain segment that `text` begins with, if all of it is there.
fn segment(text: &[u8]) -> Option<Segment> {
    if !text.starts_with(b"#EXTINF:") {
        return None;
    }
    let tag = memchr::memchr(b'\n', text)? + 1;
    let rest = text.get(tag..)?;
    let end = memchr::memchr(b'\n', rest)?;
    let line = rest.get(..end)?;
    let uri = line.strip_suffix(b"\r").unwrap_or(line);
    let fits = tag <= MAX_LINE && end < MAX_LINE;
    (fits && url::is_simple(uri)).then_some(Segment { uri_end: tag + uri.len(), end: tag + end + 1 })
}
