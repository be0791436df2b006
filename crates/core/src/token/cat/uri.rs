//! `catu`: restrictions on the parts of the requested URL, and the paths that a session may have under them.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::cbor::{self, Entry, Value};
use super::claims::{self, Failure};
use super::matching::{CONTAINS, EXACT, PREFIX, SUFFIX, Subject, all_hold};
use crate::bytes::percent;
use crate::http::authority::Scheme;
use crate::http::incoming::Incoming;
use crate::http::query;
use crate::http::reply::Reason;
use crate::token::acl;

/// Labels of the components.
const SCHEME: i64 = 0;
const HOST: i64 = 1;
const PORT: i64 = 2;
const PATH: i64 = 3;
const QUERY: i64 = 4;
const PARENT_PATH: i64 = 5;
const FILENAME: i64 = 6;
const STEM: i64 = 7;
const EXTENSION: i64 = 8;

/// Checks that every match of every component holds.
///
/// # Errors
/// [`Reason::Path`] if one does not; a component or match that is unknown or cannot be decided.
pub fn check(value: &Value<'_>, incoming: &Incoming<'_>, reserved: &[&str]) -> Result<(), Failure> {
    let components = value.map().filter(|components| !components.is_empty()).ok_or(Failure::MALFORMED)?;
    let mut met = true;
    for Entry { key, value, .. } in components {
        let subjects = subjects(key.integer().ok_or(Failure::MALFORMED)?, incoming, reserved)?;
        let mut results = subjects.iter().map(|subject| all_hold(value, subject));
        let first = results.next().unwrap_or(Err(Failure::NOT_ENFORCED))?;
        for result in results {
            // Issuers' libraries read the component in different ways.
            if result? != first {
                return Err(Failure::NOT_ENFORCED);
            }
        }
        met &= first;
    }
    Failure::unless(met, Reason::Path)
}

/// The readings of a component.
fn subjects<'a>(label: i64, incoming: &'a Incoming<'_>, reserved: &[&str]) -> Result<Vec<Subject<'a>>, Failure> {
    let (head, target) = (incoming.head, &incoming.target);
    let (host, port) = host_and_port(head.authority);
    let (parent, file) = target.path.rsplit_once('/').unwrap_or(("", &target.path));
    let plain = |text: &'a str| Subject { spell: decoded, ..Subject::plain(text) };
    let (first_dot, last_dot) = (file.split_once('.'), file.rsplit_once('.'));
    let from_dot = |dot: Option<(&str, &str)>| file.get(dot.map_or(file.len(), |(stem, _)| stem.len())..);
    let subject = match label {
        SCHEME => {
            let scheme = if head.scheme == Scheme::Https { "https" } else { "http" };
            Subject { spell: lower, ..Subject::plain(scheme) }
        }
        HOST => Subject { spell: lower, ..Subject::plain(host.to_ascii_lowercase()) },
        PORT => {
            let default = if head.scheme == Scheme::Https { "443" } else { "80" };
            // URL libraries write a default port as an empty one.
            let spell = if head.scheme == Scheme::Https { https_port } else { http_port };
            Subject { spell, ..Subject::plain(port.unwrap_or(default)) }
        }
        PATH => Subject { text: Cow::Borrowed(&target.path), raw: Cow::Borrowed(target.raw_path), spell: decoded },
        QUERY => Subject {
            text: Cow::Owned(canonical(target.query, reserved).ok_or(Failure::NOT_ENFORCED)?),
            raw: Cow::Owned(target.query_without(reserved).unwrap_or_default()),
            spell: spelt_query,
        },
        PARENT_PATH => plain(parent),
        FILENAME => plain(file),
        STEM => {
            let stem = |dot: Option<(&'a str, &'a str)>| plain(dot.map_or(file, |(stem, _)| stem));
            return Ok(alloc::vec![stem(first_dot), stem(last_dot)]);
        }
        EXTENSION => {
            let readings = [from_dot(first_dot), from_dot(last_dot)];
            return Ok(readings.into_iter().map(|extension| plain(extension.unwrap_or_default())).collect());
        }
        _ => return Err(Failure::NOT_ENFORCED),
    };
    Ok(alloc::vec![subject])
}

/// The host and the port of an authority; `None` if it has none.
fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    }
}

fn lower(claim: &str) -> Cow<'_, str> {
    Cow::Owned(claim.to_ascii_lowercase())
}

fn http_port(claim: &str) -> Cow<'_, str> {
    Cow::Borrowed(if claim.is_empty() { "80" } else { claim })
}

fn https_port(claim: &str) -> Cow<'_, str> {
    Cow::Borrowed(if claim.is_empty() { "443" } else { claim })
}

fn decoded(claim: &str) -> Cow<'_, str> {
    percent::decode_str(claim).map_or(Cow::Borrowed(claim), Cow::Owned)
}

fn spelt_query(claim: &str) -> Cow<'_, str> {
    let claim = claim.strip_prefix('?').unwrap_or(claim);
    canonical(Some(claim), &[]).map_or(Cow::Borrowed(claim), Cow::Owned)
}

/// The query in one spelling, without its `?`.
fn canonical(query: Option<&str>, reserved: &[&str]) -> Option<String> {
    query::of_origin(query, reserved).map(|query| query.strip_prefix('?').map(String::from).unwrap_or(query))
}

/// Paths that a set of claims covers.
#[derive(Debug, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All,
    /// The patterns of an ACL.
    Acl(String),
    /// Paths that no ACL can express.
    Other,
}

impl Scope {
    /// Both scopes at once, as far as an ACL can express it.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, scope) | (scope, Self::All) => scope,
            _ => Self::Other,
        }
    }
}

/// The paths that the claims `set` cover. Never more than they allow.
pub fn scope(set: &[Entry<'_>]) -> Scope {
    let mut scope = Scope::All;
    for Entry { key, value, .. } in set {
        let part = match key.integer() {
            Some(claims::CATU) => of_components(value),
            Some(claims::OR) => of_alternatives(value),
            Some(claims::AND) => {
                let sets = value.array().unwrap_or_default().iter();
                sets.fold(Scope::All, |scope, set| scope.and(set.map().map_or(Scope::Other, self::scope)))
            }
            _ => continue,
        };
        scope = scope.and(part);
    }
    scope
}

/// The paths of `or`: those of all alternatives, if each restricts the path alone, so that nothing else decides which of
/// them hold.
fn of_alternatives(value: &Value<'_>) -> Scope {
    let mut acl = String::new();
    for set in value.array().unwrap_or_default() {
        let set = set.map().unwrap_or_default();
        let alone = match set {
            [Entry { key, value, .. }] if key.integer() == Some(claims::CATU) => {
                matches!(value.map(), Some([Entry { key, .. }]) if key.integer() == Some(PATH))
            }
            _ => false,
        };
        match scope(set) {
            // An alternative that restricts no path, among alternatives that do, may be the one that does not hold.
            Scope::All => return if restricts_paths(value) { Scope::Other } else { Scope::All },
            Scope::Acl(part) if alone => {
                acl.push_str(if acl.is_empty() { "" } else { "!" });
                acl.push_str(&part);
            }
            Scope::Acl(_) | Scope::Other => return Scope::Other,
        }
    }
    Scope::Acl(acl)
}

/// Whether any claim set within has a `catu`.
pub fn restricts_paths(value: &Value<'_>) -> bool {
    let sets = value.array().unwrap_or_default().iter().filter_map(Value::map);
    sets.flatten().any(|Entry { key, value, .. }| match key.integer() {
        Some(claims::CATU) => true,
        Some(claims::OR | claims::NOR | claims::AND) => restricts_paths(value),
        _ => false,
    })
}

/// The paths of a `catu` that the request satisfies.
fn of_components(value: &Value<'_>) -> Scope {
    let mut scope = Scope::All;
    for Entry { key, value, .. } in value.map().unwrap_or_default() {
        let part = match key.integer() {
            // They restrict no path. The session's token is not bound to them.
            Some(SCHEME | HOST | PORT) => continue,
            Some(PATH) => of_path(value.map().unwrap_or_default()),
            _ => Scope::Other,
        };
        scope = scope.and(part);
    }
    scope
}

/// The paths that satisfy these matches. With several it is one pattern in which they do not overlap: that is narrower.
fn of_path(matches: &[Entry<'_>]) -> Scope {
    let literal = |label| {
        let text = cbor::get(matches, label).and_then(Value::text)?;
        Some(acl::literal(&decoded(text)))
    };
    if let Some(path) = literal(EXACT) {
        return Scope::Acl(path);
    }
    let known = matches.iter().all(|entry| matches!(entry.key.integer(), Some(PREFIX | SUFFIX | CONTAINS)));
    if !known {
        return Scope::Other;
    }
    let text = |label| literal(label).unwrap_or_default();
    let contains = literal(CONTAINS).map(|part| format!("{part}*")).unwrap_or_default();
    Scope::Acl(format!("{}*{contains}{}", text(PREFIX), text(SUFFIX)))
}
