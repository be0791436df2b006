//! Body of a redirect or an error response for media that would be encrypted.

use alloc::vec::Vec;

use super::pushed::Pushed;
use crate::http::reply::Reason;

/// Passes text in the body of a redirect or an error response, and rejects media.
#[derive(Debug)]
pub struct ErrorText;

impl ErrorText {
    /// Takes the next chunk.
    ///
    /// # Errors
    /// [`Reason::Unasked`] if the chunk is not text.
    pub fn push(&self, chunk: Vec<u8>) -> Result<Pushed, Reason> {
        if chunk.iter().copied().all(is_text) { Ok(Pushed::Out(chunk.into())) } else { Err(Reason::Unasked) }
    }
}

/// Whether a byte may occur in text, in any encoding that extends ASCII. Media contains control characters.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | b' '..=b'~' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_passes() {
        let pass = |chunk: &[u8]| ErrorText.push(chunk.to_vec()).is_ok();
        assert!(pass("<p>Nicht gefunden: schön ist das nicht.\r\n\t</p>".as_bytes()));
        assert!(pass(b"caf\xe9"));
        assert!(!pass(b"G@\x11\x10"));
        assert!(!pass(b"\0\0\0\x18ftyp"));
    }
}
