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
const RANGE: &str = "range";
const KEY: &str = "key";

/// A part of the origin's file that playlists address by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// Bytes before it.
    pub offset: u64,
    /// Its bytes, at least one.
    pub length: u64,
}

impl ByteRange {
    /// `None` if it is empty or ends beyond `u64`.
    pub fn new(offset: u64, length: u64) -> Option<Self> {
        (length > 0 && offset.checked_add(length).is_some()).then_some(Self { offset, length })
    }

    /// The position of its last byte.
    pub fn last(&self) -> u64 {
        self.offset.saturating_add(self.length).saturating_sub(1)
    }
}

/// What the filter says of a resource in the URL that it gives out for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resource {
    /// It is served in clear.
    pub clear: bool,
    /// It is this part of the file.
    pub range: Option<ByteRange>,
}

impl Resource {
    fn purpose(&self) -> &'static str {
        if self.clear { CLEAR } else { RANGE }
    }

    fn fields(&self) -> String {
        self.range.map(|ByteRange { offset, length }| format!("~{offset}~{length}")).unwrap_or_default()
    }
}

/// The value that says so at the normalised `path`: `clear[~OFFSET~LENGTH]~MAC` or `range~OFFSET~LENGTH~MAC`. `None` for
/// a whole resource that is encrypted, which needs no parameter.
pub fn resource(keyring: &Keyring, path: &str, resource: &Resource) -> Option<String> {
    (*resource != Resource::default()).then(|| seal(keyring, resource.purpose(), path, resource.fields()))
}

/// What `sent` says of the resource at `path`, if it is signed.
pub fn open_resource(keyring: &Keyring, path: &str, sent: &str) -> Option<Resource> {
    let clear = percent::decode_str(sent)?.starts_with(CLEAR);
    let fields = open(keyring, if clear { CLEAR } else { RANGE }, path, sent)?;
    let Some(fields) = fields.strip_prefix('~') else {
        return (clear && fields.is_empty()).then_some(Resource { clear, range: None });
    };
    let (offset, length) = fields.split_once('~')?;
    Some(Resource { clear, range: Some(ByteRange::new(offset.parse().ok()?, length.parse().ok()?)?) })
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
