//! Header maps as the ABI writes them, by other code than the filter's.

use crate::message::Header;

/// Count, then every pair of sizes, then every name and value, each with a NUL after it.
pub(super) fn serialize(headers: &[Header]) -> Vec<u8> {
    if headers.is_empty() {
        return Vec::new();
    }
    let mut bytes = (headers.len() as u32).to_le_bytes().to_vec();
    for (name, value) in headers {
        bytes.extend_from_slice(&(name.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
    }
    for (name, value) in headers {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(value);
        bytes.push(0);
    }
    bytes
}

/// The headers of such bytes.
pub(super) fn deserialize(bytes: &[u8]) -> Option<Vec<Header>> {
    let number = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(|four| u32::from_le_bytes(four) as usize);
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let count = number(0)?;
    let mut at = 4 + count.checked_mul(8)?;
    let mut headers = Vec::new();
    for index in 0..count {
        let (name, value) = (number(4 + index * 8)?, number(8 + index * 8)?);
        let text = String::from_utf8_lossy(bytes.get(at..at + name)?).into_owned();
        at += name + 1;
        headers.push((text, bytes.get(at..at + value)?.to_vec()));
        at += value + 1;
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_maps_go_and_come() {
        let headers =
            vec![(":path".to_owned(), b"/a".to_vec()), ("x".to_owned(), vec![0xff]), ("y".to_owned(), vec![])];
        let bytes = serialize(&headers);
        assert_eq!(bytes.get(..12), Some(&[3, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0][..]));
        assert_eq!(deserialize(&bytes), Some(headers));
        assert_eq!(deserialize(&[]), Some(vec![]));
        assert_eq!(deserialize(&bytes[..bytes.len() - 3]), None);
    }
}
