//! Owns the `Authorization` header of EdgeGrid, parsed.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::timestamp;

/// Longest header value in bytes. Akamai's clients write about 270.
pub const MAX_HEADER: usize = 1024;

/// Longest token and longest nonce in bytes. Akamai's tokens have 38, a UUID has 36.
pub(crate) const MAX_VALUE: usize = 128;

/// Scheme of the header, with the space behind it.
pub(crate) const SCHEME: &str = "EG1-HMAC-SHA256 ";

/// A well-formed `Authorization` header. It proves nothing until [`verify`](crate::verify) agrees.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Authorization<'a> {
    client_token: &'a str,
    access_token: &'a str,
    timestamp: i64,
    timestamp_text: &'a str,
    nonce: &'a str,
    signed: &'a str,
    signature: [u8; 32],
}

impl<'a> Authorization<'a> {
    /// Parses the value of an `Authorization` header. There is one spelling, that of Akamai's clients: these five fields in
    /// this order, once each, without spaces, and the signature in padded base64.
    ///
    /// ```text
    /// EG1-HMAC-SHA256 client_token=…;access_token=…;timestamp=yyyyMMddTHH:mm:ss+0000;nonce=…;signature=…
    /// ```
    ///
    /// # Errors
    /// [`ParseError`].
    pub fn parse(value: &'a str) -> Result<Self, ParseError> {
        if value.len() > MAX_HEADER {
            return Err(ParseError::Length(value.len()));
        }
        let rest = value.strip_prefix(SCHEME).ok_or(ParseError::Scheme)?;
        let (client_token, rest) = field(rest, "client_token", is_token)?;
        let (access_token, rest) = field(rest, "access_token", is_token)?;
        let (timestamp_text, rest) = field(rest, "timestamp", |_| true)?;
        let timestamp = timestamp::read(timestamp_text).ok_or(ParseError::Timestamp)?;
        let (nonce, rest) = field(rest, "nonce", is_nonce)?;
        let signed = value.strip_suffix(rest).ok_or(ParseError::Signature)?;
        let base64 = rest.strip_prefix("signature=").ok_or(ParseError::Field("signature"))?;
        let mut signature = [0; 32];
        // The engine refuses missing padding, and bits that encode nothing.
        if STANDARD.decode_slice(base64, &mut signature) != Ok(signature.len()) {
            return Err(ParseError::Signature);
        }
        Ok(Self { client_token, access_token, timestamp, timestamp_text, nonce, signed, signature })
    }

    /// The client's name, up to 128 bytes.
    pub fn client_token(&self) -> &'a str {
        self.client_token
    }

    /// The name of the client's rights, up to 128 bytes. The caller compares it with the client's own.
    pub fn access_token(&self) -> &'a str {
        self.access_token
    }

    /// The time of the signature in Unix seconds.
    pub fn timestamp(&self) -> i64 {
        self.timestamp
    }

    /// The nonce, up to 128 bytes.
    pub fn nonce(&self) -> &'a str {
        self.nonce
    }

    /// The timestamp as it was sent: the signing key is derived from it.
    pub(crate) fn timestamp_text(&self) -> &'a str {
        self.timestamp_text
    }

    /// The signed part of the header, up to and with `nonce=…;`.
    pub(crate) fn signed(&self) -> &'a str {
        self.signed
    }

    pub(crate) fn signature(&self) -> &[u8; 32] {
        &self.signature
    }
}

/// Without the signature, which another server might take once more.
impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Authorization");
        fields.field("client_token", &self.client_token).field("timestamp", &self.timestamp);
        fields.field("nonce", &self.nonce).finish_non_exhaustive()
    }
}

/// A header that is not spelled as EdgeGrid's are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseError {
    /// It has this many bytes, more than [`MAX_HEADER`].
    Length(usize),
    /// It does not begin with `EG1-HMAC-SHA256` and a space.
    Scheme,
    /// This field is missing, out of order, repeated, empty, longer than 128 bytes, or has other characters than it may.
    Field(&'static str),
    /// The timestamp is no time in UTC, or is spelled otherwise.
    Timestamp,
    /// The signature is not 44 characters of padded base64.
    Signature,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(bytes) => write!(f, "Authorization: {bytes} bytes; expected at most {MAX_HEADER}"),
            Self::Scheme => f.write_str("Authorization: another scheme; expected EG1-HMAC-SHA256 and one space"),
            Self::Field(name) => write!(
                f,
                "Authorization: no valid field {name} in its place; expected \
                 client_token=…;access_token=…;timestamp=…;nonce=…;signature=…"
            ),
            Self::Timestamp => f.write_str("Authorization: not a timestamp; expected yyyyMMddTHH:mm:ss+0000, in UTC"),
            Self::Signature => f.write_str("Authorization: not a signature; expected 44 characters of padded base64"),
        }
    }
}

impl std::error::Error for ParseError {}

/// The value of the field `name` at the start of `text`, and the text behind its semicolon.
fn field<'a>(text: &'a str, name: &'static str, valid: fn(&str) -> bool) -> Result<(&'a str, &'a str), ParseError> {
    let value = text.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
    let (value, rest) = value.and_then(|rest| rest.split_once(';')).ok_or(ParseError::Field(name))?;
    if valid(value) { Ok((value, rest)) } else { Err(ParseError::Field(name)) }
}

/// Whether this is a client token or an access token: 1 to 128 letters, digits and `-._~`.
pub(crate) fn is_token(value: &str) -> bool {
    is_made_of(value, b"-._~")
}

/// Whether this is a nonce: 1 to 128 letters, digits and `-._~+/=`, so that hex, UUIDs and base64 are.
pub(crate) fn is_nonce(value: &str) -> bool {
    is_made_of(value, b"-._~+/=")
}

fn is_made_of(value: &str, others: &[u8]) -> bool {
    (1..=MAX_VALUE).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
}
