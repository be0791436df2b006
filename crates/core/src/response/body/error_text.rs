//! The body of a redirect or an error, where media would have to be encrypted.

use alloc::vec::Vec;

use super::pushed::Pushed;
use crate::http::reply::Reason;

/// The body of a redirect or an error: text passes, media does not.
#[derive(Debug)]
pub struct ErrorText;

impl ErrorText {
    /// Takes the next chunk.
    ///
    /// # Errors
    /// [`Reason::Unasked`] if it is not text.
    pub fn push(&self, chunk: Vec<u8>) -> Result<Pushed, Reason> {
        if chunk.iter().copied().all(is_text) { Ok(Pushed::Out(chunk.into())) } else { Err(Reason::Unasked) }
    }
}

/// Whether a byte may stand in a text of any encoding that ASCII is a part of: control characters fill media.
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
