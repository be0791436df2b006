//! Token wire formats, one file each, and their shared definitions.

#[cfg(not(all(feature = "cat", feature = "jwt", feature = "mediacdn", feature = "urisigning")))]
pub mod absent;
pub mod acl;
#[cfg(feature = "cat")]
pub mod cat;
pub mod cookie;
pub mod derive;
pub mod edge_auth;
pub mod format;
pub mod gcm;
pub mod grant;
#[cfg(any(feature = "jwt", feature = "urisigning"))]
pub mod jws;
#[cfg(feature = "jwt")]
pub mod jwt;
#[cfg(feature = "keys")]
pub mod key_set;
#[cfg(feature = "mediacdn")]
pub mod media_cdn;
pub mod signed;
pub mod signed_url;
#[cfg(feature = "urisigning")]
pub mod uri_signing;

#[cfg(not(feature = "cat"))]
pub use self::absent as cat;
#[cfg(not(feature = "jwt"))]
pub use self::absent as jwt;
#[cfg(not(feature = "mediacdn"))]
pub use self::absent as media_cdn;
#[cfg(not(feature = "urisigning"))]
pub use self::absent as uri_signing;

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::bytes::percent;
use crate::http::reply::Reason;

/// Longest token in bytes, as sent; longer ones are not hashed. Session tokens have at most 1,023 bytes, the fields of
/// an access token have to fit into one, and escapes add to that.
pub const MAX_SENT: usize = 2048;

/// The readings of an access token as sent; none of one that is longer than [`MAX_SENT`].
///
/// The token is read decoded once, because clients re-encode query values, and as it is, because real tokens contain
/// `%2f`. Both may match the grammar, so a verifier takes the first with a valid signature.
pub fn readings(sent: &str) -> Vec<Cow<'_, str>> {
    let mut readings = Vec::with_capacity(2);
    if sent.len() > MAX_SENT {
        return readings;
    }
    if sent.contains('%')
        && let Some(decoded) = percent::decode_str(sent)
    {
        readings.push(Cow::Owned(decoded));
    }
    readings.push(Cow::Borrowed(sent));
    readings
}

/// The steps of token verification in order, each with its reasons for refusal.
pub const STEPS: [(&str, &[Reason]); 6] = [
    ("grammar", &[Reason::Malformed]),
    ("signature", &[Reason::Algorithm, Reason::Signature]),
    ("times", &[Reason::Early, Reason::Expired]),
    ("claims", &[Reason::Claim, Reason::Geo]),
    (
        "audience, address, header, fingerprint, revocation",
        &[Reason::Audience, Reason::Ip, Reason::Header, Reason::Fingerprint, Reason::Revoked],
    ),
    ("path", &[Reason::Path]),
];
