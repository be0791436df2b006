//! `catr`: a new token in place of one that is about to expire.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::cbor::{self, Entry, Value};
use super::claims;
use super::cose;
use crate::token::MAX_SENT;
use crate::token::grant::{Renewed, RenewedBy};
use crate::token::key_set::Key;

/// Labels of `catr` that all implementations share. They disagree on those above.
const TYPE: i64 = 0;
const EXPADD: i64 = 1;
const DEADLINE: i64 = 2;
const COOKIE_NAME: i64 = 3;
const HEADER_NAME: i64 = 4;

/// Seconds before `exp` from which on a token is renewed, without a deadline of its own.
const DEFAULT_DEADLINE: u64 = 60;

/// Renews tokens.
#[derive(Debug, Clone)]
pub struct Renewer {
    /// Key that signs new tokens.
    pub key: Key,
    /// Issuer of new tokens.
    pub issuer: String,
}

impl Renewer {
    /// The token that replaces the valid `token` with these claims at `now`; `None` if it has no `catr`, is not due yet,
    /// or would gain nothing.
    ///
    /// All claims are kept byte for byte, but for `iss`, `iat`, `exp` and `cti`.
    pub fn renew(&self, token: &[u8], set: &[Entry<'_>], now: u64) -> Option<Renewed> {
        let catr = cbor::get(set, claims::CATR)?.map()?;
        let seconds = |label| cbor::get(catr, label).map(Value::seconds);
        let deadline = seconds(DEADLINE).unwrap_or(Some(DEFAULT_DEADLINE))?;
        let added = seconds(EXPADD)??;
        let expires = cbor::get(set, claims::EXP)?.seconds()?;
        let extended = now.checked_add(added)?;
        if now.saturating_add(deadline) < expires || extended <= expires {
            return None;
        }
        let by = match cbor::get(catr, TYPE).map_or(Some(0), Value::integer)? {
            0 => RenewedBy::Carrier,
            1 => RenewedBy::Cookie,
            2 => RenewedBy::Header,
            // A token that is due at once would be redirected for ever.
            3 => RenewedBy::Redirect,
            _ => return None,
        };
        let name = |label| cbor::get(catr, label).map(|name| name.text().map(String::from));
        let payload = self.payload(token, set, now, extended);
        // With claims of its own, the new token may exceed a limit.
        cbor::read(&payload)?;
        let token = cose::write(self.key.algorithm(), self.key.kid(), &payload, |message| self.key.sign(message))?;
        Some(Renewed {
            token: Some(URL_SAFE_NO_PAD.encode(token)).filter(|token| token.len() <= MAX_SENT)?,
            by,
            cookie: name(COOKIE_NAME).map_or(Some(None), |name| name.map(Some))?,
            header: name(HEADER_NAME).map_or(Some(None), |name| name.map(Some))?,
            seconds: added,
            is_due: deadline >= added,
        })
    }

    fn payload(&self, token: &[u8], set: &[Entry<'_>], now: u64, expires: u64) -> Vec<u8> {
        let is_new = |entry: &&Entry<'_>| {
            matches!(entry.key.integer(), Some(claims::ISS | claims::EXP | claims::IAT | claims::CTI))
        };
        let kept = set.iter().filter(|entry| !is_new(entry));
        let mut payload = Vec::with_capacity(token.len() + 64);
        cbor::push_head(&mut payload, 5, kept.clone().count() as u64 + 4);
        kept.for_each(|entry| payload.extend_from_slice(entry.raw));
        cbor::push_head(&mut payload, 0, claims::ISS.unsigned_abs());
        cbor::push_text(&mut payload, &self.issuer);
        for (label, time) in [(claims::EXP, expires), (claims::IAT, now)] {
            cbor::push_head(&mut payload, 0, label.unsigned_abs());
            cbor::push_head(&mut payload, 0, time);
        }
        // Nobody can predict it without the old token's signature, and all nodes agree on it.
        let id =
            Sha256::new().chain_update(b"playlock cti").chain_update(now.to_be_bytes()).chain_update(token).finalize();
        cbor::push_head(&mut payload, 0, claims::CTI.unsigned_abs());
        cbor::push_bytes(&mut payload, id.get(..16).unwrap_or_default());
        payload
    }
}
