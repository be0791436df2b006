//! The terms of a lease: what a policy's `keyAuthorizer.leases` says, as the filter sends it in `x-playlock-leases`.

use playlock_core::bytes::percent;

use crate::Millis;

/// The terms of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Viewers of policies with the same group share their leases.
    pub group: String,
    /// Live leases of one viewer, unless the token has a number of its own.
    pub limit: u32,
    /// The rule for a viewer with that many.
    pub on_limit: OnLimit,
    /// Where the viewer's name stands.
    pub viewer: ViewerSource,
    /// The field of the payload that overrides `limit`.
    pub limit_field: Option<String>,
    /// Duration of a key period.
    pub period: Millis,
    /// How much longer than its keys a lease lasts.
    pub grace: Millis,
    /// Key periods ahead of its progress that a session may have the keys of.
    pub keys_ahead: u32,
    /// Longest duration of a session: an ended one is remembered for as long.
    pub session: Millis,
}

/// The rule for a viewer who has as many live leases as allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLimit {
    /// A new session gets no lease.
    RefuseNew,
    /// A new session ends the oldest.
    EndOldest,
}

/// Where the viewer's name stands in an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewerSource {
    /// The token's id.
    Id,
    /// The whole payload.
    Payload,
    /// A field of the payload.
    Field(String),
}

/// Largest number of leases and of periods.
const MOST: u64 = 1000;
/// Longest duration, in seconds: 100 years. Times that are added up stay far from the end of their type.
const LONGEST: u64 = 100 * 366 * 86400;

impl Terms {
    /// Reads the header's value: `name=value` pairs with `;` between them, in any order, each once.
    ///
    /// `None` if it has another form, an unknown, repeated or missing name, or a value out of its range.
    pub fn parse(text: &str) -> Option<Self> {
        let mut pairs = Vec::with_capacity(10);
        for pair in text.split(';') {
            let (name, value) = pair.split_once('=')?;
            if pairs.iter().any(|(known, _)| *known == name) {
                return None;
            }
            pairs.push((name, value));
        }
        let mut take = |name: &str| {
            let at = pairs.iter().position(|(known, _)| *known == name)?;
            Some(pairs.swap_remove(at).1)
        };
        let on_limit = match take("on-limit")? {
            "refuse-new" => OnLimit::RefuseNew,
            "end-oldest" => OnLimit::EndOldest,
            _ => return None,
        };
        let field = |name: &str| (1..=32).contains(&name.len()).then(|| name.to_owned());
        let viewer = match (take("viewer")?, take("viewer-field")) {
            ("id", None) => ViewerSource::Id,
            ("payload", None) => ViewerSource::Payload,
            ("payload", Some(name)) => ViewerSource::Field(field(name)?),
            _ => return None,
        };
        let limit_field = match take("limit-field") {
            Some(name) => Some(field(name)?),
            None => None,
        };
        let seconds = |text: &str| number(text, LONGEST).map(|seconds| seconds.saturating_mul(1000));
        let terms = Self {
            group: percent::decode_str(take("group")?)?,
            limit: limit(take("limit")?)?,
            on_limit,
            viewer,
            limit_field,
            period: seconds(take("period")?)?,
            grace: seconds(take("grace")?)?,
            keys_ahead: limit(take("keys-ahead")?)?,
            session: seconds(take("session")?)?,
        };
        pairs.is_empty().then_some(terms)
    }
}

/// A number of leases or periods, 1 to 1000.
pub fn limit(text: &str) -> Option<u32> {
    number(text, MOST).and_then(|limit| u32::try_from(limit).ok())
}

/// A whole number from 1 to `most`, in decimal digits only.
fn number(text: &str, most: u64) -> Option<u64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number| (1..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "group=tv%3b1;limit=2;on-limit=end-oldest;viewer=payload;viewer-field=user;limit-field=screens;\
                         period=60;grace=30;keys-ahead=10;session=86400";

    #[test]
    fn the_header_is_read() {
        let terms = Terms {
            group: "tv;1".into(),
            limit: 2,
            on_limit: OnLimit::EndOldest,
            viewer: ViewerSource::Field("user".into()),
            limit_field: Some("screens".into()),
            period: 60_000,
            grace: 30_000,
            keys_ahead: 10,
            session: 86_400_000,
        };
        assert_eq!(Terms::parse(WHOLE), Some(terms));
        let least = WHOLE.replace("viewer-field=user;limit-field=screens;", "").replace("=payload", "=id");
        assert_eq!(Terms::parse(&least).unwrap().viewer, ViewerSource::Id);
    }

    #[test]
    fn anything_else_is_refused() {
        for (from, to) in [
            ("limit=2;", ""),
            ("limit=2;", "limit=2;limit=2;"),
            ("limit=2", "limit=0"),
            ("limit=2", "limit=1001"),
            ("limit=2", "limit=+2"),
            ("limit=2", "limit= 2"),
            ("limit=2", "limit="),
            ("period=60", "period=0"),
            ("period=60", "period=99999999999999999999"),
            ("on-limit=end-oldest", "on-limit=END-OLDEST"),
            ("viewer=payload", "viewer=id"),
            ("viewer-field=user", "viewer-field="),
            ("group=tv%3b1", "group=tv%3"),
            ("session=86400", "session=86400;"),
            ("session=86400", "session=86400;more=1"),
        ] {
            let text = WHOLE.replacen(from, to, 1);
            assert_ne!(text, WHOLE);
            assert_eq!(Terms::parse(&text), None, "{text}");
        }
    }
}
