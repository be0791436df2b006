//! HLS playlists as a player reads them (RFC 8216), on top of the lexer of `quick-m3u8`. That library has no state
//! between lines: keys, init sections, byte ranges, variables and sequence numbers are resolved here.

use std::collections::BTreeMap;
use std::mem::take;

use quick_m3u8::HlsLine;
use quick_m3u8::config::ParsingOptionsBuilder;
use quick_m3u8::custom_parsing::line;
use quick_m3u8::tag::{AttributeValue, DecimalIntegerRange, TagValue};

use crate::given::iv;

/// A playlist.
#[derive(Debug)]
pub enum Playlist {
    /// A multivariant (master) playlist.
    Master(Master),
    /// A media playlist.
    Media(Media),
}

/// A multivariant (master) playlist.
#[derive(Debug, Default)]
pub struct Master {
    /// The variants, in order.
    pub variants: Vec<Variant>,
    /// The renditions that have a playlist of their own.
    pub renditions: Vec<Rendition>,
    /// The variables of EXT-X-DEFINE, which media playlists may import.
    pub variables: BTreeMap<String, String>,
    /// The URIs that are not played: of session data, session keys and I-frame playlists.
    pub others: Vec<String>,
}

/// A variant stream.
#[derive(Debug)]
pub struct Variant {
    /// The URI of its playlist.
    pub uri: String,
    /// Peak bits per second.
    pub bandwidth: u64,
    /// `1280x720`.
    pub resolution: Option<String>,
    /// The id of the group of its audio renditions.
    pub audio: Option<String>,
}

/// A rendition with a playlist of its own.
#[derive(Debug)]
pub struct Rendition {
    /// The URI of its playlist.
    pub uri: String,
    /// `AUDIO`, `SUBTITLES`, …
    pub kind: String,
    /// The id of its group.
    pub group: String,
    /// DEFAULT=YES: players choose it unless told otherwise.
    pub is_default: bool,
}

/// A media playlist.
#[derive(Debug, Default)]
pub struct Media {
    /// EXT-X-MEDIA-SEQUENCE.
    pub sequence: u64,
    /// EXT-X-TARGETDURATION in seconds.
    pub target_duration: u64,
    /// EXT-X-ENDLIST: no segments will be added.
    pub ended: bool,
    /// EXT-X-IMAGES-ONLY: its segments are images, which players do not decrypt.
    pub images: bool,
    /// The segments, in order.
    pub segments: Vec<Segment>,
}

/// A segment.
#[derive(Debug, Clone)]
pub struct Segment {
    /// The URI.
    pub uri: String,
    /// Duration in seconds.
    pub duration: f64,
    /// The media sequence number.
    pub number: u64,
    /// Length and offset in bytes, if it is a part of the resource.
    pub range: Option<(u64, u64)>,
    /// EXT-X-DISCONTINUITY precedes it.
    pub discontinuity: bool,
    /// EXT-X-GAP: the segment is missing.
    pub gap: bool,
    /// The key that it is encrypted with.
    pub key: Option<Key>,
    /// The init section.
    pub map: Option<Map>,
}

/// EXT-X-KEY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// `AES-128`, …
    pub method: String,
    /// The URI of the key.
    pub uri: String,
    /// The IV; without one, the media sequence number is the IV.
    pub iv: Option<[u8; 16]>,
}

/// EXT-X-MAP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// The URI.
    pub uri: String,
    /// Length and offset in bytes, if it is a part of the resource.
    pub range: Option<(u64, u64)>,
    /// The key that precedes it. An init section is encrypted only if that has an IV.
    pub key: Option<Key>,
}

impl Playlist {
    /// Parses a playlist. `imports`: the variables of the multivariant playlist; without it, a variable that is imported
    /// is empty.
    ///
    /// # Errors
    /// The first line that a player cannot use.
    pub fn parse(text: &str, imports: Option<&BTreeMap<String, String>>) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if !text.starts_with("#EXTM3U") {
            return Err("does not begin with #EXTM3U; expected a playlist".into());
        }
        let mut reader = Reader { imports, ..Reader::default() };
        // No tag is parsed into the library's types: these refuse what players take, such as EXT-X-MEDIA without NAME.
        let options = ParsingOptionsBuilder::new().build();
        for (index, line) in text.lines().enumerate() {
            // A line that is no tag, comment or URI is `#EXT` alone, which players ignore.
            if let Ok(line) = line::parse(line.trim_end(), &options) {
                reader.line(line.parsed).map_err(|error| format!("line {}: {error}", index + 1))?;
            }
        }
        reader.finish()
    }
}

/// The attributes of a tag by name, without quotes.
type Attributes = BTreeMap<String, String>;

/// The state between two lines: the tags that apply to the next URI, and those that apply until they are replaced.
#[derive(Default)]
struct Reader<'a> {
    imports: Option<&'a BTreeMap<String, String>>,
    master: Master,
    media: Media,
    is_master: bool,
    variant: Option<Variant>,
    duration: Option<f64>,
    range: Option<(u64, Option<u64>)>,
    next_offset: u64,
    discontinuity: bool,
    gap: bool,
    key: Option<Key>,
    map: Option<Map>,
}

impl Reader<'_> {
    fn line(&mut self, line: HlsLine<'_>) -> Result<(), String> {
        match line {
            HlsLine::Uri(uri) => self.uri(&uri),
            HlsLine::UnknownTag(tag) => {
                let value = tag.value().map_or(&b""[..], |value| value.0.trim_ascii());
                self.tag(tag.name(), TagValue(value)).map_err(|error| format!("EXT{}: {error}", tag.name()))
            }
            _ => Ok(()),
        }
    }

    /// `name`: without its `#EXT`.
    fn tag(&mut self, name: &str, value: TagValue<'_>) -> Result<(), String> {
        let wrong = |kind: &str| format!("\"{}\" is not a {kind}", String::from_utf8_lossy(value.0));
        match name {
            "-X-DEFINE" => self.define(self.attributes(value)?)?,
            "-X-STREAM-INF" => {
                self.is_master = true;
                let mut attributes = self.attributes(value)?;
                self.variant = Some(Variant {
                    uri: String::new(),
                    bandwidth: attributes.get("BANDWIDTH").and_then(|text| text.parse().ok()).unwrap_or_default(),
                    resolution: attributes.remove("RESOLUTION"),
                    audio: attributes.remove("AUDIO"),
                });
            }
            "-X-MEDIA" => {
                self.is_master = true;
                let mut attributes = self.attributes(value)?;
                if let Some(uri) = attributes.remove("URI") {
                    self.master.renditions.push(Rendition {
                        uri,
                        kind: attributes.remove("TYPE").unwrap_or_default(),
                        group: attributes.remove("GROUP-ID").unwrap_or_default(),
                        is_default: attributes.get("DEFAULT").is_some_and(|text| text == "YES"),
                    });
                }
            }
            "-X-I-FRAME-STREAM-INF" | "-X-SESSION-DATA" | "-X-SESSION-KEY" => {
                self.is_master = true;
                self.master.others.extend(self.attributes(value)?.remove("URI"));
            }
            "-X-MEDIA-SEQUENCE" => self.media.sequence = value.try_as_decimal_integer().map_err(|_| wrong("number"))?,
            "-X-TARGETDURATION" => {
                self.media.target_duration = value.try_as_decimal_integer().map_err(|_| wrong("number"))?;
            }
            "INF" => {
                let (seconds, _) =
                    value.try_as_decimal_floating_point_with_title().map_err(|_| wrong("number of seconds"))?;
                self.duration = Some(seconds);
            }
            "-X-BYTERANGE" => {
                let range = value.try_as_decimal_integer_range().map_err(|_| wrong("byte range"))?;
                self.range = Some((range.length, range.offset));
            }
            "-X-DISCONTINUITY" => self.discontinuity = true,
            "-X-GAP" => self.gap = true,
            "-X-ENDLIST" => self.media.ended = true,
            "-X-IMAGES-ONLY" => self.media.images = true,
            "-X-KEY" => self.key = Self::key(self.attributes(value)?)?,
            "-X-MAP" => {
                let mut attributes = self.attributes(value)?;
                let range =
                    attributes.get("BYTERANGE").and_then(|text| DecimalIntegerRange::try_from(text.as_str()).ok());
                self.map = Some(Map {
                    uri: attributes.remove("URI").ok_or("no URI; expected the URI of the init section")?,
                    range: range.map(|range| (range.length, range.offset.unwrap_or_default())),
                    key: self.key.clone(),
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn key(mut attributes: Attributes) -> Result<Option<Key>, String> {
        let method = attributes.remove("METHOD").unwrap_or_default();
        if method == "NONE" {
            return Ok(None);
        }
        let iv = match attributes.get("IV") {
            None => None,
            Some(text) => {
                Some(iv(text).ok_or_else(|| format!("\"{text}\" is not an IV; expected 0x and up to 32 hex digits"))?)
            }
        };
        Ok(Some(Key { method, uri: attributes.remove("URI").ok_or("no URI; expected the URI of the key")?, iv }))
    }

    fn define(&mut self, mut attributes: Attributes) -> Result<(), String> {
        if let Some(name) = attributes.remove("NAME") {
            self.master.variables.extend(attributes.remove("VALUE").map(|value| (name, value)));
        } else if let Some(name) = attributes.remove("IMPORT") {
            let value = match self.imports {
                None => String::new(),
                Some(imports) => imports
                    .get(&name)
                    .cloned()
                    .ok_or_else(|| format!("the multivariant playlist does not define {name}"))?,
            };
            self.master.variables.insert(name, value);
        }
        Ok(())
    }

    fn uri(&mut self, line: &str) -> Result<(), String> {
        let uri = self.substituted(line)?;
        if let Some(variant) = self.variant.take() {
            self.master.variants.push(Variant { uri, ..variant });
            return Ok(());
        }
        let range = self.range.take().map(|(length, offset)| (length, offset.unwrap_or(self.next_offset)));
        self.next_offset = range.map_or(0, |(length, offset)| offset.saturating_add(length));
        let duration =
            self.duration.take().ok_or_else(|| format!("\"{uri}\" has no EXTINF; expected one before each segment"))?;
        self.media.segments.push(Segment {
            uri,
            duration,
            number: 0,
            range,
            discontinuity: take(&mut self.discontinuity),
            gap: take(&mut self.gap),
            key: self.key.clone(),
            map: self.map.clone(),
        });
        Ok(())
    }

    fn finish(mut self) -> Result<Playlist, String> {
        if self.is_master {
            return match self.media.segments.is_empty() {
                true => Ok(Playlist::Master(self.master)),
                false => Err("has both variants and segments; expected one or the other".into()),
            };
        }
        for (number, segment) in (self.media.sequence..).zip(&mut self.media.segments) {
            segment.number = number;
        }
        Ok(Playlist::Media(self.media))
    }

    /// An attribute list, with variables substituted in quoted values.
    fn attributes(&self, value: TagValue<'_>) -> Result<Attributes, String> {
        // Players take a comma at the end, and white space around names and values.
        let list = TagValue(value.0.strip_suffix(b",").unwrap_or(value.0)).try_as_ordered_attribute_list();
        let mut attributes = Attributes::new();
        for (name, value) in list.map_err(|error| error.to_string())? {
            let value = match value {
                AttributeValue::Quoted(text) => self.substituted(text)?,
                AttributeValue::Unquoted(text) => String::from_utf8_lossy(text.0.trim_ascii()).into_owned(),
            };
            attributes.insert(name.trim().to_owned(), value);
        }
        Ok(attributes)
    }

    /// The text with variables substituted (RFC 8216bis section 4.3), which the library does not do.
    fn substituted(&self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{$") {
            let (name, tail) = after.split_once('}').ok_or("a variable without }; expected {$name}")?;
            let value = self.master.variables.get(name);
            out.push_str(before);
            out.push_str(value.ok_or_else(|| format!("the variable {name} is not defined"))?);
            rest = tail;
        }
        out.push_str(rest);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_playlist() {
        let text = "#EXTM3U\n#EXT-X-DEFINE:NAME=\"q\",VALUE=\"t=1\"\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",DEFAULT=YES,URI=\"a.m3u8\"\n#EXT-X-STREAM-INF:BANDWIDTH=1000, CODECS=\"x,y\", AUDIO=\"a\",\nv.m3u8?{$q}\r\n";
        let Ok(Playlist::Master(master)) = Playlist::parse(text, Some(&BTreeMap::new())) else { panic!() };
        assert_eq!((master.variants[0].uri.as_str(), master.variants[0].bandwidth), ("v.m3u8?t=1", 1000));
        assert_eq!((master.renditions[0].uri.as_str(), master.renditions[0].is_default), ("a.m3u8", true));
        assert_eq!(master.variants[0].audio.as_deref(), Some("a"));
    }

    #[test]
    fn a_media_playlist() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-KEY:METHOD=AES-128,URI=\"/k\",IV=0x0a\n#EXT-X-MAP:URI=\"i.mp4\",BYTERANGE=\"10@5\"\n#EXTINF:4.0,title, with comma\na.ts\n#EXT-X-DISCONTINUITY\n#EXT-X-BYTERANGE:5@10\n#EXTINF:3,\nb.ts\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-BYTERANGE:6\n#EXTINF:3,\nb.ts\n#EXT-X-ENDLIST\n";
        let Ok(Playlist::Media(media)) = Playlist::parse(text, Some(&BTreeMap::new())) else { panic!() };
        assert_eq!((media.sequence, media.target_duration, media.ended), (7, 4, true));
        let [a, b, c] = media.segments.as_slice() else { panic!() };
        assert_eq!((a.number, a.key.as_ref().unwrap().iv.unwrap()[15]), (7, 10));
        assert_eq!(a.map.as_ref().unwrap().range, Some((10, 5)));
        assert_eq!((b.range, b.discontinuity, c.range, c.discontinuity), (Some((5, 10)), true, Some((6, 15)), false));
        assert!(b.key.is_some() && c.key.is_none());
    }

    #[test]
    fn what_is_none_is_said() {
        for (text, part) in [
            ("<html>", "#EXTM3U"),
            ("#EXTM3U\na.ts\n", "EXTINF"),
            ("#EXTM3U\n#EXTINF:x,\na.ts\n", "line 2: EXTINF: \"x,\" is not a number"),
            ("#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,IV=0x1\n", "no URI"),
            ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{$a}.m3u8\n", "not defined"),
            ("#EXTM3U\n#EXT-X-MAP:URI=\"a\n", "quoted string"),
            ("#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO\n#EXTINF:1,\na.ts\n", "both"),
        ] {
            let error = Playlist::parse(text, Some(&BTreeMap::new())).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
