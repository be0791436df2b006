//! The scanner: cuts a stream of bytes into pieces of markup and text, whatever chunks the bytes arrive in.
//!
//! It keeps what cannot be judged yet: an incomplete tag, reference or character. Nothing is scanned twice.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use memchr::memchr;

use crate::chars;
use crate::error::{Fault, XmlError};
use crate::text::{LONGEST_REFERENCE, resolve};

pub(crate) const BYTE_ORDER_MARK: &str = "\u{FEFF}";

/// A piece of the input. All pieces together are the input, byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text, cut anywhere but within a character or a reference.
    Text,
    /// Text of a CDATA section, cut anywhere but within a character.
    CData,
    /// Text of a comment, cut likewise.
    Comment,
    /// `<!--`, `-->`, `<![CDATA[` or `]]>`.
    Delimiter,
    /// A whole tag.
    Tag,
    /// The XML declaration, or a byte order mark before it.
    Declaration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    Comment,
    CData,
}

/// The result of a scan: a piece, or the need for more input.
enum Step {
    Took(usize, Piece, State),
    More,
}

pub(crate) struct Scanner {
    state: State,
    /// The longest tag, in bytes.
    longest_tag: usize,
    /// Scanned in part, and not given out.
    kept: String,
    /// The first bytes of a character.
    cut: Vec<u8>,
    /// The position in `kept` at which the search for the end of a tag goes on, and within which quotes.
    searched: usize,
    quote: Option<u8>,
    /// `]` at the end of the last text, at most two: `]]>` must not appear, however it is cut.
    brackets: usize,
    /// Bytes given out so far.
    offset: u64,
    /// Nothing but a byte order mark was given out.
    at_start: bool,
}

impl Scanner {
    pub(crate) const fn new(longest_tag: usize) -> Self {
        Self {
            state: State::Text,
            longest_tag,
            kept: String::new(),
            cut: Vec::new(),
            searched: 0,
            quote: None,
            brackets: 0,
            offset: 0,
            at_start: true,
        }
    }

    /// Reads a chunk and gives out the pieces that it completes, each with its offset in the input.
    pub(crate) fn push<E: From<XmlError>>(
        &mut self,
        chunk: &[u8],
        mut each: impl FnMut(u64, Piece, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        let joined;
        let mut bytes = chunk;
        if !self.cut.is_empty() {
            joined = [self.cut.as_slice(), chunk].concat();
            bytes = &joined;
        }
        let (text, cut) = decode(bytes).map_err(|()| self.error(Fault::NotUtf8))?;
        self.cut = cut.to_vec();
        if self.kept.is_empty() {
            let used = self.scan(text, &mut each)?;
            self.kept.push_str(text.get(used..).unwrap_or_default());
        } else {
            let mut kept = mem::take(&mut self.kept);
            kept.push_str(text);
            let used = self.scan(&kept, &mut each)?;
            kept.drain(..used);
            self.kept = kept;
        }
        Ok(())
    }

    /// The end of the input.
    pub(crate) fn finish(&self) -> Result<(), XmlError> {
        let fault = match () {
            () if !self.cut.is_empty() => Fault::NotUtf8,
            () if self.kept.starts_with('&') => Fault::Reference,
            () if !self.kept.is_empty() || self.state != State::Text => Fault::Incomplete,
            () => return Ok(()),
        };
        Err(self.error(fault))
    }

    pub(crate) const fn error(&self, fault: Fault) -> XmlError {
        XmlError::new(self.offset, fault)
    }

    /// Scans as far as possible; returns the bytes given out.
    fn scan<E: From<XmlError>>(
        &mut self,
        text: &str,
        each: &mut impl FnMut(u64, Piece, &str) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut used = 0;
        loop {
            let rest = text.get(used..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(used);
            }
            let step = match self.state {
                State::Text => self.text(rest),
                State::Comment => comment(rest),
                State::CData => Ok(section(rest)),
            };
            match step.map_err(|fault| self.error(fault))? {
                Step::More => return Ok(used),
                Step::Took(length, piece, state) => {
                    let raw = rest.get(..length).unwrap_or_default();
                    if !chars::are_allowed(raw) {
                        return Err(self.error(Fault::Character).into());
                    }
                    each(self.offset, piece, raw)?;
                    self.state = state;
                    self.at_start &= raw == BYTE_ORDER_MARK;
                    self.offset = self.offset.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
                    used += length;
                }
            }
        }
    }

    fn text(&mut self, rest: &str) -> Result<Step, Fault> {
        if rest.starts_with('<') {
            self.brackets = 0;
            return self.markup(rest);
        }
        if self.offset == 0 && rest.starts_with(BYTE_ORDER_MARK) {
            return Ok(Step::Took(BYTE_ORDER_MARK.len(), Piece::Declaration, State::Text));
        }
        let end = memchr(b'<', rest.as_bytes());
        let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let length = check_references(text, end.is_some())?;
        let text = text.get(..length).unwrap_or_default();
        self.check_section_end(text)?;
        Ok(if length == 0 { Step::More } else { Step::Took(length, Piece::Text, State::Text) })
    }

    /// Refuses `]]>`, also across two pieces of text.
    fn check_section_end(&mut self, text: &str) -> Result<(), Fault> {
        if self.brackets == 0 && memchr(b']', text.as_bytes()).is_none() {
            return Ok(());
        }
        let leading = text.len() - text.trim_start_matches(']').len();
        let carried = self.brackets + leading >= 2 && text.as_bytes().get(leading) == Some(&b'>');
        if carried || find(text, "]]>").is_some() {
            return Err(Fault::SectionEnd);
        }
        let trailing = text.len() - text.trim_end_matches(']').len();
        self.brackets = if trailing == text.len() { self.brackets + trailing } else { trailing }.min(2);
        Ok(())
    }

    fn markup(&mut self, rest: &str) -> Result<Step, Fault> {
        if !matches!(rest.as_bytes().get(1), None | Some(b'!' | b'?')) {
            return self.tag(rest);
        }
        for (opening, state) in [("<!--", State::Comment), ("<![CDATA[", State::CData)] {
            if rest.starts_with(opening) {
                return Ok(Step::Took(opening.len(), Piece::Delimiter, state));
            }
            if opening.starts_with(rest) {
                return Ok(Step::More);
            }
        }
        if rest.starts_with("<!DOCTYPE") {
            return Err(Fault::Doctype);
        }
        if rest.starts_with("<!") {
            return if "<!DOCTYPE".starts_with(rest) { Ok(Step::More) } else { Err(Fault::Markup) };
        }
        if rest.starts_with("<?") { self.declaration(rest) } else { self.tag(rest) }
    }

    fn declaration(&self, rest: &str) -> Result<Step, Fault> {
        if !self.at_start || !(rest.starts_with("<?xml") || "<?xml".starts_with(rest)) {
            return Err(Fault::Instruction);
        }
        match find(rest, "?>") {
            Some(end) if end < self.longest_tag => Ok(Step::Took(end + 2, Piece::Declaration, State::Text)),
            None if rest.len() < self.longest_tag => Ok(Step::More),
            _ => Err(Fault::TagTooLong),
        }
    }

    /// The tag up to the `>` outside quotes.
    fn tag(&mut self, rest: &str) -> Result<Step, Fault> {
        let from = self.searched.max(1);
        let mut quote = self.quote;
        let mut end = None;
        for (distance, byte) in rest.as_bytes().get(from..).unwrap_or_default().iter().enumerate() {
            match (quote, byte) {
                (_, b'<') => return Err(Fault::Markup),
                (None, b'>') => {
                    end = Some(from + distance + 1);
                    break;
                }
                (None, b'"' | b'\'') => quote = Some(*byte),
                (Some(open), byte) if open == *byte => quote = None,
                _ => {}
            }
        }
        self.quote = quote;
        if end.unwrap_or(rest.len()) > self.longest_tag {
            return Err(Fault::TagTooLong);
        }
        self.searched = end.map_or(rest.len(), |_| 0);
        Ok(end.map_or(Step::More, |length| Step::Took(length, Piece::Tag, State::Text)))
    }
}

/// The first place of an ASCII needle. `str::find` would bring a search for long needles into the module.
fn find(text: &str, needle: &str) -> Option<usize> {
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    text.windows(needle.len()).position(|window| window == needle)
}

/// Splits bytes into whole characters and the beginning of one more.
fn decode(bytes: &[u8]) -> Result<(&str, &[u8]), ()> {
    let valid = match core::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => return Err(()),
    };
    let (whole, cut) = bytes.split_at_checked(valid).ok_or(())?;
    Ok((core::str::from_utf8(whole).map_err(|_| ())?, cut))
}

/// Checks the references of a text; returns its length up to a reference that the end of the chunk cuts off.
fn check_references(text: &str, complete: bool) -> Result<usize, Fault> {
    let mut at = 0;
    while let Some(distance) = memchr(b'&', text.as_bytes().get(at..).unwrap_or_default()) {
        let start = at + distance;
        let reference = text.get(start + 1..).unwrap_or_default();
        let window = reference.as_bytes().iter().take(LONGEST_REFERENCE);
        match window.clone().position(|byte| *byte == b';') {
            Some(end) => {
                resolve(reference.get(..end).unwrap_or_default())?;
                at = start + end + 2;
            }
            None if complete || window.len() == LONGEST_REFERENCE => return Err(Fault::Reference),
            None => return Ok(start),
        }
    }
    Ok(text.len())
}

fn comment(rest: &str) -> Result<Step, Fault> {
    match find(rest, "--") {
        Some(0) => match rest.as_bytes().get(2) {
            Some(b'>') => Ok(Step::Took(3, Piece::Delimiter, State::Text)),
            Some(_) => Err(Fault::Comment),
            None => Ok(Step::More),
        },
        Some(length) => Ok(Step::Took(length, Piece::Comment, State::Comment)),
        None => Ok(all_but(rest, "-", Piece::Comment, State::Comment)),
    }
}

fn section(rest: &str) -> Step {
    match find(rest, "]]>") {
        Some(0) => Step::Took(3, Piece::Delimiter, State::Text),
        Some(length) => Step::Took(length, Piece::CData, State::CData),
        None if rest.ends_with("]]") => all_but(rest, "]]", Piece::CData, State::CData),
        None => all_but(rest, "]", Piece::CData, State::CData),
    }
}

/// All of the text, less an ending that the next chunk may turn into a delimiter.
fn all_but(rest: &str, ending: &str, piece: Piece, state: State) -> Step {
    match rest.strip_suffix(ending).unwrap_or(rest).len() {
        0 => Step::More,
        length => Step::Took(length, piece, state),
    }
}
