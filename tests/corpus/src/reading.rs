//! A playlist as a player interprets it: every URI, its purpose, its byte range and the key in force.
//!
//! Written from RFC 8216, without any code of playlock.

use std::ops::Range;
use std::sync::LazyLock;

use regex_lite::Regex;

/// A line without surrounding white space.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// The text.
    pub text: &'a str,
    /// The byte offset of the text in the playlist.
    pub start: usize,
}

/// The lines that are not blank.
pub fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
    text.split_inclusive('\n').filter_map(move |raw| {
        let start = at;
        at += raw.len();
        let blanks = |c: char| c.is_ascii_whitespace() || c == '\u{feff}';
        let text = raw.trim_matches(blanks);
        let before = raw.len() - raw.trim_start_matches(blanks).len();
        (!text.is_empty()).then_some(Line { text, start: start + before })
    })
}

/// The value of `name` in an attribute list, without quotes, and its offset.
pub fn attribute<'a>(list: &'a str, name: &str) -> Option<(Range<usize>, &'a str)> {
    // The corpus has blanks after commas, values without quotes and quotes that are never closed.
    static ATTRIBUTE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?:^|,)\s*([^=,"]+)=(?:"([^"]*)"?|([^",]*))"#).ok());
    let mut found = ATTRIBUTE.as_ref()?.captures_iter(list);
    let captures = found.find(|captures| captures.get(1).is_some_and(|found| found.as_str().trim() == name))?;
    let value = captures.get(2).or_else(|| captures.get(3))?;
    Some((value.range(), value.as_str()))
}

/// The purpose of a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A media playlist: a variant's line, a rendition, I-frames, images, a report.
    Playlist,
    /// A segment's line.
    Segment,
    /// EXT-X-PART.
    Part,
    /// EXT-X-PRELOAD-HINT of a part.
    PartHint,
    /// EXT-X-MAP.
    Map,
    /// EXT-X-PRELOAD-HINT of an EXT-X-MAP.
    MapHint,
    /// EXT-X-KEY.
    Key,
    /// EXT-X-SESSION-KEY.
    SessionKey,
    /// Another resource that players fetch: session data, a steering manifest, a list of assets.
    Data,
    /// An interstitial's playlist.
    Asset,
}

/// A byte range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes {
    /// Offset in bytes.
    pub offset: u64,
    /// Length in bytes.
    pub length: u64,
}

/// The byte range of a reference in a playlist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// None: the whole resource.
    Whole,
    /// A range with offset and length.
    Bytes(Bytes),
    /// A range without an end (hints).
    From(u64),
    /// A range that is malformed, empty, or continues from no previous one.
    Unreadable,
}

/// A URI in a playlist.
#[derive(Debug, Clone)]
pub struct Reference {
    /// The byte offset in the playlist.
    pub span: Range<usize>,
    /// The byte offset of its line.
    pub line: usize,
    /// The URI.
    pub uri: String,
    /// The purpose.
    pub role: Role,
    /// The byte range.
    pub part: Part,
    /// The EXT-X-KEY in force, if it is not METHOD=NONE, as an index of [`Reading::keys`].
    pub key: Option<usize>,
    /// The media sequence number of a segment or a part's segment.
    pub sequence: u64,
}

/// An EXT-X-KEY line.
#[derive(Debug, Clone)]
pub struct Key {
    /// The attribute list.
    pub list: String,
    /// Whether it is between a segment's EXTINF and its URI.
    pub inside_segment: bool,
}

/// A parsed playlist.
#[derive(Debug, Default)]
pub struct Reading {
    /// All URIs, in order.
    pub references: Vec<Reference>,
    /// All EXT-X-KEY lines, in order.
    pub keys: Vec<Key>,
    /// The values of all EXT-X-VERSION lines.
    pub versions: Vec<String>,
    /// The offsets of EXT-X-BYTERANGE lines, and the indices of their references.
    pub byteranges: Vec<(usize, usize)>,
}

/// Parses a playlist, or a part of one.
pub fn read(text: &str) -> Reading {
    let mut reader = Reader::default();
    for line in lines(text) {
        reader.line(&line);
    }
    reader.reading
}

#[derive(Default)]
struct Reader {
    reading: Reading,
    key: Option<usize>,
    sequence: u64,
    variant: bool,
    inside_segment: bool,
    byterange: Option<(usize, String)>,
    last_segment: Option<(String, u64)>,
    last_part: Option<(String, u64)>,
}

impl Reader {
    fn line(&mut self, line: &Line<'_>) {
        if !line.text.starts_with('#') {
            return self.uri_line(line);
        }
        let (tag, list) = line.text.split_once(':').unwrap_or((line.text, ""));
        let number = || list.trim().parse::<u64>().unwrap_or(0);
        match tag {
            "#EXTINF" => self.inside_segment = true,
            "#EXT-X-STREAM-INF" => self.variant = true,
            "#EXT-X-VERSION" => self.reading.versions.push(list.trim().to_owned()),
            "#EXT-X-MEDIA-SEQUENCE" => self.sequence = number(),
            "#EXT-X-SKIP" => {
                let skipped = attribute(list, "SKIPPED-SEGMENTS").and_then(|(_, number)| number.parse::<u64>().ok());
                self.sequence = self.sequence.saturating_add(skipped.unwrap_or(0));
            }
            "#EXT-X-BYTERANGE" => self.byterange = Some((line.start, list.trim().to_owned())),
            "#EXT-X-KEY" => {
                self.key = match attribute(list, "METHOD") {
                    Some((_, "NONE")) => None,
                    _ => Some(self.reading.keys.len()),
                };
                self.reading.keys.push(Key { list: list.to_owned(), inside_segment: self.inside_segment });
                self.attribute(line, list, "URI", Role::Key, |_, _| Part::Whole);
            }
            "#EXT-X-SESSION-KEY" => self.attribute(line, list, "URI", Role::SessionKey, |_, _| Part::Whole),
            "#EXT-X-MAP" => self.attribute(line, list, "URI", Role::Map, |uri, _| {
                part(attribute(list, "BYTERANGE").map(|(_, text)| text), uri, &mut Some((uri.to_owned(), 0)))
            }),
            "#EXT-X-PART" => self.attribute(line, list, "URI", Role::Part, |uri, reader| {
                part(attribute(list, "BYTERANGE").map(|(_, text)| text), uri, &mut reader.last_part)
            }),
            "#EXT-X-PRELOAD-HINT" => {
                let map = attribute(list, "TYPE").is_some_and(|(_, kind)| kind == "MAP");
                let role = if map { Role::MapHint } else { Role::PartHint };
                self.attribute(line, list, "URI", role, |_, _| hint(list));
            }
            "#EXT-X-MEDIA" | "#EXT-X-I-FRAME-STREAM-INF" | "#EXT-X-IMAGE-STREAM-INF" | "#EXT-X-RENDITION-REPORT" => {
                self.attribute(line, list, "URI", Role::Playlist, |_, _| Part::Whole);
            }
            "#EXT-X-SESSION-DATA" => self.attribute(line, list, "URI", Role::Data, |_, _| Part::Whole),
            "#EXT-X-CONTENT-STEERING" => self.attribute(line, list, "SERVER-URI", Role::Data, |_, _| Part::Whole),
            "#EXT-X-DATERANGE" => {
                let mut assets = [("X-ASSET-URI", Role::Asset), ("X-ASSET-LIST", Role::Data), ("X-URI", Role::Asset)];
                assets.sort_by_key(|(name, _)| attribute(list, name).map(|(place, _)| place.start));
                for (name, role) in assets {
                    self.attribute(line, list, name, role, |_, _| Part::Whole);
                }
            }
            _ => {}
        }
    }

    fn uri_line(&mut self, line: &Line<'_>) {
        let uri = line.text.to_owned();
        let span = line.start..line.start + uri.len();
        let role = if std::mem::take(&mut self.variant) { Role::Playlist } else { Role::Segment };
        let mut said = Part::Whole;
        if role == Role::Segment {
            let byterange = self.byterange.take();
            if let Some((start, _)) = &byterange {
                self.reading.byteranges.push((*start, self.reading.references.len()));
            }
            said = part(byterange.as_ref().map(|(_, text)| text.as_str()), &uri, &mut self.last_segment);
        }
        let (key, sequence) = (self.key, self.sequence);
        self.reading.references.push(Reference { span, line: line.start, uri, role, part: said, key, sequence });
        if role == Role::Segment {
            self.sequence = self.sequence.saturating_add(1);
            self.inside_segment = false;
        }
    }

    fn attribute(
        &mut self,
        line: &Line<'_>,
        list: &str,
        name: &str,
        role: Role,
        part: impl FnOnce(&str, &mut Self) -> Part,
    ) {
        let Some((place, uri)) = attribute(list, name) else { return };
        let start = line.start + line.text.len() - list.len();
        let part = part(uri, self);
        let (key, sequence) = (self.key, self.sequence);
        let span = start + place.start..start + place.end;
        self.reading.references.push(Reference {
            span,
            line: line.start,
            uri: uri.to_owned(),
            role,
            part,
            key,
            sequence,
        });
    }
}

/// `LENGTH[@OFFSET]` (RFC 8216 section 4.3.2.2); `last` is the URI and the end of the previous range.
fn part(text: Option<&str>, uri: &str, last: &mut Option<(String, u64)>) -> Part {
    let before = last.take();
    let Some(text) = text else { return Part::Whole };
    let (length, offset) = match text.trim().split_once('@') {
        Some((length, offset)) => (length, digits(offset)),
        None => (text.trim(), before.filter(|(name, _)| name == uri).map(|(_, end)| end)),
    };
    let (Some(length), Some(offset)) = (digits(length).filter(|length| *length > 0), offset) else {
        return Part::Unreadable;
    };
    let Some(end) = offset.checked_add(length) else { return Part::Unreadable };
    *last = Some((uri.to_owned(), end));
    Part::Bytes(Bytes { offset, length })
}

fn hint(list: &str) -> Part {
    let start = attribute(list, "BYTERANGE-START").map(|(_, text)| digits(text));
    let length = attribute(list, "BYTERANGE-LENGTH").map(|(_, text)| digits(text));
    match (start, length) {
        (None, None) => Part::Whole,
        (Some(Some(offset)), None) => Part::From(offset),
        (start, Some(Some(length))) if length > 0 && start != Some(None) => {
            Part::Bytes(Bytes { offset: start.flatten().unwrap_or(0), length })
        }
        _ => Part::Unreadable,
    }
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_real_lists() {
        let list = r#"TYPE=AUDIO, NAME="a,URI=b" ,URI="x y.m3u8?a=1,2",X="never"#;
        let value = |name| {
            attribute(list, name).map(|(place, value)| {
                assert_eq!(list.get(place), Some(value));
                value
            })
        };
        assert_eq!(value("URI"), Some("x y.m3u8?a=1,2"));
        assert_eq!(value("NAME"), Some("a,URI=b"));
        assert_eq!(value("X"), Some("never"));
        assert_eq!(value("RI"), None);
        assert_eq!(attribute("URI=init.mp4,A=1", "URI").map(|(_, value)| value), Some("init.mp4"));
    }

    #[test]
    fn keys_ranges_and_numbers_at_each_uri() {
        let text = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MAP:URI=\"i\",BYTERANGE=\"9\"\n#EXTINF:1,\n\
            #EXT-X-BYTERANGE:5@3\na\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:1,\n#EXT-X-BYTERANGE:2\na\n\
            #EXT-X-PART:URI=\"p\",BYTERANGE=\"4\"\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:1,\nb\n";
        let reading = read(text);
        let said: Vec<_> =
            reading.references.iter().map(|r| (r.uri.as_str(), r.part, r.key.is_some(), r.sequence)).collect();
        let bytes = |offset, length| Part::Bytes(Bytes { offset, length });
        assert_eq!(
            said,
            [
                ("i", bytes(0, 9), false, 7),
                ("a", bytes(3, 5), false, 7),
                ("k", Part::Whole, true, 8),
                ("a", bytes(8, 2), true, 8),
                ("p", Part::Unreadable, true, 9),
                ("b", Part::Whole, false, 9),
            ]
        );
        for reference in &reading.references {
            assert_eq!(text.get(reference.span.clone()), Some(reference.uri.as_str()));
        }
    }
}
