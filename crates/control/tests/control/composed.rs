//! The documents that Envoys get.

use playlock_control::control::{Control, PolicyAction};
use playlock_control::network::Network;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Database, anna, members, policy};

on_both!(members_of_the_api, key_names, players, marked_policies, inactive_configurations, strange_texts);

async fn composed(control: &Control, network: Network) -> Value {
    serde_json::from_str(&control.candidate(network).await.unwrap().document).unwrap()
}

async fn create(control: &Control, document: Value) -> i64 {
    let mut document = document;
    document["promote"] = json!(true);
    control.create_policy(&anna(), document).await.unwrap().id
}

/// A configuration for every host, with one assignment on both networks.
async fn assign_everywhere(control: &Control, id: i64) {
    control.create_configuration(&anna(), json!({"configurationName": "all", "hostname": "all"})).await.unwrap();
    let assignments = json!({"assignments": [{"policyId": id, "path": "/..."}], "promote": true});
    control.put_assignments(&anna(), "all", assignments).await.unwrap();
}

/// Members of the API alone never appear, and sections that are not enabled neither.
async fn members_of_the_api(database: Database) {
    let control = database.open().await;
    let mut document = crate::support::example("policy-post.json");
    document["contentTargeting"]["referer"]["enabled"] = json!(false);
    create(&control, document).await;
    assign_everywhere(&control, 1).await;
    let candidate = control.candidate(Network::Production).await.unwrap();
    let document = composed(&control, Network::Production).await;
    assert_eq!((candidate.revision, &document["revision"]), (3, &json!(3)));
    assert_eq!((&document["holdHeaders"], &document["default"]), (&json!(true), &json!("deny")));
    // Its players have a time to live.
    let assignment = json!({"policyId": 1, "path": "/...", "startTime": "2026-01-02T03:04:05Z"});
    assert_eq!(document["assignments"], json!([assignment]));
    let policy = &document["policies"][0];
    let names: Vec<_> = policy.as_object().unwrap().keys().cloned().collect();
    let mut sorted = names.clone();
    sorted.sort();
    let expected = ["contentTargeting", "mediaEncryption", "playerVerification", "policyId", "policyName", "tokenAuth"];
    assert_eq!(sorted, expected);
    assert!(policy["contentTargeting"].get("referer").is_none());
    for member in ["email", "description", "contractId", "groupId", "resetSupportPlayer", "environment", "status"] {
        assert!(!candidate.document.contains(member), "{member}");
    }
}

/// Keys survive a rename.
async fn key_names(database: Database) {
    let control = database.open().await;
    create(&control, policy("vod")).await;
    let secret = async |network| composed(&control, network).await["policies"][0]["mediaEncryption"]["secret"].clone();
    let before = secret(Network::Production).await;
    let mut renamed = policy("films");
    renamed["tokenAuth"]["password"] = json!("478bdf12ee2e785b1c64ed818c643934");
    control.edit_policy(&anna(), 1, renamed).await.unwrap();
    let document = composed(&control, Network::Staging).await;
    assert_eq!(document["policies"][0]["policyName"], json!("films"));
    assert_eq!(document["policies"][0]["keyName"], json!("vod"));
    assert!(composed(&control, Network::Production).await["policies"][0].get("keyName").is_none());
    assert_eq!(secret(Network::Staging).await, before);
    // Secrets from Envoy's environment, and sealed ones that this server cannot open.
    let mut document = policy("radio");
    document["tokenAuth"]["password"] = json!({"env": "PASSWORD"});
    create(&control, document.clone()).await;
    assert_eq!(control.candidate(Network::Production).await.unwrap().variables, ["PASSWORD"]);
    document["policyName"] = json!("podcast");
    document["tokenAuth"]["password"] = json!({"sealed": "nonsense"});
    assert_eq!(members(control.create_policy(&anna(), document).await), ["tokenAuth.password"]);
}

/// The time to live of players begins with the assignment.
async fn players(database: Database) {
    let control = database.open().await;
    let mut document = policy("vod");
    document["playerVerification"] = json!({"enabled": true, "players": [{"hash": "A"}], "ttl": "1d"});
    create(&control, document).await;
    assign_everywhere(&control, 1).await;
    let start = json!([{"policyId": 1, "path": "/...", "startTime": "2026-01-02T03:04:05Z"}]);
    assert_eq!(composed(&control, Network::Production).await["assignments"], start);
    database.pass(3600);
    control.edit_policy(&anna(), 1, control.policy(1).await.unwrap()).await.unwrap();
    assert_eq!(composed(&control, Network::Staging).await["assignments"], start);
}

/// A marked policy stays on staging until nothing there is assigned to it.
async fn marked_policies(database: Database) {
    let control = database.open().await;
    create(&control, policy("vod")).await;
    assign_everywhere(&control, 1).await;
    let count = async |network| composed(&control, network).await["policies"].as_array().unwrap().len();
    control.act_on_policy(&anna(), 1, PolicyAction::MarkForDelete).await.unwrap();
    assert_eq!([count(Network::Staging).await, count(Network::Production).await], [1, 1]);
    control.put_assignments(&anna(), "all", json!({"assignments": []})).await.unwrap();
    assert_eq!([count(Network::Staging).await, count(Network::Production).await], [0, 1]);
    control.act_on_assignments(&anna(), "all", false).await.unwrap();
    assert_eq!(count(Network::Staging).await, 1);
}

async fn inactive_configurations(database: Database) {
    let control = database.open().await;
    create(&control, policy("vod")).await;
    assign_everywhere(&control, 1).await;
    let inactive = json!({"configurationName": "all", "hostname": "all", "isActiveInProduction": false});
    control.edit_configuration(&anna(), 1, inactive).await.unwrap();
    let count = async |network| composed(&control, network).await["assignments"].as_array().unwrap().len();
    assert_eq!([count(Network::Staging).await, count(Network::Production).await], [1, 0]);
    let none =
        json!({"configurationName": "all", "hostname": "all", "digitalProperties": {"production": ["tv.example"]}});
    control.edit_configuration(&anna(), 1, none).await.unwrap();
    assert_eq!([count(Network::Staging).await, count(Network::Production).await], [0, 1]);
}

/// Texts that databases are known to choke on.
async fn strange_texts(database: Database) {
    let control = database.open().await;
    for name in ["Robert'); DROP TABLE policies;--", "Grüße 🎬", "%_\\", "$1"] {
        let mut document = policy(name);
        document["description"] = json!("line\nNUL \0 and \u{7f}");
        let id = create(&control, document).await;
        let shown = control.policy(id).await.unwrap();
        assert_eq!((&shown["policyName"], &shown["description"]), (&json!(name), &json!("line\nNUL \0 and \u{7f}")));
    }
    assert_eq!(control.first_broken_audit_entry().await.unwrap(), None);
    let odd = control.create_configuration(&anna(), json!({"configurationName": "a\0b", "hostname": "x\0"})).await;
    assert_eq!(members(odd), ["hostname"]);
    assert!(control.assignments("nobody\0").await.is_err());
    assert!(control.token("\0").await.unwrap().is_none());
    assert!(control.client("\0").await.unwrap().is_none());
}
