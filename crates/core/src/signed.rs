//! The signed query parameter `plk`: what the filter tells itself in URLs. Its fields are joined with `~`, the
//! last is a MAC over purpose, normalised path and the other fields.

use alloc::format;
use alloc::string::String;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::derive::Keyring;
use crate::percent;
use crate::session::Session;

const CLEAR: &str = "clear";
const KEY: &str = "key";

/// The value for a resource that is served in clear at the normalised `path`: `clear~MAC`.
pub fn clear(keyring: &Keyring, path: &str) -> String {
    seal(keyring, CLEAR, path, String::new())
}

/// Whether `sent` says so for `path`.
pub fn is_clear(keyring: &Keyring, path: &str, sent: &str) -> bool {
    open(keyring, CLEAR, path, sent).is_some_and(|fields| fields.is_empty())
}

/// The value for the key of `session` at the key endpoint `path`: `key~POLICY~SESSION~PERIOD~MAC`.
pub fn key(keyring: &Keyring, path: &str, policy: &str, session: &Session, period: u64) -> String {
    seal(keyring, KEY, path, format!("~{}~{}~{period}", URL_SAFE_NO_PAD.encode(policy), session.id_text()))
}

/// The name of the policy in a key request, not verified: it says which secrets can verify the rest.
pub fn claimed_policy(sent: &str) -> Option<String> {
    let value = percent::decode_str(sent)?;
    let mut fields = value.split('~');
    (fields.next() == Some(KEY)).then_some(())?;
    String::from_utf8(URL_SAFE_NO_PAD.decode(fields.next()?).ok()?).ok()
}

/// The session (as its token writes it) and the key period that a verified key request is for.
pub fn key_fields(keyring: &Keyring, path: &str, sent: &str) -> Option<(String, u64)> {
    let fields = open(keyring, KEY, path, sent)?;
    let mut fields = fields.strip_prefix('~')?.split('~');
    let (_policy, session, period) = (fields.next()?, fields.next()?, fields.next()?);
    fields.next().is_none().then_some((session.into(), period.parse().ok()?))
}

fn seal(keyring: &Keyring, purpose: &str, path: &str, fields: String) -> String {
    let mac = keyring.parameter(purpose, path, &fields);
    format!("{purpose}{fields}~{}", URL_SAFE_NO_PAD.encode(mac))
}

fn open(keyring: &Keyring, purpose: &str, path: &str, sent: &str) -> Option<String> {
    let value = percent::decode_str(sent)?;
    let (signed, mac) = value.rsplit_once('~')?;
    let fields = signed.strip_prefix(purpose)?;
    let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
    let expected = keyring.parameter(purpose, path, fields);
    bool::from(mac.as_slice().ct_eq(&expected)).then(|| fields.into())
}
