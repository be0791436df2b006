//! The signed query parameter `plk`: what the filter tells itself in URLs. Its fields are joined with `~`, the
//! last is a MAC over purpose, normalised path and the other fields.
//!
//! | value | on | says |
//! |---|---|---|
//! | `media[~rLENGTH@OFFSET][~pPERIOD][~nNUMBER]~MAC` | media | part of the file, key period, media sequence number |
//! | `clear[~rLENGTH@OFFSET]~MAC` | init sections and the like | served in clear |
//! | `document~MAC` | steering manifests, asset lists | served in clear, its URIs rewritten |
//! | `variables~VALUES~MAC` | playlists | what EXT-X-DEFINE may import |
//! | `key~POLICY~SESSION~PERIOD~MAC` | the key endpoint | whose key |

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::derive::Keyring;
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

/// The value that says so at the normalised `path`. `None` for a whole resource without anything to say, which needs no
/// parameter.
pub fn resource(keyring: &Keyring, path: &str, resource: &Resource) -> Option<String> {
    (*resource != Resource::default()).then(|| seal(keyring, resource.form.word(), path, resource.fields()))
}

/// What `sent` says of the resource at `path`, if it is signed.
pub fn open_resource(keyring: &Keyring, path: &str, sent: &str) -> Option<Resource> {
    let value = percent::decode_str(sent)?;
    let form = Form::ALL.into_iter().find(|form| purpose(&value) == form.word())?;
    let fields = open(keyring, form.word(), path, &value)?;
    fields.split('~').skip(1).try_fold(Resource { form, ..Resource::default() }, Resource::with_field)
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
    purpose(sent) == VARIABLES
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

/// The value for the key of a session (its id as its token writes it) at the key endpoint `path`.
pub fn key(keyring: &Keyring, path: &str, policy: &str, session: &str, period: u64) -> String {
    seal(keyring, KEY, path, format!("~{}~{session}~{period}", URL_SAFE_NO_PAD.encode(policy)))
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
    let value = percent::decode_str(sent)?;
    let fields = open(keyring, KEY, path, &value)?;
    let mut fields = fields.strip_prefix('~')?.split('~');
    let (_policy, session, period) = (fields.next()?, fields.next()?, fields.next()?);
    fields.next().is_none().then_some((session.into(), period.parse().ok()?))
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
