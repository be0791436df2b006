//! All errors and warnings of documents and of single policies, by their JSON paths.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use playlock_config::{Env, Finding, check, check_policy, parse};
use serde_json::{Value, json};

const SECRET: &str = "52a152a152a152a152a152a152a152a1";
const OTHER: &str = "000102030405060708090a0b0c0d0e0f";

fn env(name: &str) -> Option<String> {
    match name {
        "PASSWORD" => Some(SECRET.into()),
        "SECRET" => Some(OTHER.into()),
        _ => None,
    }
}

fn good(name: &str) -> Value {
    json!({"policyName": name, "tokenAuth": {"enabled": true, "password": {"env": "PASSWORD"}},
        "mediaEncryption": {"enabled": true, "secret": {"env": "SECRET"}}})
}

fn errors(document: &Value) -> Vec<(String, Option<usize>)> {
    check(document.to_string().as_bytes(), Env::new(&env)).errors.into_iter().map(|it| (it.path, it.policy)).collect()
}

/// The members of an altered good policy and the paths of its errors, in order.
#[test]
fn every_error_of_a_policy_is_found_at_its_path() {
    for (members, expected) in [
        (json!({}), &[][..]),
        // Unknown members, wrong types and unknown words at any depth.
        (json!({"a": 1, "b": 2, "cors": {"c": 1, "allowOrigins": ["*"]}}), &["a", "b", "cors.c"]),
        (json!({"a b": 1, "": 1, "a.b[0]\"]": 1}), &["[\"\"]", "[\"a b\"]", "[\"a.b[0]\\\"]\"]"]),
        (
            json!({"tokenAuth": {"enabled": "yes", "sessionTtl": 5, "formats": ["edgeauth", "edgauth", 7], "pasword": 1}}),
            &[
                "tokenAuth.enabled",
                "tokenAuth.formats[1]",
                "tokenAuth.formats[2]",
                "tokenAuth.pasword",
                "tokenAuth.sessionTtl",
            ],
        ),
        (
            json!({"mediaEncryption": {"enabled": true, "keyScope": "sessions", "scheme": 1, "secret": 5}}),
            &["mediaEncryption.keyScope", "mediaEncryption.scheme", "mediaEncryption.secret"],
        ),
        (json!({"mediaEncryption": {"enabled": true, "secret": {"file": "x"}}}), &["mediaEncryption.secret.file"]),
        (
            json!({"mediaEncryption": {"enabled": true, "keyRotation": {"time": "1s", "segments": 1}}}),
            &["mediaEncryption.keyRotation"],
        ),
        (json!({"policyName": 5, "policyId": -1, "cors": []}), &["cors", "policyId", "policyName"]),
        (json!({"policyName": null, "x": 1, "cors": {"allowOrigins": []}}), &["policyName", "x", "cors.allowOrigins"]),
        (json!({"tokenAuth": {"x": 1}}), &["tokenAuth.x", "tokenAuth.enabled"]),
        (
            json!({"contentTargeting": {"enabled": true, "geoProtection": {"enabled": true, "mode": "deny",
                "regions": [{"regionCode": "CA"}, 5, {"countryCode": "US", "regionCode": "CA"}]}}}),
            &[
                "contentTargeting.geoProtection.mode",
                "contentTargeting.geoProtection.regions[0].countryCode",
                "contentTargeting.geoProtection.regions[1]",
            ],
        ),
        // Values, the first of each section.
        (
            json!({"policyName": "", "keyName": "\n", "tokenAuth": {"enabled": true, "password": "00f", "sessionAcl": " "},
                "contentTargeting": {"enabled": true, "ipAccess": {"enabled": true, "mode": "DENY", "ips": ["1.2.3"]}},
                "revocation": {"sessionsOpenedBefore": "x"}, "playlistPaths": ["a"], "cors": {"allowOrigins": ["a"]}}),
            &[
                "policyName",
                "keyName",
                "contentTargeting.ipAccess.ips[0]",
                "tokenAuth.password",
                "tokenAuth.sessionAcl",
                "playlistPaths[0]",
                "revocation.sessionsOpenedBefore",
                "cors.allowOrigins[0]",
            ],
        ),
        (
            json!({"mediaEncryption": {"enabled": true, "secret": "00"}, "playerVerification": {"enabled": true, "players": [{"hash": ""}]}}),
            &["mediaEncryption.secret"],
        ),
        (
            json!({"mediaEncryption": {"enabled": true, "secret": {"env": "SECRET"}, "keyPath": "x"},
                "playerVerification": {"enabled": true, "players": [{"hash": ","}, {"hash": "a"}, {"hash": "~"}]}}),
            &["playerVerification.players[0].hash", "mediaEncryption.keyPath", "playerVerification.players[2].hash"],
        ),
        // Every item of a list, at its position in the document.
        (
            json!({"cors": {"allowOrigins": ["https://a.example", "b", "https://c.example", "d", 5, "e"]}}),
            &["cors.allowOrigins[4]"],
        ),
        (
            json!({"cors": {"allowOrigins": ["https://a.example", "b", "https://c.example", "d", "e"]}}),
            &["cors.allowOrigins[1]", "cors.allowOrigins[3]", "cors.allowOrigins[4]"],
        ),
        (json!({"cors": {"allowOrigins": ["b"]}}), &["cors.allowOrigins[0]"]),
        // Nothing follows from a wrong type in a member that others depend on; other sections are checked.
        (
            json!({"tokenAuth": {"enabled": true, "password": 5}, "mediaEncryption": {"enabled": true, "secret": "00"},
                "cors": {"allowOrigins": []}}),
            &["tokenAuth.password", "cors.allowOrigins"],
        ),
    ] {
        let mut policy = good("vod");
        for (name, value) in members.as_object().unwrap() {
            policy[name] = value.clone();
        }
        let found = check_policy(policy.to_string().as_bytes(), Env::new(&env)).errors;
        let paths: Vec<&str> = found.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, expected, "{policy}");
        assert!(found.iter().all(|it| it.policy.is_none() && !it.message.contains("policies[")), "{found:?}");
        // In a document, between two good policies.
        let document = json!({"policies": [good("a"), policy, good("c")], "assignments": []});
        let below = |path: &&str| {
            let dot = if path.starts_with('[') { "" } else { "." };
            (format!("policies[1]{dot}{path}"), Some(1))
        };
        assert_eq!(errors(&document), expected.iter().map(below).collect::<Vec<_>>(), "{policy}");
    }
}

#[test]
fn the_policy_itself_may_be_none() {
    for (text, path) in [("{", "$"), ("[]", "$"), ("5", "$"), ("{}", "policyName")] {
        let found = check_policy(text.as_bytes(), Env::new(&env));
        assert_eq!(found.errors.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), [path], "{text}");
        assert_eq!(found.errors[0].policy, None);
    }
    let twice = r#"{"policyName": "a", "policyName": 5, "cors": {"x": 1, "x": 2, "allowOrigins": ["*"]}}"#;
    let found = check_policy(twice.as_bytes(), Env::new(&env)).errors;
    let found: Vec<_> = found.iter().map(|it| (it.path.as_str(), it.message.split(' ').next().unwrap())).collect();
    assert_eq!(found, [("policyName", "found"), ("cors.x", "unknown")]);
}

#[test]
fn errors_hide_none_of_others() {
    let document = json!({
        "default": "allow", "polices": [], "tokenPathMarker": "a", "geoHeaders": {"country": "cookie"},
        "policies": [
            {"policyName": "bad", "policyId": 7, "tokenAuth": {"enabled": true, "password": "xyzzy"}},
            good("vod"), 5, good("vod"),
            {"policyName": "renamed", "keyName": "vod", "mediaEncryption": {"enabled": true, "secret": {"env": "SECRET"}}},
            {"policyName": "held", "tokenAuth": {"enabled": true, "password": {"env": "UNSET"}}},
            {"policyName": "dash", "mediaEncryption": {"enabled": true, "secret": {"env": "SECRET"}, "scheme": "cbcs"}}],
        "assignments": [
            {"policyName": "bad", "path": "/bad"}, {"policyId": 7, "path": "/seven"},
            {"policyName": "vod", "path": "/vod"}, {"policyName": "held", "path": "/held", "hosts": []},
            {"policyName": "none", "path": "vod", "host": "*.com", "startTime": "x"},
            {"policyName": "vod", "path": "/vod/..."}, 5, {"policyName": "vod"},
            {"policyName": "vod", "path": "/a", "host": "*.tv.example"}, {"policyName": "vod", "path": "/vod/"},
            {"policyName": "vod", "path": "/a/", "host": "*.TV.example"}]});
    let expected = [
        ("default", None),
        ("polices", None),
        ("geoHeaders.country", None),
        ("tokenPathMarker", None),
        ("policies[0].tokenAuth.password", Some(0)),
        ("policies[2]", Some(2)),
        ("policies[5].tokenAuth.password", Some(5)),
        ("assignments[3].hosts", None),
        ("assignments[4].policyName", None),
        ("assignments[4].path", None),
        ("assignments[4].host", None),
        ("assignments[4].startTime", None),
        ("assignments[6]", None),
        ("assignments[7].path", None),
        ("policies[3].policyName", Some(3)),
        ("policies[4].keyName", Some(4)),
        ("assignments[5].path", None),
        ("assignments[9].path", None),
        ("assignments[10].path", None),
        ("policies[6].mediaEncryption.scheme", Some(6)),
    ];
    let found = errors(&document);
    let found: BTreeSet<_> = found.iter().map(|(path, policy)| (path.as_str(), *policy)).collect();
    let expected: BTreeSet<_> = expected.into_iter().collect();
    assert_eq!(found, expected, "{:#?}", found.symmetric_difference(&expected));
}

#[test]
fn a_document_of_another_kind() {
    for (text, paths) in [
        ("", &["$"][..]),
        ("[]", &["$"]),
        ("{}", &["policies"]),
        (r#"{"policies": {}, "assignments": 5}"#, &["assignments", "policies"]),
        (r#"{"policies": [{"policyName": "a", "x": 1}]}"#, &["assignments", "policies[0].x"]),
        (r#"{"policies": [], "policies": [], "assignments": []}"#, &["policies"]),
    ] {
        let found = check(text.as_bytes(), Env::new(&env)).errors;
        let mut found: Vec<&str> = found.iter().map(|it| it.path.as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, paths, "{text}");
    }
}

#[test]
fn warnings_have_paths_and_come_with_errors() {
    let mut document = json!({"policies": [
        {"policyName": "a", "tokenAuth": {"enabled": true, "password": "00"}, "mediaEncryption": {"enabled": false, "secret": {"env": "SECRET"}},
         "playerVerification": {"enabled": true, "ttl": "1d", "supportPlayerEnabled": true}},
        {"policyName": "b", "tokenAuth": {"enabled": true, "password": SECRET}, "mediaEncryption": {"enabled": true, "secret": OTHER,
         "keyUrl": "/keys/{session}", "percentageCoverage": "5"}}], "assignments": [{"policyName": "b", "path": "/..."}]});
    let warned = |document: &Value| {
        let found = check(document.to_string().as_bytes(), Env::new(&env)).warnings;
        found.into_iter().map(|it| (it.path, it.policy)).collect::<BTreeSet<_>>()
    };
    let warnings = check(document.to_string().as_bytes(), Env::new(&env)).warnings;
    assert!(!format!("{warnings:?}").contains(SECRET));
    let expected: BTreeSet<_> = [
        ("policies[0].playerVerification.supportPlayerEnabled", 0),
        ("policies[0].playerVerification.ttl", 0),
        ("policies[0].tokenAuth.password", 0),
        ("policies[1].mediaEncryption.keyUrl", 1),
        ("policies[1].mediaEncryption.percentageCoverage", 1),
        ("policies[1].mediaEncryption.secret", 1),
        ("policies[1].tokenAuth.password", 1),
    ]
    .into_iter()
    .map(|(path, policy)| (path.to_owned(), Some(policy)))
    .collect();
    assert_eq!(warned(&document), expected);
    document["policies"][0]["cors"] = json!({"allowOrigins": []});
    let left = warned(&document);
    assert!(left.is_subset(&expected) && left.len() >= 6, "{left:?}");
    let alone = check_policy(document["policies"][1].to_string().as_bytes(), Env::new(&env)).warnings;
    let alone: BTreeSet<_> = alone.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(
        alone.into_iter().collect::<Vec<_>>(),
        ["mediaEncryption.percentageCoverage", "mediaEncryption.secret", "tokenAuth.password"]
    );
}

/// With one byte of a document changed, the error at which the filter refuses it is one of those that are found, and no
/// error is found in a document that the filter takes.
#[test]
fn the_first_error_is_among_all() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let mut compared = [0, 0];
    for file in ["cases/config/vod.json", "targeting/policies.json", "assignments/policies.json"] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let env = |_: &str| Some(SECRET.to_owned());
        for (at, letter) in text.char_indices().filter(|(_, letter)| letter.is_ascii_alphanumeric()).step_by(7) {
            let mut altered = text.clone();
            altered.replace_range(at..=at, if letter.is_ascii_digit() { "x" } else { "7" });
            let found = check(altered.as_bytes(), Env::new(&env)).errors;
            match parse(altered.as_bytes(), &env) {
                Ok(_) => assert_eq!(found, [], "{altered}"),
                Err(error) => {
                    let is_it = |it: &Finding| it.path == error.path && it.message == error.message;
                    assert!(found.iter().any(is_it), "{error}: {found:?}");
                    compared[1] += 1;
                }
            }
            compared[0] += 1;
        }
    }
    assert!(compared[0] > 500 && compared[1] > 200, "{compared:?}");
}

/// A server checks documents in any of its threads.
#[test]
fn findings_cross_threads() {
    let found = std::thread::spawn(|| check(b"{", Env::new(&env))).join().unwrap();
    assert_eq!(found.errors.len(), 1);
}

/// However many errors there are, the work is bounded.
#[test]
fn a_policy_of_ten_thousand_errors() {
    let members: serde_json::Map<_, _> = (0..10_000).map(|index| (format!("m{index}"), Value::Null)).collect();
    let found = check_policy(Value::Object(members).to_string().as_bytes(), Env::new(&env));
    assert_eq!(found.errors.len(), 100);
    let mut policy = good("a");
    policy["cors"] = json!({"allowOrigins": (0..10_000).map(|_| "x").collect::<Vec<_>>()});
    assert_eq!(check_policy(policy.to_string().as_bytes(), Env::new(&env)).errors.len(), 100);
    let policies: Vec<_> = (0..300).map(|_| good("same")).collect();
    let found = check(json!({"policies": policies, "assignments": []}).to_string().as_bytes(), Env::new(&env));
    assert_eq!(found.errors.len(), 100);
}

/// The times that documents and policies are compiled: each looks its variable up once.
#[test]
fn long_documents_are_compiled_less_often() {
    let compilations = |document: &Value| {
        let count = Cell::new(0_usize);
        let env = |name: &str| {
            count.set(count.get() + usize::from(name == "COUNTED"));
            Some(SECRET.into())
        };
        let found = check(document.to_string().as_bytes(), Env::new(&env));
        assert!(!found.errors.is_empty());
        (count.get(), found.errors.len())
    };
    let counted = |padding: usize| {
        let mut policy = good("counted");
        policy["tokenAuth"]["password"] = json!({"env": "COUNTED"});
        policy["description"] = json!("a".repeat(padding));
        policy
    };
    // Errors that only show together, one by one.
    let twins = |padding: usize| {
        let mut policies = vec![json!({"policyName": "same"}); 400];
        policies.insert(0, counted(padding));
        json!({"policies": policies, "assignments": []})
    };
    let (short, errors) = compilations(&twins(0));
    assert!((101..=201).contains(&short) && errors == 100, "{short}, {errors}");
    let (long, errors) = compilations(&twins(4 << 20));
    assert!((3..=17).contains(&long) && errors >= 8, "{long}, {errors}");
    // Errors in the items of one list.
    let mut policy = counted(4 << 20);
    policy["cors"] = json!({"allowOrigins": vec!["x"; 10_000]});
    let (long, errors) = compilations(&json!({"policies": [policy], "assignments": []}));
    assert!((3..=17).contains(&long) && errors >= 8, "{long}, {errors}");
}

/// An answer is no longer than about a thousand errors, of however many policies and assignments.
#[test]
fn a_document_of_a_hundred_thousand_errors() {
    for member in ["policies", "assignments"] {
        let mut document = json!({"policies": [], "assignments": []});
        document[member] = json!(vec![json!({}); 100_000]);
        let errors = errors(&document);
        assert!((1000..=1100).contains(&errors.len()), "{member}: {}", errors.len());
    }
}
