//! HLS playlists as a player reads them (RFC 8216): as much as playing and looking at them takes.

use std::collections::BTreeMap;

use crate::attribute::{self, byte_range, iv};

/// A playlist.
#[derive(Debug)]
pub enum Playlist {
    /// It names others.
    Master(Master),
    /// It names segments.
    Media(Media),
}

/// A master playlist.
#[derive(Debug, Default)]
pub struct Master {
    /// The variants in order.
    pub variants: Vec<Variant>,
    /// The renditions that have a playlist of their own.
    pub renditions: Vec<Rendition>,
    /// What it defines, for media playlists to import.
    pub variables: BTreeMap<String, String>,
    /// Where the keys of session data and the like are.
    pub others: Vec<String>,
}

/// A variant stream.
#[derive(Debug)]
pub struct Variant {
    /// Its playlist.
    pub uri: String,
    /// Peak bits per second.
    pub bandwidth: u64,
    /// `1280x720`.
    pub resolution: Option<String>,
    /// The group of its audio renditions.
    pub audio: Option<String>,
}

/// A rendition with a playlist of its own.
#[derive(Debug)]
pub struct Rendition {
    /// Its playlist.
    pub uri: String,
    /// `AUDIO`, `SUBTITLES`, …
    pub kind: String,
    /// Its group.
    pub group: String,
    /// It is what players choose.
    pub is_default: bool,
}

/// A media playlist.
#[derive(Debug, Default)]
pub struct Media {
    /// EXT-X-MEDIA-SEQUENCE.
    pub sequence: u64,
    /// EXT-X-TARGETDURATION in seconds.
    pub target_duration: u64,
    /// It gets no longer.
    pub ended: bool,
    /// It has images, which players do not decrypt.
    pub images: bool,
    /// Its segments in order.
    pub segments: Vec<Segment>,
}

/// A segment.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Where it is.
    pub uri: String,
    /// In seconds.
    pub duration: f64,
    /// Its media sequence number.
    pub number: u64,
    /// Length and offset, if it is a part of the file.
    pub range: Option<(u64, u64)>,
    /// EXT-X-DISCONTINUITY stands before it.
    pub discontinuity: bool,
    /// EXT-X-GAP: there is none.
    pub gap: bool,
    /// What it is encrypted with.
    pub key: Option<Key>,
    /// Its init section.
    pub map: Option<Map>,
}

/// EXT-X-KEY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// `AES-128`, …
    pub method: String,
    /// Where the key is.
    pub uri: String,
    /// The IV if it is said; else it is the media sequence number.
    pub iv: Option<[u8; 16]>,
}

/// EXT-X-MAP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// Where it is.
    pub uri: String,
    /// Length and offset, if it is a part of the file.
    pub range: Option<(u64, u64)>,
    /// What it is encrypted with: a key line stands before it that says an IV.
    pub key: Option<Key>,
}

impl Playlist {
    /// Reads a playlist; `imports` are what the master playlist defined.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn parse(text: &str, imports: &BTreeMap<String, String>) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if !text.lines().next().is_some_and(|line| line.trim_end().starts_with("#EXTM3U")) {
            return Err("it does not begin with #EXTM3U".into());
        }
        let mut reader = Reader::new(imports);
        for line in text.lines().skip(1) {
            reader.line(line.trim_end())?;
        }
        reader.finish()
    }
}

/// What has been read so far.
struct Reader<'a> {
    imports: &'a BTreeMap<String, String>,
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

impl<'a> Reader<'a> {
    fn new(imports: &'a BTreeMap<String, String>) -> Self {
        Self {
            imports,
            master: Master::default(),
            media: Media::default(),
            is_master: false,
            variant: None,
            duration: None,
            range: None,
            next_offset: 0,
            discontinuity: false,
            gap: false,
            key: None,
            map: None,
        }
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        if line.is_empty() {
            return Ok(());
        }
        if !line.starts_with('#') {
            return self.uri(line);
        }
        let (tag, value) = line.split_once(':').unwrap_or((line, ""));
        match tag {
            "#EXT-X-DEFINE" => self.define(value),
            "#EXT-X-STREAM-INF" => {
                self.is_master = true;
                let attributes = self.attributes(value)?;
                self.variant = Some(Variant {
                    uri: String::new(),
                    bandwidth: attributes.get("BANDWIDTH").and_then(|text| text.parse().ok()).unwrap_or_default(),
                    resolution: attributes.get("RESOLUTION").cloned(),
                    audio: attributes.get("AUDIO").cloned(),
                });
                Ok(())
            }
            "#EXT-X-MEDIA" => {
                self.is_master = true;
                let attributes = self.attributes(value)?;
                let text = |name: &str| attributes.get(name).cloned().unwrap_or_default();
                if let Some(uri) = attributes.get("URI") {
                    self.master.renditions.push(Rendition {
                        uri: uri.clone(),
                        kind: text("TYPE"),
                        group: text("GROUP-ID"),
                        is_default: text("DEFAULT") == "YES",
                    });
                }
                Ok(())
            }
            "#EXT-X-I-FRAME-STREAM-INF" | "#EXT-X-SESSION-DATA" | "#EXT-X-SESSION-KEY" => {
                self.is_master = true;
                let uri = self.attributes(value)?.remove("URI");
                self.master.others.extend(uri);
                Ok(())
            }
            "#EXT-X-MEDIA-SEQUENCE" => {
                self.media.sequence = number(tag, value)?;
                Ok(())
            }
            "#EXT-X-TARGETDURATION" => {
                self.media.target_duration = number(tag, value)?;
                Ok(())
            }
            "#EXTINF" => {
                let seconds = value.split(',').next().unwrap_or_default().trim();
                self.duration = Some(seconds.parse().map_err(|_| format!("{tag}: \"{seconds}\" is no number"))?);
                Ok(())
            }
            "#EXT-X-BYTERANGE" => {
                self.range = Some(byte_range(value).ok_or_else(|| format!("{tag}: \"{value}\" is no range"))?);
                Ok(())
            }
            "#EXT-X-DISCONTINUITY" => {
                self.discontinuity = true;
                Ok(())
            }
            "#EXT-X-GAP" => {
                self.gap = true;
                Ok(())
            }
            "#EXT-X-ENDLIST" => {
                self.media.ended = true;
                Ok(())
            }
            "#EXT-X-IMAGES-ONLY" => {
                self.media.images = true;
                Ok(())
            }
            "#EXT-X-KEY" => self.key(value),
            "#EXT-X-MAP" => self.map(value),
            _ => Ok(()),
        }
    }

    fn define(&mut self, value: &str) -> Result<(), String> {
        let attributes = self.attributes(value)?;
        if let (Some(name), Some(value)) = (attributes.get("NAME"), attributes.get("VALUE")) {
            self.master.variables.insert(name.clone(), value.clone());
        }
        if let Some(name) = attributes.get("IMPORT") {
            let value = self.imports.get(name).ok_or_else(|| format!("EXT-X-DEFINE: nothing to import as {name}"))?;
            self.master.variables.insert(name.clone(), value.clone());
        }
        Ok(())
    }

    fn key(&mut self, value: &str) -> Result<(), String> {
        let attributes = self.attributes(value)?;
        let method = attributes.get("METHOD").cloned().unwrap_or_default();
        if method == "NONE" {
            self.key = None;
            return Ok(());
        }
        let iv = match attributes.get("IV") {
            None => None,
            Some(text) => Some(iv(text).ok_or_else(|| format!("EXT-X-KEY: \"{text}\" is no IV"))?),
        };
        let uri = attributes.get("URI").cloned().ok_or("EXT-X-KEY: no URI")?;
        self.key = Some(Key { method, uri, iv });
        Ok(())
    }

    fn map(&mut self, value: &str) -> Result<(), String> {
        let attributes = self.attributes(value)?;
        let range = attributes.get("BYTERANGE").and_then(|text| byte_range(text));
        self.map = Some(Map {
            uri: attributes.get("URI").cloned().ok_or("EXT-X-MAP: no URI")?,
            range: range.map(|(length, offset)| (length, offset.unwrap_or_default())),
            key: self.key.clone(),
        });
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
        let duration = self.duration.take().ok_or_else(|| format!("\"{uri}\" has no EXTINF"))?;
        self.media.segments.push(Segment {
            uri,
            duration,
            number: 0,
            range,
            discontinuity: std::mem::take(&mut self.discontinuity),
            gap: std::mem::take(&mut self.gap),
            key: self.key.clone(),
            map: self.map.clone(),
        });
        Ok(())
    }

    fn finish(mut self) -> Result<Playlist, String> {
        if self.is_master {
            return match self.media.segments.is_empty() {
                true => Ok(Playlist::Master(self.master)),
                false => Err("it names both variants and segments".into()),
            };
        }
        for (number, segment) in (self.media.sequence..).zip(&mut self.media.segments) {
            segment.number = number;
        }
        Ok(Playlist::Media(self.media))
    }

    /// An attribute list, its values with variables filled in.
    fn attributes(&self, text: &str) -> Result<BTreeMap<String, String>, String> {
        attribute::list(text, &self.master.variables)
    }

    fn substituted(&self, text: &str) -> Result<String, String> {
        attribute::substituted(text, &self.master.variables)
    }
}

fn number(tag: &str, text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| format!("{tag}: \"{text}\" is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_playlist() {
        let text = "#EXTM3U\n#EXT-X-DEFINE:NAME=\"q\",VALUE=\"t=1\"\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",DEFAULT=YES,URI=\"a.m3u8\"\n#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS=\"x,y\",AUDIO=\"a\"\nv.m3u8?{$q}\r\n";
        let Ok(Playlist::Master(master)) = Playlist::parse(text, &BTreeMap::new()) else { panic!() };
        assert_eq!((master.variants[0].uri.as_str(), master.variants[0].bandwidth), ("v.m3u8?t=1", 1000));
        assert_eq!((master.renditions[0].uri.as_str(), master.renditions[0].is_default), ("a.m3u8", true));
        assert_eq!(master.variants[0].audio.as_deref(), Some("a"));
    }

    #[test]
    fn a_media_playlist() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-KEY:METHOD=AES-128,URI=\"/k\",IV=0x0a\n#EXT-X-MAP:URI=\"i.mp4\",BYTERANGE=\"10@5\"\n#EXTINF:4.0,title, with comma\na.ts\n#EXT-X-DISCONTINUITY\n#EXT-X-BYTERANGE:5@10\n#EXTINF:3,\nb.ts\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-BYTERANGE:6\n#EXTINF:3,\nb.ts\n#EXT-X-ENDLIST\n";
        let Ok(Playlist::Media(media)) = Playlist::parse(text, &BTreeMap::new()) else { panic!() };
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
            ("#EXTM3U\n#EXTINF:x,\na.ts\n", "no number"),
            ("#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,IV=0x1\n", "no URI"),
            ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{$a}.m3u8\n", "not defined"),
            ("#EXTM3U\n#EXT-X-MAP:URI=\"a\n", "not closed"),
            ("#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO\n#EXTINF:1,\na.ts\n", "both"),
        ] {
            let error = Playlist::parse(text, &BTreeMap::new()).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
