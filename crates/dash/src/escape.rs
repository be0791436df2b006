//! Text written into a document: only the characters are escaped that must be.

use alloc::vec::Vec;

/// Appends the value of an attribute in quotes of this kind (XML 1.0 section 2.3). White space other than the space is
/// escaped too: readers would make spaces of it (section 3.3.3).
pub(crate) fn push_value(out: &mut Vec<u8>, value: &str, quote: u8) {
    for byte in value.bytes() {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'"' if quote == b'"' => out.extend_from_slice(b"&quot;"),
            b'\'' if quote == b'\'' => out.extend_from_slice(b"&#39;"),
            b'\t' => out.extend_from_slice(b"&#9;"),
            b'\n' => out.extend_from_slice(b"&#10;"),
            b'\r' => out.extend_from_slice(b"&#13;"),
            other => out.push(other),
        }
    }
}

/// Appends the text of an element (XML 1.0 section 2.4). `>` is escaped for `]]>`.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'\r' => out.extend_from_slice(b"&#13;"),
            other => out.push(other),
        }
    }
}
