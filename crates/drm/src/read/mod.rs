//! Readers of signalling and of encrypted keys, for the command line, which verifies the answers of any SPEKE server.
//!
//! Other servers write the same formats with other freedom: fields that this crate leaves out, blanks and orders in XML.
//! That is read; whatever has two meanings (a field twice, a length that does not end where the data does) is refused.

mod boxes;
mod markup;
mod open;
mod playready;
mod widevine;

pub use boxes::PsshBox;
pub use open::open;
pub use playready::{Header, HeaderKey};
pub use widevine::WidevineData;

/// Bytes that are not of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFault {
    /// The bytes end before a length that is in them, or after it.
    Length,
    /// Not a `pssh` box, or one of a version other than 0 and 1.
    Box,
    /// A field of Widevine's message with an unknown wire type, or a known field twice.
    Field,
    /// A key ID that does not have 16 bytes.
    KeyId,
    /// An encryption scheme or algorithm that is none of the format's.
    Scheme,
    /// A PlayReady Object without exactly one header.
    Records,
    /// A PlayReady Header that is not UTF-16.
    Encoding,
    /// A PlayReady Header that is not well-formed XML, or that has other structure than its version.
    Markup,
    /// A checksum that does not have 8 bytes of base64.
    Checksum,
}
