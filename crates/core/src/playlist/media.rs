//! The scope of our key in a media playlist: EXT-X-KEY before the first segment, part or skip that it covers,
//! METHOD=NONE before what stays in clear (RFC 8216 section 4.3.2.4).

use alloc::string::String;
use alloc::vec::Vec;

use super::line::{Line, MAX_LINE};
use crate::reply::Reason;

/// What is in force where the playlist has been written to.
#[derive(Debug, Default)]
pub struct KeyScope {
    /// The key period that is.
    in_force: Option<u64>,
    version: Version,
    /// The lines since `#EXTINF`: only the URI tells whether the segment is ours, and a key that comes after
    /// `#EXTINF` is read differently by different players.
    segment: Vec<u8>,
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
    /// Passes a line that has nothing of ours.
    pub fn pass(&mut self, line: Line<'_>, out: &mut Vec<u8>) -> Result<(), Reason> {
        if self.segment.is_empty() {
            out.extend_from_slice(line.text);
            out.extend_from_slice(line.end);
            return Ok(());
        }
        self.hold_line(line)
    }

    /// Passes bytes that make whole lines.
    pub fn pass_bytes(&mut self, lines: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        self.pass(Line { text: lines, end: b"" }, out)
    }

    /// Takes a segment's first tag and holds lines back until its URI comes.
    pub fn open_segment(&mut self, line: Line<'_>) -> Result<(), Reason> {
        self.hold_line(line)
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

    /// Puts our key of a period in force, by its EXT-X-KEY, before the lines held back.
    pub fn require_key(&mut self, period: u64, key_line: impl FnOnce() -> String, end: &[u8], out: &mut Vec<u8>) {
        if self.in_force == Some(period) {
            return;
        }
        let key_line = key_line();
        if self.version == Version::Unseen && key_line.contains(",IV=") {
            out.extend_from_slice(b"#EXT-X-VERSION:2");
            out.extend_from_slice(end);
            self.version = Version::Inserted;
        }
        out.extend_from_slice(key_line.as_bytes());
        out.extend_from_slice(end);
        self.in_force = Some(period);
    }

    /// Puts our key out of force before the lines held back.
    pub fn require_none(&mut self, end: &[u8], out: &mut Vec<u8>) {
        if self.in_force.take().is_some() {
            out.extend_from_slice(b"#EXT-X-KEY:METHOD=NONE");
            out.extend_from_slice(end);
        }
    }

    /// Appends the lines held back.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.segment);
    }

    /// Whether no line is held back.
    pub fn is_settled(&self) -> bool {
        self.segment.is_empty()
    }

    /// Holds bytes that make whole lines back until the segment's URI comes.
    pub fn hold(&mut self, lines: &[u8]) -> Result<(), Reason> {
        if self.segment.len() + lines.len() > MAX_LINE {
            return Err(Reason::Line);
        }
        self.segment.extend_from_slice(lines);
        Ok(())
    }

    fn hold_line(&mut self, line: Line<'_>) -> Result<(), Reason> {
        self.hold(line.text)?;
        self.hold(line.end)
    }
}
