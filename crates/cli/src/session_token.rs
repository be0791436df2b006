//! The fields of a session token, explained, without verification.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playlock_core::session::token::{Encoded, Fields};

use crate::{acl, time};

/// The fields of a session token, not verified.
#[derive(Debug)]
pub struct SessionFields {
    /// Name, value and meaning of each field, in the order of the token.
    pub rows: Vec<(&'static str, String, String)>,
    /// End of the session, in seconds since 1970-01-01T00:00:00Z.
    pub expires: u64,
    /// The network that the session is bound to.
    pub network: Option<String>,
}

/// Whether `text` has the grammar of a session token.
pub fn is_one(text: &str) -> bool {
    Encoded::read(text).is_some_and(|encoded| encoded.parse().is_some())
}

/// Parses a session token; `None` if it is malformed. `now` is in seconds since 1970-01-01T00:00:00Z.
pub fn read(sent: &str, now: u64) -> Option<SessionFields> {
    let encoded = Encoded::read(sent)?;
    let parsed = encoded.parse()?;
    let Fields { opened, id, lifetime, bound, access_token, payload, acl } = parsed.fields;
    let opened = u64::from(opened);
    let expires = opened.saturating_add(lifetime.into());
    let mut rows = Vec::new();
    let mut add = |name, value: String, meaning: String| rows.push((name, value, meaning));
    add("version", "1".into(), "version of the format".into());
    add("secret", format!("{:02x}", parsed.hint), "first byte of the id of the secret that signed it".into());
    add("opened", opened.to_string(), format!("opened {}, {}", time::local(opened), time::distance(opened, now)));
    let id = URL_SAFE_NO_PAD.encode(id);
    add("id", id.clone(), format!("session {id}, as in the access log"));
    let ends = if expires < now { "expired" } else { "valid until" };
    add("lifetime", lifetime.to_string(), format!("{ends} {}, {}", time::local(expires), time::distance(expires, now)));
    if let Some(network) = bound.network {
        add("network", network.to_string(), "only for viewers in this network".into());
    }
    if let Some(tag) = bound.tag {
        add("header", base16ct::lower::encode_string(&tag), "bound to the value of a request header".into());
    }
    if let Some(id) = access_token {
        add("access-token", id.into(), format!("opened by the access token {}", acl::decoded(id)));
    }
    if let Some(payload) = payload {
        add("payload", payload.into(), format!("the access token's payload: {}", acl::decoded(payload)));
    }
    add("acl", acl.into(), acl::describe(acl));
    add("hmac", "…".into(), "HMAC-SHA-256, its first 128 bits".into());
    Some(SessionFields { rows, expires, network: bound.network.map(|network| network.to_string()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `grantedToken` of the first vector in `tests/vectors/derivation.json`.
    fn granted() -> String {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/derivation.json")).unwrap();
        vectors[0]["grantedToken"].as_str().unwrap().to_owned()
    }

    #[test]
    fn every_field_has_its_words() {
        let token = granted();
        let fields = read(&token, 1_700_000_400).unwrap();
        let names: Vec<_> = fields.rows.iter().map(|(name, ..)| *name).collect();
        assert_eq!(
            names,
            [
                "version",
                "secret",
                "opened",
                "id",
                "lifetime",
                "network",
                "header",
                "access-token",
                "payload",
                "acl",
                "hmac"
            ]
        );
        let meaning = |name: &str| &fields.rows.iter().find(|(found, ..)| *found == name).unwrap().2;
        assert!(meaning("opened").ends_with("6 min 40 s ago"), "{}", meaning("opened"));
        assert!(meaning("lifetime").starts_with("valid until "));
        assert_eq!(meaning("access-token"), "opened by the access token order-17");
        assert_eq!(meaning("payload"), "the access token's payload: {\"name\": \"Zo\u{eb}\", \"n\": 1}");
        assert_eq!(meaning("acl"), "everything below /vod/");
        assert_eq!((fields.expires, fields.network.as_deref()), (1_700_086_400, Some("2001:db8:1:200::/56")));
        assert!(is_one(&token) && !is_one(&token[1..]) && read(&format!("{token}A"), 0).is_none());
    }
}
