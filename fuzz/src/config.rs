//! Property of configurations: no document panics; a rejected one has an existing JSON path and shows no secret; an
//! accepted one serves requests, and is accepted in any formatting. All errors are found where one is, and that one is
//! among them.

use std::rc::Rc;

use playlock_config::{ConfigError, Finding};
use playlock_core::policy::Policies;
use serde_json::Value;

use crate::edge::{self, Asked, header};
use crate::site::NOW;

/// The keys of tests/cases/sealed.toml, and what they have sealed there.
const SEAL_KEY: &str = "32d1e36fc88fc7a9c78d23d8a107f8bcefdbabefef454adcf31c6e882bcff6bb";
const PREVIOUS_SEAL_KEY: &str = "f8339cfb4866684abec1acdba2cfd5ae89e0abb8a89499b2b66d9d50d9cbec9c";
const SEALED: [&str; 2] =
    ["52a152a152a152a152a152a152a152a1", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"];

/// Input: a document.
pub fn property(input: &[u8]) {
    // As the proxy has them.
    let env = |name: &str| match name {
        "PLAYLOCK_SEAL_KEY" => Some(SEAL_KEY.to_owned()),
        "PLAYLOCK_SEAL_KEY_PREVIOUS" => Some(PREVIOUS_SEAL_KEY.to_owned()),
        _ => name.starts_with("PLAYLOCK_").then(|| "00112233445566778899aabbccddeeff".to_owned()),
    };
    let parsed = playlock_config::parse(input, &env);
    let value: Option<Value> = serde_json::from_slice(input).ok();
    let shown = match &parsed {
        Ok((policies, warnings)) => format!("{policies:?} {warnings:?}"),
        Err(error) => format!("{error} {error:?}"),
    };
    let text = String::from_utf8_lossy(input);
    let sealed = SEALED.into_iter().filter(|secret| !text.contains(secret));
    for secret in value.iter().flat_map(secrets).chain(sealed) {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
    let found = playlock_config::check(input, playlock_config::Env::new(&env));
    let said = format!("{found:?}");
    for secret in value.iter().flat_map(secrets) {
        assert!(!said.contains(secret), "{secret} is shown");
    }
    assert_eq!(found.errors.is_empty(), parsed.is_ok(), "{said}");
    match parsed {
        Err(error) => {
            refused(&error, None);
            let is_it = |it: &Finding| it.path == error.path && it.message == error.message;
            assert!(found.errors.len() >= 100 || found.errors.iter().any(is_it), "{error}: {said}");
            // Laid out anew: a member that came twice is there once, so that a path leads to one place.
            let again = value.as_ref().map(|value| (value, serde_json::to_vec(value).expect("JSON")));
            if let Some((value, laid_out)) = again
                && let Err(error) = playlock_config::parse(&laid_out, &env)
            {
                refused(&error, Some(value));
                for Finding { path, message, .. } in
                    playlock_config::check(&laid_out, playlock_config::Env::new(&env)).errors
                {
                    refused(&ConfigError { path, message, unset: None }, Some(value));
                }
            }
        }
        Ok((policies, warnings)) => {
            accepted(policies);
            if let Some(value) = value {
                // JSON says nothing of blanks and of the order of members.
                for laid_out in [serde_json::to_vec(&value), serde_json::to_vec_pretty(&value)] {
                    let again = playlock_config::parse(&laid_out.expect("JSON"), &env);
                    assert_eq!(again.expect("accepted before").1, warnings);
                }
            }
        }
    }
}

fn refused(error: &ConfigError, value: Option<&Value>) {
    assert!(!error.path.is_empty() && !error.message.is_empty());
    assert!(error.path != "?" && !error.path.ends_with(".?"), "{error}");
    if let Some(value) = value
        && error.path != "$"
    {
        assert!(leads(value, &error.path), "{:?} is no path of this document: {error}", error.path);
    }
}

/// Whether a path leads to a place of the document, or to a member of one that is not there.
fn leads(value: &Value, path: &str) -> bool {
    if path.is_empty() {
        return true;
    }
    // A dot stands before a member that is not the first, or a name begins with it.
    path.strip_prefix('.').is_some_and(|below| leads_as_it_stands(value, below)) || leads_as_it_stands(value, path)
}

fn leads_as_it_stands(value: &Value, path: &str) -> bool {
    match value {
        Value::Array(values) => {
            let Some((index, rest)) = path.strip_prefix('[').and_then(|path| path.split_once(']')) else {
                return false;
            };
            index.parse().ok().and_then(|index: usize| values.get(index)).is_some_and(|value| leads(value, rest))
        }
        Value::Object(members) => {
            let below = members.iter().any(|(name, value)| {
                let rest = path.strip_prefix(written(name).as_str());
                rest.is_some_and(|rest| (rest.is_empty() || rest.starts_with(['.', '['])) && leads(value, rest))
            });
            below || path.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        }
        _ => false,
    }
}

/// A member's name as paths have it.
fn written(name: &str) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-#".contains(&byte));
    if plain && !name.is_empty() { name.into() } else { format!("[\"{}\"]", name.escape_default()) }
}

/// Secrets that stand nowhere else in the document: long enough not to be there by chance.
fn secrets(document: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    for policy in document["policies"].as_array().into_iter().flatten() {
        let members = [
            ("tokenAuth", "password"),
            ("tokenAuth", "transitionPassword"),
            ("mediaEncryption", "secret"),
            ("mediaEncryption", "transitionSecret"),
            ("mediaEncryption", "key"),
        ];
        found.extend(members.iter().filter_map(|(parent, member)| policy[*parent][*member].as_str()));
    }
    let text = document.to_string();
    found.retain(|secret| {
        let plain = secret.len() >= 16 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain && text.matches(*secret).count() == 1
    });
    found
}

/// Asks an accepted configuration.
fn accepted(policies: Policies) {
    assert!(policies.unassigned().count() <= policies.len());
    assert!(policies.idle_assignments(NOW).count() <= policies.assignments());
    let _ = policies.geo_headers_read().count();
    let policies = Rc::new(policies);
    let cookies = [header("cookie", "hdntl=x"), header("origin", "https://tv.example"), header("range", "bytes=0-1")];
    for target in ["/", "/vod/a/master.m3u8", "/vod/a/1.ts?hdnts=x", "/serve.key?plk=key~dm9k~x~0~y", "/vod/a%2fb"] {
        match edge::get(&policies, target.as_bytes(), &cookies) {
            Asked::Forwarded(mut exchange, _) => {
                let head = [header(":status", "200"), header("content-type", "application/vnd.apple.mpegurl")];
                let _ = exchange.on_response_head(&head, false);
                let _ = exchange.on_body(b"#EXTM3U\n#EXTINF:4,\n1.ts\n#EXT-X-ENDLIST\n".to_vec(), true);
            }
            Asked::Answered(exchange, reply) => assert!(exchange.reason().is_some() || reply.status < 400),
        }
    }
}
