//! Rewriting of playlists (RFC 8216): tokens onto URIs, the key before what it covers, every other byte as it came.
//!
//! Works line by line on a stream. Memory is the longest line and the tags between one `#EXTINF` and its URI,
//! both limited, whatever the length of the playlist.

mod attribute;
mod line;
mod media;
mod uri;

use alloc::vec::Vec;

use self::line::{Line, Lines};
use self::media::KeyScope;
pub use self::uri::{Encryption, Marks};
use crate::reply::Reason;

const BOM: &[u8] = b"\xef\xbb\xbf";
const HEAD: &[u8] = b"#EXTM3U";
/// More blanks than this before the first tag are no playlist.
const MAX_SNIFF: usize = 1024;

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
}

impl Rewriter {
    /// Starts a playlist.
    pub fn new(marks: Marks) -> Self {
        Self { lines: Lines::default(), body: Body { marks, end: None, variant: false, scope: KeyScope::default() } }
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
        self.lines.is_at_line_start() && self.body.scope.is_settled() && self.body.end.is_some()
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
            self.marks.push_line(out, line, text, uri::Purpose::Token);
            Ok(())
        } else {
            self.cover(text, end, out);
            self.scope.flush(out);
            self.marks.push_line(out, line, text, uri::Purpose::Token);
            Ok(())
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
        use uri::Purpose::{Clear, Token};
        let encrypting = self.marks.encryption.is_some();
        match tag {
            b"#EXTINF" => self.scope.open_segment(line, out),
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
            b"#EXT-X-BYTERANGE" if encrypting => Err(Reason::Byterange),
            b"#EXT-X-MAP" => {
                if encrypting {
                    refuse_byterange(list, &[b"BYTERANGE"])?;
                    self.scope.require_none(end, out);
                }
                self.marks.push_tag(out, line, &[(b"URI", Clear)]);
                Ok(())
            }
            b"#EXT-X-PART" => {
                if encrypting {
                    refuse_byterange(list, &[b"BYTERANGE"])?;
                }
                self.cover(attribute::value(list, b"URI").unwrap_or_default(), end, out);
                self.marks.push_tag(out, line, &[(b"URI", Token)]);
                Ok(())
            }
            b"#EXT-X-PRELOAD-HINT" => {
                if encrypting {
                    refuse_byterange(list, &[b"BYTERANGE-START", b"BYTERANGE-LENGTH"])?;
                }
                let purpose = if attribute::value(list, b"TYPE") == Some(b"MAP") { Clear } else { Token };
                self.scope.flush(out);
                self.marks.push_tag(out, line, &[(b"URI", purpose)]);
                Ok(())
            }
            b"#EXT-X-SKIP" => {
                if let Some(encryption) = &self.marks.encryption {
                    self.scope.require_key(encryption, end, out);
                }
                self.scope.pass(line, out)
            }
            b"#EXT-X-KEY"
            | b"#EXT-X-SESSION-KEY"
            | b"#EXT-X-MEDIA"
            | b"#EXT-X-I-FRAME-STREAM-INF"
            | b"#EXT-X-IMAGE-STREAM-INF"
            | b"#EXT-X-RENDITION-REPORT" => self.uris(line, &[(b"URI", Token)], out),
            b"#EXT-X-SESSION-DATA" => self.uris(line, &[(b"URI", Clear)], out),
            b"#EXT-X-CONTENT-STEERING" => self.uris(line, &[(b"SERVER-URI", Clear)], out),
            b"#EXT-X-DATERANGE" => self.uris(line, &[(b"X-ASSET-URI", Token), (b"X-ASSET-LIST", Clear)], out),
            _ => self.scope.pass(line, out),
        }
    }

    fn uris(&mut self, line: Line<'_>, attributes: &[(&[u8], uri::Purpose)], out: &mut Vec<u8>) -> Result<(), Reason> {
        let mut rewritten = Vec::with_capacity(line.text.len() + 256);
        self.marks.push_tag(&mut rewritten, line, attributes);
        self.scope.pass_bytes(&rewritten, out)
    }
}

fn refuse_byterange(list: &[u8], names: &[&[u8]]) -> Result<(), Reason> {
    if names.iter().any(|name| attribute::find(list, name).is_some()) { Err(Reason::Byterange) } else { Ok(()) }
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;
