//! Recognition of a document by its beginning.

use alloc::borrow::Cow;

use crate::limits::PROLOG;

/// Whether a document that begins with `bytes` is an MPD; `None` if more bytes are needed, of 8 KB at most.
///
/// The namespace is not looked at, and a document type declaration or an encoding in UTF-16 does not hide an MPD: a
/// [`Rewriter`](crate::Rewriter) refuses them.
#[must_use]
pub fn is_mpd(bytes: &[u8]) -> Option<bool> {
    let found = root_is_mpd(&narrow(bytes.get(..PROLOG).unwrap_or(bytes)));
    if found.is_none() && bytes.len() >= PROLOG { Some(false) } else { found }
}

/// Drops the zero bytes of ASCII in UTF-16, and the byte order mark.
fn narrow(bytes: &[u8]) -> Cow<'_, [u8]> {
    match bytes {
        [0xFF, 0xFE, rest @ ..] | [0xFE, 0xFF, rest @ ..] => {
            Cow::Owned(rest.iter().copied().filter(|b| *b != 0).collect())
        }
        [b'<', 0, ..] | [0, b'<', ..] => Cow::Owned(bytes.iter().copied().filter(|b| *b != 0).collect()),
        _ => Cow::Borrowed(bytes),
    }
}

fn root_is_mpd(bytes: &[u8]) -> Option<bool> {
    let mut rest = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => rest,
        [] | [0xEF] | [0xEF, 0xBB] | [0xFF] | [0xFE] | [0] => return None,
        _ => bytes,
    };
    loop {
        rest = rest.trim_ascii_start();
        rest = match rest {
            [b'<', b'?', ..] => behind(rest, b"?>")?,
            [b'<', b'!', b'-', b'-', inner @ ..] => behind(inner, b"-->")?,
            [b'<', b'!', b'D', b'O', b'C', b'T', b'Y', b'P', b'E', name @ ..] => {
                return name_is_mpd(name.trim_ascii_start());
            }
            [b'<', b'!', ..] if b"<!--".starts_with(rest) || b"<!DOCTYPE".starts_with(rest) => return None,
            [b'<', name @ ..] => return name_is_mpd(name),
            [] => return None,
            _ => return Some(false),
        };
    }
}

/// The bytes behind the first `end`.
fn behind<'a>(bytes: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    let at = bytes.windows(end.len()).position(|window| window == end)?;
    bytes.get(at + end.len()..)
}

/// Whether the name at the beginning, less its prefix, is `MPD`; `None` if the name may go on.
fn name_is_mpd(bytes: &[u8]) -> Option<bool> {
    let length =
        bytes.iter().position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>' | b'[' | b'<'))?;
    let name = bytes.get(..length)?;
    Some(name.rsplit(|byte| *byte == b':').next() == Some(b"MPD"))
}
