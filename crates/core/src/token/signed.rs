//! The signed query parameter `plk`: properties of a resource that the filter stores in its URL.
//!
//! The fields are joined with `~`; the last is a MAC over the purpose, the resource ([`Subject`]) and the other fields.
//!
//! | value | URL of | meaning | MAC also covers |
//! |---|---|---|---|
//! | `media[~rLENGTH@OFFSET][~pPERIOD][~nNUMBER or ~i][~sSTREAM, ~a or ~c]~MAC` | media | byte range, key period, IV, key scope | query |
//! | `clear[~rLENGTH@OFFSET]~MAC` | init sections and the like | served in clear | query, session |
//! | `samples[~sSTREAM or ~a]~MAC` | media of an MPD | its samples are encrypted; the key's scope | session |
//! | `document~MAC` | steering manifests, asset lists | served in clear, its URIs rewritten | query, session |
//! | `variables~VALUES~MAC` | playlists | values that EXT-X-DEFINE may import | |
//! | `key~POLICY~SESSION~PERIOD[~sSTREAM or ~a]~MAC` | the key endpoint | the session and the key it requests | |
//!
//! Every MAC covers the normalised path, but that of `samples`: templates stand for many paths. It covers the directory of
//! its stream instead, in which the path must be, if it names one. Whichever way media is encrypted, a viewer has its keys
//! alone: what leaves in clear does not depend on the parameter. Media of a policy that rotates keys always has `~p`. `~n` is the media
//! sequence number as the IV, `~i` stands for the segment's own IV; without either, the IV is that of the period. `~s`
//! (the stream's directory in base64url), `~a` (the application) and `~c` (the configured key) stand for a shared key;
//! without them, the key is the session's own.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::bytes::percent;
use crate::http::query;
use crate::token::derive::{KeyScope, Keyring};

const VARIABLES: &str = "variables";
const KEY: &str = "key";
/// Longest list of variables in bytes, before base64. Some players reject lines of 4096 bytes.
const MAX_VARIABLES: usize = 1024;
/// Longest value in bytes that is parsed. Players accept no longer URIs, and the limit bounds the cost of a forged
/// value.
const MAX_SENT: usize = 4096;

/// A byte range of an origin's file that playlists address as a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// Position of the first byte.
    pub offset: u64,
    /// Length in bytes, at least one.
    pub length: u64,
}

impl ByteRange {
    /// Creates a byte range; `None` if it is empty or ends beyond `u64`.
    pub fn new(offset: u64, length: u64) -> Option<Self> {
        (length > 0 && offset.checked_add(length).is_some()).then_some(Self { offset, length })
    }

    /// Position of the last byte.
    pub fn last(&self) -> u64 {
        self.offset.saturating_add(self.length).saturating_sub(1)
    }
}

/// The filter's treatment of a resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Treatment {
    /// Determined by its kind: media is encrypted, playlists are rewritten.
    #[default]
    Media,
    /// Served in clear.
    Clear,
    /// A JSON document with URIs: served in clear, with tokens on its URIs.
    Document,
    /// Media whose samples are encrypted, if it is what samples are.
    Samples,
}

impl Treatment {
    const ALL: [Self; 4] = [Self::Media, Self::Clear, Self::Document, Self::Samples];

    fn word(self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::Clear => "clear",
            Self::Document => "document",
            Self::Samples => "samples",
        }
    }
}

/// The initialisation vector of encrypted media.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Iv {
    /// Derived for the key period.
    #[default]
    Period,
    /// The media sequence number (RFC 8216 section 5.2).
    Number(u64),
    /// Derived from the resource's path, query and byte range.
    Segment,
}

/// The properties of a resource that its URL carries, signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resource {
    /// Its treatment.
    pub form: Treatment,
    /// The byte range, if it is not the whole file.
    pub range: Option<ByteRange>,
    /// The key period; `None` if the URL does not carry one, which stands for the first.
    pub period: Option<u64>,
    /// The IV that it is encrypted with.
    pub iv: Iv,
}

impl Resource {
    /// Media with default properties: a whole file, encrypted in the first period.
    pub const MEDIA: Self = Self { form: Treatment::Media, range: None, period: None, iv: Iv::Period };

    /// The segment's own IV at `path` (normalised) and `query` ([`query::of_origin`]), 16 bytes.
    pub fn segment_iv(&self, keyring: &Keyring, path: &str, query: &str) -> [u8; 16] {
        keyring.segment_iv(path, query, self.range.map(|range| (range.offset, range.length)))
    }

    fn fields(&self) -> String {
        let mut fields = String::new();
        // Writing to a String cannot fail.
        if let Some(ByteRange { offset, length }) = self.range {
            let _ = write!(fields, "~r{length}@{offset}");
        }
        if let Some(period) = self.period {
            let _ = write!(fields, "~p{period}");
        }
        match self.iv {
            Iv::Period => {}
            Iv::Number(number) => {
                let _ = write!(fields, "~n{number}");
            }
            Iv::Segment => fields.push_str("~i"),
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
            "p" => self.period = Some(value.parse().ok()?),
            "n" => self.iv = Iv::Number(value.parse().ok()?),
            "i" if value.is_empty() => self.iv = Iv::Segment,
            _ => return None,
        }
        Some(self)
    }
}

/// The resource for which a value is signed.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its normalised path.
    pub path: &'a str,
    /// Its query as the origin sees it, in one spelling ([`query::of_origin`]).
    pub query: &'a str,
    /// The session for which the value is signed, 16 bytes; `None` where content is served to everyone.
    pub session: Option<&'a [u8; 16]>,
}

impl Subject<'_> {
    /// The query and the session that the MAC covers. A key protects media, the session protects resources served in
    /// clear.
    fn cover(&self, form: Treatment) -> (Cow<'_, str>, &[u8]) {
        let session = self.session.map_or(&[][..], <[u8; 16]>::as_slice);
        match form {
            Treatment::Media => (Cow::Borrowed(self.query), &[]),
            Treatment::Clear => (Cow::Borrowed(self.query), session),
            Treatment::Document => (query::without_directives(self.query), session),
            Treatment::Samples => (Cow::Borrowed(""), session),
        }
    }
}

/// Signs the properties of a resource at `place`; `scope` is the scope of the key of media. `None` for media with
/// default properties, which needs no parameter.
pub fn resource(
    keyring: &Keyring,
    place: Subject<'_>,
    resource: &Resource,
    scope: Option<&KeyScope>,
) -> Option<String> {
    let mut fields = resource.fields();
    if resource.form == Treatment::Media
        && let Some(scope) = scope
    {
        fields.push_str(&scope_field(scope));
    }
    let says_nothing = resource.form == Treatment::Media && fields.is_empty();
    let (query, session) = place.cover(resource.form);
    (!says_nothing).then(|| seal(keyring, [resource.form.word(), place.path, &query], session, fields))
}

/// Signs that the samples of media are encrypted under the key of `scope`; `session` (16 bytes) as in [`Subject`].
pub fn samples(keyring: &Keyring, session: Option<&[u8; 16]>, scope: &KeyScope) -> String {
    let session = session.map_or(&[][..], <[u8; 16]>::as_slice);
    let path = if let KeyScope::Stream(directory) = scope { directory } else { "" };
    seal(keyring, [Treatment::Samples.word(), path, ""], session, scope_field(scope))
}

/// The path that the MAC of a parameter on media of an MPD covers, by its fields: the directory of the stream that it
/// names, which must hold `path`.
fn samples_path(value: &str, path: &str) -> Option<String> {
    let named = value.split('~').find_map(|field| match shared_scope(field) {
        Some(KeyScope::Stream(directory)) => Some(directory),
        _ => None,
    });
    let directory = named.unwrap_or_default();
    (directory.is_empty() || directory.ends_with('/') && path.starts_with(&directory)).then_some(directory)
}

/// Verifies `sent` for the resource at `place`. Returns the resource, and the scope of its key if that is not the
/// session's own; `None` if the value is not signed.
pub fn open_resource(keyring: &Keyring, place: Subject<'_>, sent: &str) -> Option<(Resource, Option<KeyScope>)> {
    let value = decoded(sent)?;
    let form = Treatment::ALL.into_iter().find(|form| purpose(&value) == form.word())?;
    let (query, session) = place.cover(form);
    let path = match form {
        Treatment::Samples => Cow::Owned(samples_path(&value, place.path)?),
        _ => Cow::Borrowed(place.path),
    };
    let fields = open(keyring, [form.word(), &path, &query], session, &value)?;
    let nothing = (Resource { form, ..Resource::default() }, None);
    fields.split('~').skip(1).try_fold(nothing, |(resource, scope), field| match shared_scope(field) {
        Some(scope) => Some((resource, Some(scope))),
        None => Some((resource.with_field(field)?, scope)),
    })
}

/// The field for the scope of a key, with its `~`; empty for a session's own.
fn scope_field(scope: &KeyScope) -> String {
    match scope {
        KeyScope::Session(_) => String::new(),
        KeyScope::Stream(directory) => format!("~s{}", URL_SAFE_NO_PAD.encode(directory)),
        KeyScope::Application => "~a".into(),
        KeyScope::Configured => "~c".into(),
    }
}

/// The scope of the shared key that a field names, if it names one.
fn shared_scope(field: &str) -> Option<KeyScope> {
    match field.split_at_checked(1)? {
        ("s", directory) => String::from_utf8(URL_SAFE_NO_PAD.decode(directory).ok()?).ok().map(KeyScope::Stream),
        ("a", "") => Some(KeyScope::Application),
        ("c", "") => Some(KeyScope::Configured),
        _ => None,
    }
}

/// A variable of a playlist (EXT-X-DEFINE).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The viewer chose the value or a part of it (QUERYPARAM).
    pub chosen: bool,
}

/// Prefix of a variable's name in `plk` if the viewer chose its value. Names of variables do not contain it.
const CHOSEN: char = '?';

/// Signs the variables that the media playlist at `path` may import by EXT-X-DEFINE. `None` if there are none, or more
/// than fit.
pub fn variables(keyring: &Keyring, path: &str, variables: &[Variable]) -> Option<String> {
    let mut list = String::new();
    for Variable { name, value, chosen } in variables {
        if *chosen {
            list.push(CHOSEN);
        }
        list.extend([name.as_str(), "\0", value.as_str(), "\0"]);
    }
    let fits = (1..=MAX_VARIABLES).contains(&list.len());
    fits.then(|| seal(keyring, [VARIABLES, path, ""], &[], format!("~{}", URL_SAFE_NO_PAD.encode(list))))
}

/// Whether `sent` carries variables.
pub fn is_variables(sent: &str) -> bool {
    decoded(sent).is_some_and(|value| purpose(&value) == VARIABLES)
}

/// Verifies `sent` for the playlist at `path` and returns its variables; `None` if the value is not signed.
pub fn open_variables(keyring: &Keyring, path: &str, sent: &str) -> Option<Vec<Variable>> {
    let value = decoded(sent)?;
    let fields = open(keyring, [VARIABLES, path, ""], &[], &value)?;
    let list = String::from_utf8(URL_SAFE_NO_PAD.decode(fields.strip_prefix('~')?).ok()?).ok()?;
    let mut fields = list.split('\0');
    let variable = || {
        let (name, value) = (fields.next()?, fields.next()?.into());
        let (name, chosen) = name.strip_prefix(CHOSEN).map_or((name, false), |name| (name, true));
        Some(Variable { name: name.into(), value, chosen })
    };
    Some(core::iter::from_fn(variable).collect())
}

/// Signs the request of a session, by its id as in its token, for the key of `scope` at the key endpoint `path`.
pub fn key(keyring: &Keyring, path: &str, policy: &str, session: &str, scope: &KeyScope, period: u64) -> String {
    let fields = format!("~{}~{session}~{period}{}", URL_SAFE_NO_PAD.encode(policy), scope_field(scope));
    seal(keyring, [KEY, path, ""], &[], fields)
}

/// The key name of the policy in a key request, not verified. It selects the secrets that can verify the rest.
pub fn claimed_policy(sent: &str) -> Option<String> {
    let value = decoded(sent)?;
    let mut fields = value.split('~');
    (fields.next() == Some(KEY)).then_some(())?;
    String::from_utf8(URL_SAFE_NO_PAD.decode(fields.next()?).ok()?).ok()
}

/// A verified key request.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyRequest {
    /// The id of the session for which it was written, as in its token.
    pub session: String,
    /// The key period.
    pub period: u64,
    /// The scope of a shared key; `None` for the session's own.
    pub shared: Option<KeyScope>,
}

/// Verifies a key request at the key endpoint `path`; `None` if the value is not signed.
pub fn open_key(keyring: &Keyring, path: &str, sent: &str) -> Option<KeyRequest> {
    let value = decoded(sent)?;
    let fields = open(keyring, [KEY, path, ""], &[], &value)?;
    let mut fields = fields.strip_prefix('~')?.split('~');
    let (_policy, session, period) = (fields.next()?, fields.next()?.into(), fields.next()?.parse().ok()?);
    let shared = match fields.next() {
        None => None,
        Some(field) => Some(shared_scope(field)?),
    };
    fields.next().is_none().then_some(KeyRequest { session, period, shared })
}

/// Percent-decodes a value, since players may escape it. `None` if it is longer than any signed one.
fn decoded(sent: &str) -> Option<String> {
    if sent.len() <= MAX_SENT { percent::decode_str(sent) } else { None }
}

fn purpose(value: &str) -> &str {
    value.split('~').next().unwrap_or_default()
}

/// Signs `fields` for `place`: purpose, path and query.
fn seal(keyring: &Keyring, place: [&str; 3], session: &[u8], fields: String) -> String {
    let mac = keyring.parameter(place, session, &fields);
    let [purpose, ..] = place;
    format!("{purpose}{fields}~{}", URL_SAFE_NO_PAD.encode(mac))
}

/// Verifies a decoded value for `place` and returns its fields, each with a leading `~`.
fn open<'a>(keyring: &Keyring, place: [&str; 3], session: &[u8], value: &'a str) -> Option<&'a str> {
    let (signed, mac) = value.rsplit_once('~')?;
    let [purpose, ..] = place;
    let fields = signed.strip_prefix(purpose)?;
    let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
    let expected = keyring.parameter(place, session, fields);
    bool::from(mac.as_slice().ct_eq(&expected)).then_some(fields)
}
