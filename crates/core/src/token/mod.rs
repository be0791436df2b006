//! Token wire formats, one file each, and their shared definitions.

pub mod acl;
pub mod cat;
pub mod cookie;
pub mod derive;
pub mod edge_auth;
pub mod format;
pub mod grant;
pub mod jwt;
pub mod media_cdn;
pub mod signed;
pub mod signed_url;
pub mod uri_signing;

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
pub const STEPS: [(&str, &[Reason]); 5] = [
    ("grammar", &[Reason::Malformed]),
    ("signature", &[Reason::Algorithm, Reason::Signature]),
    ("times", &[Reason::Early, Reason::Expired]),
    ("address, header, revocation", &[Reason::Ip, Reason::Header, Reason::Revoked]),
    ("path", &[Reason::Path]),
];
