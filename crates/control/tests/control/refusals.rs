//! Documents that are refused: each names its member, and leaves no version, no revision and no audit entry.

use playlock_control::control::PolicyAction;
use playlock_control::documents::json as strict;
use playlock_control::error::ControlError;
use playlock_control::network::Network;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Database, anna, example, members, policy};

on_both!(policies, assignments, configurations, whole_documents, renamed_policies);

/// A path in the policy of the examples, the value there (null: removed), and the members of the findings.
fn faults() -> Vec<(&'static str, Value, Vec<&'static str>)> {
    let geo = "/contentTargeting/geoProtection";
    let at = |rest: &str| -> &'static str { format!("{geo}{rest}").leak() };
    vec![
        ("/policyName", Value::Null, vec!["policyName"]),
        ("/policyName", json!(""), vec!["policyName"]),
        ("/policyName", json!("a\nb"), vec!["policyName"]),
        ("/promote", json!("yes"), vec!["promote"]),
        ("/unknown", json!(1), vec!["unknown"]),
        ("/tokenAuth/pasword", json!("c0ffee"), vec!["tokenAuth.pasword"]),
        ("/tokenAuth/enabled", Value::Null, vec!["tokenAuth.enabled"]),
        ("/tokenAuth/password", Value::Null, vec!["tokenAuth.password"]),
        ("/tokenAuth/password", json!(""), vec!["tokenAuth.password"]),
        ("/tokenAuth/password", json!("abc"), vec!["tokenAuth.password"]),
        ("/tokenAuth/password", json!("secret"), vec!["tokenAuth.password"]),
        ("/tokenAuth/password", json!("00".repeat(17)), vec!["tokenAuth.password"]),
        ("/tokenAuth/password", json!(123_456), vec!["tokenAuth.password"]),
        ("/tokenAuth/password", json!("********"), vec!["tokenAuth.password"]),
        ("/tokenAuth/transitionPassword", json!("0"), vec!["tokenAuth.transitionPassword"]),
        ("/tokenAuth/sessionTokenTransport", json!("carrier pigeon"), vec!["tokenAuth.sessionTokenTransport"]),
        ("/mediaEncryption/percentageCoverage", json!("0"), vec!["mediaEncryption.percentageCoverage"]),
        ("/mediaEncryption/percentageCoverage", json!("101"), vec!["mediaEncryption.percentageCoverage"]),
        ("/mediaEncryption/percentageCoverage", json!("auto"), vec!["mediaEncryption.percentageCoverage"]),
        ("/mediaEncryption/percentageCoverage", json!(30), vec!["mediaEncryption.percentageCoverage"]),
        ("/mediaEncryption/secret", json!("00"), vec!["mediaEncryption.secret"]),
        (at("/mode"), json!("deny"), vec!["contentTargeting.geoProtection.mode"]),
        (at("/countries/0/countryCode"), json!("ZZ"), vec!["contentTargeting.geoProtection.countries[0].countryCode"]),
        (at("/countries/0/countryCode"), json!("IND"), vec!["contentTargeting.geoProtection.countries[0].countryCode"]),
        (at("/regions/0/countryCode"), json!("QQ"), vec!["contentTargeting.geoProtection.regions[0].countryCode"]),
        (at("/regions/0/regionCode"), json!("??"), vec!["contentTargeting.geoProtection.regions[0].regionCode"]),
        (at("/dmas/0/dmaCode"), json!("5"), vec!["contentTargeting.geoProtection.dmas[0].dmaCode"]),
        (at("/overrideIps/1"), json!("55.55.55.300"), vec!["contentTargeting.geoProtection.overrideIps[1]"]),
        (at("/geoRedirectOnDenyURL"), Value::Null, vec!["contentTargeting.geoProtection.geoRedirectOnDenyURL"]),
        ("/contentTargeting/ipAccess/ips/0", json!("55.55.55.0/33"), vec!["contentTargeting.ipAccess.ips[0]"]),
        (
            "/contentTargeting/ipAccess/denyOnIPRedirectURL",
            Value::Null,
            vec!["contentTargeting.ipAccess.denyOnIPRedirectURL"],
        ),
        (
            "/contentTargeting/referer/referrerRedirectURL",
            Value::Null,
            vec!["contentTargeting.referer.referrerRedirectURL"],
        ),
        ("/playerVerification/email", Value::Null, vec!["playerVerification.email"]),
        ("/playerVerification/ttl", json!("1w"), vec!["playerVerification.ttl"]),
        (
            "/playerVerification/players",
            json!((0..31).map(|number| json!({"hash": format!("H{number}")})).collect::<Vec<_>>()),
            vec!["playerVerification.players"],
        ),
    ]
}

/// Sets or removes a value.
fn change(document: &mut Value, path: &str, value: &Value) {
    let (parent, name) = path.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Object(object) if value.is_null() => drop(object.remove(name)),
        Value::Object(object) => drop(object.insert(name.into(), value.clone())),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value.clone(),
        other => panic!("{other}"),
    }
}

async fn policies(database: Database) {
    let control = database.open().await;
    control.create_policy(&anna(), example("policy-post.json")).await.unwrap();
    let revisions = control.poll().await.unwrap();
    for (path, value, expected) in faults() {
        let mut document = example("policy-post.json");
        document["policyName"] = json!("another");
        change(&mut document, path, &value);
        let created = control.create_policy(&anna(), document.clone()).await;
        if let Err(error) = &created {
            assert!(!error.to_string().contains("pasword\": \"c0ffee"), "{error}");
        }
        assert_eq!(members(created), expected, "{path}: {value}");
        // A stored password takes the place of the mask.
        if value != json!("********") {
            assert_eq!(members(control.edit_policy(&anna(), 1, document).await), expected, "{path}: {value}");
        }
    }
    // Several at once.
    let mut document = example("policy-post.json");
    change(&mut document, "/tokenAuth/password", &json!("abc"));
    change(&mut document, "/playerVerification/email", &Value::Null);
    assert_eq!(
        members(control.create_policy(&anna(), document).await),
        ["tokenAuth.password", "playerVerification.email"]
    );
    for document in [json!([]), json!("policy"), json!(null)] {
        assert_eq!(members(control.create_policy(&anna(), document).await), ["$"]);
    }
    // The name of another.
    assert_eq!(members(control.create_policy(&anna(), example("policy-post.json")).await), ["policyName"]);
    assert_eq!(control.policy_versions(1).await.unwrap().len(), 1);
    assert_eq!(control.poll().await.unwrap(), revisions);
    assert_eq!(control.audit(None, 10).await.unwrap().entries.len(), 1);
}

async fn assignments(database: Database) {
    let control = database.open().await;
    let configuration = json!({"configurationName": "tv", "hostname": "tv.example",
        "digitalProperties": {"staging": ["tv.example"], "production": ["tv.example"]}});
    control.create_configuration(&anna(), configuration).await.unwrap();
    control.create_policy(&anna(), policy("never promoted")).await.unwrap();
    let mut promoted = policy("promoted");
    promoted["promote"] = json!(true);
    control.create_policy(&anna(), promoted).await.unwrap();
    let revisions = control.poll().await.unwrap();
    let good = json!({"policyId": 2, "path": "/vod"});
    let with = |member: &str, value: Value| {
        let mut assignment = json!({"policyId": 2, "path": "/other"});
        assignment[member] = value;
        json!({"assignments": [good, assignment]})
    };
    for (document, expected) in [
        (json!([]), "$"),
        (json!({}), "assignments"),
        (json!({"assignments": {}}), "assignments"),
        (json!({"assignments": [], "promote": 1}), "promote"),
        (json!({"assignments": [], "other": 1}), "other"),
        (json!({"assignments": [1]}), "assignments[0]"),
        (json!({"assignments": [{"path": "/"}]}), "assignments[0].policyId"),
        (json!({"assignments": [{"policyId": 2}]}), "assignments[0].path"),
        (with("policyId", json!(1)), "assignments[1].policyId"),
        (with("policyId", json!(3)), "assignments[1].policyId"),
        (with("policyId", json!("two")), "assignments[1].policyId"),
        (with("policyId", json!(-2)), "assignments[1].policyId"),
        (with("path", json!("vod")), "assignments[1].path"),
        (with("path", json!("/vod/../x")), "assignments[1].path"),
        (with("path", json!("/vod")), "assignments[1].path"),
        (with("path", json!("/vod/...")), "assignments[1].path"),
        (with("startTime", json!("tomorrow")), "assignments[1].startTime"),
        (with("endTime", json!(5)), "assignments[1].endTime"),
        (with("host", json!("tv.example")), "assignments[1].host"),
        (
            json!({"assignments": [{"policyId": 2, "path": "/", "startTime": "2026-01-02T00:00:00",
                "endTime": "2026-01-01T00:00:00"}]}),
            "assignments[0].endTime",
        ),
    ] {
        let found = members(control.put_assignments(&anna(), "tv.example", document.clone()).await);
        let found = found.first().map(String::as_str);
        // Below the path, other members of the same assignment may have faults, too.
        assert_eq!(found, Some(expected), "{document}");
    }
    assert_eq!(control.poll().await.unwrap(), revisions);
    assert_eq!(control.assignment_versions("tv.example").await.unwrap().len(), 1);
    assert!(matches!(
        control.put_assignments(&anna(), "other.example", json!({"assignments": []})).await,
        Err(ControlError::NotFound(_))
    ));
}

async fn configurations(database: Database) {
    let control = database.open().await;
    let good = json!({"configurationName": "tv", "hostname": "tv.example",
        "digitalProperties": {"staging": ["tv.example"], "production": ["TV.example"]}});
    control.create_configuration(&anna(), good.clone()).await.unwrap();
    for (path, value, expected) in [
        ("/configurationName", Value::Null, "configurationName"),
        ("/hostname", Value::Null, "hostname"),
        ("/hostname", json!("a/b"), "hostname"),
        ("/hostname", json!("tv.example"), "hostname"),
        ("/configurationName", json!("tv"), "configurationName"),
        ("/isActiveInProduction", json!("true"), "isActiveInProduction"),
        ("/other", json!(1), "other"),
        ("/digitalProperties", json!([]), "digitalProperties"),
        ("/digitalProperties/test", json!([]), "digitalProperties.test"),
        ("/digitalProperties/staging/0", json!("a:80"), "digitalProperties.staging[0]"),
        ("/digitalProperties/staging/0", json!("a*b.example"), "digitalProperties.staging[0]"),
        ("/digitalProperties/production/0", json!("tv.EXAMPLE"), "digitalProperties"),
    ] {
        let mut document = good.clone();
        document["configurationName"] = json!("radio");
        document["hostname"] = json!("radio.example");
        document["digitalProperties"] = json!({"staging": ["radio.example"], "production": ["radio.example"]});
        change(&mut document, path, &value);
        assert_eq!(members(control.create_configuration(&anna(), document).await), [expected], "{path}: {value}");
    }
    control.edit_configuration(&anna(), 1, good).await.unwrap();
}

/// A policy that is good by itself, but not with the others.
async fn whole_documents(database: Database) {
    let control = database.open().await;
    let mut first = policy("first");
    first["promote"] = json!(true);
    first["mediaEncryption"]["scheme"] = json!("cbcs");
    control.create_policy(&anna(), first).await.unwrap();
    // Samples need held headers, on each network that has the policy.
    control.put_settings(&anna(), json!({"batching": true})).await.unwrap();
    let refused = members(control.put_settings(&anna(), json!({"holdHeaders": false})).await);
    assert_eq!(refused.len(), 1);
    assert_eq!(members(control.put_settings(&anna(), json!({"policies": []})).await), ["policies"]);
    assert_eq!(members(control.put_settings(&anna(), json!({"holdHeader": true})).await), ["holdHeader"]);
    // Another license server at the same path with other settings is another policy's fault.
    let versions = control.policy_versions(1).await.unwrap();
    assert_eq!(versions.len(), 1);
    let checked = control.check_policy(json!({"policyName": "x", "tokenAuth": {"enabled": 1}}), None).await.unwrap();
    assert_eq!(checked.errors[0].member, "tokenAuth.enabled");
    let checked = control.check_policy(policy("x"), None).await.unwrap();
    assert_eq!((checked.errors.len(), checked.warnings.len()), (0, 0));
}

/// A rename never meets the name of another policy, on either network.
async fn renamed_policies(database: Database) {
    let control = database.open().await;
    for name in ["a", "b"] {
        let mut document = policy(name);
        document["promote"] = json!(true);
        control.create_policy(&anna(), document).await.unwrap();
    }
    control.edit_policy(&anna(), 1, policy("c")).await.unwrap();
    // "a" is still the name on production.
    assert_eq!(members(control.create_policy(&anna(), policy("a")).await), ["policyName"]);
    assert_eq!(members(control.edit_policy(&anna(), 2, policy("c")).await), ["policyName"]);
    control.act_on_policy(&anna(), 1, PolicyAction::Promote).await.unwrap();
    let shown = control.policy(1).await.unwrap();
    assert_eq!((&shown["policyName"], &shown["keyName"]), (&json!("c"), &json!("a")));
    // Put back, with the key name and without, but not with another one.
    control.edit_policy(&anna(), 1, shown.clone()).await.unwrap();
    let mut other = shown;
    other["keyName"] = json!("c");
    assert_eq!(members(control.edit_policy(&anna(), 1, other).await), ["keyName"]);
    // The name is free, the keys of the new policy are its own.
    let third = control.create_policy(&anna(), policy("a")).await.unwrap().id;
    assert_eq!(control.policy(third).await.unwrap()["keyName"], json!("policy 3"));
    // Going back to a name that is taken since.
    assert_eq!(members(control.roll_back_policy(&anna(), 1, 1, Network::Staging).await), ["policyName"]);
}

#[test]
fn texts_with_doubled_members() {
    assert_eq!(
        strict::parse(br#"{"a": [1, 2.5, "x", null, {"b": true}]}"#),
        Ok(json!({"a": [1, 2.5, "x", null, {"b": true}]}))
    );
    let found = strict::parse(br#"{"a": {"b": 1, "b": 2}}"#).unwrap_err();
    assert!(found.detail.contains("the member \"b\" stands twice"), "{}", found.detail);
    assert!(strict::parse(b"{").is_err());
    assert!(strict::parse(b"{} {}").is_err());
    assert!(strict::parse("[".repeat(1000).as_bytes()).is_err());
}
