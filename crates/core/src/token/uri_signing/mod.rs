//! Access tokens: URI Signing tokens (RFC 9246), which are JSON Web Tokens with claims about URIs and clients.
//!
//! [`super::jws::Compact`] and [`super::jws::Members`] read a token without a key, for display.

pub mod claims;
pub mod jwe;
mod regex;
pub mod renewal;
mod uri;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use ipnet::IpNet;

use self::claims::Claims;
use self::jwe::DecryptionKey;
use self::renewal::Renewer;
pub use self::uri::MAX_URI;
use crate::bytes::percent;
use crate::http::incoming::Incoming;
use crate::http::reply::Reason;
use crate::token::MAX_SENT;
use crate::token::grant::Grant;
use crate::token::jws::{Compact, Header};
use crate::token::key_set::{Algorithm, Key, KeyError, KeySet};

/// Verifies URI Signing tokens (RFC 9246).
#[derive(Debug, Clone)]
pub struct Verifier {
    /// The issuers' keys.
    pub keys: KeySet,
    /// Keys that decrypt `cdniip`.
    pub decryption_keys: Vec<DecryptionKey>,
    /// Names of this service. A token for an audience has to name one of them.
    pub audiences: Vec<String>,
    /// The header of tokens without one, in base64url.
    pub header: Option<String>,
    /// Accept tokens with an id (`jti`), although used ids are not stored.
    pub accepts_ids: bool,
    /// Renewal of tokens with each response, in place of sessions.
    pub renewer: Option<Box<Renewer>>,
}

impl Verifier {
    /// Verifies an access token as sent with `incoming`. `reserved` are the query parameters that are removed before
    /// the origin sees the URL.
    ///
    /// # Errors
    /// See [`Verifier::claims`].
    pub fn verify(&self, sent: &str, incoming: &Incoming<'_>, reserved: &[impl AsRef<str>]) -> Result<Grant, Reason> {
        let claims = self.claims(sent, incoming, reserved)?;
        Ok(Grant { id: claims.jti, ..Grant::default() })
    }

    /// Verifies an access token as [`Verifier::verify`], and returns its claims. The signature comes first, so that a forged
    /// token reveals nothing and costs no more than its signature.
    ///
    /// # Errors
    /// [`Reason::Malformed`], [`Reason::Algorithm`], [`Reason::Signature`] (also if the key is not the issuer's),
    /// [`Reason::Early`], [`Reason::Expired`], [`Reason::Audience`], [`Reason::Ip`], [`Reason::Path`].
    pub fn claims(&self, sent: &str, incoming: &Incoming<'_>, reserved: &[impl AsRef<str>]) -> Result<Claims, Reason> {
        let sent = reading(sent).ok_or(Reason::Malformed)?;
        let compact = Compact::split(&sent, self.header.as_deref()).ok_or(Reason::Malformed)?;
        let key = self.signer(&compact)?;
        let claims = Claims::decode(compact.payload)?;
        if claims.iss.is_some() && claims.iss.as_deref() != key.issuer() {
            return Err(Reason::Signature);
        }
        claims.check_times(incoming.head.now)?;
        if !claims.aud.is_empty() && !claims.aud.iter().any(|audience| self.audiences.contains(audience)) {
            return Err(Reason::Audience);
        }
        // An id is to be used once, which takes a store (section 2.1.7).
        if claims.jti.is_some() && !self.accepts_ids {
            return Err(Reason::Malformed);
        }
        if let Some(encrypted) = &claims.cdniip {
            let network = jwe::decrypt(&self.decryption_keys, encrypted).ok_or(Reason::Malformed)?;
            let network = client_network(&network).ok_or(Reason::Malformed)?;
            if !incoming.head.client().is_some_and(|client| network.contains(&client.to_canonical())) {
                return Err(Reason::Ip);
            }
        }
        claims.container.covers(&uri::normal_uri(incoming, reserved).ok_or(Reason::Path)?)?;
        Ok(claims)
    }

    /// Whether tokens are renewed with each response, in place of sessions.
    pub fn renews(&self) -> bool {
        self.renewer.is_some()
    }

    /// Whether an access token as sent has a valid signature, regardless of its claims.
    pub fn has_signed(&self, sent: &str) -> bool {
        let sent = reading(sent);
        let compact = sent.as_deref().and_then(|sent| Compact::split(sent, self.header.as_deref()));
        compact.is_some_and(|compact| self.signer(&compact).is_ok())
    }

    /// The key that signed a token.
    fn signer(&self, compact: &Compact<'_>) -> Result<&Key, Reason> {
        let header = Header::decode_signed(compact.header).ok_or(Reason::Malformed)?;
        let name = header.text("alg").ok_or(Reason::Malformed)?;
        let algorithm = Algorithm::named(&name).ok_or(Reason::Algorithm)?;
        let kid = header.kid.as_deref().map(str::as_bytes);
        let message = [compact.header.as_bytes(), b".", compact.payload.as_bytes()];
        self.keys.verify(algorithm, kid, &message, &compact.signature).map_err(|error| match error {
            KeyError::NoKey => Reason::Algorithm,
            KeyError::Signature => Reason::Signature,
        })
    }
}

/// A token as sent, without escapes; `None` if it is longer than [`MAX_SENT`].
fn reading(sent: &str) -> Option<Cow<'_, str>> {
    if sent.len() > MAX_SENT {
        return None;
    }
    if sent.contains('%') { percent::decode_str(sent).map(Cow::Owned) } else { Some(Cow::Borrowed(sent)) }
}

/// The address or network of `cdniip`. The RFC's example puts it in brackets.
fn client_network(text: &str) -> Option<IpNet> {
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    match text.parse::<IpNet>() {
        // An IPv4-mapped network, as the client's address is compared.
        Ok(IpNet::V6(network)) if network.prefix_len() >= 96 => match network.addr().to_ipv4_mapped() {
            Some(address) => IpNet::new(address.into(), network.prefix_len() - 96).ok(),
            None => Some(IpNet::V6(network)),
        },
        Ok(network) => Some(network),
        Err(_) => text.parse::<IpAddr>().ok().map(|address| address.to_canonical().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_networks() {
        for (text, client, expected) in [
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("203.0.113.0/24", "203.0.113.8", true),
            ("203.0.113.9/24", "203.0.113.8", true),
            ("[2001:db8::1/32]", "2001:db8:ffff::", true),
            ("2001:db8::1", "2001:db8::1", true),
            ("2001:db8::1", "2001:db8::2", false),
            ("::ffff:203.0.113.0/120", "203.0.113.8", true),
            ("::ffff:203.0.113.8", "203.0.113.8", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "203.0.113.8", false),
        ] {
            let network = client_network(text).unwrap();
            assert_eq!(network.contains(&client.parse::<IpAddr>().unwrap()), expected, "{text} {client}");
        }
        for bad in ["", "[", "203.0.113.7/33", "203.0.113", "a", "[203.0.113.7", "203.0.113.7 "] {
            assert!(client_network(bad).is_none(), "{bad}");
        }
    }
}
