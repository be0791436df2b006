//! The examples of RFC 9246 and the checks on claims, under keys from configuration documents.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use playlock_core::http::incoming::{Incoming, RequestHead};
use playlock_core::http::message::{Known, Request};
use playlock_core::http::reply::{Reason, header};
use playlock_core::policy::Match;
use playlock_core::policy::tokens::FormatVerifier;
use playlock_core::token::MAX_SENT;
use playlock_core::token::uri_signing::claims::Claims;
use playlock_core::token::uri_signing::{Verifier, renewal};

/// The examples and keys of RFC 9246 appendix A.
fn rfc() -> Value {
    serde_json::from_str(include_str!("../../../../tests/vectors/rfc9246.json")).unwrap()
}

/// The verifier of a document with this `tokenAuth.urisigning`.
fn verifier(urisigning: &Value) -> Verifier {
    let chaining = urisigning.get("chaining").is_some();
    let secret = (!chaining).then_some("6d0f4c1e7b8a93522f64d1c05e97ab38");
    let document = json!({
        "policies": [{
            "policyName": "vod",
            "tokenAuth": {"enabled": true, "formats": ["urisigning"], "urisigning": urisigning},
            "mediaEncryption": {"enabled": false, "secret": secret},
        }],
        "assignments": [{"policyName": "vod", "path": "/..."}],
    });
    let (policies, _) = playlock_config::parse(document.to_string().as_bytes(), &|_| None).unwrap();
    let Match::Policy(_, policy) = policies.policy_for("h", "/", 0) else { panic!("no policy") };
    match &policy.access_token.as_ref().unwrap().formats[0].verifier {
        FormatVerifier::UriSigning(verifier) => verifier.clone(),
        other => panic!("{other:?}"),
    }
}

/// The result for a token with a request for `uri`.
fn claims(verifier: &Verifier, token: &str, uri: &str, client: Option<&str>, now: u64) -> Result<Claims, Reason> {
    let (scheme, rest) = uri.split_once("://").unwrap();
    let (authority, path) = rest.split_at(rest.find('/').unwrap());
    let headers = [header(":scheme", scheme), header(":authority", authority), header(":path", path)];
    let client = client.map_or_else(Known::default, Known::client);
    let request = Request { headers: &headers, attributes: &client, now, end_of_stream: true };
    let head = RequestHead::read(&request);
    verifier.claims(token, &Incoming::parse(&head).unwrap(), &["URISigningPackage"])
}

const KEY: [u8; 32] = [7; 32];

fn keys() -> Value {
    json!([{"kty": "oct", "alg": "HS256", "kid": "a", "iss": "site", "k": URL_SAFE_NO_PAD.encode(KEY)}])
}

fn sign(header: &str, claims: &str) -> String {
    let mut token = [URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims)].join(".");
    let mut mac = Hmac::<Sha256>::new_from_slice(&KEY).unwrap();
    mac.update(token.as_bytes());
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
    token
}

const HEADER: &str = r#"{"alg":"HS256","kid":"a"}"#;
const URI: &str = "https://edge.example/vod/a.m3u8";

fn signed(claims: &str) -> String {
    sign(HEADER, &format!(r#"{{"cdniuc":"regex:https://edge\\.example/vod/.*"{claims}}}"#))
}

#[test]
fn rfc_9246_appendix_a() {
    let file = rfc();
    let now = file["now"].as_u64().unwrap();
    let mut keys = file["keys"].clone();
    keys[0]["iss"] = file["issuer"].clone();
    let member = |audience: &Value| {
        verifier(
            &json!({"keys": keys, "decryptionKeys": file["decryptionKeys"], "audience": audience, "acceptTokenIds": true}),
        )
    };
    let verifier = member(&file["audience"]);
    for vector in file["vectors"].as_array().unwrap() {
        let (token, uri) = (vector["token"].as_str().unwrap(), vector["uri"].as_str().unwrap());
        let check = |uri: &str, client, now| claims(&verifier, token, uri, client, now).map(|claims| claims.jti);
        let client = vector["client"].as_str();
        assert_eq!(check(uri, client, now), Ok(vector["id"].as_str().map(String::from)), "{vector}");
        assert!(verifier.has_signed(token));
        let end = Claims::decode(token.split('.').nth(1).unwrap()).unwrap().exp.unwrap();
        assert!(check(uri, client, end - 1).is_ok());
        assert_eq!(check(uri, client, end), Err(Reason::Expired), "{vector}");
        assert_eq!(check(&uri.replace("/foo", "/fop"), client, now), Err(Reason::Path), "{vector}");
        assert_eq!(check(&uri.replace("http:", "https:"), client, now), Err(Reason::Path), "{vector}");
        let escaped = check(&format!("{uri}?URISigningPackage={token}").replace("/bar", "/%62ar"), client, now);
        assert!(escaped.is_ok(), "{vector}");
        if client.is_some() {
            assert_eq!(check(uri, Some("[2001:db9::7]:4711"), now), Err(Reason::Ip));
            assert_eq!(check(uri, Some("203.0.113.7:4711"), now), Err(Reason::Ip));
            assert_eq!(check(uri, None, now), Err(Reason::Ip));
            assert_eq!(check(uri, client, 1_646_780_968), Err(Reason::Early));
            assert_eq!(claims(&member(&json!([])), token, uri, client, now).err(), Some(Reason::Audience));
            assert_eq!(claims(&member(&json!(["other"])), token, uri, client, now).err(), Some(Reason::Audience));
            let mut other = verifier.clone();
            other.accepts_ids = false;
            assert_eq!(claims(&other, token, uri, client, now).err(), Some(Reason::Malformed));
            other = verifier.clone();
            other.decryption_keys.clear();
            assert_eq!(claims(&other, token, uri, client, now).err(), Some(Reason::Malformed));
        }
    }
}

/// The header left out (section 2.2), and the issuer of the key.
#[test]
fn rfc_9246_without_header_and_of_another_issuer() {
    let file = rfc();
    let now = file["now"].as_u64().unwrap();
    let vector = &file["vectors"][0];
    let (token, uri) = (vector["token"].as_str().unwrap(), vector["uri"].as_str().unwrap());
    let (header, short) = token.split_once('.').unwrap();
    let mut keys = file["keys"].clone();
    assert_eq!(
        claims(&verifier(&json!({"keys": keys})), token, uri, None, now).err(),
        Some(Reason::Signature),
        "no key is the issuer's"
    );
    keys[0]["iss"] = file["issuer"].clone();
    let with = verifier(&json!({"keys": keys, "jwtHeader": header}));
    assert!(claims(&with, short, uri, None, now).is_ok() && claims(&with, token, uri, None, now).is_ok());
    let without = verifier(&json!({"keys": keys}));
    assert_eq!(claims(&without, short, uri, None, now).err(), Some(Reason::Malformed));
    keys[0]["iss"] = "dCDN LLC".into();
    assert_eq!(claims(&verifier(&json!({"keys": keys})), token, uri, None, now).err(), Some(Reason::Signature));
}

#[test]
fn headers_and_claims_that_are_refused() {
    let verifier = verifier(&json!({"keys": keys()}));
    let good = signed("");
    let check = |token: &str| claims(&verifier, token, URI, None, 1000).map(|_| ());
    assert_eq!(check(&good), Ok(()));
    assert_eq!(check(&good.replace('.', "%2E")), Ok(()), "escaped by a client");
    assert_eq!(check(&signed(r#","iss":"site","exp":1001,"nbf":1000"#)), Ok(()));
    let payload = r#"{"cdniuc":"regex:.*"}"#;
    for (token, expected) in [
        (signed(r#","iss":"other""#), Reason::Signature),
        (signed(r#","exp":1000"#), Reason::Expired),
        (signed(r#","nbf":1001"#), Reason::Early),
        (signed(r#","aud":"edge""#), Reason::Audience),
        (signed(r#","jti":"1""#), Reason::Malformed),
        (signed(r#","sub":"viewer-7""#), Reason::Malformed),
        (signed(r#","cdniip":"10.0.0.0/8""#), Reason::Malformed),
        (signed(r#","cdniip":"a..b.c.d""#), Reason::Malformed),
        (signed(r#","cdniv":2"#), Reason::Malformed),
        (signed(r#","cdnicrit":"x","x":1"#), Reason::Malformed),
        (signed(r#","cdnistt":1"#), Reason::Malformed),
        (signed(r#","cdniuc":"regex:.*""#), Reason::Malformed),
        (sign(HEADER, r#"{"cdniuc":"regex:https://edge\\.example/vod/"}"#), Reason::Path),
        (sign(HEADER, r#"{"cdniuc":"regex:("}"#), Reason::Malformed),
        (sign(HEADER, "{}"), Reason::Malformed),
        (sign(HEADER, ""), Reason::Malformed),
        (sign(r#"{"alg":"none"}"#, payload), Reason::Algorithm),
        (sign(r#"{"alg":"HS512"}"#, payload), Reason::Algorithm),
        (sign(r#"{"alg":"ES256"}"#, payload), Reason::Algorithm),
        (sign(r#"{"alg":"hs256"}"#, payload), Reason::Algorithm),
        (sign(r#"{"alg":["HS256"]}"#, payload), Reason::Malformed),
        (sign(r#"{"alg":"HS256","alg":"HS256"}"#, payload), Reason::Malformed),
        (sign(r#"{"alg":"HS256","crit":["b64"],"b64":false}"#, payload), Reason::Malformed),
        (sign(r#"{"alg":"HS256","kid":7}"#, payload), Reason::Malformed),
        (sign("{}", payload), Reason::Malformed),
        (sign("[]", payload), Reason::Malformed),
        (format!("{good}A"), Reason::Signature),
        (format!("{good}%"), Reason::Malformed),
        (format!(" {good}"), Reason::Malformed),
        (good.replace('.', "%252E"), Reason::Malformed),
        (signed(&format!(r#","x":"{}""#, "y".repeat(MAX_SENT))), Reason::Malformed),
    ] {
        assert_eq!(check(&token), Err(expected), "{token}");
        let unsigned = matches!(expected, Reason::Algorithm) || token.contains(['%', ' ']) || token.len() > MAX_SENT;
        assert!(!unsigned || !verifier.has_signed(&token), "{token}");
    }
    assert!(verifier.has_signed(&good) && verifier.has_signed(&signed(r#","exp":1000"#)), "whatever its claims");
    for at in 0..good.len() {
        let (before, after) = good.split_at(at);
        let other = if after.starts_with('A') { "B" } else { "A" };
        let forged: String = before.chars().chain(other.chars()).chain(after.chars().skip(1)).collect();
        assert!(check(&forged).is_err() && !verifier.has_signed(&forged), "{at}");
        assert!(check(before).is_err(), "{at}");
    }
}

#[test]
fn renewed_tokens() {
    let mut keys = keys();
    keys.as_array_mut().unwrap().push(
        json!({"kty": "oct", "alg": "HS256", "kid": "b \"1\"", "iss": "edge", "k": URL_SAFE_NO_PAD.encode([8; 32])}),
    );
    let verifier = verifier(&json!({"keys": keys, "chaining": {"issuer": "edge"}, "acceptTokenIds": true}));
    let renewer = verifier.renewer.as_ref().unwrap();
    let next = |claims_text: &str, path: &str| {
        let claims = claims(&verifier, &signed(claims_text), URI, None, 1000).unwrap();
        renewer.next(&claims, path, 1000)
    };
    let text = |token: &str| {
        let parts: Vec<_> = token
            .split('.')
            .take(2)
            .map(|part| String::from_utf8(playlock_core::token::jws::decode(part).unwrap()).unwrap())
            .collect();
        (parts[0].clone(), parts[1].clone())
    };
    let all = r#","iss":"site","iat":900,"exp":1001.5,"nbf":100,"jti":"é\u0041","sub":"a..b.c.d","cdniets":30.9,"cdnistt":1,"cdnistd":1,"x":[1, 2]"#;
    let renewal = next(all, "/vod/a.m3u8").unwrap();
    assert_eq!(
        text(&renewal.token),
        (
            r#"{"alg":"HS256","kid":"b \"1\""}"#.into(),
            r#"{"cdniuc":"regex:https://edge\\.example/vod/.*","iss":"edge","iat":1000,"exp":1030,"nbf":100,"jti":"é\u0041","sub":"a..b.c.d","cdniets":30.9,"cdnistt":1,"cdnistd":1,"x":[1, 2]}"#.into()
        )
    );
    assert_eq!((renewal.lifetime, &renewal.carrier), (30, &renewal::RenewalCarrier::Cookie("/vod".into())));
    // It verifies, and is renewed in the same way.
    let again = claims(&verifier, &renewal.token, URI, None, 1029).unwrap();
    assert_eq!(claims(&verifier, &renewal.token, URI, None, 1030).err(), Some(Reason::Expired));
    assert_eq!(text(&renewer.next(&again, "/vod/b.ts", 1029).unwrap().token).1.matches("1059").count(), 1);
    // What is missing is not added, except for the end and the issuer.
    let short = next(r#","cdniets":30,"cdnistt":2"#, "/vod/a.m3u8").unwrap();
    assert_eq!(short.carrier, renewal::RenewalCarrier::Query);
    assert!(text(&short.token).1.ends_with(r#""cdnistt":2,"iss":"edge","exp":1030}"#));
    for (claims, path) in [
        ("", "/vod/a.m3u8"),
        (r#","cdniets":30,"cdnistt":0"#, "/vod/a.m3u8"),
        (r#","cdniets":30,"cdnistt":1,"cdnistd":3"#, "/vod/a.m3u8"),
        (r#","cdniets":30,"cdnistt":1,"cdnistd":1"#, "/vod;x/a.m3u8"),
        (r#","cdniets":30,"cdnistt":1,"cdnistd":1"#, "/é/a.m3u8"),
    ] {
        assert_eq!(next(claims, path), None, "{claims} {path}");
    }
}
