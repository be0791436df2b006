//! The rules of tokens. Signatures of other implementations are tested with `key_set` and against Envoy.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::http::message::Request;
use crate::http::reply::header;

const NOW: u64 = 1_700_000_000;

fn key(index: u8) -> Key {
    Key::hs256(&[index; 32]).unwrap()
}

fn rules() -> Rules {
    let keys = alloc::vec![
        key(1).with(Some("a".into()), None),
        key(2).with(Some("b".into()), Some("https://login.example".into())),
    ];
    let keys = KeySet::new(keys).unwrap();
    Rules { keys, issuers: Vec::new(), audiences: Vec::new(), max_age: None, skew: 10 }
}

fn verifier(rules: Rules) -> Verifier {
    let name = |name| ClaimName::parse(name).unwrap();
    Verifier {
        proof: Proof::Signature(rules),
        paths: name("paths"),
        paths_are: PathsAre::Patterns,
        require_paths: true,
        id: name("jti"),
        payload: name("sub"),
    }
}

fn sign(header: &str, claims: &str, index: u8) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let tag = key(index).sign(&[format!("{header}.{claims}").as_bytes()]).unwrap();
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn token(changes: Value) -> String {
    let mut claims = json!({"paths": ["/vod/*"], "exp": NOW + 60});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => _ = claims.as_object_mut().unwrap().remove(name),
            value => claims[name] = value.clone(),
        }
    }
    sign(r#"{"alg":"HS256","kid":"a"}"#, &claims.to_string(), 1)
}

fn with_metadata(
    verifier: &Verifier,
    sent: &str,
    metadata: &dyn Fn(&[&str]) -> Option<Vec<u8>>,
) -> Result<Grant, Reason> {
    let headers = [header(":method", "GET"), header(":path", "/vod/film/master.m3u8"), header(":authority", "h")];
    let request = Request {
        headers: &headers,
        client: &|| None,
        route_policy: &|| None,
        metadata,
        now: NOW,
        protocol: &|| None,
        end_of_stream: true,
    };
    let head = RequestHead::read(&request);
    assert_eq!(verifier.has_attested(&head), verifier.is_attested() && metadata(&["ns", "payload", "exp"]).is_some());
    verifier.verify(sent, &Incoming::parse(&head).unwrap(), &[""; 0])
}

fn verify(verifier: &Verifier, sent: &str) -> Result<Grant, Reason> {
    with_metadata(verifier, sent, &|_| None)
}

#[test]
fn claims_become_a_grant() {
    let sent = token(json!({"jti": "7", "sub": "viewer", "nbf": NOW - 1, "iat": NOW, "other": {"deep": [1, null]}}));
    let grant =
        Grant { acl: Some("/vod/*".into()), id: Some("7".into()), payload: Some("viewer".into()), ..Grant::default() };
    assert_eq!(verify(&verifier(rules()), &sent), Ok(grant));
    let grant =
        |paths: Value| verify(&verifier(rules()), &token(json!({"paths": paths}))).map(|grant| grant.acl.unwrap());
    assert_eq!(grant(json!("/live/*!/vod/*")), Ok("/live/*!/vod/*".into()));
    assert_eq!(grant(json!(["/live/*"])), Err(Reason::Path));
    for bad in [json!([]), json!(""), json!([1]), json!({"a": 1}), json!(true), json!(["/vod/*", null])] {
        assert_eq!(grant(bad.clone()), Err(Reason::Malformed), "{bad}");
    }
    assert_eq!(grant(Value::Null), Err(Reason::Path), "a token without paths");
    let free = Verifier { require_paths: false, ..verifier(rules()) };
    assert_eq!(verify(&free, &token(json!({"paths": null}))), Ok(Grant::default()));
    assert_eq!(verify(&free, &token(json!({"paths": ["/live/*"]}))), Err(Reason::Path));
    for (name, value) in [("jti", json!(7)), ("jti", json!("")), ("sub", json!(["a"])), ("sub", json!({}))] {
        assert_eq!(verify(&free, &token(json!({name: value}))), Err(Reason::Malformed), "{name}");
    }
}

#[test]
fn names_lead_to_nested_claims() {
    let paths = |name: &str, claims: Value| {
        let paths = ClaimName::parse(name).unwrap();
        verify(&Verifier { paths, ..verifier(rules()) }, &token(claims)).map(|grant| grant.acl.unwrap())
    };
    let good = Ok("/vod/film/*".to_string());
    assert_eq!(paths("realm_access.paths", json!({"realm_access": {"paths": ["/vod/film/*"]}})), good);
    assert_eq!(paths("a.b.c", json!({"a": {"b": {"c": "/vod/film/*"}}})), good);
    assert_eq!(paths("https://example.com/paths", json!({"https://example.com/paths": ["/vod/film/*"]})), good);
    for claims in [json!({}), json!({"a": {}}), json!({"a": {"b": {}}}), json!({"a.b.c": "/vod/*"})] {
        assert_eq!(paths("a.b.c", claims.clone()), Err(Reason::Path), "{claims}");
    }
    for claims in [json!({"a": 1}), json!({"a": {"b": "c"}}), json!({"a": {"b": ["c"]}})] {
        assert_eq!(paths("a.b.c", claims.clone()), Err(Reason::Malformed), "{claims}");
    }
    for bad in ["", ".", "a.", ".a", "a..b", "a\n", "https://\0"] {
        assert_eq!(ClaimName::parse(bad), None, "{bad:?}");
    }
}

#[test]
fn times_have_a_tolerance_and_an_end() {
    let (expired, early, malformed) = (Err(Reason::Expired), Err(Reason::Early), Err(Reason::Malformed));
    let within = |max_age: Option<u64>, changes: Value| {
        verify(&verifier(Rules { max_age, ..rules() }), &token(changes)).map(|_| ())
    };
    for (changes, expected) in [
        (json!({"exp": NOW - 9}), Ok(())),
        (json!({"exp": NOW - 10}), expired),
        (json!({"exp": NOW as f64 - 9.5}), expired),
        (json!({"nbf": NOW + 10}), Ok(())),
        (json!({"nbf": NOW + 11}), early),
        (json!({"nbf": NOW as f64 + 10.5}), early),
        (json!({"iat": NOW + 11}), early),
        (json!({"exp": null}), malformed),
        (json!({"exp": null, "iat": NOW}), malformed),
        (json!({"exp": format!("{NOW}")}), malformed),
        (json!({"exp": -1}), malformed),
        (json!({"exp": 1e20}), malformed),
        (json!({"exp": 18_446_744_073_709_551_615_u64}), malformed),
        (json!({"nbf": "now"}), malformed),
        (json!({"iat": [NOW]}), malformed),
    ] {
        assert_eq!(within(None, changes.clone()), expected, "{changes}");
    }
    for (changes, expected) in [
        (json!({"exp": null, "iat": NOW - 309}), Ok(())),
        (json!({"exp": null, "iat": NOW - 310}), expired),
        (json!({"iat": NOW - 310}), expired),
        (json!({"exp": NOW - 10, "iat": NOW}), expired),
        (json!({"exp": null}), malformed),
        (json!({}), malformed),
    ] {
        assert_eq!(within(Some(300), changes.clone()), expected, "{changes}");
    }
}

#[test]
fn issuers_and_audiences_are_those_of_the_policy() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).into()).collect::<Vec<String>>();
    let (us, them) = ("https://tv.example", "https://shop.example");
    for (audiences, aud, expected) in [
        (&[][..], Value::Null, Ok(())),
        (&[], json!(us), Err(Reason::Audience)),
        (&[us], Value::Null, Err(Reason::Audience)),
        (&[us], json!(us), Ok(())),
        (&[us], json!([them, us]), Ok(())),
        (&[us, them], json!(them), Ok(())),
        (&[us], json!([them]), Err(Reason::Audience)),
        (&[us], json!([]), Err(Reason::Malformed)),
        (&[us], json!({}), Err(Reason::Malformed)),
    ] {
        let verifier = verifier(Rules { audiences: texts(audiences), ..rules() });
        assert_eq!(verify(&verifier, &token(json!({"aud": aud}))).map(|_| ()), expected, "{audiences:?} {aud}");
    }
    for (issuers, iss, expected) in [
        (&[][..], json!(us), Ok(())),
        (&[us], json!(us), Ok(())),
        (&[us], json!(them), Err(Reason::Signature)),
        (&[us], json!([us]), Err(Reason::Malformed)),
        (&[us], Value::Null, Err(Reason::Signature)),
    ] {
        let verifier = verifier(Rules { issuers: texts(issuers), ..rules() });
        assert_eq!(verify(&verifier, &token(json!({"iss": iss}))).map(|_| ()), expected, "{issuers:?} {iss}");
    }
    // A key that is bound to an issuer.
    for (iss, expected) in [("https://login.example", Ok(())), ("https://login.example/", Err(Reason::Signature))] {
        let claims = json!({"paths": "/vod/*", "exp": NOW + 60, "iss": iss}).to_string();
        assert_eq!(verify(&verifier(rules()), &sign(r#"{"alg":"HS256","kid":"b"}"#, &claims, 2)).map(|_| ()), expected);
    }
    let claims = json!({"paths": "/vod/*", "exp": NOW + 60}).to_string();
    let without = verify(&verifier(rules()), &sign(r#"{"alg":"HS256","kid":"b"}"#, &claims, 2));
    assert_eq!(without, Err(Reason::Signature));
}

#[test]
fn headers_choose_a_key_and_nothing_else() {
    let claims = json!({"paths": "/vod/*", "exp": NOW + 60}).to_string();
    for (header, expected) in [
        (r#"{"alg":"HS256"}"#, Ok(())),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"a","x5t":"AAAA","jwk":{"kty":"oct","k":"AAAA"}}"#, Ok(())),
        (r#"{"alg":"HS256","kid":"b"}"#, Err(Reason::Signature)),
        (r#"{"alg":"HS256","kid":"c"}"#, Err(Reason::Algorithm)),
        (r#"{"alg":"none"}"#, Err(Reason::Algorithm)),
        (r#"{"alg":"NONE"}"#, Err(Reason::Algorithm)),
        (r#"{"alg":"HS512"}"#, Err(Reason::Algorithm)),
        (r#"{"alg":"ES256"}"#, Err(Reason::Algorithm)),
        (r#"{"alg":"RS256"}"#, Err(Reason::Algorithm)),
        (r#"{"alg":"hs256"}"#, Err(Reason::Algorithm)),
        (r#"{}"#, Err(Reason::Malformed)),
        (r#"{"alg":["HS256"]}"#, Err(Reason::Malformed)),
        (r#"{"alg":"HS256","alg":"HS256"}"#, Err(Reason::Malformed)),
        (r#"{"alg":"HS256","\u0061lg":"none"}"#, Err(Reason::Malformed)),
        (r#"{"alg":"HS256","kid":7}"#, Err(Reason::Malformed)),
        (r#"{"alg":"HS256","crit":["exp"],"exp":1}"#, Err(Reason::Malformed)),
        (r#"{"alg":"HS256","crit":[]}"#, Err(Reason::Malformed)),
        (r#"{"alg":"HS256","b64":false}"#, Err(Reason::Malformed)),
        (r#"{"alg":"HS256","b64":true}"#, Err(Reason::Malformed)),
        (r#"{"alg":"HS256","zip":"DEF"}"#, Err(Reason::Malformed)),
        (r#"{"alg":"HS256"} x"#, Err(Reason::Malformed)),
        (r#"["HS256"]"#, Err(Reason::Malformed)),
    ] {
        assert_eq!(verify(&verifier(rules()), &sign(header, &claims, 1)).map(|_| ()), expected, "{header}");
    }
    for claims in [
        r#"{"paths":"/live/*","paths":"/vod/*","exp":9999999999}"#,
        r#"{"paths":"/vod/*","exp":1,"exp":9999999999}"#,
        r#"{"paths":"/vod/*","exp":9999999999,"\u0065xp":9999999999}"#,
        r#"{"paths":"/vod/*","exp":9999999999}}"#,
        r#"[]"#,
        "",
    ] {
        let sent = sign(r#"{"alg":"HS256"}"#, claims, 1);
        assert_eq!(verify(&verifier(rules()), &sent), Err(Reason::Malformed), "{claims}");
    }
}

#[test]
fn a_token_has_one_spelling() {
    let good = token(json!({}));
    let verifier = verifier(rules());
    assert!(verify(&verifier, &good).is_ok() && verifier.has_signed(&good));
    let parts: Vec<&str> = good.split('.').collect();
    let [header, claims, tag] = parts[..] else { panic!("{good}") };
    for bad in [
        format!("{good}="),
        format!("{good}.{tag}"),
        format!(" {good}"),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
        format!("{header}..{tag}"),
        format!(".{claims}.{tag}"),
        format!("{header}=.{claims}.{tag}"),
        format!("{header}%2e{claims}%2e{tag}"),
        format!("{header}.{claims}.{}", &tag[..tag.len() - 1]),
        format!("{header}.{claims}.{}+", &tag[..tag.len() - 1]),
        String::new(),
        "..".into(),
    ] {
        assert_eq!(verify(&verifier, &bad), Err(Reason::Malformed), "{bad}");
    }
    // 43 digits have two bits too many, which are zero in the only spelling.
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = digits.find(&tag[tag.len() - 1..]).unwrap();
    for other in 1..4 {
        let bad = format!("{header}.{claims}.{}{}", &tag[..tag.len() - 1], &digits[last + other..=last + other]);
        assert_eq!(verify(&verifier, &bad), Err(Reason::Malformed), "{bad}");
    }
    let filled = |filler: usize| token(json!({"filler": "x".repeat(filler)}));
    let (longest, longer) = (filled(5990), filled(6100));
    assert!(longest.len() <= MAX_SENT && longer.len() > MAX_SENT, "{} {}", longest.len(), longer.len());
    assert!(verify(&verifier, &longest).is_ok());
    assert_eq!(verify(&verifier, &longer), Err(Reason::Malformed));
    assert!(!verifier.has_signed(&longer));
}

#[test]
fn the_proxy_may_have_verified_the_token() {
    let attestation = Attestation { path: ["ns".into(), "payload".into()] };
    let verifier = Verifier { proof: Proof::Envoy(attestation), ..verifier(rules()) };
    let metadata = |path: &[&str]| match path {
        ["ns", "payload", "exp"] => Some(7_f64.to_le_bytes().to_vec()),
        ["ns", "payload", "paths"] => Some(b"/vod/*".to_vec()),
        ["ns", "payload", "jti"] => Some(b"7".to_vec()),
        _ => None,
    };
    let grant = Grant { acl: Some("/vod/*".into()), id: Some("7".into()), payload: None, ..Grant::default() };
    assert_eq!(with_metadata(&verifier, "", &metadata), Ok(grant));
    assert_eq!(verify(&verifier, &token(json!({}))), Err(Reason::Path), "no metadata, whatever token is sent");
    let number =
        |path: &[&str]| if path.contains(&"sub") { Some(7_f64.to_le_bytes().to_vec()) } else { metadata(path) };
    assert_eq!(with_metadata(&verifier, "", &number), Err(Reason::Malformed));
    assert!(!verifier.has_signed(&token(json!({}))));
}
