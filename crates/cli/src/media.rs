//! Media segments: decryption, detection of the container format, and checks for damage.

use std::collections::BTreeMap;
use std::fmt;

/// A container format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// MPEG-2 transport stream.
    TransportStream,
    /// ISO base media file format: fragmented MP4, CMAF.
    Mp4,
    /// ADTS or MPEG audio, with or without ID3 before it.
    PackedAudio,
    /// WebVTT.
    WebVtt,
    /// No known format.
    Unknown,
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TransportStream => "MPEG-TS",
            Self::Mp4 => "fragmented MP4",
            Self::PackedAudio => "packed audio",
            Self::WebVtt => "WebVTT",
            Self::Unknown => "unknown format",
        })
    }
}

/// Size of a transport stream packet in bytes.
const PACKET: usize = 188;
/// The PID of null packets (stuffing).
const NULL_PACKETS: u16 = 0x1fff;

/// Detects the format of a whole unencrypted segment and checks it for damage.
///
/// # Errors
/// The first damage.
pub fn examine(bytes: &[u8]) -> Result<Container, String> {
    let container = detect(bytes);
    match container {
        Container::TransportStream => check_transport_stream(bytes)?,
        Container::Mp4 => check_boxes(bytes)?,
        Container::PackedAudio | Container::WebVtt | Container::Unknown => {}
    }
    Ok(container)
}

/// Detects the format by the first bytes.
pub fn detect(bytes: &[u8]) -> Container {
    let is_box = |name: &[u8]| bytes.get(4..8) == Some(name);
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if is_transport_stream(bytes) {
        Container::TransportStream
    } else if [b"ftyp", b"styp", b"moof", b"moov", b"sidx", b"emsg", b"prft"].iter().any(|name| is_box(*name)) {
        Container::Mp4
    } else if text.starts_with(b"WEBVTT") {
        Container::WebVtt
    } else if bytes.starts_with(b"ID3") || matches!(bytes, [0xff, second, ..] if second & 0xe0 == 0xe0) {
        Container::PackedAudio
    } else {
        Container::Unknown
    }
}

fn is_transport_stream(bytes: &[u8]) -> bool {
    let packets = bytes.chunks(PACKET).take(4);
    !bytes.is_empty() && packets.clone().all(|packet| packet.first() == Some(&0x47)) && bytes.len() >= PACKET
}

/// Checks that no packet is missing: by sync bytes, and by the continuity counters (ISO 13818-1 section 2.4.3.3), which
/// some packagers restart in each segment.
fn check_transport_stream(bytes: &[u8]) -> Result<(), String> {
    let mut counters: BTreeMap<u16, u8> = BTreeMap::new();
    for (index, packet) in bytes.chunks(PACKET).enumerate() {
        if packet.first() != Some(&0x47) {
            return Err(format!("packet {index} of the transport stream does not begin with the sync byte"));
        }
        if packet.len() != PACKET {
            return Err(format!("the transport stream ends within packet {index}"));
        }
        let [_, high, low, flags, length, adaptation, ..] = *packet else { continue };
        let pid = u16::from_be_bytes([high & 0x1f, low]);
        let is_broken = flags & 0x20 != 0 && length > 0 && adaptation & 0x80 != 0;
        if pid == NULL_PACKETS || flags & 0x10 == 0 {
            continue;
        }
        let counter = flags & 0x0f;
        // A packet may be repeated once.
        match counters.insert(pid, counter) {
            Some(last) if !is_broken && counter != last && counter != (last + 1) & 0x0f => {
                return Err(format!("packets of the transport stream are missing before packet {index} (PID {pid})"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks that top-level boxes (ISO 14496-12 section 4.2) fill the segment to its end.
fn check_boxes(bytes: &[u8]) -> Result<(), String> {
    let mut at = 0_usize;
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let header = rest.first_chunk::<8>().ok_or_else(|| format!("the box at byte {at} has no complete header"))?;
        let [s0, s1, s2, s3, name @ ..] = *header;
        let name = String::from_utf8_lossy(&name).into_owned();
        let size = match u32::from_be_bytes([s0, s1, s2, s3]) {
            0 => rest.len() as u64,
            1 => {
                let large = rest.get(8..).and_then(|rest| rest.first_chunk::<8>());
                u64::from_be_bytes(*large.ok_or_else(|| format!("the box {name} at byte {at} has no size"))?)
            }
            size => u64::from(size),
        };
        let size = usize::try_from(size).ok().filter(|size| (8..=rest.len()).contains(size));
        at += size.ok_or_else(|| format!("the box {name} at byte {at} extends beyond the end of the segment"))?;
    }
    Ok(())
}

/// Decrypts AES-128-CBC with PKCS#7 padding (RFC 8216 section 4.3.2.4).
///
/// # Errors
/// A length that is not a positive multiple of 16, or invalid padding, with the likely cause.
pub fn decrypt(ciphertext: &[u8], key: &[u8; 16], iv: &[u8; 16]) -> Result<Vec<u8>, String> {
    let mut bytes = blocks(ciphertext, key, iv)?;
    let pad = bytes.last().copied().unwrap_or_default();
    let length = bytes.len().checked_sub(usize::from(pad));
    let padded = (1..=16).contains(&pad)
        && length.and_then(|length| bytes.get(length..)).is_some_and(|padding| padding.iter().all(|byte| *byte == pad));
    if !padded {
        return Err(diagnosis(ciphertext, &bytes));
    }
    bytes.truncate(length.unwrap_or_default());
    if detect(&bytes) == Container::Unknown && is_transport_stream(bytes.get(PACKET..).unwrap_or_default()) {
        return Err("the IV is not the right one: only the first block is garbled, so the key is right".into());
    }
    Ok(bytes)
}

fn blocks(ciphertext: &[u8], key: &[u8; 16], iv: &[u8; 16]) -> Result<Vec<u8>, String> {
    use aes::cipher::{BlockModeDecrypt, KeyIvInit};
    let (whole, rest) = ciphertext.as_chunks::<16>();
    if whole.is_empty() || !rest.is_empty() {
        let clear = detect(ciphertext);
        return Err(match clear {
            // One in 2,048 ciphertexts begins like packed audio.
            Container::Unknown | Container::PackedAudio => {
                format!("{} bytes, not a positive multiple of 16: truncated, or not AES-128-CBC", ciphertext.len())
            }
            clear => format!("not encrypted: it is {clear}"),
        });
    }
    let mut blocks: Vec<aes::Block> = whole.iter().map(|block| (*block).into()).collect();
    cbc::Decryptor::<aes::Aes128>::new(key.into(), iv.into()).decrypt_blocks(&mut blocks);
    Ok(blocks.iter().flat_map(|block| block.iter().copied()).collect())
}

/// The likely cause of invalid padding.
fn diagnosis(ciphertext: &[u8], decrypted: &[u8]) -> String {
    let clear = detect(ciphertext);
    let found = detect(decrypted);
    if clear != Container::Unknown && clear != Container::PackedAudio {
        format!("not encrypted: it is {clear}")
    } else if found != Container::Unknown && found != Container::PackedAudio {
        format!("no padding: it begins as {found}, and the end is missing or altered")
    } else {
        "no padding: it is encrypted with another key, or not with AES-128-CBC".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypt(plaintext: &[u8], key: &[u8; 16], iv: &[u8; 16]) -> Vec<u8> {
        use aes::cipher::{BlockModeEncrypt, KeyIvInit};
        let pad = u8::try_from(16 - plaintext.len() % 16).unwrap();
        let mut bytes = plaintext.to_vec();
        bytes.resize(plaintext.len() + usize::from(pad), pad);
        let mut blocks: Vec<aes::Block> = bytes.as_chunks::<16>().0.iter().map(|block| (*block).into()).collect();
        cbc::Encryptor::<aes::Aes128>::new(key.into(), iv.into()).encrypt_blocks(&mut blocks);
        blocks.concat()
    }

    #[test]
    fn each_fault_is_named() {
        let ts: Vec<u8> = (0..10).flat_map(|_| [&[0x47][..], &[0xff; 187]].concat()).collect();
        let (key, iv) = ([1; 16], [2; 16]);
        let good = encrypt(&ts, &key, &iv);
        assert_eq!(decrypt(&good, &key, &iv).as_ref(), Ok(&ts));
        for (bytes, key, iv, part) in [
            (&good[..100], key, iv, "not a positive multiple of 16"),
            (&good[..], [3; 16], iv, "another key"),
            (&good, key, [3; 16], "the IV is not"),
            (&good[..960], key, iv, "begins as MPEG-TS"),
            (&ts, key, iv, "not encrypted: it is MPEG-TS"),
            (&[], key, iv, "0 bytes"),
            (&[0xff, 0xf1, 0], key, iv, "3 bytes, not a positive multiple of 16"),
        ] {
            let error = decrypt(bytes, &key, &iv).unwrap_err();
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn containers() {
        let mp4 = [&12_u32.to_be_bytes()[..], b"styp", b"msdh", &9_u32.to_be_bytes(), b"mdat", b"x"].concat();
        assert_eq!(examine(&mp4), Ok(Container::Mp4));
        assert!(examine(&mp4[..mp4.len() - 1]).unwrap_err().contains("mdat at byte 12"));
        assert_eq!(examine(b"\xef\xbb\xbfWEBVTT\n"), Ok(Container::WebVtt));
        assert_eq!(examine(b"ID3\x04"), Ok(Container::PackedAudio));
        assert_eq!(examine(&[0xff, 0xf1, 0]), Ok(Container::PackedAudio));
        assert_eq!(examine(b"nothing"), Ok(Container::Unknown));
        let mut ts = [[0x47; 3].as_slice(), &[0x17], &[0; 184]].concat().repeat(6);
        assert_eq!(examine(&ts), Ok(Container::TransportStream));
        ts[188 * 5] = 0;
        assert!(examine(&ts).unwrap_err().contains("packet 5"));
        ts[188 * 5] = 0x47;
        ts[188 * 5 + 3] = 0x19;
        assert!(examine(&ts).unwrap_err().contains("missing before packet 5 (PID 1863)"));
    }
}
