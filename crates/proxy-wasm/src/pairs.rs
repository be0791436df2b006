//! ABI encoding of header maps: the number of pairs, the lengths of each name and value (4 bytes each, little-endian),
//! then each name and value followed by a zero byte.

/// A header, borrowed from the host's buffer: lower-case name and value.
pub type Pair<'a> = (&'a str, &'a [u8]);

/// Decodes the pairs in order, borrowed from `bytes`; `None` if they are malformed. Omits pairs whose name is not
/// UTF-8: no filter reads them.
pub fn read(bytes: &[u8]) -> Option<Vec<Pair<'_>>> {
    if bytes.is_empty() {
        // Envoy returns no bytes for an empty map.
        return Some(Vec::new());
    }
    let (count, mut lengths) = number(bytes)?;
    let mut texts = lengths.get(count.checked_mul(8)?..)?;
    let mut pairs = Vec::with_capacity(count);
    for _ in 0..count {
        let (name_length, rest) = number(lengths)?;
        let (value_length, rest) = number(rest)?;
        lengths = rest;
        let (name, rest) = text(texts, name_length)?;
        let (value, rest) = text(rest, value_length)?;
        texts = rest;
        if let Ok(name) = std::str::from_utf8(name) {
            pairs.push((name, value));
        }
    }
    Some(pairs)
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}

fn text(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(length)?;
    Some((text, rest.get(1..)?))
}

/// Encodes the pairs; `None` if they exceed 4 GiB.
pub fn write<'a>(pairs: impl Iterator<Item = Pair<'a>> + Clone) -> Option<Vec<u8>> {
    let add =
        |sum: usize, (name, value): Pair<'_>| sum.checked_add(name.len())?.checked_add(value.len())?.checked_add(10);
    let all = pairs.clone().try_fold(4, add)?;
    u32::try_from(all).ok()?;
    let mut bytes = Vec::with_capacity(all);
    bytes.extend_from_slice(&size(pairs.clone().count())?);
    for (name, value) in pairs.clone() {
        bytes.extend_from_slice(&size(name.len())?);
        bytes.extend_from_slice(&size(value.len())?);
    }
    for text in pairs.flat_map(|(name, value)| [name.as_bytes(), value]) {
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
    Some(bytes)
}

fn size(length: usize) -> Option<[u8; 4]> {
    u32::try_from(length).ok().map(u32::to_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: [Pair<'static>; 4] = [(":path", b"/a"), ("cookie", b"\xff"), ("cookie", b""), ("", b"x")];

    #[test]
    fn pairs_go_and_come() {
        let bytes = write(PAIRS.into_iter()).unwrap();
        assert_eq!(bytes[..12], [4, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0]);
        assert!(bytes.ends_with(b":path\0/a\0cookie\0\xff\0cookie\0\0\0x\0"));
        assert_eq!(bytes.len(), bytes.capacity());
        assert_eq!(read(&bytes).as_deref(), Some(&PAIRS[..]));
        assert_eq!(write([].into_iter()), Some(vec![0; 4]));
        assert_eq!(read(&[0; 4]), Some(vec![]));
        assert_eq!(read(&[]), Some(vec![]), "an empty map is no buffer at all");
    }

    #[test]
    fn a_name_that_is_no_text_is_left_out_alone() {
        let mut bytes = write(PAIRS.into_iter()).unwrap();
        bytes[4 + 4 * 8] = 0xff;
        assert_eq!(read(&bytes).as_deref(), Some(&PAIRS[1..]));
    }

    /// Truncated bytes, and counts or lengths beyond the end, are malformed.
    #[test]
    fn a_malformed_buffer_is_none() {
        let bytes = write(PAIRS.into_iter()).unwrap();
        for end in 1..bytes.len() {
            assert_eq!(read(&bytes[..end]), None, "{end} bytes");
        }
        for at in (0..4 + 4 * 8).step_by(4) {
            for wrong in [u32::MAX, u32::MAX / 8 + 1, 1 << 31, 60] {
                let mut bytes = bytes.clone();
                bytes[at..at + 4].copy_from_slice(&wrong.to_le_bytes());
                assert_eq!(read(&bytes), None, "{wrong} at {at}");
            }
        }
        assert_eq!(read(&[0xff; 64]), None);
    }

    #[test]
    fn more_than_a_length_can_say_is_not_written() {
        // Zeroed memory of this size is only reserved, not allocated.
        let huge = vec![0; u32::MAX as usize + 1];
        assert_eq!(write([("a", huge.as_slice())].into_iter()), None);
        // Each length fits, but their sum does not.
        let half = &huge[..1 << 31];
        assert_eq!(write([("a", half), ("b", half)].into_iter()), None);
    }
}
