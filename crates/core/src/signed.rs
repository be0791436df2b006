//! The signed query parameter `plk`: what the filter tells itself in URLs. Its fields are joined with `~`, the
//! last is a MAC over purpose, normalised path and the other fields.
//!
//! | value | on | says |
//! |---|---|---|
//! | `media[~rLENGTH@OFFSET][~pPERIOD][~nNUMBER][~sSTREAM, ~a or ~c]~MAC` | media | part of the file, key period, media sequence number, whose key |
//! | `clear[~rLENGTH@OFFSET]~MAC` | init sections and the like | served in clear |
//! | `document~MAC` | steering manifests, asset lists | served in clear, its URIs rewritten |
//! | `variables~VALUES~MAC` | playlists | what EXT-X-DEFINE may import |
//! | `key~POLICY~SESSION~PERIOD[~sSTREAM or ~a]~MAC` | the key endpoint | for which session which key |
//!
//! Without `~s` (the stream's directory in base64url), `~a` (the application) and `~c` (the configured key) the key is the
//! session's own.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::derive::{KeyScope, Keyring};
use crate::percent;

const VARIABLES: &str = "variables";
const KEY: &str = "key";
/// Longest list of variables in bytes, before base64: some players refuse lines of 4096 bytes.
const MAX_VARIABLES: usize = 1024;

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

/// What becomes of a resource on its way through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// What its kind says: media is encrypted, playlists are rewritten.
    #[default]
    Media,
    /// It is served in clear.
    Clear,
    /// A JSON document that names URIs: in clear, with tokens on those.
    Document,
}

impl Form {
    const ALL: [Self; 3] = [Self::Media, Self::Clear, Self::Document];

    fn word(self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::Clear => "clear",
            Self::Document => "document",
        }
    }
}

/// What the filter says of a resource in the URL that it gives out for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resource {
    /// What becomes of it.
    pub form: Form,
    /// It is this part of the file.
    pub range: Option<ByteRange>,
    /// The key period that it is encrypted in.
    pub period: u64,
    /// The media sequence number that is its IV, where that is not derived.
    pub number: Option<u64>,
}

impl Resource {
    /// Media of which nothing needs to be said, encrypted in the first period.
    pub const MEDIA: Self = Self { form: Form::Media, range: None, period: 0, number: None };

    fn fields(&self) -> String {
        let mut fields = String::new();
        // Writing to a String cannot fail.
        if let Some(ByteRange { offset, length }) = self.range {
            let _ = write!(fields, "~r{length}@{offset}");
        }
        if self.period != 0 {
            let _ = write!(fields, "~p{}", self.period);
        }
        if let Some(number) = self.number {
            let _ = write!(fields, "~n{number}");
        }
        fields
    }

    fn with_field(mut self, field: &str) -> Option<Self> {
        let (name, value) = field.split_at_checked(1)?;
        match name {
            "r" => {
                let (length, offset) = value.split_once('@')?;
                self.range = Some(ByteRange::new(offset.parse().ok()?, length.parse().ok()?)?);
            }
            "p" => self.period = value.parse().ok()?,
            "n" => self.number = Some(value.parse().ok()?),
            _ => return None,
        }
        Some(self)
    }
}

/// The value that says so at the normalised `path`; `scope` says whose key media is under. `None` for a whole resource
/// without anything to say, which needs no parameter.
pub fn resource(keyring: &Keyring, path: &str, resource: &Resource, scope: Option<&KeyScope>) -> Option<String> {
    let mut fields = resource.fields();
    if resource.form == Form::Media
        && let Some(scope) = scope
    {
        fields.push_str(&scope_field(scope));
    }
    let says_nothing = resource.form == Form::Media && fields.is_empty();
    (!says_nothing).then(|| seal(keyring, resource.form.word(), path, fields))
}

/// What `sent` says of the resource at `path`, and whose key it is under if not the session's own; if it is signed.
pub fn open_resource(keyring: &Keyring, path: &str, sent: &str) -> Option<(Resource, Option<KeyScope>)> {
    let value = percent::decode_str(sent)?;
    let form = Form::ALL.into_iter().find(|form| purpose(&value) == form.word())?;
    let fields = open(keyring, form.word(), path, &value)?;
    let nothing = (Resource { form, ..Resource::default() }, None);
    fields.split('~').skip(1).try_fold(nothing, |(resource, scope), field| match shared_scope(field) {
        Some(scope) => Some((resource, Some(scope))),
        None => Some((resource.with_field(field)?, scope)),
    })
}

/// The field that says whose key it is, with its `~`; empty for a session's own.
fn scope_field(scope: &KeyScope) -> String {
    match scope {
        KeyScope::Session(_) => String::new(),
        KeyScope::Stream(directory) => format!("~s{}", URL_SAFE_NO_PAD.encode(directory)),
        KeyScope::Application => "~a".into(),
        KeyScope::Configured => "~c".into(),
    }
}

/// The key that several sessions share, if the field names one.
fn shared_scope(field: &str) -> Option<KeyScope> {
    match field.split_at_checked(1)? {
        ("s", directory) => String::from_utf8(URL_SAFE_NO_PAD.decode(directory).ok()?).ok().map(KeyScope::Stream),
        ("a", "") => Some(KeyScope::Application),
        ("c", "") => Some(KeyScope::Configured),
        _ => None,
    }
}

/// The value that tells the media playlist at `path` what its EXT-X-DEFINE tags may import. `None` if there is nothing to
/// tell, or more than fits.
pub fn variables(keyring: &Keyring, path: &str, variables: &[(String, String)]) -> Option<String> {
    let mut list = String::new();
    for (name, value) in variables {
        list.extend([name.as_str(), "\0", value.as_str(), "\0"]);
    }
    let fits = (1..=MAX_VARIABLES).contains(&list.len());
    fits.then(|| seal(keyring, VARIABLES, path, format!("~{}", URL_SAFE_NO_PAD.encode(list))))
}

/// Whether `sent` is about variables.
pub fn is_variables(sent: &str) -> bool {
    percent::decode_str(sent).is_some_and(|value| purpose(&value) == VARIABLES)
}

/// The variables, by name and value, that `sent` tells the playlist at `path`, if it is signed.
pub fn open_variables(keyring: &Keyring, path: &str, sent: &str) -> Option<Vec<(String, String)>> {
    let value = percent::decode_str(sent)?;
    let fields = open(keyring, VARIABLES, path, &value)?;
    let list = String::from_utf8(URL_SAFE_NO_PAD.decode(fields.strip_prefix('~')?).ok()?).ok()?;
    let mut fields = list.split('\0');
    let pair = || Some((fields.next()?.into(), fields.next()?.into()));
    Some(core::iter::from_fn(pair).collect())
}

/// The value that a session (its id as its token writes it) asks for the key of `scope` with, at the key endpoint `path`.
pub fn key(keyring: &Keyring, path: &str, policy: &str, session: &str, scope: &KeyScope, period: u64) -> String {
    let fields = format!("~{}~{session}~{period}{}", URL_SAFE_NO_PAD.encode(policy), scope_field(scope));
    seal(keyring, KEY, path, fields)
}

/// The name of the policy in a key request, not verified: it says which secrets can verify the rest.
pub fn claimed_policy(sent: &str) -> Option<String> {
    let value = percent::decode_str(sent)?;
    let mut fields = value.split('~');
    (fields.next() == Some(KEY)).then_some(())?;
    String::from_utf8(URL_SAFE_NO_PAD.decode(fields.next()?).ok()?).ok()
}

/// A verified key request.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyRequest {
    /// The session that it was written for, as its token writes it.
    pub session: String,
    /// The key period.
    pub period: u64,
    /// The key that several sessions share; `None`: the session's own.
    pub shared: Option<KeyScope>,
}

/// What a key request at the key endpoint `path` is for, if it is signed.
pub fn open_key(keyring: &Keyring, path: &str, sent: &str) -> Option<KeyRequest> {
    let value = percent::decode_str(sent)?;
    let fields = open(keyring, KEY, path, &value)?;
    let mut fields = fields.strip_prefix('~')?.split('~');
    let (_policy, session, period) = (fields.next()?, fields.next()?.into(), fields.next()?.parse().ok()?);
    let shared = match fields.next() {
        None => None,
        Some(field) => Some(shared_scope(field)?),
    };
    fields.next().is_none().then_some(KeyRequest { session, period, shared })
}

fn purpose(value: &str) -> &str {
    value.split('~').next().unwrap_or_default()
}

fn seal(keyring: &Keyring, purpose: &str, path: &str, fields: String) -> String {
    let mac = keyring.parameter(purpose, path, &fields);
    format!("{purpose}{fields}~{}", URL_SAFE_NO_PAD.encode(mac))
}

/// The fields of a decoded value, each behind its `~`, if it is signed for this purpose and path.
fn open<'a>(keyring: &Keyring, purpose: &str, path: &str, value: &'a str) -> Option<&'a str> {
    let (signed, mac) = value.rsplit_once('~')?;
    let fields = signed.strip_prefix(purpose)?;
    let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
    let expected = keyring.parameter(purpose, path, fields);
    bool::from(mac.as_slice().ct_eq(&expected)).then_some(fields)
}
