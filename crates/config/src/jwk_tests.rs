//! Keys of access tokens, and the settings of JSON Web Tokens.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Value, json};

use super::{ConfigError, parse as parse_with};

const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const EDWARDS: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const SECRET: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0g";

fn modulus(bytes: usize, lowest: u8) -> String {
    use base64::Engine;
    let mut modulus = alloc::vec![0xfe; bytes];
    modulus[bytes - 1] = lowest;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(modulus)
}

fn read(jwt: &Value) -> Result<Vec<String>, ConfigError> {
    let document = json!({
        "policies": [{
            "policyName": "p",
            "tokenAuth": {"enabled": true, "formats": ["jwt"], "jwt": jwt},
            "mediaEncryption": {"enabled": true, "secret": {"env": "SECRET"}},
        }],
        "assignments": [],
    });
    let env = |name: &str| match name {
        "SECRET" => Some("00112233445566778899aabbccddeeff".into()),
        "K" => Some(SECRET.into()),
        "SHORT" => Some("AAAA".into()),
        _ => None,
    };
    parse_with(document.to_string().as_bytes(), &env).map(|(_, warnings)| warnings)
}

#[test]
fn keys_of_every_type_are_read() {
    let keys = json!([
        {"kty": "oct", "k": {"env": "K"}},
        {"kty": "oct", "k": {"env": "K"}, "kid": "a", "alg": "HS256", "use": "sig", "key_ops": ["sign", "verify"]},
        {"kty": "EC", "crv": "P-256", "x": X, "y": Y, "alg": "ES256", "ext": true, "key_ops": ["verify"]},
        {"kty": "OKP", "crv": "Ed25519", "x": EDWARDS, "alg": "EdDSA", "iss": "https://login.example"},
        {"kty": "OKP", "crv": "Ed25519", "x": EDWARDS, "alg": "Ed25519"},
        {"kty": "RSA", "n": modulus(256, 1), "e": "AQAB", "alg": "RS256", "x5t": "AA", "x5c": ["AA"], "x5t#S256": "AA", "x5u": ""},
        {"kty": "RSA", "n": modulus(512, 1), "e": "Aw"},
    ]);
    let warnings = read(&json!({"keys": keys})).unwrap();
    assert!(warnings.iter().all(|warning| warning.contains("keys[1].k: in the policy")), "{warnings:?}");
    assert_eq!(read(&json!({"keys": {"keys": keys}})).map(|warnings| warnings.len()), Ok(1));
    let warnings = read(&json!({"keys": [{"kty": "oct", "k": {"env": "SHORT"}}]})).unwrap();
    assert!(warnings[0].starts_with("policies[0].tokenAuth.jwt.keys[0].k: 3 bytes in the policy"), "{warnings:?}");
}

#[test]
fn errors_name_the_member_and_show_no_secret() {
    let oct = |more: Value| with(json!({"kty": "oct", "k": SECRET}), more);
    let curve = |more: Value| with(json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y}), more);
    let edwards = |more: Value| with(json!({"kty": "OKP", "crv": "Ed25519", "x": EDWARDS}), more);
    let rsa = |more: Value| with(json!({"kty": "RSA", "n": modulus(256, 1), "e": "AQAB"}), more);
    for (key, member) in [
        (oct(json!({"k": null})), ".k"),
        (oct(json!({"k": ""})), ".k"),
        (oct(json!({"k": "AAAA="})), ".k"),
        (oct(json!({"k": "AA+/"})), ".k"),
        (oct(json!({"k": {"env": "UNSET"}})), ".k"),
        (oct(json!({"alg": "HS512"})), ".alg"),
        (oct(json!({"alg": "none"})), ".alg"),
        (oct(json!({"alg": "RS256"})), ".alg"),
        (oct(json!({"use": "enc"})), ".use"),
        (oct(json!({"key_ops": ["encrypt"]})), ".key_ops"),
        (oct(json!({"key_ops": []})), ".key_ops"),
        (oct(json!({"kid": ""})), ".kid"),
        (oct(json!({"iss": ""})), ".iss"),
        (oct(json!({"crv": "P-256"})), ".crv"),
        (oct(json!({"n": "AQAB"})), ".n"),
        (oct(json!({"d": SECRET})), ".d"),
        (curve(json!({"crv": "P-384"})), ".crv"),
        (curve(json!({"crv": null})), ".crv"),
        (curve(json!({"x": Y, "y": X})), ".x"),
        (curve(json!({"x": null})), ".x"),
        (curve(json!({"y": null})), ".y"),
        (curve(json!({"y": Y.get(1..)})), ".y"),
        (curve(json!({"d": X})), ".d"),
        (curve(json!({"k": SECRET})), ".k"),
        (curve(json!({"alg": "HS256"})), ".alg"),
        (edwards(json!({"crv": "X25519"})), ".crv"),
        (edwards(json!({"x": "A".repeat(43)})), ".x"),
        (edwards(json!({"y": Y})), ".y"),
        (rsa(json!({"n": modulus(128, 1)})), ".n"),
        (rsa(json!({"n": modulus(513, 1)})), ".n"),
        (rsa(json!({"n": modulus(256, 2)})), ".n"),
        (rsa(json!({"e": "AQ"})), ".e"),
        (rsa(json!({"e": "Ag"})), ".e"),
        (rsa(json!({"e": null})), ".e"),
        (rsa(json!({"d": SECRET})), ""),
        (rsa(json!({"p": SECRET})), ""),
        (rsa(json!({"alg": "PS256"})), ".alg"),
        (json!({"kty": "RSA", "e": "AQAB"}), ".n"),
        (json!({"kty": "oct", "k": SECRET, "password": "x"}), "*"),
        (json!({"kty": "AKP"}), "*"),
        (json!({"k": SECRET}), "*"),
        (json!({"kty": "oct", "k": 7}), "*"),
    ] {
        let error = read(&json!({"keys": [key]})).expect_err(&key.to_string());
        let path = "policies[0].tokenAuth.jwt.keys[0]";
        let fits = if member == "*" {
            error.path.starts_with(path)
        } else {
            error.path == format_args!("{path}{member}").to_string()
        };
        assert!(fits && !error.to_string().contains(SECRET), "{key}: {error}");
    }
    let key = json!({"kty": "oct", "k": {"env": "K"}});
    let claims = |claims: Value| json!({"keys": [key], "claims": claims});
    for (jwt, member) in [
        (json!({}), "keys"),
        (json!({"keys": []}), "keys"),
        (json!({"keys": {"keys": []}}), "keys.keys"),
        (json!({"keys": [key, key, key, key, key, key, key, key, key]}), "keys"),
        (json!({"keys": {"keys": [key], "more": 1}}), "keys"),
        (json!({"keys": [key], "metadata": {"key": "payload"}}), "metadata"),
        (json!({"metadata": {"key": ""}}), "metadata.key"),
        (json!({"metadata": {"key": "a\u{0}b"}}), "metadata.key"),
        (json!({"metadata": {"key": "a", "namespace": ""}}), "metadata.namespace"),
        (json!({"metadata": {"key": "a"}, "issuers": ["b"]}), "issuers"),
        (json!({"metadata": {"key": "a"}, "audiences": ["b"]}), "audiences"),
        (json!({"metadata": {"key": "a"}, "maxAge": "1m"}), "maxAge"),
        (json!({"keys": [key], "issuers": [""]}), "issuers"),
        (json!({"keys": [key], "audiences": ["a", ""]}), "audiences"),
        (claims(json!({"paths": "a..b"})), "claims.paths"),
        (claims(json!({"id": ""})), "claims.id"),
        (claims(json!({"payload": "a\n"})), "claims.payload"),
        (claims(json!({"other": "a"})), "claims.other"),
        (json!({"keys": [key], "parameter": "a b"}), "parameter"),
        (json!({"keys": [key], "parameter": "hdntl"}), "parameter"),
        (json!({"keys": [key], "header": "a:b"}), "header"),
        (json!({"keys": [key], "pathsAre": "globs"}), "pathsAre"),
    ] {
        let error = read(&jwt).expect_err(&jwt.to_string());
        let path = alloc::format!("policies[0].tokenAuth.jwt.{member}");
        assert!(error.path.starts_with(&path) && !error.to_string().contains(SECRET), "{jwt}: {error}");
    }
}

/// The key with members replaced, or removed if they are null.
fn with(mut key: Value, more: Value) -> Value {
    let members = key.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    key
}
