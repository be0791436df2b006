//! Signatures by Akamai's own clients: all verify, and the signer makes the same. tests/vectors/README.md has their origin.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use playlock_edgegrid::{Authorization, ClientSecret, Credentials, MAX_BODY, SignedRequest, Signer, verify};
use serde_json::Value;

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

fn credentials(data: &Value) -> Credentials {
    let secret = ClientSecret::new(text(data, "client_secret").into()).unwrap();
    Credentials::new(text(data, "client_token").into(), text(data, "access_token").into(), secret).unwrap()
}

/// Whether the authorization verifies; then the signer must make it, too.
fn verifies(data: &Value, request: &SignedRequest<'_>, max_body: usize, authorization: &str) -> bool {
    let credentials = credentials(data);
    let parsed = Authorization::parse(authorization).unwrap();
    let verified = verify(&parsed, credentials.client_secret(), request, max_body).is_ok();
    let signer = Signer { credentials: &credentials, max_body };
    let signed = signer.sign(request, parsed.timestamp(), parsed.nonce()).unwrap();
    assert!(verified || signed != authorization);
    verified
}

/// The case's headers that are to be signed, in the order that client and server agreed on.
fn headers<'a>(data: &'a Value, case: &'a Value) -> Vec<(&'a str, &'a str)> {
    let sent: Vec<_> =
        case["request"]["headers"].as_array().into_iter().flatten().flat_map(|it| it.as_object().unwrap()).collect();
    let wanted = data["headers_to_sign"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    wanted.filter_map(|name| Some((name, sent.iter().find(|it| it.0 == name)?.1.as_str()?))).collect()
}

fn case_verifies(data: &Value, case: &Value) -> bool {
    let request = &case["request"];
    let headers = headers(data, case);
    let signed = SignedRequest {
        method: text(request, "method"),
        scheme: "https",
        authority: text(data, "base_url").strip_prefix("https://").unwrap().strip_suffix('/').unwrap(),
        target: text(request, "path"),
        headers: &headers,
        body: request["data"].as_str().unwrap_or_default().as_bytes(),
    };
    let max_body = usize::try_from(data["max_body"].as_u64().unwrap()).unwrap();
    verifies(data, &signed, max_body, text(case, "expectedAuthorization"))
}

#[test]
fn edgegrid_python() {
    let data = read(include_str!("vectors/python-data.json"));
    let cases = read(include_str!("vectors/python-cases.json"));
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 15);
    for case in cases {
        assert!(case_verifies(&data, case), "{}", text(case, "testName"));
    }
}

#[test]
fn akamai_edgegrid_of_npm() {
    let data = read(include_str!("vectors/node-data.json"));
    let cases = data["tests"].as_array().unwrap();
    assert_eq!(cases.len(), 13);
    let other: Vec<_> =
        cases.iter().filter(|case| !case_verifies(&data, case)).map(|case| text(case, "testName")).collect();
    // Of this one the package's own test.js expects another signature, that of edgegrid-python.
    assert_eq!(other, ["POST inside limit"]);
}

#[test]
fn bodies_longer_than_what_is_hashed_verify_with_either_cut() {
    let data = read(include_str!("vectors/long-bodies.json"));
    let cases = data["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    let mut by_bytes = 0;
    for case in cases {
        let times = usize::try_from(case["times"].as_u64().unwrap()).unwrap();
        let body = text(case, "text").repeat(times) + text(case, "tail");
        let request = SignedRequest {
            method: "POST",
            scheme: "https",
            authority: text(&data, "host"),
            target: text(&data, "path"),
            headers: &[],
            body: body.as_bytes(),
        };
        assert!(verifies(&data, &request, MAX_BODY, text(case, "authorization")), "{} times {}", case["text"], times);
        let credentials = credentials(&data);
        let signer = Signer { credentials: &credentials, max_body: MAX_BODY };
        let authorization = Authorization::parse(text(case, "authorization")).unwrap();
        let signed = signer.sign(&request, authorization.timestamp(), authorization.nonce()).unwrap();
        by_bytes += usize::from(signed == text(case, "authorization"));
    }
    assert_eq!(by_bytes, 3, "the bodies of one byte per code unit, and that of exactly 131,072 bytes");
}
