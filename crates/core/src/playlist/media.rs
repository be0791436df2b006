//! The scope of our key in a media playlist: EXT-X-KEY before the first segment, part or skip that it covers,
//! METHOD=NONE before what stays in clear (RFC 8216 section 4.3.2.4).

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::line::{Line, MAX_LINE};
use crate::bytes::bug;
use crate::http::reply::Reason;

/// The key and IV that one EXT-X-KEY of ours puts in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InForce {
    /// The key period.
    pub period: u64,
    /// The segment's own IV; `None`: the IV follows from the period, or from the media sequence number.
    pub iv: Option<[u8; 16]>,
}

/// What is in force where the playlist has been written to.
#[derive(Debug, Default)]
pub struct KeyScope {
    /// The key that is.
    in_force: Option<InForce>,
    version: Version,
    /// Where in the output the open segment begins: only its URI tells whether it is ours, and a key that comes after
    /// `#EXTINF` is read differently by different players.
    segment: Option<usize>,
    /// Where EXT-X-BYTERANGE stands in the open segment.
    byterange: Option<Range<usize>>,
    /// The open segment's lines, from one chunk to the next.
    carried: Vec<u8>,
}

/// EXT-X-VERSION, of which there may be only one. The IV attribute needs 2.
#[derive(Debug, Default, PartialEq, Eq)]
enum Version {
    #[default]
    Unseen,
    Seen,
    Inserted,
}

impl KeyScope {
    /// Takes a chunk's output up where the last one's ended.
    pub fn resume(&mut self, out: &mut Vec<u8>) {
        if self.carried.is_empty() {
            return;
        }
        self.segment = Some(out.len());
        // In tiny chunks, moving a long segment forth and back each time would take time in the square of its length.
        if out.is_empty() {
            core::mem::swap(out, &mut self.carried);
        } else {
            out.append(&mut self.carried);
        }
    }

    /// Keeps an open segment back from a chunk's output.
    pub fn suspend(&mut self, out: &mut Vec<u8>) {
        match self.segment.take() {
            None => {}
            Some(0) => core::mem::swap(out, &mut self.carried),
            Some(start) => self.carried.extend(out.drain(bug::within(start, out.len())..)),
        }
    }

    /// Passes a line that has nothing of ours.
    pub fn pass(&mut self, line: Line<'_>, out: &mut Vec<u8>) -> Result<(), Reason> {
        out.extend_from_slice(line.text);
        out.extend_from_slice(line.end);
        self.check(out)
    }

    /// Passes a segment's first tag.
    pub fn open_segment(&mut self, line: Line<'_>, out: &mut Vec<u8>) -> Result<(), Reason> {
        self.segment.get_or_insert(out.len());
        self.pass(line, out)
    }

    /// Passes EXT-X-BYTERANGE, for now: only the URI tells whether the segment keeps it.
    pub fn pass_byterange(&mut self, line: Line<'_>, out: &mut Vec<u8>) -> Result<(), Reason> {
        // The last one counts.
        self.cut_byterange(out);
        let start = *self.segment.get_or_insert(out.len());
        let from = out.len() - bug::within(start, out.len());
        self.pass(line, out)?;
        self.byterange = Some(from..out.len() - bug::within(start, out.len()));
        Ok(())
    }

    /// Takes the open segment's EXT-X-BYTERANGE out again.
    pub fn cut_byterange(&mut self, out: &mut Vec<u8>) {
        if let (Some(start), Some(place)) = (self.segment, self.byterange.take()) {
            let end = bug::within(start + place.end, out.len());
            out.drain(bug::within(start + place.start, end)..end);
        }
    }

    /// Whether our key is in force so.
    pub fn is_in_force(&self, key: InForce) -> bool {
        self.in_force == Some(key)
    }

    /// Whether a segment is open.
    pub fn is_open(&self) -> bool {
        self.segment.is_some()
    }

    /// The open segment's URI is next, or there is none.
    pub fn close_segment(&mut self) {
        self.segment = None;
        self.byterange = None;
    }

    /// Whether what is held back is within its limit. To be asked after every line written.
    ///
    /// # Errors
    /// [`Reason::Line`] if not.
    pub fn check(&self, out: &[u8]) -> Result<(), Reason> {
        match self.segment {
            Some(start) if out.len() - bug::within(start, out.len()) > MAX_LINE => Err(Reason::Line),
            _ => Ok(()),
        }
    }

    /// Passes EXT-X-VERSION, raised to 2 where it is less.
    pub fn version(&mut self, line: Line<'_>, number: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        match self.version {
            // A second one is an error in players.
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

    /// Puts our key in force, by its EXT-X-KEY, before the open segment.
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

    /// Puts our key out of force before the open segment.
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
