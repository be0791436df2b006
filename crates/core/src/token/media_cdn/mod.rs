//! Access tokens: dual tokens of Google Media CDN.

pub mod claims;
pub mod url_prefix;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac as _};
use sha1::Sha1;

use crate::bytes::cidr;
use crate::http::incoming::Incoming;
use crate::http::reply::Reason;
use crate::token::grant::Grant;
use crate::token::key_set::{Algorithm, KeyError, KeySet};
use claims::{Claims, Scope, Tag};

/// Verifies dual tokens of Google Media CDN.
#[derive(Clone)]
pub struct Verifier {
    /// Ed25519 is allowed.
    ed25519: bool,
    /// HMAC-SHA-256 is allowed.
    sha256: bool,
    keys: KeySet,
    /// The keys of HMAC-SHA-1; none if it is not allowed.
    sha1: Vec<Hmac<Sha1>>,
    skew: u64,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Verifier");
        debug.field("ed25519", &self.ed25519).field("sha256", &self.sha256).field("sha1", &self.sha1.len());
        debug.field("keys", &self.keys).field("skew", &self.skew).finish()
    }
}

impl Verifier {
    /// Creates a verifier that allows no algorithm. `skew` is in seconds.
    pub fn new(keys: KeySet, skew: u64) -> Self {
        Self { ed25519: false, sha256: false, keys, sha1: Vec::new(), skew }
    }

    /// Allows Ed25519 (RFC 8032).
    pub fn allow_ed25519(&mut self) {
        self.ed25519 = true;
    }

    /// Allows HMAC-SHA-256.
    pub fn allow_sha256(&mut self) {
        self.sha256 = true;
    }

    /// Allows HMAC-SHA-1 under this secret, too, any number of bytes.
    pub fn allow_sha1(&mut self, secret: &[u8]) {
        // HMAC accepts keys of any length: `ok()` never drops one.
        self.sha1.extend(Hmac::new_from_slice(secret).ok());
    }

    /// Verifies an access token as sent with `incoming`. The signature comes first, so that a forged token reveals
    /// nothing. `reserved` are the query parameters that are removed before the origin sees the URL.
    ///
    /// # Errors
    /// [`Reason::Malformed`], [`Reason::Algorithm`] (also without a key for it), [`Reason::Header`] and [`Reason::Path`]
    /// if the text that is signed cannot be known (see [`Claims::signed`]), [`Reason::Signature`], [`Reason::Early`],
    /// [`Reason::Expired`], [`Reason::Ip`], [`Reason::Path`].
    pub fn verify(&self, sent: &str, incoming: &Incoming<'_>, reserved: &[impl AsRef<str>]) -> Result<Grant, Reason> {
        let readings = super::readings(sent);
        let mut failure = None;
        for claims in readings.iter().filter_map(|reading| Claims::parse(reading).ok()) {
            match self.check_signature(&claims, Some(incoming)) {
                Ok(()) => return self.check_claims(claims, incoming, reserved),
                Err(reason) => _ = failure.get_or_insert(reason),
            }
        }
        Err(failure.unwrap_or(Reason::Malformed))
    }

    /// Whether an access token as sent has a valid signature, regardless of its claims. False if the signature covers
    /// parts of the request.
    pub fn has_signed(&self, sent: &str) -> bool {
        let readings = super::readings(sent);
        let mut claims = readings.iter().filter_map(|reading| Claims::parse(reading).ok());
        claims.any(|claims| self.check_signature(&claims, None).is_ok())
    }

    fn check_signature(&self, claims: &Claims<'_>, incoming: Option<&Incoming<'_>>) -> Result<(), Reason> {
        let algorithm = match claims.tag {
            Tag::Ed25519(_) if self.ed25519 => Some(Algorithm::EdDsa),
            Tag::Sha256(_) if self.sha256 => Some(Algorithm::Hs256),
            Tag::Sha1(_) if !self.sha1.is_empty() => None,
            _ => return Err(Reason::Algorithm),
        };
        let message = claims.signed(incoming)?;
        let Some(algorithm) = algorithm else {
            let signed = self.sha1.iter().any(|mac| {
                let mut mac = mac.clone();
                message.iter().for_each(|piece| mac.update(piece));
                mac.verify_slice(claims.tag.bytes()).is_ok()
            });
            return if signed { Ok(()) } else { Err(Reason::Signature) };
        };
        match self.keys.verify(algorithm, None, &message, claims.tag.bytes()) {
            Ok(_) => Ok(()),
            Err(KeyError::NoKey) => Err(Reason::Algorithm),
            Err(KeyError::Signature) => Err(Reason::Signature),
        }
    }

    fn check_claims(
        &self,
        claims: Claims<'_>,
        incoming: &Incoming<'_>,
        reserved: &[impl AsRef<str>],
    ) -> Result<Grant, Reason> {
        claims.check_times(incoming.head.now, self.skew)?;
        if let Some(ranges) = &claims.ip_ranges
            && !incoming.head.client().is_some_and(|client| in_ranges(ranges, client))
        {
            return Err(Reason::Ip);
        }
        let (covers, acl) = match claims.scope {
            Scope::UrlPrefix(prefix) => (prefix.covers(incoming, reserved), prefix.acl()),
            Scope::PathGlobs(acl) => (crate::token::acl::allows(&acl, &incoming.target.path), Some(acl)),
            // The signature covers the path.
            Scope::FullPath => (true, None),
        };
        let own = |field: Option<&str>| field.map(String::from);
        if covers {
            Ok(Grant { acl, id: own(claims.session_id), payload: own(claims.data), ..Grant::default() })
        } else {
            Err(Reason::Path)
        }
    }
}

/// Whether one of the comma-separated blocks contains the address. A piece that is no block contains none: Google's own
/// test data has one.
fn in_ranges(ranges: &str, client: IpAddr) -> bool {
    let client = client.to_canonical();
    ranges.split(',').filter_map(cidr::block).any(|block| block.contains(&client))
}
