//! Property of media whose samples are encrypted, through whole exchanges: any cut has the same output, which is bounded; no
//! protected block leaves in clear; and nothing leaves at all that is neither fragmented MP4, nor text or an image by its
//! first bytes.

use std::collections::HashSet;
use std::thread_local;

use playlock_core::media::batch::Batch;

use crate::edge::{self, Asked, End, Flow, header};
use crate::origin;
use crate::protected::Protected;
use crate::source::{Source, pieces};

const SCHEMES: [&str; 2] = ["cbcs", "cenc"];
/// Real streams, and whether every whole block of their samples is protected.
const STREAMS: [(&[u8], bool); 9] = [
    (include_bytes!("../../crates/cmaf/tests/vectors/aac.mp4"), true),
    (include_bytes!("../../crates/cmaf/tests/vectors/avc.mp4"), false),
    (include_bytes!("../../crates/cmaf/tests/vectors/av1.mp4"), true),
    (include_bytes!("../../crates/cmaf/tests/vectors/wvtt.mp4"), false),
    (include_bytes!("../../crates/cmaf/tests/vectors/stpp.mp4"), false),
    (include_bytes!("../../crates/cmaf/tests/vectors/avc-slices.mp4"), false),
    (include_bytes!("../../crates/cmaf/tests/vectors/hevc.mp4"), false),
    (include_bytes!("../../crates/cmaf/tests/vectors/opus.mp4"), true),
    (include_bytes!("../../crates/cmaf/tests/vectors/vp9.mp4"), true),
];
/// The first bytes of text and images.
const CLEAR: [&[u8]; 7] = [b"WEBVTT", b"<?xml", b"<tt", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF"];

thread_local! {
    static VIEWERS: [Protected; 2] = SCHEMES.map(Protected::new);
}

/// A body of the origin.
struct Body {
    bytes: Vec<u8>,
    /// Blocks that must not leave: 16 bytes, or 32 where they may begin with the end of a sample.
    secret: HashSet<Vec<u8>>,
    /// Nothing is wrong with it.
    good: bool,
}

/// Input: the scheme, the kind of body, what is said of its length, how it ends; then what the kind needs; then the pieces.
/// The arbitrary body is last, behind its pieces and a zero.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let scheme = source.below(2);
    let kind = source.below(4);
    let announced = source.below(4);
    let trailers = source.byte() % 8 == 1;
    let mut made = match kind {
        0 => None,
        1 | 2 => Some(real(&mut source)),
        _ => Some(built(&mut source, scheme == 1)),
    };
    let sizes = if made.is_none() { source.until(0) } else { source.rest() };
    let body = made.get_or_insert_with(|| Body { bytes: source.rest().to_vec(), secret: HashSet::new(), good: false });
    let length = body.bytes.len() as u64;
    let announced = [None, Some(length), Some(length + 1), Some(length.saturating_sub(1))][announced];
    VIEWERS.with(|viewers| {
        let viewer = &viewers[scheme];
        let whole = through(viewer, &[&body.bytes], announced, trailers);
        let cut = through(viewer, &pieces(&body.bytes, &mut Source::new(sizes)), announced, trailers);
        let good = |flow: &Flow| flow.end == End::Clean && !flow.replied;
        assert_eq!(good(&whole), good(&cut), "{:?}, and in pieces {:?}", whole.end, cut.end);
        for flow in [&whole, &cut] {
            check(body, flow);
        }
        if good(&whole) {
            assert!(whole.body == cut.body, "another output in pieces");
            assert_eq!((whole.status(), edge::value(&whole.headers, "content-length")), (200, None));
        } else if !whole.replied && !cut.replied {
            let shared = whole.body.len().min(cut.body.len());
            assert!(whole.body[..shared] == cut.body[..shared], "another beginning in pieces");
        }
        let complete = announced.is_none_or(|announced| announced == length) && !(trailers && announced.is_none());
        // Of a wrong length and bad media, the first to show is the reason.
        assert!(!complete || trailers || whole.exchange.reason() == cut.exchange.reason(), "another reason in pieces");
        assert!(!body.good || !complete || good(&whole), "good media was refused: {:?}", whole.end);
        let open_end = trailers && announced.is_none() && body.bytes.get(4..8).is_some_and(|kind| kind == b"moof");
        assert!(!good(&whole) || !open_end, "trailers end media of unknown length");
        assert!(!good(&whole) || announced.is_none_or(|announced| announced <= length), "a short body is complete");
    });
}

fn check(body: &Body, flow: &Flow) {
    let Body { bytes, secret, .. } = body;
    if flow.replied {
        assert!(flow.status() >= 500 && serde_json::from_slice::<serde_json::Value>(&flow.body).is_ok());
        return;
    }
    assert!(flow.body.len() <= 20 * bytes.len() + 4096, "{} bytes of {}", flow.body.len(), bytes.len());
    let size = secret.iter().next().map_or(16, Vec::len);
    assert!(!flow.body.windows(size).any(|window| secret.contains(window)), "a protected block leaves in clear");
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let clear = CLEAR.iter().any(|start| bytes.starts_with(start) || text.starts_with(start));
    let letters = bytes.get(4..8).is_some_and(|kind| kind.iter().all(u8::is_ascii_lowercase));
    assert!(flow.body.is_empty() || clear || letters, "neither MP4, nor text or an image");
}

/// The exchange for a body in pieces.
fn through(viewer: &Protected, pieces: &[&[u8]], announced: Option<u64>, trailers: bool) -> Flow {
    let target = format!("/vod/a/v/1.m4s?{}&{}", viewer.media, viewer.session);
    let Asked::Forwarded(exchange, _) = edge::get(&viewer.policies, target.as_bytes(), &[]) else { panic!("refused") };
    let mut headers = vec![header(":status", "200"), header("content-type", "video/mp4")];
    headers.extend(announced.map(|length| header("content-length", length.to_string())));
    let (mut flow, mut batch) = (Flow::new(exchange), Batch::default());
    flow.head(&headers, false, true);
    for (index, piece) in pieces.iter().enumerate() {
        if flow.is_open() {
            flow.chunk(piece, !trailers && index + 1 == pieces.len(), 0, &mut batch);
        }
    }
    if trailers && flow.is_open() {
        flow.trailers(&mut batch);
    }
    flow
}

/// A real stream with changes. Input: which, how many, and each: its place, its kind, a byte.
fn real(source: &mut Source<'_>) -> Body {
    let (stream, whole) = source.pick(&STREAMS);
    let mut bytes = stream.to_vec();
    let changes = source.below(8);
    for _ in 0..changes {
        let at = source.number() % bytes.len().max(1);
        match (source.byte() % 4, source.byte()) {
            (0, byte) => bytes.insert(at, byte),
            (1, byte) => drop(bytes.drain(at..(at + usize::from(byte)).min(bytes.len()))),
            (2, byte) if byte > 127 => bytes.truncate(at),
            (_, byte) => bytes.iter_mut().skip(at).take(1).for_each(|old| *old = byte),
        }
    }
    let secret = if whole && changes == 0 { media(stream) } else { HashSet::new() };
    Body { bytes, secret, good: changes == 0 }
}

/// All runs of 32 bytes in the `mdat` boxes of a stream: none lies in the ends of samples that stay in clear.
fn media(mut stream: &[u8]) -> HashSet<Vec<u8>> {
    let mut found = HashSet::new();
    while let Some((size, kind)) = stream.first_chunk::<4>().zip(stream.get(4..8)) {
        let (this, rest) = stream.split_at(u32::from_be_bytes(*size) as usize);
        if kind == b"mdat" {
            found.extend(this[8..].windows(32).map(<[u8]>::to_vec));
        }
        stream = rest;
    }
    found
}

/// A fragment whose samples encode their own position. Input: whether they consist of NAL units, how many samples, and of
/// each: its size, or the number of its NAL units and their sizes.
fn built(source: &mut Source<'_>, counter: bool) -> Body {
    let units = source.flag();
    let count = 1 + source.below(12);
    let pattern = origin::body(1 << 18);
    let (mut data, mut sizes, mut secret) = (Vec::new(), Vec::new(), HashSet::new());
    for _ in 0..count {
        let start = data.len();
        for _ in 0..if units { 1 + source.below(4) } else { 1 } {
            let size = (1 + source.size()).min(8000);
            if units {
                data.extend((size as u32).to_be_bytes());
            }
            let at = data.len();
            data.extend_from_slice(&pattern[at..at + size]);
            // No text, and no NAL unit's length; or the header of a NAL unit.
            data[at] = if units { 0x25 } else { 0xff };
            let end = data.len();
            let (first, step) = match (units, counter) {
                (false, _) => (at, 16),
                (true, false) => (at + 32, 160),
                (true, true) => (end - (size.saturating_sub(32)) / 16 * 16, 16),
            };
            let blocks = (first..end).step_by(step).filter(|block| block + 16 <= end);
            secret.extend(blocks.map(|block| data[block..block + 16].to_vec()));
        }
        sizes.push((data.len() - start) as u32);
    }
    let moof = |offset: u32| {
        let mut run: Vec<u8> = [count as u32, offset].iter().flat_map(|word| word.to_be_bytes()).collect();
        sizes.iter().for_each(|size| run.extend(size.to_be_bytes()));
        let track = [boxed(b"tfhd", &[&[0, 2, 0, 0], &1_u32.to_be_bytes()]), boxed(b"trun", &[&[0, 0, 2, 1], &run])];
        boxed(b"moof", &[&boxed(b"mfhd", &[&[0; 4], &7_u32.to_be_bytes()]), &boxed(b"traf", &[&track.concat()])])
    };
    let length = moof(0).len() as u32 + 8;
    Body { bytes: [moof(length), boxed(b"mdat", &[&data])].concat(), secret, good: true }
}

fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&(content.len() as u32 + 8).to_be_bytes()[..], kind, &content].concat()
}
