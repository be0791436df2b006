//! The filter's question whether a session may have a key, by its headers.

use std::fmt;
use std::net::IpAddr;

use http::HeaderMap;
use playlock_core::bytes::percent;

use crate::fields::field;
use crate::session::SessionId;
use crate::terms::{Terms, ViewerSource, limit};

/// A question, read and valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The realm of the Envoy that asks.
    pub realm: Realm,
    /// The terms of the session's policy.
    pub terms: Terms,
    /// The viewer, as the access token names it.
    pub viewer: String,
    /// Live leases that this viewer may have: by the token, or else by the terms.
    pub limit: u32,
    /// The session.
    pub session: SessionId,
    /// Name of the session's policy.
    pub policy: String,
    /// The stream, for keys that a stream's viewers share; else the session's path patterns.
    pub stream: String,
    /// The viewer's network, if the address is known.
    pub client: Option<Client>,
    /// The key period; `None` for keys that do not rotate here.
    pub period: Option<u64>,
}

/// The Envoys whose viewers are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Realm {
    /// Envoys without a network, of a service without a control plane.
    Default,
    /// The network staging.
    Staging,
    /// The network production.
    Production,
}

impl Realm {
    /// All realms.
    pub const ALL: [Self; 3] = [Self::Default, Self::Staging, Self::Production];

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// The realm of this name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|realm| realm.word() == word)
    }
}

/// The network that a viewer's address belongs to: its first 24 bits for IPv4, 48 for IPv6. The address itself is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client(IpAddr);

impl Client {
    /// The network of an address. IPv4 addresses in IPv6 are IPv4.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4((u32::from(address) & 0xffff_ff00).into()),
            IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 80 << 80).into()),
        })
    }

    /// Reads what [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, _) = text.split_once('/')?;
        address.parse().ok().map(Self::of)
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = if self.0.is_ipv4() { 24 } else { 48 };
        write!(f, "{}/{length}", self.0)
    }
}

/// A question that cannot be answered, by its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// The header is missing.
    Missing(&'static str),
    /// The header occurs more than once.
    Repeated(&'static str),
    /// The header's value cannot be read.
    Value(&'static str),
    /// The access token names no viewer, or an unreadable one.
    Viewer,
    /// The access token's number of leases is none from 1 to 1000.
    Limit,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => {
                write!(f, "{name}: missing; expected the headers of a policy with keyAuthorizer.leases")
            }
            Self::Repeated(name) => write!(f, "{name}: sent more than once; expected it once"),
            Self::Value(name) => write!(f, "{name}: a value that cannot be read; expected what the filter sends"),
            Self::Viewer => f.write_str("the access token names no viewer; expected one where leases.viewer points to"),
            Self::Limit => f.write_str("the access token's limitField has another value; expected 1 to 1000"),
        }
    }
}

/// The longest name of a viewer, stream or policy, in bytes: tokens are shorter.
const LONGEST: usize = 4096;

impl Question {
    /// Reads the headers of a request from an Envoy of `realm`.
    ///
    /// # Errors
    /// The first header that is missing, repeated, or cannot be read.
    pub fn read(realm: Realm, headers: &HeaderMap) -> Result<Self, Malformed> {
        let get = |name: &'static str| one(headers, name);
        let needed = |name: &'static str| get(name)?.ok_or(Malformed::Missing(name));
        let decoded = |name: &'static str, text: &str| percent::decode_str(text).ok_or(Malformed::Value(name));

        const LEASES: &str = "x-playlock-leases";
        let terms = Terms::parse(needed(LEASES)?).ok_or(Malformed::Value(LEASES))?;
        const SESSION: &str = "x-playlock-session";
        let session = SessionId::parse(needed(SESSION)?).ok_or(Malformed::Value(SESSION))?;
        const POLICY: &str = "x-playlock-policy";
        let policy = decoded(POLICY, needed(POLICY)?)?;
        const PERIOD: &str = "x-playlock-period";
        let period = match get(PERIOD)? {
            Some(text) => Some(text.parse().map_err(|_| Malformed::Value(PERIOD))?),
            None => None,
        };
        const CLIENT: &str = "x-playlock-client";
        let client = match get(CLIENT)? {
            Some(text) => Some(Client::of(text.parse().map_err(|_| Malformed::Value(CLIENT))?)),
            None => None,
        };
        const STREAM: &str = "x-playlock-stream";
        let stream = match get(STREAM)? {
            Some(text) => decoded(STREAM, text)?,
            None => needed("x-playlock-paths")?.to_owned(),
        };
        const PAYLOAD: &str = "x-playlock-payload";
        let payload = match get(PAYLOAD)? {
            Some(text) => Some(decoded(PAYLOAD, text)?),
            None => None,
        };
        let of_payload = |name: &str| match &payload {
            Some(payload) => field(payload, name),
            None => Ok(None),
        };
        let viewer = match &terms.viewer {
            ViewerSource::Id => get("x-playlock-access-token-id")?.map(String::from),
            ViewerSource::Payload => payload.clone(),
            ViewerSource::Field(name) => of_payload(name).map_err(|_| Malformed::Viewer)?,
        };
        let viewer = viewer.filter(|viewer| !viewer.is_empty()).ok_or(Malformed::Viewer)?;
        let own = match &terms.limit_field {
            Some(name) => of_payload(name).map_err(|_| Malformed::Limit)?,
            None => None,
        };
        let limit = match own {
            Some(text) => limit(&text).ok_or(Malformed::Limit)?,
            None => terms.limit,
        };
        Ok(Self { realm, terms, viewer, limit, session, policy, stream, client, period })
    }
}

/// The value of a header that occurs at most once.
fn one<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Malformed> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (_, Some(_)) => Err(Malformed::Repeated(name)),
        (Some(value), None) if value.len() <= LONGEST => value.to_str().map(Some).map_err(|_| Malformed::Value(name)),
        _ => Err(Malformed::Value(name)),
    }
}

#[cfg(test)]
mod tests;
