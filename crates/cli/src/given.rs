//! Keys that are given to a command itself: as an argument, which every user of the machine can see, or in a file.

use std::fs;
use std::io::Read;
use std::path::Path;

use crate::failure::Failure;

/// The bytes of the key that `--key` or `--key-file` gives, of which one is there; `-` is `input`. `length`: so many bytes, if
/// not any number will do.
///
/// # Errors
/// A file that cannot be read; text that is not so many hex digits. The text is never shown.
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
    // A file ends with a line feed, and so does what a program prints.
    let bytes = base16ct::mixed::decode_vec(text.trim_end()).ok();
    let bytes = bytes.filter(|bytes| !bytes.is_empty() && length.is_none_or(|length| length == bytes.len()));
    bytes.ok_or_else(|| {
        let number = length.map_or("an even number of".into(), |length| length.saturating_mul(2).to_string());
        Failure::Wrong(format!("{option}: expected {number} hex digits, and nothing else"))
    })
}

fn read(path: &Path, input: &mut dyn Read) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match path == Path::new("-") {
        true => input.read_to_string(&mut text).map(|_| text),
        false => fs::read_to_string(path),
    };
    read.map_err(|error| Failure::Wrong(format!("--key-file {}: {error}", path.display())))
}
