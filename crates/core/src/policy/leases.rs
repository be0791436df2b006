//! `keyAuthorizer.leases`: the terms by which an authorizer limits the sessions of a viewer. The policy has the terms, the
//! authorizer counts: it gets them with each question, in one header.

use alloc::string::String;
use core::fmt::Write;

use serde::Deserialize;

use super::key_url::push_path;
use super::text::FieldName;

/// Header of a question with the terms.
pub const HEADER: &str = "x-playlock-leases";

/// Terms of the leases under one policy. Times are in seconds.
#[derive(Debug)]
pub struct Terms<'a> {
    /// Name that policies share whose sessions count together.
    pub group: &'a str,
    /// Number of sessions that a viewer may have at once, at least 1.
    pub limit: u64,
    /// Session that yields beyond the limit.
    pub on_limit: OnLimit,
    /// Source of the viewer's name.
    pub viewer: ViewerName,
    /// Field of the payload with another limit.
    pub limit_field: Option<FieldName>,
    /// Length of a key period.
    pub period: u64,
    /// Time that a lease outlasts its last key period.
    pub grace: u64,
    /// Number of key periods that a session may have keys of in advance.
    pub keys_ahead: u64,
    /// Lifetime of a session.
    pub session: u64,
}

/// Source of a viewer's name.
#[derive(Debug)]
pub enum ViewerName {
    /// Id of the access token.
    Id,
    /// Payload of the access token, or one of its fields.
    Payload(Option<FieldName>),
}

/// The session that yields if a viewer has as many as allowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OnLimit {
    /// The new one gets no key (403 `limit`).
    #[default]
    RefuseNew,
    /// The oldest gets no further key (403 `ended`).
    EndOldest,
}

/// The value of [`HEADER`], the same for all questions under a policy.
#[derive(Debug)]
pub struct Stated(String);

impl Terms<'_> {
    /// States the terms: each name once, in this order, with `;` between them. Neither `;` nor `=` is in a value.
    pub fn state(&self) -> Stated {
        let mut out = String::from("group=");
        push_path(&mut out, self.group);
        let on_limit = match self.on_limit {
            OnLimit::RefuseNew => "refuse-new",
            OnLimit::EndOldest => "end-oldest",
        };
        let (viewer, field) = match &self.viewer {
            ViewerName::Id => ("id", None),
            ViewerName::Payload(field) => ("payload", field.as_ref()),
        };
        // Writing to a String cannot fail.
        let _ = write!(out, ";limit={};on-limit={on_limit};viewer={viewer}", self.limit);
        for (name, field) in [(";viewer-field=", field), (";limit-field=", self.limit_field.as_ref())] {
            out.extend(field.into_iter().flat_map(|field| [name, field]));
        }
        let Self { period, grace, keys_ahead, session, .. } = self;
        let _ = write!(out, ";period={period};grace={grace};keys-ahead={keys_ahead};session={session}");
        Stated(out)
    }
}

impl Stated {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str) -> Option<FieldName> {
        Some(name.parse().unwrap())
    }

    /// As the contract with authorizers has it (docs/keys.md).
    #[test]
    fn terms_are_stated_in_one_order() {
        let terms = Terms {
            group: "subscribers",
            limit: 2,
            on_limit: OnLimit::EndOldest,
            viewer: ViewerName::Payload(field("user")),
            limit_field: field("screens"),
            period: 60,
            grace: 30,
            keys_ahead: 10,
            session: 86_400,
        };
        let stated = terms.state();
        assert_eq!(
            stated.as_str(),
            "group=subscribers;limit=2;on-limit=end-oldest;viewer=payload;viewer-field=user;limit-field=screens;\
             period=60;grace=30;keys-ahead=10;session=86400"
        );
        let terms = Terms { viewer: ViewerName::Payload(None), limit_field: None, ..terms };
        assert!(terms.state().as_str().contains(";viewer=payload;period=60;"));
        let terms = Terms { viewer: ViewerName::Id, limit_field: field("a"), on_limit: OnLimit::RefuseNew, ..terms };
        assert!(terms.state().as_str().contains(";on-limit=refuse-new;viewer=id;limit-field=a;period=60;"));
    }

    #[test]
    fn no_group_is_more_than_one_value() {
        for (group, value) in [
            ("a;limit=1000", "a%3blimit%3d1000"),
            ("a, b", "a%2c%20b"),
            ("100%", "100%25"),
            ("\u{e4}/b\"", "%c3%a4/b%22"),
        ] {
            let terms = Terms {
                group,
                limit: 1,
                on_limit: OnLimit::RefuseNew,
                viewer: ViewerName::Id,
                limit_field: None,
                period: 1,
                grace: 1,
                keys_ahead: 1,
                session: 1,
            };
            let expected = alloc::format!(
                "group={value};limit=1;on-limit=refuse-new;viewer=id;period=1;grace=1;keys-ahead=1;session=1"
            );
            assert_eq!(terms.state().as_str(), expected);
        }
    }
}
