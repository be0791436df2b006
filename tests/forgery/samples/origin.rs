//! The origin: fragmented MP4, text, an MPD, a playlist and a steering manifest, at any path by its name.

use playlock_host::message::{Header, Response, header};

/// Audio: every whole block of its samples is encrypted.
pub const AAC: &[u8] = include_bytes!("../../../crates/cmaf/tests/vectors/aac.mp4");
/// Video: one block in ten is encrypted.
pub const AVC: &[u8] = include_bytes!("../../../crates/cmaf/tests/vectors/avc.mp4");
pub const TEXT: &[u8] = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n";
const MPD: &[u8] = br#"<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">
<Period><AdaptationSet mimeType="video/mp4">
<SegmentTemplate media="v/$Number$.m4s" initialization="v/i.mp4" duration="4"/><Representation id="v" bandwidth="1"/>
</AdaptationSet></Period></MPD>"#;
const HLS: &[u8] = b"#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-MAP:URI=\"init.mp4\"
#EXTINF:4,
v/1.m4s
#EXTINF:4,
#EXT-X-BYTERANGE:100@300
whole.m4s
#EXT-X-ENDLIST
";
const STEERING: &[u8] = br#"{"VERSION":1,"TTL":300,"PATHWAY-PRIORITY":["a"]}"#;

/// The boxes of a file: type and content.
fn boxes(mut file: &'static [u8]) -> Vec<(&'static [u8], &'static [u8])> {
    let mut found = Vec::new();
    while file.len() >= 8 {
        let (this, rest) = file.split_at(u32::from_be_bytes(file[..4].try_into().unwrap()) as usize);
        found.push((&this[4..8], &this[8..]));
        file = rest;
    }
    found
}

pub fn mdat(file: &'static [u8]) -> Vec<&'static [u8]> {
    boxes(file).into_iter().filter(|(kind, _)| kind == b"mdat").map(|(_, content)| content).collect()
}

/// The NAL units of samples with their lengths, those with an encrypted block.
pub fn units(mut samples: &'static [u8]) -> Vec<&'static [u8]> {
    let mut found = Vec::new();
    while samples.len() > 4 {
        let (this, rest) = samples.split_at(4 + u32::from_be_bytes(samples[..4].try_into().unwrap()) as usize);
        found.push(this);
        samples = rest;
    }
    found.retain(|unit| unit.len() >= 36 + 16);
    found
}

/// The init section of the audio.
pub fn init() -> &'static [u8] {
    let length: usize =
        boxes(AAC).iter().take_while(|(kind, _)| *kind != b"moof").map(|(_, box_)| box_.len() + 8).sum();
    &AAC[..length]
}

pub fn origin(headers: &[Header]) -> Response {
    let value = |name: &str| header(headers, name).map(|value| String::from_utf8(value.to_vec()).unwrap());
    let path = value(":path").unwrap();
    let path = path.split('?').next().unwrap();
    let name = path.rsplit('/').next().unwrap();
    let (body, kind) = match name {
        "film.mpd" | "mpd" => (MPD, "application/dash+xml"),
        "film.m3u8" | "list" => (HLS, "application/vnd.apple.mpegurl"),
        "steer.json" => (STEERING, "application/json"),
        "1.vtt" => (TEXT, "text/vtt"),
        "init.mp4" => (init(), "video/mp4"),
        "2.m4s" => (AVC, "video/mp4"),
        _ if name.contains('.') => (AAC, "video/mp4"),
        _ => return Response::new(404, b""),
    };
    let range = value("range").map(|range| {
        let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        (first.parse::<usize>().unwrap(), last.parse::<usize>().unwrap().min(body.len() - 1))
    });
    let mut response = match range {
        None => Response::new(200, body),
        Some((first, last)) => {
            let mut part = Response::new(206, &body[first..=last]);
            part.headers.push(("content-range".into(), format!("bytes {first}-{last}/{}", body.len()).into()));
            part
        }
    };
    response.headers.push(("content-type".into(), kind.into()));
    response
}
