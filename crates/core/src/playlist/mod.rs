//! Rewriting of playlists (RFC 8216): tokens onto URIs, the key before what it covers, every other byte as it came.
//!
//! Works line by line on a stream. Memory is the longest line and the tags between one `#EXTINF` and its URI,
//! both limited, whatever the length of the playlist.

mod attribute;
mod line;
mod media;
mod range;
mod uri;

use alloc::vec::Vec;

use self::line::{Line, Lines};
use self::media::KeyScope;
use self::range::Ranges;
pub use self::uri::{Encryption, Marks};
use crate::reply::Reason;
use crate::signed::{ByteRange, Resource};

const BOM: &[u8] = b"\xef\xbb\xbf";
const HEAD: &[u8] = b"#EXTM3U";
/// More blanks than this before the first tag are no playlist.
const MAX_SNIFF: usize = 1024;
/// Bytes that are waited for at most: well below any proxy's buffer.
const MAX_WAIT: usize = 8192;

/// Whether a body that begins with `bytes` is a playlist; `None` if more of it is needed to tell.
pub fn is_playlist(bytes: &[u8]) -> Option<bool> {
    let text = match bytes.strip_prefix(BOM) {
        Some(text) => text,
        None if BOM.starts_with(bytes) => return None,
        None => bytes,
    };
    // Some players take blanks before it, as before any tag.
    let text = text.trim_ascii_start();
    match text.strip_prefix(HEAD) {
        Some(rest) => rest.first().map(u8::is_ascii_whitespace),
        None if HEAD.starts_with(text) && bytes.len() < MAX_SNIFF => None,
        None => Some(false),
    }
}

/// Whether `bytes`, a playlist's first, hold what most refusals are for: everything up to its first URI line, or as much
/// as is worth waiting for.
pub fn shows_enough(bytes: &[u8]) -> bool {
    let is_uri = |line: &[u8]| {
        let text = line.trim_ascii();
        line.ends_with(b"\n") && !text.is_empty() && !text.starts_with(b"#")
    };
    bytes.len() >= MAX_WAIT || bytes.split_inclusive(|byte| *byte == b'\n').skip(1).any(is_uri)
}

/// One playlist being rewritten.
#[derive(Debug)]
pub struct Rewriter {
    lines: Lines,
    body: Body,
}

#[derive(Debug)]
struct Body {
    marks: Marks,
    /// `Some` once the first line has been seen: how our own lines end.
    end: Option<&'static [u8]>,
    /// The next URI line is a variant's, not a segment's.
    variant: bool,
    scope: KeyScope,
    /// The value of EXT-X-BYTERANGE and its whole line, until the URI that it is for.
    byterange: Option<(Vec<u8>, Vec<u8>)>,
    segments: Ranges,
    parts: Ranges,
}

/// Needs the token: a playlist, a segment, a key.
const TOKEN: Resource = Resource { clear: false, range: None };
/// Read in clear by players: an init section, session data, an asset list.
const CLEAR: Resource = Resource { clear: true, range: None };

impl Rewriter {
    /// Starts a playlist.
    pub fn new(marks: Marks) -> Self {
        let body = Body {
            marks,
            end: None,
            variant: false,
            scope: KeyScope::default(),
            byterange: None,
            segments: Ranges::default(),
            parts: Ranges::default(),
        };
        Self { lines: Lines::default(), body }
    }

    /// Takes the next chunk and appends what is ready to `out`.
    ///
    /// # Errors
    /// [`Reason::Playlist`], [`Reason::Line`], [`Reason::Encrypted`], [`Reason::Byterange`].
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        let Self { lines, body } = self;
        lines.push(chunk, |line| body.line(line, out))
    }

    /// Appends what was held back. The playlist is complete.
    ///
    /// # Errors
    /// As [`Rewriter::push`].
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Reason> {
        let Self { lines, body } = self;
        lines.finish(|line| body.line(line, out))?;
        body.scope.flush(out);
        if body.end.is_none() { Err(Reason::Playlist) } else { Ok(()) }
    }

    /// Whether nothing is held back, so that the playlist may end here without [`Rewriter::finish`].
    pub fn is_settled(&self) -> bool {
        self.lines.is_at_line_start()
            && self.body.scope.is_settled()
            && self.body.byterange.is_none()
            && self.body.end.is_some()
    }
}

impl Body {
    fn line(&mut self, line: Line<'_>, out: &mut Vec<u8>) -> Result<(), Reason> {
        let Some(end) = self.end else { return self.first_line(line, out) };
        let text = line.text.trim_ascii();
        if text.is_empty() {
            self.scope.pass(line, out)
        } else if text.starts_with(b"#EXT") {
            let (tag, list) = match text.iter().position(|byte| *byte == b':') {
                Some(colon) => (text.get(..colon).unwrap_or(text), text.get(colon + 1..).unwrap_or_default()),
                None => (text, &[][..]),
            };
            self.tag(line, tag, list, end, out)
        } else if text.starts_with(b"#") {
            self.scope.pass(line, out)
        } else if core::mem::take(&mut self.variant) {
            self.scope.flush(out);
            self.marks.push_line(out, line, text, &TOKEN);
            Ok(())
        } else {
            let resource = self.segment_resource(text)?;
            self.cover(text, end, out);
            self.scope.flush(out);
            self.marks.push_line(out, line, text, &resource);
            Ok(())
        }
    }

    /// What a segment's URI stands for: its range becomes a resource of its own, which is encrypted by itself.
    fn segment_resource(&mut self, uri: &[u8]) -> Result<Resource, Reason> {
        match self.byterange.take() {
            None => {
                self.segments.forget();
                Ok(TOKEN)
            }
            Some((value, _)) if self.marks.is_own(uri) => {
                Ok(Resource { clear: false, range: Some(self.segments.next(uri, &value)?) })
            }
            Some((_, line)) => {
                self.segments.forget();
                self.scope.hold(&line)?;
                Ok(TOKEN)
            }
        }
    }

    /// Recognises the playlist; a byte order mark goes.
    fn first_line(&mut self, line: Line<'_>, out: &mut Vec<u8>) -> Result<(), Reason> {
        let text = line.text.strip_prefix(BOM).unwrap_or(line.text);
        // Without its line's end the tag alone does not tell yet.
        if is_playlist(text) != Some(true) && text.trim_ascii() != HEAD {
            return Err(Reason::Playlist);
        }
        self.end = Some(if line.end == b"\r\n" { b"\r\n" } else { b"\n" });
        out.extend_from_slice(text);
        out.extend_from_slice(line.end);
        Ok(())
    }

    /// Puts the key in force before a segment or part of ours, and out of force before another host's.
    fn cover(&mut self, uri: &[u8], end: &[u8], out: &mut Vec<u8>) {
        let Some(encryption) = &self.marks.encryption else { return };
        if self.marks.is_own(uri) {
            self.scope.require_key(encryption, end, out);
        } else {
            self.scope.require_none(end, out);
        }
    }

    fn tag(&mut self, line: Line<'_>, tag: &[u8], list: &[u8], end: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        let encrypting = self.marks.encryption.is_some();
        match tag {
            b"#EXTINF" => self.scope.open_segment(line),
            b"#EXT-X-STREAM-INF" => {
                self.variant = true;
                self.scope.pass(line, out)
            }
            b"#EXT-X-VERSION" if encrypting => self.scope.version(line, list, out),
            b"#EXT-X-KEY" if encrypting => match attribute::value(list, b"METHOD") {
                // Ours stays in force: what the origin leaves in clear is encrypted here.
                Some(b"NONE") => Ok(()),
                _ => Err(Reason::Encrypted),
            },
            b"#EXT-X-SESSION-KEY" if encrypting => Err(Reason::Encrypted),
            b"#EXT-X-BYTERANGE" if encrypting => {
                self.byterange = Some((list.to_vec(), [line.text, line.end].concat()));
                Ok(())
            }
            b"#EXT-X-MAP" if encrypting => {
                self.scope.require_none(end, out);
                let uri = attribute::value(list, b"URI").unwrap_or_default();
                let range = own_range(&self.marks, list, &mut Ranges::from_start(uri), b"BYTERANGE")?;
                self.push_part(line, Resource { clear: true, range }, out);
                Ok(())
            }
            b"#EXT-X-PART" if encrypting => {
                let uri = attribute::value(list, b"URI").unwrap_or_default();
                let range = own_range(&self.marks, list, &mut self.parts, b"BYTERANGE")?;
                self.cover(uri, end, out);
                self.push_part(line, Resource { clear: false, range }, out);
                Ok(())
            }
            b"#EXT-X-PRELOAD-HINT" if encrypting => self.hint(line, list, out),
            b"#EXT-X-SKIP" => {
                if let Some(encryption) = &self.marks.encryption {
                    self.scope.require_key(encryption, end, out);
                }
                self.scope.pass(line, out)
            }
            b"#EXT-X-KEY"
            | b"#EXT-X-SESSION-KEY"
            | b"#EXT-X-MAP"
            | b"#EXT-X-PART"
            | b"#EXT-X-PRELOAD-HINT"
            | b"#EXT-X-MEDIA"
            | b"#EXT-X-I-FRAME-STREAM-INF"
            | b"#EXT-X-IMAGE-STREAM-INF"
            | b"#EXT-X-RENDITION-REPORT" => self.uris(line, &[(b"URI", TOKEN)], out),
            b"#EXT-X-SESSION-DATA" => self.uris(line, &[(b"URI", CLEAR)], out),
            b"#EXT-X-CONTENT-STEERING" => self.uris(line, &[(b"SERVER-URI", CLEAR)], out),
            b"#EXT-X-DATERANGE" => self.uris(line, &[(b"X-ASSET-URI", TOKEN), (b"X-ASSET-LIST", CLEAR)], out),
            _ => self.scope.pass(line, out),
        }
    }

    /// Passes a tag of a segment of ours. Its byte range, if it has one, is in the URI now.
    fn push_part(&mut self, line: Line<'_>, resource: Resource, out: &mut Vec<u8>) {
        let without: &[&[u8]] = if resource.range.is_some() { &[b"BYTERANGE"] } else { &[] };
        self.marks.push_tag(out, line, &[(b"URI", resource)], without);
    }

    /// EXT-X-PRELOAD-HINT: its URI must be that of the part that it announces.
    fn hint(&mut self, line: Line<'_>, list: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        let clear = attribute::value(list, b"TYPE") == Some(b"MAP");
        let number = |name: &[u8]| match attribute::value(list, name) {
            None => Ok(None),
            Some(text) => core::str::from_utf8(text).ok().and_then(range::number).map(Some).ok_or(Reason::Byterange),
        };
        let (start, length) = (number(b"BYTERANGE-START")?, number(b"BYTERANGE-LENGTH")?);
        let own = self.marks.is_own(attribute::value(list, b"URI").unwrap_or_default());
        let range = match (start, length) {
            _ if !own => None,
            (None, None) => None,
            // Without its length it can match no part.
            (Some(_), None) => return Ok(()),
            (start, Some(length)) => Some(ByteRange::new(start.unwrap_or(0), length).ok_or(Reason::Byterange)?),
        };
        let without: &[&[u8]] = if range.is_some() { &[b"BYTERANGE-START", b"BYTERANGE-LENGTH"] } else { &[] };
        self.scope.flush(out);
        self.marks.push_tag(out, line, &[(b"URI", Resource { clear, range })], without);
        Ok(())
    }

    fn uris(&mut self, line: Line<'_>, attributes: &[(&[u8], Resource)], out: &mut Vec<u8>) -> Result<(), Reason> {
        let mut rewritten = Vec::with_capacity(line.text.len() + 256);
        self.marks.push_tag(&mut rewritten, line, attributes, &[]);
        self.scope.pass_bytes(&rewritten, out)
    }
}

/// The range in the attribute `name` of a tag, if its URI is ours.
fn own_range(marks: &Marks, list: &[u8], ranges: &mut Ranges, name: &[u8]) -> Result<Option<ByteRange>, Reason> {
    let uri = attribute::value(list, b"URI").unwrap_or_default();
    match attribute::value(list, name) {
        Some(text) if marks.is_own(uri) => ranges.next(uri, text).map(Some),
        _ => {
            ranges.forget();
            Ok(None)
        }
    }
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;
