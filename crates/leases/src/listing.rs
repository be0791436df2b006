//! Sessions, counts and orders to end sessions as JSON and CSV: what operators' interfaces have in common.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Millis;
use crate::question::Realm;
use crate::session::{Counts, Filter, Live, Page, SessionId, Which};

/// The most sessions of a page.
pub const MOST: usize = 1000;

/// The query of a list of sessions.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Name of the realm.
    pub realm: Option<String>,
    /// Name of the viewer.
    pub viewer: Option<String>,
    /// Name of the policy.
    pub policy: Option<String>,
    /// The stream, or the path patterns.
    pub stream: Option<String>,
    /// The `next` of another page.
    pub cursor: Option<String>,
    /// Sessions at most, 1 to 1000; 100 without it.
    pub limit: Option<usize>,
}

impl ListQuery {
    /// The filter, and the number of sessions at most.
    ///
    /// # Errors
    /// The member that is wrong, with what would be right.
    pub fn read(&self) -> Result<(Filter, usize), String> {
        let realm = self.realm.as_deref().map(realm).transpose()?;
        let limit = self.limit.unwrap_or(100);
        if !(1..=MOST).contains(&limit) {
            return Err(format!("limit: {limit}; expected 1 to {MOST}"));
        }
        let Self { viewer, policy, stream, .. } = self.clone();
        Ok((Filter { realm, viewer, policy, stream }, limit))
    }
}

/// An order to end sessions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndOrder {
    /// Name of the realm; `default` without it.
    pub realm: Option<String>,
    /// The group of policies.
    pub group: String,
    /// Name of the viewer.
    pub viewer: String,
    /// The session; without it all of the viewer.
    pub session: Option<String>,
}

impl EndOrder {
    /// The sessions to end.
    ///
    /// # Errors
    /// The member that is wrong, with what would be right.
    pub fn read(&self) -> Result<Which, String> {
        let realm = self.realm.as_deref().map_or(Ok(Realm::Default), realm)?;
        let session = match self.session.as_deref() {
            None => None,
            Some(text) => {
                let expected = || format!("session: {text:?}; expected 22 characters of base64url");
                Some(SessionId::parse(text).ok_or_else(expected)?)
            }
        };
        Ok(Which { realm, group: self.group.clone(), viewer: self.viewer.clone(), session })
    }
}

fn realm(word: &str) -> Result<Realm, String> {
    Realm::parse(word).ok_or_else(|| format!("realm: {word:?}; expected default, staging or production"))
}

/// A page as JSON: `{"sessions": […], "next": …}`.
pub fn page(page: &Page) -> Value {
    json!({"sessions": page.sessions.iter().map(session).collect::<Vec<_>>(), "next": page.next})
}

/// The numbers as JSON: `{"viewers": …, "sessions": …, "policies": [{"realm", "policy", "sessions"}]}`.
pub fn counts(counts: &Counts) -> Value {
    let of = |of: &crate::OfPolicy| json!({"realm": of.realm.word(), "policy": of.policy, "sessions": of.sessions});
    let policies: Vec<_> = counts.policies.iter().map(of).collect();
    json!({"viewers": counts.viewers, "sessions": counts.sessions, "policies": policies})
}

fn session(live: &Live) -> Value {
    json!({
        "realm": live.realm.word(),
        "group": live.group,
        "viewer": live.viewer,
        "session": live.session.to_string(),
        "policy": live.policy,
        "stream": live.stream,
        "client": live.client.map(|client| client.to_string()),
        "since": time(live.since),
        "renewed": time(live.renewed),
        "expires": time(live.expires),
    })
}

/// The first line of a CSV file (RFC 4180).
pub const CSV_HEAD: &str = "realm,group,viewer,session,policy,stream,client,since,renewed,expires\r\n";

/// A session as a line of CSV.
pub fn csv(live: &Live) -> String {
    let client = live.client.map(|client| client.to_string()).unwrap_or_default();
    let session = live.session.to_string();
    let times = [live.since, live.renewed, live.expires].map(time);
    let [since, renewed, expires] = &times;
    let cells = [
        live.realm.word(),
        &live.group,
        &live.viewer,
        &session,
        &live.policy,
        &live.stream,
        &client,
        since,
        renewed,
        expires,
    ];
    format!("{}\r\n", cells.map(cell).join(","))
}

/// A cell. A text that a spreadsheet would take for a formula gets an apostrophe in front.
fn cell(text: &str) -> String {
    let guarded = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", guarded.replace('"', "\"\"")) } else { guarded }
}

/// A time as RFC 3339 in UTC, to the second.
fn time(millis: Millis) -> String {
    let time = i64::try_from(millis).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    time.map(|time| format!("{time:.0}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Live {
        Live {
            realm: Realm::Production,
            group: "tv".into(),
            viewer: "=1+1,\"x\"".into(),
            session: SessionId::parse("AAAAAAAAAAAAAAAAAAAAAQ").unwrap(),
            policy: "vod".into(),
            stream: "/vod/*".into(),
            client: None,
            since: 1_764_400_000_999,
            renewed: 1_764_400_060_000,
            expires: 1_764_400_150_000,
        }
    }

    #[test]
    fn a_session_is_json_and_csv() {
        let page = page(&Page { sessions: vec![live()], next: None });
        assert_eq!(page["next"], Value::Null);
        let first = &page["sessions"][0];
        assert_eq!(first["session"], "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!(first["client"], Value::Null);
        assert_eq!(first["since"], "2025-11-29T07:06:40Z");
        assert_eq!(
            csv(&live()),
            "production,tv,\"'=1+1,\"\"x\"\"\",AAAAAAAAAAAAAAAAAAAAAQ,vod,/vod/*,,2025-11-29T07:06:40Z,\
             2025-11-29T07:07:40Z,2025-11-29T07:09:10Z\r\n"
        );
        assert_eq!(CSV_HEAD.trim_end().split(',').count(), first.as_object().unwrap().len());
    }

    #[test]
    fn queries_and_orders_are_checked() {
        let query =
            |realm: Option<&str>, limit| ListQuery { realm: realm.map(String::from), limit, ..ListQuery::default() };
        assert_eq!(query(None, None).read(), Ok((Filter::default(), 100)));
        assert!(query(Some("production"), Some(1000)).read().is_ok());
        assert!(query(Some("x"), None).read().unwrap_err().starts_with("realm: \"x\"; expected"));
        assert!(query(None, Some(0)).read().is_err() && query(None, Some(1001)).read().is_err());
        let order = |session: &str| EndOrder {
            realm: None,
            group: "tv".into(),
            viewer: "ann".into(),
            session: Some(session.into()),
        };
        assert_eq!(order("AAAAAAAAAAAAAAAAAAAAAQ").read().unwrap().realm, Realm::Default);
        assert!(order("A").read().unwrap_err().starts_with("session: \"A\"; expected"));
    }
}
