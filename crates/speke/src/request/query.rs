//! The query: `enc-token`, `scheme` and `key-rotation`, each at most once, and nothing else.

use alloc::string::String;
use alloc::vec::Vec;

use playlock_drm::Scheme;

use crate::error::SpekeError;

#[derive(Default)]
pub(super) struct Query {
    pub(super) token: Option<String>,
    pub(super) scheme: Option<Scheme>,
}

impl Query {
    pub(super) fn read(query: &str) -> Result<Self, SpekeError> {
        let mut read = Self::default();
        let mut rotation = None;
        if query.is_empty() {
            return Ok(read);
        }
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let twice = match name {
                "enc-token" => read.token.replace(percent_decode(value, "enc-token")?).is_some(),
                "scheme" => read.scheme.replace(scheme(value)?).is_some(),
                // Keys follow the key ID, which packagers change with each period: nothing is to be done.
                "key-rotation" if matches!(value, "true" | "false") => rotation.replace(value).is_some(),
                "key-rotation" => return Err(SpekeError::Query("key-rotation: invalid; expected true or false")),
                _ => {
                    return Err(SpekeError::Query("unknown parameter; expected enc-token, scheme or key-rotation"));
                }
            };
            if twice {
                return Err(SpekeError::Query("a parameter twice; expected once"));
            }
        }
        Ok(read)
    }
}

fn scheme(value: &str) -> Result<Scheme, SpekeError> {
    match value {
        "cenc" => Ok(Scheme::Cenc),
        "cbcs" => Ok(Scheme::Cbcs),
        _ => Err(SpekeError::Query("scheme: invalid; expected cenc or cbcs")),
    }
}

/// Decodes `%XX` (RFC 3986, section 2.1). A `+` stays: tokens are Base64. The result is UTF-8, as sessions' tokens are.
pub(super) fn percent_decode(text: &str, place: &'static str) -> Result<String, SpekeError> {
    let malformed = SpekeError::Encoding(place);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, behind @ ..] = rest {
        rest = behind;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let [high, low, behind @ ..] = rest else { return Err(malformed) };
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return Err(malformed) };
        bytes.push(high << 4 | low);
        rest = behind;
    }
    String::from_utf8(bytes).map_err(|_| malformed)
}
