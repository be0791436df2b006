//! Text written into a document: only the characters are escaped that must be.

use alloc::vec::Vec;

/// Appends the value of an attribute in quotes of this kind (XML 1.0 section 2.3). White space other than the space is
/// escaped too: readers would make spaces of it (section 3.3.3).
pub(crate) fn push_value(out: &mut Vec<u8>, value: &str, quote: u8) {
    push(out, value, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'"' if quote == b'"' => Some("&quot;"),
        b'\'' if quote == b'\'' => Some("&#39;"),
        b'\t' => Some("&#9;"),
        b'\n' => Some("&#10;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

/// Appends the text of an element (XML 1.0 section 2.4). `>` is escaped for `]]>`.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    push(out, text, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

fn push(out: &mut Vec<u8>, text: &str, escape: impl Fn(u8) -> Option<&'static str>) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if let Some(escaped) = escape(*byte) {
            out.extend_from_slice(bytes.get(done..at).unwrap_or_default());
            out.extend_from_slice(escaped.as_bytes());
            done = at + 1;
        }
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
}
