//! Owns a client's credentials: two tokens and a secret.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::authorization::is_token;

/// Random bytes that [`Credentials::from_random`] takes: 20 for each token, and 32 for the secret.
pub const RANDOM_BYTES: usize = 72;

/// RFC 4648's base32 alphabet in lower case, as in Akamai's tokens.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A client's secret, as text: HMAC takes the characters, not the bytes that they encode. Redacted in debug output, zeroed
/// when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// Takes ownership of the text: 32 to 256 letters, digits and `+/=_-`, not ending in `/`. All clients read these from a
    /// `.edgerc` file without quoting them.
    ///
    /// # Errors
    /// [`CredentialsFault::ClientSecret`]; the text is zeroed.
    pub fn new(mut text: String) -> Result<Self, CredentialsFault> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte));
        if plain && (32..=256).contains(&text.len()) && !text.ends_with('/') {
            return Ok(Self(text));
        }
        text.zeroize();
        Err(CredentialsFault::ClientSecret)
    }

    /// The secret itself, to be encrypted for storage.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret([redacted])")
    }
}

/// A client's credentials.
#[derive(Debug, Clone)]
pub struct Credentials {
    client_token: String,
    access_token: String,
    client_secret: ClientSecret,
}

impl Credentials {
    /// Credentials from their parts. A token has 1 to 128 letters, digits and `-._~`.
    ///
    /// # Errors
    /// [`CredentialsFault::ClientToken`], [`CredentialsFault::AccessToken`].
    pub fn new(
        client_token: String,
        access_token: String,
        client_secret: ClientSecret,
    ) -> Result<Self, CredentialsFault> {
        if !is_token(&client_token) {
            return Err(CredentialsFault::ClientToken);
        }
        if !is_token(&access_token) {
            return Err(CredentialsFault::AccessToken);
        }
        Ok(Self { client_token, access_token, client_secret })
    }

    /// New credentials in the form of Akamai's, which scanners for leaked secrets know: tokens like
    /// `akab-` and twice 16 characters (160 bits), a secret of 44 characters of base64 (256 bits). The caller's random bytes
    /// are the caller's to zero.
    pub fn from_random(random: &[u8; RANDOM_BYTES]) -> Self {
        let (client, rest) = random.split_at(20);
        let (access, secret) = rest.split_at(20);
        Self {
            client_token: token(client),
            access_token: token(access),
            client_secret: ClientSecret(STANDARD.encode(secret)),
        }
    }

    /// The client's name.
    pub fn client_token(&self) -> &str {
        &self.client_token
    }

    /// The name of the client's rights.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// The client's secret.
    pub fn client_secret(&self) -> &ClientSecret {
        &self.client_secret
    }
}

/// A part of credentials that no client could use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialsFault {
    /// The client token is not 1 to 128 letters, digits and `-._~`.
    ClientToken,
    /// The access token is not 1 to 128 letters, digits and `-._~`.
    AccessToken,
    /// The secret is not 32 to 256 letters, digits and `+/=_-`, or ends in `/`.
    ClientSecret,
}

impl fmt::Display for CredentialsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientToken => "client_token: unusable value; expected 1 to 128 letters, digits and -._~",
            Self::AccessToken => "access_token: unusable value; expected 1 to 128 letters, digits and -._~",
            Self::ClientSecret => {
                "client_secret: unusable value; expected 32 to 256 letters, digits and +/=_-, not ending in /"
            }
        })
    }
}

impl std::error::Error for CredentialsFault {}

/// 20 bytes as `akab-` and twice 16 characters of base32.
fn token(bytes: &[u8]) -> String {
    let mut text = String::from("akab-");
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut written = 0;
    for byte in bytes {
        bits = ((bits << 8) | u32::from(*byte)) & 0xfff;
        held = held.saturating_add(8);
        while let Some(rest) = held.checked_sub(5) {
            held = rest;
            if written == 16 {
                text.push('-');
            }
            written += 1;
            let digit = usize::try_from((bits >> held) & 31).unwrap_or_default();
            text.push(char::from(BASE32.get(digit).copied().unwrap_or_default()));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{ClientSecret, Credentials, CredentialsFault, RANDOM_BYTES};

    #[test]
    fn tokens_are_base32_of_the_random_bytes() {
        let mut random = [0; RANDOM_BYTES];
        for (at, byte) in random.iter_mut().enumerate() {
            *byte = u8::try_from(at * 3).unwrap();
        }
        let credentials = Credentials::from_random(&random);
        // By Python: base64.b32encode(bytes(range(0, 60, 3))).lower(), and so on.
        assert_eq!(credentials.client_token(), "akab-aabqmcimb4jbkga3-dyqsijzkfuydgnrz");
        assert_eq!(credentials.access_token(), "akab-hq7uerkijnhfcvcx-ljoway3gnfwg64tv");
        assert_eq!(credentials.client_secret().expose(), "eHt+gYSHio2Qk5aZnJ+ipairrrG0t7q9wMPGyczP0tU=");
    }

    #[test]
    fn a_secret_is_not_printed() {
        let credentials = Credentials::from_random(&[7; RANDOM_BYTES]);
        assert!(!format!("{credentials:?}").contains(credentials.client_secret().expose()));
    }

    #[test]
    fn unusable_parts_are_refused() {
        let long = "s".repeat(257);
        for text in ["", "short", &long, &format!("{} ", "s".repeat(40)), &format!("{};", "s".repeat(40))] {
            assert_eq!(ClientSecret::new(text.into()).err(), Some(CredentialsFault::ClientSecret), "{text}");
        }
        assert!(ClientSecret::new(format!("{}/", "s".repeat(40))).is_err());
        let secret = ClientSecret::new("s".repeat(32)).unwrap();
        for text in ["", "a b", "a;b", "a=b", "ä", &"a".repeat(129)] {
            let client = Credentials::new(text.into(), "a".into(), secret.clone());
            assert_eq!(client.err(), Some(CredentialsFault::ClientToken), "{text}");
            let access = Credentials::new("a".into(), text.into(), secret.clone());
            assert_eq!(access.err(), Some(CredentialsFault::AccessToken), "{text}");
        }
    }
}
