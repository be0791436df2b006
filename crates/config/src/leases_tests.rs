//! Terms of leases in a document: their defaults, and what they need of the policy.

use alloc::format;
use alloc::string::{String, ToString};

use serde_json::{Value, json};

use super::tests::{NORMATIVE, parse};

const LEASES: &str = "policies[0].mediaEncryption.keyAuthorizer.leases";

/// The normative document with these leases, and further members of the policy by JSON pointer.
fn document(leases: &Value, others: &[(&str, Value)]) -> String {
    let mut document: Value = serde_json::from_str(NORMATIVE).unwrap();
    document["assignments"] = json!([]);
    let policy = &mut document["policies"][0];
    policy["mediaEncryption"]["keyRotation"] = json!({"time": "1m"});
    policy["mediaEncryption"]["keyAuthorizer"] = json!({"cluster": "leases", "path": "/lease", "leases": leases});
    for (pointer, value) in others {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        policy.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(member.to_string(), value.clone());
    }
    document.to_string()
}

fn stated(leases: &Value, others: &[(&str, Value)]) -> String {
    let (policies, _) = parse(&document(leases, others)).unwrap();
    let (_, policy) = policies.iter().next().unwrap();
    let authorizer = policy.encryption.as_ref().and_then(|encryption| encryption.authorizer()).unwrap();
    authorizer.leases.as_ref().unwrap().as_str().into()
}

#[test]
fn terms_have_defaults() {
    assert_eq!(
        stated(&json!({"limit": 2}), &[]),
        "group=vod;limit=2;on-limit=refuse-new;viewer=id;period=60;grace=30;keys-ahead=10;session=86400"
    );
    assert_eq!(
        stated(
            &json!({"limit": 1000, "onLimit": "end-oldest", "viewer": "payload", "viewerField": "user",
                "limitField": "screens", "group": "subscribers", "period": "1d", "grace": "1h", "keysAhead": 3}),
            &[("/tokenAuth/sessionTtl", json!("6h"))],
        ),
        "group=subscribers;limit=1000;on-limit=end-oldest;viewer=payload;viewer-field=user;limit-field=screens;\
         period=86400;grace=3600;keys-ahead=3;session=21600"
    );
    let unnamed = stated(&json!({"limit": 1, "viewer": "payload"}), &[]);
    assert!(unnamed.contains(";viewer=payload;period="), "{unnamed}");
    let by_rotation = stated(&json!({"limit": 1}), &[("/policyName", json!("\u{fc};limit=9"))]);
    assert!(by_rotation.starts_with("group=%c3%bc%3blimit%3d9;limit=1;"), "{by_rotation}");
    let counted =
        stated(&json!({"limit": 1, "period": "8s"}), &[("/mediaEncryption/keyRotation", json!({"segments": 2}))]);
    assert!(counted.contains(";period=8;grace=30;keys-ahead=75;"), "{counted}");
}

/// As many periods as ten minutes have, and two of those that are longer.
#[test]
fn keys_ahead_are_of_ten_minutes() {
    for (period, ahead) in [("1s", 600), ("7s", 86), ("299s", 3), ("300s", 2), ("10m", 2), ("1d", 2)] {
        let stated = stated(&json!({"limit": 1, "period": period}), &[]);
        assert!(stated.contains(&format!(";keys-ahead={ahead};")), "{period}: {stated}");
    }
}

#[test]
fn errors_in_leases_name_the_json_path() {
    for (leases, others, member, words) in [
        (json!({}), &[][..], ".limit", "missing"),
        (json!({"limit": 0}), &[], ".limit", "found 0, expected 1 to 1000"),
        (json!({"limit": 1001}), &[], ".limit", "found 1001, expected 1 to 1000"),
        (json!({"limit": -1}), &[], ".limit", "-1"),
        (json!({"limit": "2"}), &[], ".limit", "2"),
        (json!({"limit": 2.5}), &[], ".limit", "2.5"),
        (json!({"limit": 2, "onLimit": "end-newest"}), &[], ".onLimit", "end-newest"),
        (json!({"limit": 2, "viewer": "ip"}), &[], ".viewer", "ip"),
        (json!({"limit": 2, "viewerField": "user"}), &[], ".viewerField", "expected viewer \"payload\""),
        (json!({"limit": 2, "viewer": "id", "viewerField": "user"}), &[], ".viewerField", "found beside viewer \"id\""),
        (
            json!({"limit": 2, "viewer": "payload", "viewerField": ""}),
            &[],
            ".viewerField",
            "found \"\", expected up to 32",
        ),
        (json!({"limit": 2, "viewer": "payload", "viewerField": "a;b"}), &[], ".viewerField", "found \"a;b\""),
        (json!({"limit": 2, "limitField": "a=b"}), &[], ".limitField", "found \"a=b\", expected up to 32"),
        (json!({"limit": 2, "limitField": "a".repeat(33)}), &[], ".limitField", "expected up to 32"),
        (json!({"limit": 2, "group": ""}), &[], ".group", "expected 1 to 128 bytes"),
        (json!({"limit": 2, "group": "g".repeat(129)}), &[], ".group", "expected 1 to 128 bytes"),
        (json!({"limit": 2, "group": "a\r\nx: y"}), &[], ".group", "without control characters"),
        (json!({"limit": 2, "period": "0s"}), &[], ".period", "found 0s, expected 1s to 86400s"),
        (json!({"limit": 2, "period": "86401s"}), &[], ".period", "found 86401s, expected 1s to 86400s"),
        (json!({"limit": 2, "grace": "0m"}), &[], ".grace", "found 0s, expected 1s to 3600s"),
        (json!({"limit": 2, "grace": "3601s"}), &[], ".grace", "found 3601s, expected 1s to 3600s"),
        (json!({"limit": 2, "grace": 30}), &[], ".grace", "30"),
        (json!({"limit": 2, "keysAhead": 0}), &[], ".keysAhead", "found 0, expected 1 to 1000"),
        (json!({"limit": 2, "keysAhead": 1001}), &[], ".keysAhead", "found 1001, expected 1 to 1000"),
        (json!({"limit": 2, "screens": 2}), &[], ".screens", "unknown"),
        (
            json!({"limit": 2}),
            &[("/mediaEncryption/keyRotation", json!({"segments": 9}))],
            ".period",
            "missing, expected the duration of keyRotation.segments",
        ),
        (
            json!({"limit": 2}),
            &[("/mediaEncryption/keyRotation", json!({"time": "2d"}))],
            ".period",
            "found 172800s, expected 1s to 86400s",
        ),
        (json!({"limit": 2}), &[("/mediaEncryption/keyRotation", Value::Null)], "", "found without keyRotation"),
        (json!({"limit": 2}), &[("/tokenAuth/enabled", json!(false))], "", "without an access token"),
        (
            json!({"limit": 2}),
            &[("/tokenAuth/enforceOnInitialRequest", json!(false))],
            "",
            "expected tokenAuth.enabled and enforceOnInitialRequest true",
        ),
    ] {
        let error = parse(&document(&leases, others)).expect_err(&leases.to_string());
        assert_eq!(error.path, format!("{LEASES}{member}"), "{error}");
        assert!(error.message.contains(words), "{error}");
    }
}

/// Without leases, a policy needs neither rotation nor tokens for its authorizer.
#[test]
fn an_authorizer_denies_without_a_decision_unless_the_policy_allows() {
    let ask = |how: Value| {
        let mut document: Value = serde_json::from_str(NORMATIVE).unwrap();
        document["policies"][0]["tokenAuth"]["enforceOnInitialRequest"] = json!(false);
        document["policies"][0]["mediaEncryption"]["keyAuthorizer"] = how;
        parse(&document.to_string())
    };
    for (written, handling) in [(None, "Deny"), (Some("deny"), "Deny"), (Some("allow"), "Allow")] {
        let mut how = json!({"cluster": "c", "path": "/"});
        if let Some(written) = written {
            how["onUnavailable"] = json!(written);
        }
        let (policies, _) = ask(how).unwrap();
        let encryption = policies.iter().next().unwrap().1.encryption.as_ref().unwrap();
        let authorizer = encryption.authorizer().unwrap();
        assert_eq!(format!("{:?}", authorizer.on_unavailable), handling);
        assert!(authorizer.leases.is_none());
    }
    for wrong in [json!("Allow"), json!(true), json!(null), json!("pass")] {
        let Err(error) = ask(json!({"cluster": "c", "path": "/", "onUnavailable": wrong})) else {
            panic!("{wrong}");
        };
        assert_eq!(error.path, "policies[0].mediaEncryption.keyAuthorizer.onUnavailable", "{error}");
    }
}
