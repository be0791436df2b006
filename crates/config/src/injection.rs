//! The test that no member of a document brings in what would end a header or a line.

use alloc::format;

use super::tests::{NORMATIVE, altered_in, parse};

/// Members that get into headers or playlists must not end a header or a line there. The path is that of the member, or
/// below it.
#[test]
fn what_ends_a_header_or_a_line_is_in_no_member() {
    let without_path = altered_in(NORMATIVE, "/policies/0/mediaEncryption/keyPath", None);
    let (auth, media) = ("/policies/0/tokenAuth", "/policies/0/mediaEncryption");
    let redirect = r#"{"enabled": true, "ipAccess": {"enabled": true, "mode": "DENY", "ips": ["10.0.0.0/8"],
        "ipRedirectOnDenyEnabled": true, "denyOnIPRedirectURL": "https://a.example/BAD"}}"#;
    let leases = r#"{"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f", "keyRotation": {"time": "1m"},
        "keyAuthorizer": {"cluster": "c", "path": "/a", "leases": {"limit": 1, "group": "gBAD"}}}"#;
    let members = [
        (format!("{auth}/accessTokenName"), r#""hdntsBAD""#),
        (format!("{auth}/accessTokenCookie"), r#""hdntsBAD""#),
        (format!("{auth}/accessTokenHeader"), r#""hdntsBAD""#),
        (format!("{auth}/sessionTokenName"), r#""hdntlBAD""#),
        (format!("{auth}/sessionAcl"), r#""/*BAD""#),
        (format!("{auth}/sessionBinding"), r#"{"headerForSalt": "x-aBAD"}"#),
        (format!("{auth}/sessionBinding"), r#"{"headers": ["x-a", "x-bBAD"]}"#),
        ("/policies/0/playlistPaths".into(), r#"["/aBAD"]"#),
        (format!("{media}/keyPath"), r#""/kBAD""#),
        (format!("{media}/keyUrl"), r#""https://k.example/{session}{secret}BAD""#),
        (format!("{media}/keyAuthorizer"), r#"{"cluster": "c", "path": "/aBAD"}"#),
        (format!("{media}/keyAuthorizer"), r#"{"cluster": "c", "path": "/a", "host": "hBAD"}"#),
        (media.into(), leases),
        ("/policies/0/cors".into(), r#"{"allowOrigins": ["https://a.exampleBAD"]}"#),
        ("/policies/0/cors".into(), r#"{"allowOrigins": ["*"], "allowHeaders": ["xBAD"]}"#),
        ("/policies/0/cors".into(), r#"{"allowOrigins": ["*"], "exposeHeaders": ["xBAD"]}"#),
        ("/policies/0/contentTargeting".into(), redirect),
        ("/geoHeaders".into(), r#"{"country": "xBAD"}"#),
    ];
    for (pointer, value) in members {
        let document = |with: &str| {
            let base = if pointer.ends_with("keyUrl") { &without_path } else { NORMATIVE };
            let value = serde_json::from_str(&value.replace("BAD", with)).unwrap();
            altered_in(base, &pointer, Some(value))
        };
        assert!(parse(&document("")).is_ok(), "{pointer}: {:?}", parse(&document("")).err());
        for bad in [r"\r\n", r"\n", r"\r", r"\u0000"] {
            let path = parse(&document(bad)).unwrap_err().path;
            let member = pointer.rsplit('/').next().unwrap();
            assert!(path.contains(member), "{pointer} with {bad}: {path}");
        }
    }
}
