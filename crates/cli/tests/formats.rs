//! Access tokens of every format: `playlock token` makes what the filter takes, `inspect` shows every field of it, and
//! `why` names the field that fails.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod common;

use common::{NOW, Ran, Scratch, playlock, run};
use serde_json::{Value, json};

/// The private keys of RFC 7515 appendix A.3 and of RFC 8037 appendix A.1, an RSA key of this test's own, and a secret.
const EC: &str = r#"{"kty": "EC", "kid": "ec", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
const OKP: &str = r#"{"kty": "OKP", "kid": "okp", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#;
const RSA: &str = include_str!("common/rsa.jwk");
const OCT: &str = r#"{"kty": "oct", "kid": "oct", "k": "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8"}"#;
/// The secret of [`OCT`] in hex.
const HEX: &str = "83f4a53082e22162aab02e99d8bee0cb4b117833aab52ac9ac4ec25cdaf9365f";
const URL: &str = "https://edge.example/vod/master.m3u8";

/// A key without its private part.
fn public(key: &str) -> Value {
    let mut key: Value = serde_json::from_str(key).unwrap();
    for private in ["d", "p", "q", "dp", "dq", "qi"] {
        key.as_object_mut().unwrap().remove(private);
    }
    key
}

/// A configuration whose policy takes these formats.
fn config(name: &str, formats: &[(&str, Value)]) -> Scratch {
    let words: Vec<&str> = formats.iter().map(|(word, _)| *word).collect();
    let mut auth = json!({"enabled": true, "formats": words});
    for (word, member) in formats.iter().filter(|(word, _)| *word != "edgeauth") {
        auth[*word] = member.clone();
    }
    if words.contains(&"edgeauth") {
        auth["password"] = json!({"env": "PLAYLOCK_PASSWORD"});
    }
    let document = json!({
        "policies": [{
            "policyName": "vod", "tokenAuth": auth,
            "mediaEncryption": {"enabled": true, "secret": {"env": "PLAYLOCK_SECRET"}},
        }],
        "assignments": [{"policyName": "vod", "path": "/vod/..."}],
    });
    Scratch::new(&format!("formats-{name}.json"), document.to_string())
}

/// A run of `playlock token` for [`URL`].
fn token(options: &[&str]) -> Ran {
    let ran = playlock(&[&["token", "--now", NOW, "--url", URL], options].concat());
    assert_eq!((ran.status, ran.errors.as_str()), (0, ""), "{options:?}: {ran:?}");
    ran
}

fn mediacdn() -> Value {
    json!({"keys": [public(OKP), public(OCT)], "algorithms": ["ed25519", "hmac-sha256", "hmac-sha1"]})
}

/// The setting of every format: its name, settings, the keys that can sign, and options that it has.
fn formats() -> Vec<(&'static str, Value, Vec<&'static str>, Vec<&'static str>)> {
    vec![
        ("mediacdn", mediacdn(), vec![OKP, OCT], vec!["--ip", "203.0.113.0/24", "--payload", "user=42", "--id", "v-7"]),
        (
            "urisigning",
            json!({"keys": [public(EC), public(OKP), public(RSA), public(OCT)], "acceptTokenIds": true, "audience": ["edge"]}),
            vec![EC, OKP, RSA, OCT],
            vec!["--id", "v-7", "--audience", "edge", "--kid", "ec"],
        ),
        (
            "cat",
            json!({"keys": [public(EC), public(OCT)], "audience": ["edge"], "renewal": {"issuer": "edge", "key": public(OCT)}}),
            vec![EC, OCT],
            vec![
                "--id",
                "v-7",
                "--payload",
                "user=42",
                "--issuer",
                "site",
                "--ip",
                "203.0.113.0/24",
                "--start",
                "-1h",
                "--expires",
                "+1h",
                "--renew",
                "5m",
            ],
        ),
        (
            "jwt",
            json!({"keys": [public(EC), public(OKP), public(RSA), public(OCT)], "issuers": ["site"], "audiences": ["edge"],
                "claims": {"paths": "stream.paths", "id": "stream.id", "payload": "https://site.example/data"}}),
            vec![EC, OKP, RSA, OCT],
            vec!["--id", "v-7", "--payload", "user=42", "--start", "-1h", "--expires", "+1h"],
        ),
    ]
}

#[test]
fn what_it_makes_opens_the_stream_with_every_key() {
    for (format, settings, keys, options) in formats() {
        let config = config(format, &[(format, settings)]);
        for (index, key) in keys.iter().enumerate() {
            let file = Scratch::new("key.jwk", key);
            let given = ["--config", config.path(), "--key-file", file.path()];
            for scope in [&[][..], &["--acl", "/vod/*"], &["--acl", "/no/*", "--acl", "/vod/*"]] {
                // A CAT has one path.
                if format == "cat" && scope.len() > 2 {
                    continue;
                }
                let more = if index == 0 { options.as_slice() } else { &[] };
                let url = token(&[&given[..], scope, more].concat()).text().trim().to_owned();
                let why = ["why", &url, "--config", config.path(), "--now", NOW, "--ip", "203.0.113.7"];
                let why = playlock(&why);
                assert_eq!(why.status, 0, "{format} {key} {scope:?}: {}", why.text());
                let inspected = playlock(&["inspect", &url, "--config", config.path(), "--now", NOW]);
                assert_eq!(inspected.status, 0, "{format} {key} {scope:?}: {inspected:?}");
                assert!(inspected.text().contains("valid under the policy \"vod\"\n"), "{inspected:?}");
            }
        }
    }
}

#[test]
fn the_key_is_the_policys_or_one_that_is_given() {
    let oct = |settings: Value| config("oct", &[("edgeauth", Value::Null), ("mediacdn", settings)]);
    let both = oct(mediacdn());
    let made = |options: &[&str]| token(options).json();
    let of_policy = made(&["--config", both.path(), "--format", "mediacdn", "--json"]);
    assert_eq!(
        (of_policy["name"].as_str(), of_policy["format"].as_str()),
        (Some("edge-cache-token"), Some("mediacdn"))
    );
    let given = made(&["--key", HEX, "--format", "mediacdn", "--json"]);
    assert_eq!(given["token"], of_policy["token"], "the first key that can sign is the secret");
    assert_eq!(made(&["--config", both.path(), "--json"])["format"], "edgeauth", "the policy's first format");
    let set = Scratch::new("set.jwk", format!("{{\"keys\": [{}, {OCT}]}}", public(OKP)));
    assert_eq!(made(&["--key-file", set.path(), "--format", "mediacdn", "--json"])["token"], of_policy["token"]);
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let okp = Scratch::new("okp.jwk", OKP);
    assert_eq!(
        made(&["--key", seed, "--algorithm", "ed25519", "--format", "mediacdn", "--json"])["token"],
        made(&["--key-file", okp.path(), "--format", "mediacdn", "--json"])["token"],
    );
    let publics = oct(json!({"keys": [public(OKP)]}));
    for (options, part) in [
        (&["--config", publics.path(), "--format", "mediacdn"][..], "has no key of mediacdn that can sign"),
        (&["--config", both.path(), "--format", "jwt"], "takes no jwt tokens; expected one of: edgeauth, mediacdn"),
        (&["--config", both.path(), "--format", "md5"], "expected one of: edgeauth, cat, urisigning, jwt, mediacdn"),
        (&["--key", HEX, "--renew", "5m"], "--renew: edgeauth tokens have no such claim"),
        (&["--key", HEX, "--header", "a: b"], "expected a format of: mediacdn"),
        (&["--key", HEX, "--ip", "203.0.113.0/24"], "--ip: a network"),
        (&["--key-file", okp.path()], "the key is for eddsa, not for sha256"),
        (&["--key", HEX, "--algorithm", "es256", "--format", "jwt"], "expected a JSON Web Key"),
        (&["--key", HEX, "--format", "cat", "--acl", "/a*/b"], "wildcards within one"),
    ] {
        let ran = playlock(&[&["token", "--now", NOW, "--url", URL], options].concat());
        assert_eq!((ran.status, ran.text()), (2, ""), "{ran:?}");
        assert!(ran.errors.contains(part), "{part}: {ran:?}");
    }
    let unfit = Scratch::new("public.jwk", public(EC).to_string());
    let ran = playlock(&["token", "--acl", "/*", "--format", "jwt", "--key-file", unfit.path()]);
    assert!(ran.status == 2 && ran.errors.contains("a JSON Web Key that cannot sign: no d"), "{ran:?}");
}

/// The token of these options, the options that it is inspected with, and what must be in the result.
fn shown(format: &str, settings: Value, key: &str, options: &[&str], parts: &[&str]) {
    let config = config(&format!("shown-{format}"), &[(format, settings)]);
    let file = Scratch::new("key.jwk", key);
    let made = [&["--config", config.path(), "--key-file", file.path(), "--json"], options].concat();
    let made = token(&made).json();
    let sent = made["token"].as_str().unwrap();
    let named = format!("{}={sent}", made["name"].as_str().unwrap());
    for what in [sent, &named] {
        let ran = playlock(&["inspect", what, "--now", NOW]);
        assert_eq!(ran.status, 0, "{ran:?}");
        for part in parts {
            assert!(ran.text().contains(part), "{part}: {ran:?}");
        }
    }
    let forged = sent.replace("vod", "vox");
    if forged != *sent {
        let ran =
            playlock(&["inspect", &forged, "--now", NOW, "--config", config.path(), "--url", URL, "--header", "X: 1"]);
        assert!(ran.status == 1 && ran.text().contains("signature: "), "{ran:?}");
    }
    let escaped = named.replace('%', "%25").replace('/', "%2f");
    for in_path in [format!("/~{escaped}/vod/master.m3u8"), format!("/vod/master.m3u8;{escaped}")] {
        let url = format!("https://edge.example{in_path}");
        let ran = playlock(&["inspect", &url, "--now", NOW, "--config", config.path(), "--header", "X: 1"]);
        assert_eq!(ran.status, 0, "{ran:?}");
        assert!(ran.text().contains("  path         /vod/master.m3u8\n"), "{ran:?}");
        assert!(ran.text().contains("valid under the policy \"vod\"\n"), "{ran:?}");
    }
}

#[test]
fn inspect_shows_every_field() {
    shown(
        "mediacdn",
        mediacdn(),
        OKP,
        &[
            "--acl",
            "/vod/*",
            "--start",
            "-1h",
            "--expires",
            "+1h",
            "--id",
            "v-7",
            "--payload",
            "user=42",
            "--header",
            "X: 1",
            "--ip",
            "203.0.113.7",
        ],
        &[
            "access token (Media CDN)\n",
            "PathGlobs=/vod/*",
            "everything below /vod/",
            "Starts=1699996400",
            "valid from 2023-11-14 21:13:20 +00:00, 1 h ago",
            "Expires=1700003600",
            "valid until 2023-11-14 23:13:20 +00:00, in 1 h",
            "SessionID=v-7",
            "id of the token, for revocation",
            "payload: user=42",
            "Headers=X",
            "only for addresses in 203.0.113.7",
            "Signature=…",
            "Ed25519",
        ],
    );
    shown(
        "mediacdn",
        mediacdn(),
        OCT,
        &["--acl", "https://edge.example/vod/*"],
        &["every URL that begins with https://edge.example/vod/", "hmac=…", "HMAC-SHA-256"],
    );
    shown(
        "urisigning",
        json!({"keys": [public(EC)], "acceptTokenIds": true, "audience": ["edge"]}),
        EC,
        &["--acl", "/vod/*", "--id", "v-7", "--audience", "edge"],
        &[
            "access token (URI Signing)\n",
            "alg=ES256",
            "kid=ec",
            "aud=edge",
            "exp=1700000300",
            "jti=v-7",
            "cdniv=1",
            "cdniuc=regex:[^:]*://[^/]*(/vod/.*)",
            "every URL that matches the expression as a whole",
        ],
    );
}

#[test]
fn inspect_shows_the_claims_of_a_json_web_token() {
    shown(
        "jwt",
        json!({"keys": [public(OKP)], "issuers": ["https://site.example"], "audiences": ["edge"]}),
        OKP,
        &["--acl", "/vod/*!/live/a.m3u8", "--start", "-1h", "--expires", "+1h", "--id", "v-7", "--payload", "user=42"],
        &[
            "access token (JSON Web Token)\n",
            "alg=EdDSA",
            "kid=okp",
            "iss=https://site.example",
            "aud=edge",
            "nbf=1699996400",
            "valid until 2023-11-14 23:13:20 +00:00, in 1 h",
            "jti=v-7",
            "sub=user=42",
            "everything below /vod/; only /live/a.m3u8",
        ],
    );
}

#[test]
fn inspect_shows_the_claims_of_a_common_access_token() {
    shown(
        "cat",
        json!({"keys": [public(EC)], "audience": ["edge"]}),
        EC,
        &[
            "--acl",
            "/vod/*",
            "--start",
            "-1h",
            "--expires",
            "+1h",
            "--id",
            "v-7",
            "--payload",
            "user=42",
            "--issuer",
            "site",
            "--ip",
            "203.0.113.0/25",
        ],
        &[
            "access token (Common Access Token)\n",
            "alg=ES256",
            "kid=ec",
            "iss=site",
            "sub=user=42",
            "aud=edge",
            "valid until 2023-11-14 23:13:20 +00:00, in 1 h",
            "nbf=1699996400",
            "id of the token, for revocation: v-7",
            "catnip=[52([25, h'cb0071'])]",
            "catu={3: {1: \"/vod/\"}}",
            "ECDSA on P-256",
        ],
    );
}

#[test]
fn inspect_asks_for_what_the_signature_covers() {
    let config = config("covers", &[("mediacdn", mediacdn())]);
    let made = |options: &[&str]| {
        let all = [&["--config", config.path(), "--json"], options].concat();
        token(&all).json()["token"].as_str().unwrap().to_owned()
    };
    for (sent, part) in [
        (made(&[]), "expected that URL with --url"),
        (made(&["--acl", "/vod/*", "--header", "X: 1"]), "expected them with --header"),
    ] {
        let ran = playlock(&["inspect", &sent, "--now", NOW, "--config", config.path()]);
        assert!(ran.status == 1 && ran.text().contains(part), "{ran:?}");
        let all = ["inspect", &sent, "--now", NOW, "--config", config.path(), "--url", URL, "--header", "X: 1"];
        assert_eq!(playlock(&all).status, 0, "{sent}");
    }
}

#[test]
fn why_names_the_field_that_fails() {
    for (format, settings, key, options, asked, part) in [
        ("mediacdn", mediacdn(), OKP, &["--expires", "-1h"][..], &[][..], "times: expired, by Expires"),
        ("mediacdn", mediacdn(), OKP, &["--start", "+1h"], &[], "times: early, by Starts"),
        (
            "mediacdn",
            mediacdn(),
            OKP,
            &["--ip", "192.0.2.1"],
            &[],
            "audience, address, header, fingerprint, revocation: ip, by IPRanges",
        ),
        ("mediacdn", mediacdn(), OKP, &["--header", "X: 1"], &[], "header: header, by Headers"),
        ("mediacdn", mediacdn(), OKP, &["--header", "X: 1"], &["--header", "X: 2"], "signature: signature"),
        ("mediacdn", mediacdn(), OKP, &["--acl", "/no/*"], &[], "path: path, by PathGlobs"),
        ("mediacdn", mediacdn(), OKP, &["--acl", "https://h/"], &[], "path: path, by URLPrefix"),
        ("mediacdn", json!({"keys": [public(OKP)]}), OCT, &[], &[], "signature: algorithm"),
        ("urisigning", json!({"keys": [public(EC)]}), EC, &["--expires", "-1h"], &[], "times: expired, by exp"),
        ("urisigning", json!({"keys": [public(EC)]}), EC, &["--start", "+1h"], &[], "times: early, by nbf"),
        ("urisigning", json!({"keys": [public(EC)]}), EC, &["--acl", "/no/*"], &[], "path: path, by cdniuc"),
        ("cat", json!({"keys": [public(EC)]}), EC, &["--expires", "-1h"], &[], "times: expired, by exp"),
        ("cat", json!({"keys": [public(EC)]}), EC, &["--start", "+1h"], &[], "times: early, by nbf"),
        ("cat", json!({"keys": [public(EC)]}), EC, &["--ip", "2001:db8::/32"], &[], "ip, by catnip"),
        ("cat", json!({"keys": [public(EC)]}), EC, &["--acl", "/no/*"], &[], "path: path, by catu"),
        ("jwt", json!({"keys": [public(EC)]}), EC, &["--expires", "-1h"], &[], "times: expired, by exp"),
        ("jwt", json!({"keys": [public(EC)]}), EC, &["--start", "+1h"], &[], "times: early, by nbf"),
        ("jwt", json!({"keys": [public(EC)]}), EC, &["--acl", "/no/*"], &[], "path: path, by paths"),
        ("jwt", json!({"keys": [public(EC)]}), EC, &["--audience", "x"], &[], "audience, by aud"),
    ] {
        let config = config(&format!("why-{format}"), &[(format, settings)]);
        let file = Scratch::new("key.jwk", key);
        let all = ["token", "--now", NOW, "--url", URL, "--config", config.path(), "--key-file", file.path()];
        let made = run(&[&all[..], options].concat(), &[], &Default::default());
        assert_eq!(made.status, 0, "{made:?}");
        let why = ["why", made.text().trim(), "--config", config.path(), "--now", NOW, "--ip", "203.0.113.7"];
        let why = playlock(&[&why[..], asked].concat());
        assert!(why.status == 1 && why.text().contains(&format!("{part}\n")), "{part}: {}", why.text());
    }
}
