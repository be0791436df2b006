//! Keys and IVs in arguments, and keys in files: every user of the machine can see the arguments of a command.

use std::fs;
use std::io::Read;
use std::path::Path;

use crate::failure::Failure;

/// The key of `--key` or `--key-file`, of which one is given; the file `-` is `input`. `length`: the required number of
/// bytes, if there is one.
///
/// # Errors
/// A file that cannot be read; text that is not hex of this length. The text is never shown.
pub fn key(
    argument: Option<&str>,
    file: Option<&Path>,
    length: Option<usize>,
    input: &mut dyn Read,
) -> Result<Vec<u8>, Failure> {
    let (option, text) = match file {
        None => ("--key", argument.unwrap_or_default().to_owned()),
        Some(path) => ("--key-file", read(path, input)?),
    };
    hex(option, &text, length)
}

/// The bytes that `text` has in hex; `option` gave it.
///
/// # Errors
/// As [`key`].
pub fn hex(option: &str, text: &str, length: Option<usize>) -> Result<Vec<u8>, Failure> {
    // Files and the output of programs end with a line feed.
    let bytes = base16ct::mixed::decode_vec(text.trim_end()).ok();
    let bytes = bytes.filter(|bytes| !bytes.is_empty() && length.is_none_or(|length| length == bytes.len()));
    bytes.ok_or_else(|| {
        let number = length.map_or("an even number of".into(), |length| length.saturating_mul(2).to_string());
        Failure::Wrong(format!("{option}: not a key in hex; expected {number} hex digits, and nothing else"))
    })
}

/// The text of a file; `-` is `input`.
///
/// # Errors
/// A file that cannot be read.
pub fn read(path: &Path, input: &mut dyn Read) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match path == Path::new("-") {
        true => input.read_to_string(&mut text).map(|_| text),
        false => fs::read_to_string(path),
    };
    read.map_err(|error| Failure::Wrong(format!("--key-file {}: {error}", path.display())))
}

/// An IV of 1 to 32 hex digits, with or without `0x`; shorter numbers are padded on the left.
pub fn iv(text: &str) -> Option<[u8; 16]> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let plain = (1..=32).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u128::from_str_radix(digits, 16).ok()).flatten().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ivs() {
        assert_eq!(iv("0x0A").map(u128::from_be_bytes), Some(10));
        assert_eq!(iv("ffffffffffffffffffffffffffffffff"), Some([0xff; 16]));
        for wrong in ["", "0x", "+1", "0xg", "000000000000000000000000000000000"] {
            assert_eq!(iv(wrong), None, "{wrong}");
        }
    }
}
