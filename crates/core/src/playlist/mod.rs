//! Rewriting of playlists (RFC 8216): adds tokens to URIs, and keys before the media that they encrypt.
//!
//! Every other byte is kept. Works line by line on a stream. Memory is bounded by the longest line and the tags between
//! one `#EXTINF` and its URI, both limited, regardless of the playlist's length.

mod attribute;
mod encryption;
mod fast_path;
pub mod json;
mod key_scope;
mod line;
mod live_probe;
mod origin_keys;
mod range;
mod scan;
mod session_link;
mod tag;
mod uri;
mod variable;

use alloc::string::String;
use alloc::vec::Vec;

pub use self::encryption::{Encryption, KeySource};
use self::encryption::{Position, key_line};
use self::key_scope::{InForce, KeyScope};
use self::line::{Line, Lines};
pub use self::live_probe::LiveProbe;
use self::range::Ranges;
pub use self::session_link::SessionLink;
pub use self::uri::{LinkTarget, Unservable, UriRewriter};
pub use self::variable::Variables;
use crate::bytes::bug;
use crate::http::reply::Reason;
use crate::token::signed::{Resource, Treatment};

/// Media, or its init section, that is encrypted sample by sample.
const SAMPLES: Resource = Resource { form: Treatment::Samples, ..Resource::MEDIA };
const BOM: &[u8] = b"\xef\xbb\xbf";
const HEAD: &[u8] = b"#EXTM3U";
/// Most white space before the first tag, in bytes.
const MAX_SNIFF: usize = 1024;
/// Most bytes to wait for: well below any proxy's buffer.
const MAX_WAIT: usize = 8192;

/// Whether a body that begins with `bytes` is a playlist; `None` if more bytes are needed.
pub fn is_playlist(bytes: &[u8]) -> Option<bool> {
    let text = match bytes.strip_prefix(BOM) {
        Some(text) => text,
        None if BOM.starts_with(bytes) => return None,
        None => bytes,
    };
    // Some players accept white space before it, as before any tag.
    let tag = text.trim_ascii_start();
    match tag.strip_prefix(HEAD) {
        _ if text.len() - tag.len() > MAX_SNIFF => Some(false),
        Some(rest) => rest.first().map(u8::is_ascii_whitespace),
        None if HEAD.starts_with(tag) => None,
        None => Some(false),
    }
}

/// Whether `bytes`, the start of a playlist, contain everything up to its first URI line, where most refusals
/// originate, or as much as is worth waiting for.
pub fn shows_enough(bytes: &[u8]) -> bool {
    let is_uri = |line: &[u8]| {
        let text = line.trim_ascii();
        line.ends_with(b"\n") && !text.is_empty() && !text.starts_with(b"#")
    };
    bytes.len() >= MAX_WAIT || bytes.split_inclusive(|byte| *byte == b'\n').skip(1).any(is_uri)
}

/// The rewriting of one playlist.
#[derive(Debug)]
pub struct Rewriter {
    lines: Lines,
    body: Body,
    /// The lengths of the last chunk and of its output, in bytes.
    seen: (usize, usize),
}

#[derive(Debug)]
struct Body {
    marks: UriRewriter,
    /// The line ending of inserted lines; `None` until the first line has been read.
    end: Option<&'static [u8]>,
    /// The next URI line is a variant's, not a segment's.
    variant: bool,
    scope: KeyScope,
    /// The value of EXT-X-BYTERANGE that applies to the next URI.
    byterange: Option<Vec<u8>>,
    segments: Ranges,
    parts: Ranges,
    position: Position,
    /// The reason why media from here on is not encrypted.
    spared: Option<ClearReason>,
    /// The origin's keys since the last segment.
    origin_keys: OriginKeys,
    /// The media since the last EXT-X-MAP is encrypted sample by sample.
    in_samples: bool,
    /// The playlist has parts (low latency).
    has_parts: bool,
    /// A URI of the current line contains a value that the viewer chose.
    chosen: bool,
    /// The key URI of a period, kept because every segment may need it.
    key_uri: Option<(u64, String)>,
}

/// The reason why media is served unchanged while other media is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClearReason {
    /// A key of the origin is in force.
    Encrypted,
    /// The media is images, which players show without decrypting them.
    Images,
}

/// The origin's keys between two segments. One of them is enough for a player: the others are for other DRM systems.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum OriginKeys {
    /// None.
    #[default]
    None,
    /// Only keys whose URLs are not ours.
    Foreign,
    /// One whose URL is ours, or the policy lets all pass.
    Admitted,
}

impl Rewriter {
    /// Starts a playlist.
    pub fn new(marks: UriRewriter) -> Self {
        let body = Body {
            marks,
            end: None,
            variant: false,
            scope: KeyScope::default(),
            byterange: None,
            segments: Ranges::default(),
            parts: Ranges::default(),
            position: Position::default(),
            spared: None,
            origin_keys: OriginKeys::default(),
            in_samples: false,
            has_parts: false,
            chosen: false,
            key_uri: None,
        };
        Self { lines: Lines::default(), body, seen: (0, 0) }
    }

    /// Rewrites the next chunk and appends the output that is ready to `out`.
    ///
    /// # Errors
    /// [`Reason::Playlist`], [`Reason::Line`], [`Reason::Encrypted`], [`Reason::Byterange`], [`Reason::Variable`].
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        let Self { lines, body, seen } = self;
        body.scope.resume(out);
        lines.push(chunk, |line, rest| {
            body.line(line, out)?;
            body.run(rest, out)
        })?;
        body.scope.suspend(out);
        *seen = (chunk.len(), out.len());
        Ok(())
    }

    /// The expected output of `bytes` bytes, judging by the last chunk, so that memory is allocated once.
    pub fn expected(&self, bytes: usize) -> usize {
        let (taken, given) = self.seen;
        let sixteenths = given.saturating_mul(16).checked_div(taken).unwrap_or(32).clamp(16, 256);
        bytes.saturating_mul(sixteenths + 1) / 16 + 1024
    }

    /// Appends the output that was held back. The playlist is complete.
    ///
    /// # Errors
    /// As [`Rewriter::push`].
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Reason> {
        let Self { lines, body, .. } = self;
        body.scope.resume(out);
        lines.finish(|line| body.line(line, out))?;
        body.scope.close_segment();
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
        if text.starts_with(b"#EXTINF:") {
            // Every other line of most playlists.
            self.scope.open_segment(line, out)
        } else if text.is_empty() {
            self.scope.pass(line, out)
        } else if text.starts_with(b"#EXT") {
            let (tag, list) = match text.iter().position(|byte| *byte == b':') {
                Some(colon) => (bug::part(text, ..colon, Reason::Line)?, bug::part(text, colon + 1.., Reason::Line)?),
                None => (text, &[][..]),
            };
            self.tag(line, tag, list, end, out)
        } else if text.starts_with(b"#") {
            self.scope.pass(line, out)
        } else {
            let expanded = self.marks.variables.expand(line.text)?;
            self.chosen = expanded.as_ref().is_some_and(|expanded| expanded.chosen);
            let line = expanded.as_ref().map_or(line, |expanded| Line { text: &expanded.text, end: line.end });
            self.uri(line, end, out)
        }
    }

    fn uri(&mut self, line: Line<'_>, end: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        let text = line.text.trim_ascii();
        let lead = if core::mem::take(&mut self.variant) {
            LinkTarget::Media
        } else {
            let resource = self.segment_resource(text, out)?;
            self.cover(text, &resource, end, out);
            self.position.advance();
            self.origin_keys = OriginKeys::None;
            LinkTarget::Resource(resource)
        };
        self.check_choice(lead)?;
        self.scope.close_segment();
        self.marks.push_line(out, line, text, lead)
    }

    /// Checks that no value that a viewer chose decides which resource is served in clear, or under the key of which
    /// period.
    ///
    /// # Errors
    /// [`Reason::Variable`] if one does.
    fn check_choice(&self, lead: LinkTarget) -> Result<(), Reason> {
        let refused = self.chosen && lead.gives_away() && self.marks.encryption.is_some();
        if refused { Err(Reason::Variable) } else { Ok(()) }
    }

    /// The properties of media at this position: encrypted, or served unchanged.
    ///
    /// # Errors
    /// [`Reason::Encrypted`] if the origin has encrypted it with keys of others.
    fn media(&self) -> Result<Resource, Reason> {
        Ok(match (&self.marks.encryption, self.spared) {
            (Some(_), None) if self.in_samples => SAMPLES,
            (Some(encryption), None) => encryption.media(&self.position, self.has_parts),
            (Some(_), Some(_)) if self.origin_keys == OriginKeys::Foreign => return Err(Reason::Encrypted),
            (Some(_), Some(_)) => Resource { form: Treatment::Clear, ..Resource::default() },
            (None, _) => Resource::default(),
        })
    }

    /// Whether media at this position is encrypted.
    fn is_encrypting(&self) -> bool {
        self.marks.encryption.is_some() && self.spared.is_none()
    }

    /// The properties of the segment with this URI. Its byte range becomes a resource of its own, encrypted separately.
    fn segment_resource(&mut self, uri: &[u8], out: &mut Vec<u8>) -> Result<Resource, Reason> {
        let media = self.media()?;
        match self.byterange.take() {
            None => {
                self.segments.forget();
                Ok(media)
            }
            // A range of what leaves is none of the origin's file.
            Some(_) if self.in_samples && self.is_encrypting() && self.marks.is_own(uri) => Err(Reason::Samples),
            Some(value) if self.is_encrypting() && self.marks.is_own(uri) => {
                self.scope.cut_byterange(out);
                Ok(Resource { range: Some(self.segments.next(uri, &value)?), ..media })
            }
            Some(value) => {
                // Kept as it is, but later ranges may continue it.
                let _ = self.segments.next(uri, &value);
                Ok(media)
            }
        }
    }

    /// Checks the first line, and removes a byte order mark.
    fn first_line(&mut self, line: Line<'_>, out: &mut Vec<u8>) -> Result<(), Reason> {
        let text = line.text.strip_prefix(BOM).unwrap_or(line.text);
        // Without its line ending, the tag alone is not conclusive.
        if !is_playlist(text).unwrap_or(text.trim_ascii() == HEAD) {
            return Err(Reason::Playlist);
        }
        self.end = Some(if line.end == b"\r\n" { b"\r\n" } else { b"\n" });
        out.extend_from_slice(text);
        out.extend_from_slice(line.end);
        Ok(())
    }

    /// Puts the key in force before an own segment or part, and out of force before another host's.
    fn cover(&mut self, uri: &[u8], resource: &Resource, end: &[u8], out: &mut Vec<u8>) {
        if self.spared.is_some() {
            return;
        }
        let Self { marks, scope, key_uri, .. } = self;
        let Some(encryption) = &marks.encryption else { return };
        if !marks.is_own(uri) {
            scope.require_none(end, out);
            return;
        }
        if resource.form == Treatment::Samples {
            let iv = Some(marks.keyring.sample_iv(&encryption.scope));
            scope.require_key(InForce { period: 0, iv }, || marks.sample_key_line(encryption, iv), end, out);
            return;
        }
        let key = InForce { period: resource.period.unwrap_or_default(), iv: marks.segment_iv(uri, resource) };
        let line = || {
            let known = key_uri.take().filter(|(period, _)| *period == key.period);
            let (_, uri) = key_uri.insert(known.unwrap_or_else(|| (key.period, marks.key_uri(encryption, key.period))));
            key_line("AES-128", uri, encryption.named_iv(&marks.keyring, resource, key.iv))
        };
        scope.require_key(key, line, end, out);
    }
}

#[cfg(test)]
mod clear_tests;
#[cfg(test)]
mod iv_tests;
#[cfg(test)]
mod key_tests;
#[cfg(test)]
mod tests;
