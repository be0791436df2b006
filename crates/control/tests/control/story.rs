//! The examples of the Media Security Policy API are one story: its requests give its answers.

use playlock_control::control::{Control, PolicyAction, Written};
use playlock_control::error::ControlError;
use playlock_control::network::Network;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Database, anna, example, policy};

on_both!(policies, assignments, deletion);

/// The examples list the players in different orders, and write a policy's number as text in one of two.
fn alike(mut value: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(id)) = object.get("policyId") {
                    let id: i64 = id.parse().unwrap();
                    object.insert("policyId".into(), id.into());
                }
                if let Some(Value::Array(players)) = object.get_mut("players") {
                    players.sort_by_key(|player| player["hash"].to_string());
                }
                object.values_mut().for_each(walk);
            }
            Value::Array(items) => items.iter_mut().for_each(walk),
            _ => {}
        }
    }
    walk(&mut value);
    value
}

/// POST (803), PATCH (1269) and PUT (1116) of the first policy.
async fn first_policy(control: &Control) {
    let written = control.create_policy(&anna(), example("policy-post.json")).await.unwrap();
    assert_eq!(written, Written { id: 1, promoted: false });
    control.act_on_policy(&anna(), 1, PolicyAction::Promote).await.unwrap();
    let written = control.edit_policy(&anna(), 1, example("policy-put.json")).await.unwrap();
    assert_eq!(written, Written { id: 1, promoted: false });
}

async fn policies(database: Database) {
    let control = database.open().await;
    first_policy(&control).await;
    assert_eq!(alike(control.policy(1).await.unwrap()), alike(example("policy-get.json")));

    // The other policies of the list: what each was created with, and what staging has.
    let listed = example("policies.json");
    for (production, staging) in [(None, Some(2)), (Some(3), Some(4)), (Some(5), None), (Some(7), None)] {
        let body = |index: usize| {
            let mut body = listed[index].clone();
            ["policyId", "environment", "status"]
                .iter()
                .for_each(|member| drop(body.as_object_mut().unwrap().remove(*member)));
            body
        };
        let mut first = body(production.or(staging).unwrap());
        first["promote"] = json!(production.is_some());
        let written = control.create_policy(&anna(), first).await.unwrap();
        assert_eq!(written.promoted, production.is_some());
        if let (Some(_), Some(staging)) = (production, staging) {
            control.edit_policy(&anna(), written.id, body(staging)).await.unwrap();
        }
    }
    control.act_on_policy(&anna(), 4, PolicyAction::MarkForDelete).await.unwrap();
    let shown = control.policies().await.unwrap();
    assert_eq!(alike(shown.into()), alike(listed));

    // What GET gives can be put back.
    let policy = control.policy(5).await.unwrap();
    control.edit_policy(&anna(), 5, policy.clone()).await.unwrap();
    assert_eq!(control.policy(5).await.unwrap()["tokenAuth"], policy["tokenAuth"]);
}

/// The configurations of the examples.
async fn configurations(control: &Control) {
    for configuration in example("configurations.json").as_array().unwrap() {
        control.create_configuration(&anna(), configuration.clone()).await.unwrap();
    }
}

async fn assignments(database: Database) {
    let control = database.open().await;
    configurations(&control).await;
    // But for their numbers, which the server gives.
    let mut listed = control.configurations().await.unwrap();
    for (configuration, id) in listed.iter_mut().zip([1234, 12345]) {
        configuration["configurationId"] = json!(id);
    }
    assert_eq!(Value::from(listed), example("configurations.json"));
    for name in ["tst-policy-1", "tst-policy-2"] {
        control.create_policy(&anna(), policy(name)).await.unwrap();
    }

    // PUT (1460), before and after both are promoted.
    let domain = "Demo-LH.akamaihd.net";
    let put = example("assignments-put.json");
    let refused = crate::support::members(control.put_assignments(&anna(), domain, put.clone()).await);
    assert_eq!(refused, ["assignments[0].policyId", "assignments[1].policyId"]);
    for id in [1, 2] {
        control.act_on_policy(&anna(), id, PolicyAction::Promote).await.unwrap();
    }
    assert!(!control.put_assignments(&anna(), domain, put.clone()).await.unwrap());
    let one = json!({
        "configurationName": "demo-live-01",
        "configurationXmlName": "demo-lh.akamaihd.net.xml",
        "configurationType": "Media Services Live (Stream Packaging)",
        "policyId": 1,
        "policyName": "tst-policy-1",
        "pathCreatedTime": "2026-01-02T03:04:05",
        "path": "/...",
        "startTime": "*",
        "endTime": "*",
    });
    let mut two = one.clone();
    for (member, value) in [("policyId", json!(2)), ("policyName", json!("tst-policy-2")), ("path", json!("/tst"))] {
        two[member] = value;
    }
    two["startTime"] = json!("2018-01-01T11:00:00");
    assert_eq!(
        control.assignments(domain).await.unwrap(),
        json!({"status": "PENDING_PRODUCTION", "assignments": [], "pendingAssignments": [one, two]})
    );
    assert_eq!(
        control.policy_assignments(2).await.unwrap(),
        json!({"status": "PENDING_PRODUCTION", "assignments": [], "pendingAssignments": [two]})
    );

    // PATCH (1518).
    assert_eq!(example("assignments-patch.json"), json!({"promote": true, "reset": false}));
    let promoted = json!({"status": "PROMOTED", "assignments": [one, two]});
    assert_eq!(control.act_on_assignments(&anna(), domain, true).await.unwrap(), promoted);
    // By another of its digital properties, and the members of the example.
    let shown = control.assignments("demo-lh.akamaihd-staging.net").await.unwrap();
    assert_eq!(shown, promoted);
    let names = |value: &Value| value["assignments"][0].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&shown), names(&example("assignment-status.json")));

    // What GET gives, changed and put back: the rest keeps its time.
    database.pass(60);
    let mut changed = shown;
    changed["assignments"][1]["path"] = json!("/other");
    changed["promote"] = json!(true);
    assert!(control.put_assignments(&anna(), domain, changed).await.unwrap());
    let shown = control.assignments(domain).await.unwrap();
    assert_eq!(shown["assignments"][0], one);
    assert_eq!(shown["assignments"][1]["pathCreatedTime"], json!("2026-01-02T03:05:05"));

    // The composed documents: an assignment for each host of the network.
    for (network, hosts) in [(Network::Staging, 4), (Network::Production, 2)] {
        let candidate = control.candidate(network).await.unwrap();
        let document: Value = serde_json::from_str(&candidate.document).unwrap();
        assert_eq!(document["assignments"].as_array().unwrap().len(), 2 * hosts);
        assert_eq!(document["policies"].as_array().unwrap().len(), 2);
        assert_eq!(document["default"], json!("deny"));
        assert!(candidate.hold_headers);
    }
    let production: Value =
        serde_json::from_str(&control.candidate(Network::Production).await.unwrap().document).unwrap();
    assert_eq!(
        production["assignments"],
        json!([
            {"policyId": 1, "path": "/...", "host": "demo-lh.akamaihd.net"},
            {"policyId": 1, "path": "/...", "host": "*-demo-lh.akamaihd.net"},
            {"policyId": 2, "path": "/other", "host": "demo-lh.akamaihd.net", "startTime": "2018-01-01T11:00:00Z"},
            {"policyId": 2, "path": "/other", "host": "*-demo-lh.akamaihd.net", "startTime": "2018-01-01T11:00:00Z"},
        ])
    );
}

async fn deletion(database: Database) {
    let control = database.open().await;
    configurations(&control).await;
    let mut first = policy("tst-policy-1");
    first["promote"] = json!(true);
    control.create_policy(&anna(), first).await.unwrap();
    let everywhere = json!({"assignments": [{"policyId": "1", "path": "/..."}], "promote": true});
    control.put_assignments(&anna(), "demo-vh.akamaihd.net", everywhere).await.unwrap();
    let conflict = async || match control.delete_policy(&anna(), 1).await {
        Err(ControlError::Conflict(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert!(conflict().await.contains("not marked"));
    control.act_on_policy(&anna(), 1, PolicyAction::MarkForDelete).await.unwrap();
    assert!(conflict().await.contains("assigned to \"demo-vh.akamaihd.net\" on staging"));
    control.put_assignments(&anna(), "demo-vh.akamaihd.net", json!({"assignments": []})).await.unwrap();
    assert!(conflict().await.contains("on production"));
    control.act_on_assignments(&anna(), "demo-vh.akamaihd.net", true).await.unwrap();
    control.delete_policy(&anna(), 1).await.unwrap();
    assert_eq!(control.policies().await.unwrap(), Vec::<Value>::new());
    assert!(matches!(control.policy(1).await, Err(ControlError::NotFound(_))));
    // The number is not given again; the name is free.
    assert_eq!(control.create_policy(&anna(), policy("tst-policy-1")).await.unwrap().id, 2);
    control.delete_configuration(&anna(), 2).await.unwrap();
    assert!(matches!(control.assignments("demo-vh.akamaihd.net").await, Err(ControlError::NotFound(_))));
}
