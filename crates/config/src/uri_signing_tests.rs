//! Documents with `tokenAuth.urisigning` that load and that are refused, with the JSON path that the error must name.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;

use serde_json::{Value, json};

use super::*;
use playlock_core::policy::Match;

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

fn document(changes: &[(&str, Value)]) -> String {
    let mut document = json!({
        "policies": [{
            "policyName": "vod",
            "tokenAuth": {"enabled": true, "formats": ["urisigning"], "urisigning": {"keys": [
                {"kty": "EC", "kid": "site", "iss": "site", "crv": "P-256", "x": "be807S4O7dzB6I4hTiCUvmxCI6FuxWba1xYBlLSSsZ8",
                 "y": "rOGC4vI69g-WF9AGEVI37sNNwbjIzBxSjLvIL7f3RBA"},
                {"kty": "oct", "kid": "edge-1", "iss": "edge", "k": SECRET},
            ]}},
        }],
        "assignments": [{"policyName": "vod", "path": "/..."}],
    });
    for (pointer, value) in changes {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(member.into(), value.clone());
    }
    document.to_string()
}

fn parse(changes: &[(&str, Value)]) -> Result<(Policies, Vec<String>), ConfigError> {
    super::parse(document(changes).as_bytes(), &|_| None)
}

const POLICY: &str = "/policies/0";
const AUTH: &str = "/policies/0/tokenAuth";
const URI_SIGNING: &str = "/policies/0/tokenAuth/urisigning";

#[test]
fn settings_of_the_format() {
    let media = ("/policies/0/mediaEncryption", json!({"enabled": true, "secret": "6d0f4c1e7b8a93522f64d1c05e97ab38"}));
    let parse_with = |member: &str, value: Value| parse(&[media.clone(), (&format!("{URI_SIGNING}/{member}"), value)]);
    let claims_key = json!({"kty": "oct", "kid": "c", "use": "enc", "alg": "A128GCM", "k": "4uFxxV7fhNmrtiah2d1fFg"});
    for (member, value) in [
        ("parameter", json!("usp")),
        ("cookie", json!("usp")),
        ("audience", json!(["edge"])),
        ("acceptTokenIds", json!(true)),
        ("jwtHeader", json!("eyJhbGciOiJFUzI1NiJ9")),
        ("decryptionKeys", json!([claims_key])),
        ("decryptionKeys", json!({"keys": [claims_key]})),
    ] {
        let parsed = parse_with(member, value);
        assert!(parsed.is_ok(), "{member}: {:?}", parsed.err());
    }
    let key = |member: &str, value: Value| {
        let mut key = claims_key.clone();
        key[member] = value;
        json!([key])
    };
    for (member, value, path) in [
        ("keys", json!([]), "keys"),
        ("keys", json!([{"kty": "EC"}]), "keys[0].crv"),
        ("parameter", json!("a b"), "parameter"),
        ("parameter", json!("plk"), "parameter"),
        ("parameter", json!("hdntl"), "parameter"),
        ("cookie", json!("hdntl"), "cookie"),
        ("cookie", json!("hdntl-AAAAAAAA"), "cookie"),
        ("header", json!("x-usp"), "header"),
        ("audience", json!("edge"), "audience"),
        ("jwtHeader", json!("e30"), "jwtHeader"),
        ("jwtHeader", json!("{\"alg\":\"ES256\"}"), "jwtHeader"),
        ("decryptionKeys", key("k", json!(SECRET)), "decryptionKeys[0].k"),
        ("decryptionKeys", key("alg", json!("A256GCM")), "decryptionKeys[0].alg"),
        ("decryptionKeys", key("use", json!("sig")), "decryptionKeys[0].use"),
        ("decryptionKeys", json!([{"kty": "oct", "alg": "A128GCM"}]), "decryptionKeys[0].k"),
    ] {
        let error = parse_with(member, value).unwrap_err();
        assert_eq!(error.path, format!("policies[0].tokenAuth.urisigning.{path}"), "{}", error.message);
        assert!(!error.message.contains(SECRET));
    }
    // Without chaining, nothing is signed here.
    let signing = json!([{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}]);
    assert_eq!(parse_with("keys", signing).unwrap_err().path, "policies[0].tokenAuth.urisigning.keys[0].d");
    assert_eq!(parse(&[]).unwrap_err().path, "policies[0].mediaEncryption.secret", "sessions need one");
}

#[test]
fn chaining_excludes_what_needs_a_session() {
    let chaining = (&*format!("{URI_SIGNING}/chaining"), json!({"issuer": "edge"}));
    let (policies, _) = parse(&[(chaining.0, chaining.1.clone())]).unwrap();
    let Match::Policy(_, policy) = policies.policy_for("h", "/", 0) else { panic!("no policy") };
    assert!(policy.is_chained() && policy.keyrings.is_empty());
    assert_eq!(&**policy.reserved_parameters(), ["URISigningPackage"]);
    assert_eq!(policies.path_parameters, ["URISigningPackage"]);
    let with = |changes: Vec<(&str, Value)>| {
        let changes: Vec<_> = [(chaining.0, chaining.1.clone())].into_iter().chain(changes).collect();
        parse(&changes)
    };
    for (pointer, value) in [
        ("cors", json!({"allowOrigins": ["*"]})),
        ("playerVerification", json!({"enabled": true, "players": [{"hash": "tv-app"}]})),
        (
            "contentTargeting",
            json!({"enabled": true, "ipAccess": {"enabled": true, "mode": "DENY", "ips": ["10.0.0.0/8"]}}),
        ),
        ("playlistPaths", json!(["/a*"])),
        ("mediaEncryption", json!({"enabled": false})),
    ] {
        let parsed = with(vec![(&format!("{POLICY}/{pointer}"), value)]);
        assert!(parsed.is_ok(), "{pointer}: {:?}", parsed.err());
    }
    for (pointer, value, path) in [
        (format!("{URI_SIGNING}/chaining"), json!({"issuer": "site"}), "tokenAuth.urisigning.chaining.issuer"),
        (format!("{URI_SIGNING}/chaining"), json!({"issuer": "no"}), "tokenAuth.urisigning.chaining.issuer"),
        (format!("{URI_SIGNING}/chaining"), json!({}), "tokenAuth.urisigning.chaining.issuer"),
        (format!("{POLICY}/mediaEncryption"), json!({"enabled": true, "secret": SECRET}), "mediaEncryption"),
        (format!("{POLICY}/revocation"), json!({"accessTokenIds": ["a"]}), "revocation"),
        (
            format!("{POLICY}/playerVerification"),
            json!({"enabled": true, "identifiedBy": "token", "players": [{"hash": "tv-app"}]}),
            "playerVerification.identifiedBy",
        ),
        (format!("{AUTH}/enforceOnInitialRequest"), json!(false), "tokenAuth.enforceOnInitialRequest"),
        (format!("{AUTH}/enforceOnContentRequest"), json!(false), "tokenAuth.enforceOnContentRequest"),
        (format!("{AUTH}/sessionTokenName"), json!("s"), "tokenAuth.sessionTokenName"),
        (format!("{AUTH}/sessionTokenTransport"), json!("cookie"), "tokenAuth.sessionTokenTransport"),
        (format!("{AUTH}/sessionTtl"), json!("1d"), "tokenAuth.sessionTtl"),
        (format!("{AUTH}/sessionAcl"), json!("/*"), "tokenAuth.sessionAcl"),
        (format!("{AUTH}/sessionBinding"), json!({"headerForSalt": "x-device"}), "tokenAuth.sessionBinding"),
        (format!("{AUTH}/hosts"), json!(["cdn.example"]), "tokenAuth.hosts"),
    ] {
        let error = with(vec![(&pointer, value)]).unwrap_err();
        assert_eq!(error.path, format!("policies[0].{path}"), "{}", error.message);
    }
    let edge_auth = with(vec![
        (&format!("{AUTH}/formats"), json!(["edgeauth", "urisigning"])),
        (&format!("{AUTH}/password"), json!("52a152a152a152a152a152a152a152a1")),
    ]);
    assert_eq!(edge_auth.unwrap_err().path, "policies[0].tokenAuth.formats");
}
