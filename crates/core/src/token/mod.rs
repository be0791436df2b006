//! Token wire formats, one file each, and what they share.

pub mod acl;
pub mod edge_auth;

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::percent;

/// The readings of a token as it was sent: decoded once (clients re-encode query values), and as it stands
/// (real tokens carry `%2f` of their own). A verifier takes the first whose signature fits.
pub fn readings(sent: &str) -> Vec<Cow<'_, str>> {
    let mut readings = Vec::with_capacity(2);
    if sent.contains('%')
        && let Some(decoded) = percent::decode_str(sent)
    {
        readings.push(Cow::Owned(decoded));
    }
    readings.push(Cow::Borrowed(sent));
    readings
}
