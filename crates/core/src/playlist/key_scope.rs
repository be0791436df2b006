//! The scope of the filter's key in a media playlist: EXT-X-KEY before the first segment or part that it covers,
//! METHOD=NONE before media in clear (RFC 8216 section 4.3.2.4).

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::line::{Line, MAX_LINE};
use crate::bytes::bug;
use crate::http::reply::Reason;

/// The key and IV that an inserted EXT-X-KEY puts in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InForce {
    /// The key period.
    pub period: u64,
    /// The segment's own IV; `None` if the IV follows from the period or the media sequence number.
    pub iv: Option<[u8; 16]>,
}

/// The key in force and the open segment at the end of the output.
#[derive(Debug, Default)]
pub struct KeyScope {
    /// The filter's key that is in force.
    in_force: Option<InForce>,
    version: Version,
    /// The position in the output where the open segment begins. Only its URI shows whether it is own, and players
    /// differ in how they read a key after `#EXTINF`.
    segment: Option<usize>,
    /// The position of EXT-X-BYTERANGE in the open segment.
    byterange: Option<Range<usize>>,
    /// The open segment's lines, between two chunks.
    carried: Vec<u8>,
}

/// EXT-X-VERSION, which may occur only once. The IV attribute needs version 2.
#[derive(Debug, Default, PartialEq, Eq)]
enum Version {
    #[default]
    Unseen,
    Seen,
    Inserted,
}

impl KeyScope {
    /// Continues the output where that of the last chunk ended.
    pub fn resume(&mut self, out: &mut Vec<u8>) {
        if self.carried.is_empty() {
            return;
        }
        self.segment = Some(out.len());
        // With tiny chunks, copying a long segment back and forth would take quadratic time.
        if out.is_empty() {
            core::mem::swap(out, &mut self.carried);
        } else {
            out.append(&mut self.carried);
        }
    }

    /// Holds an open segment back from a chunk's output.
    pub fn suspend(&mut self, out: &mut Vec<u8>) {
        match self.segment.take() {
            None => {}
            Some(0) => core::mem::swap(out, &mut self.carried),
            Some(start) => self.carried.extend(out.drain(bug::within(start, out.len())..)),
        }
    }

    /// Writes a line unchanged.
    pub fn pass(&mut self, line: Line<'_>, out: &mut Vec<u8>) -> Result<(), Reason> {
        out.extend_from_slice(line.text);
        out.extend_from_slice(line.end);
        self.check(out)
    }

    /// Writes a segment's first tag.
    pub fn open_segment(&mut self, line: Line<'_>, out: &mut Vec<u8>) -> Result<(), Reason> {
        self.segment.get_or_insert(out.len());
        self.pass(line, out)
    }

    /// Writes EXT-X-BYTERANGE, for now: only the URI shows whether the segment keeps it.
    pub fn pass_byterange(&mut self, line: Line<'_>, out: &mut Vec<u8>) -> Result<(), Reason> {
        // The last one counts.
        self.cut_byterange(out);
        let start = *self.segment.get_or_insert(out.len());
        let from = out.len() - bug::within(start, out.len());
        self.pass(line, out)?;
        self.byterange = Some(from..out.len() - bug::within(start, out.len()));
        Ok(())
    }

    /// Removes the open segment's EXT-X-BYTERANGE.
    pub fn cut_byterange(&mut self, out: &mut Vec<u8>) {
        if let (Some(start), Some(place)) = (self.segment, self.byterange.take()) {
            let end = bug::within(start + place.end, out.len());
            out.drain(bug::within(start + place.start, end)..end);
        }
    }

    /// Whether this key and IV are in force.
    pub fn is_in_force(&self, key: InForce) -> bool {
        self.in_force == Some(key)
    }

    /// Whether a segment is open.
    pub fn is_open(&self) -> bool {
        self.segment.is_some()
    }

    /// Closes the open segment, if there is one: its URI is written next.
    pub fn close_segment(&mut self) {
        self.segment = None;
        self.byterange = None;
    }

    /// Checks the limit on output that is held back. Must be called after every line written.
    ///
    /// # Errors
    /// [`Reason::Line`] if it is exceeded.
    pub fn check(&self, out: &[u8]) -> Result<(), Reason> {
        match self.segment {
            Some(start) if out.len() - bug::within(start, out.len()) > MAX_LINE => Err(Reason::Line),
            _ => Ok(()),
        }
    }

    /// Writes EXT-X-VERSION, raised to 2 if it is less.
    pub fn version(&mut self, line: Line<'_>, number: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        match self.version {
            // Players reject a second one.
            Version::Inserted => Ok(()),
            _ if number.trim_ascii() == b"1" => {
                self.version = Version::Seen;
                self.pass(Line { text: b"#EXT-X-VERSION:2", end: line.end }, out)
            }
            _ => {
                self.version = Version::Seen;
                self.pass(line, out)
            }
        }
    }

    /// Puts the filter's key in force, by an EXT-X-KEY before the open segment.
    pub fn require_key(&mut self, key: InForce, key_line: impl FnOnce() -> String, end: &[u8], out: &mut Vec<u8>) {
        if self.is_in_force(key) {
            return;
        }
        let key_line = key_line();
        if self.version == Version::Unseen && key_line.contains(",IV=") {
            self.put(&[b"#EXT-X-VERSION:2", end].concat(), out);
            self.version = Version::Inserted;
        }
        self.put(&[key_line.as_bytes(), end].concat(), out);
        self.in_force = Some(key);
    }

    /// Puts the filter's key out of force before the open segment.
    pub fn require_none(&mut self, end: &[u8], out: &mut Vec<u8>) {
        if self.in_force.take().is_some() {
            self.put(&[b"#EXT-X-KEY:METHOD=NONE", end].concat(), out);
        }
    }

    /// Writes whole lines before the open segment.
    pub fn put(&mut self, lines: &[u8], out: &mut Vec<u8>) {
        match &mut self.segment {
            None => out.extend_from_slice(lines),
            Some(start) => {
                let at = bug::within(*start, out.len());
                out.splice(at..at, lines.iter().copied());
                *start = at + lines.len();
            }
        }
    }

    /// Whether no line is held back.
    pub fn is_settled(&self) -> bool {
        self.carried.is_empty()
    }
}
