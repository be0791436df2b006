//! The requester's token: it may come in four places, and then it must be the same in each.

use alloc::string::String;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::SpekeError;

#[derive(Default)]
pub(super) struct Tokens {
    token: Option<String>,
}

impl Tokens {
    /// Adds a token that was found at one place.
    pub(super) fn add(&mut self, token: String) -> Result<(), SpekeError> {
        match &self.token {
            _ if token.is_empty() => Err(SpekeError::Encoding("token")),
            // Both come from the same requester: the comparison gives nothing away.
            Some(other) if *other != token => Err(SpekeError::AmbiguousToken),
            _ => {
                self.token = Some(token);
                Ok(())
            }
        }
    }

    /// The password of Basic authentication (RFC 7617). Other schemes are the affair of a gateway before this server:
    /// AWS signs requests.
    pub(super) fn add_authorization(&mut self, value: &[u8]) -> Result<(), SpekeError> {
        let malformed = SpekeError::Encoding("authorization");
        let text = core::str::from_utf8(value).map_err(|_| malformed.clone())?;
        let (scheme, credentials) = text.split_once(' ').unwrap_or((text, ""));
        if !scheme.eq_ignore_ascii_case("basic") {
            return Ok(());
        }
        let bytes = STANDARD.decode(credentials.trim_matches(' ')).map_err(|_| malformed.clone())?;
        let pair = String::from_utf8(bytes).map_err(|_| malformed.clone())?;
        let (_, password) = pair.split_once(':').ok_or(malformed)?;
        self.add(password.into())
    }

    /// The token's own header.
    pub(super) fn add_header(&mut self, value: &[u8]) -> Result<(), SpekeError> {
        let text = core::str::from_utf8(value).map_err(|_| SpekeError::Encoding(super::TOKEN_HEADER))?;
        self.add(text.into())
    }

    pub(super) fn into_token(self) -> Option<String> {
        self.token
    }
}
