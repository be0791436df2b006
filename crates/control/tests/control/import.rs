//! Import of a file of the filter.

use playlock_control::error::ControlError;
use playlock_control::network::Network;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Database, anna, members, policy};

on_both!(import);

async fn import(database: Database) {
    let control = database.open().await;
    let document = json!({
        "policies": [
            {"policyName": "vod", "tokenAuth": {"enabled": true, "password": "c319f970fd89b9f8c3d48e25548c793d"},
             "mediaEncryption": {"enabled": true}},
            {"policyName": "live", "policyId": 7, "playlistPaths": ["/live/*/list.php"],
             "tokenAuth": {"enabled": true, "password": {"env": "PASSWORD"}, "sessionTokenTransport": "path"},
             "mediaEncryption": {"enabled": true, "secret": {"env": "SECRET"}}},
            {"policyName": "long", "tokenAuth": {"enabled": true, "password": "52".repeat(32)}},
        ],
        "assignments": [
            {"policyName": "vod", "path": "/..."},
            {"policyId": "7", "host": "Live.example", "path": "/live", "startTime": "2026-01-01T01:00:00+01:00"},
            {"policyName": "vod", "host": "live.example", "path": "/vod"},
        ],
        "tokenPathMarker": "~t-",
    });
    let imported = control.import(&anna(), document.clone()).await.unwrap();
    assert_eq!(imported.policies, [1, 7, 8]);
    assert_eq!((imported.configurations.as_slice(), imported.settings), ([1, 2].as_slice(), true));
    for network in Network::ALL {
        let candidate = control.candidate(network).await.unwrap();
        assert_eq!((candidate.revision, candidate.hold_headers), (2, false));
        assert_eq!(candidate.variables, ["PASSWORD", "SECRET"]);
        let composed: Value = serde_json::from_str(&candidate.document).unwrap();
        assert_eq!(
            composed["assignments"],
            json!([
                {"policyId": 1, "path": "/..."},
                {"policyId": 7, "host": "live.example", "path": "/live", "startTime": "2026-01-01T00:00:00Z"},
                {"policyId": 1, "host": "live.example", "path": "/vod"},
            ])
        );
        // Keys that were derived from a password still are.
        let secrets: Vec<_> =
            [0, 1, 2].map(|index: usize| composed["policies"][index]["mediaEncryption"]["secret"].clone()).into();
        let expected = [json!("c319f970fd89b9f8c3d48e25548c793d"), json!({"env": "SECRET"}), json!("52".repeat(32))];
        assert_eq!(secrets, expected);
        assert_eq!(composed["tokenPathMarker"], json!("~t-"));
    }
    // A policy with a password beyond the API's limit can be edited.
    let long = control.policy(8).await.unwrap();
    control.edit_policy(&anna(), 8, long).await.unwrap();
    assert_eq!(control.configurations().await.unwrap()[1]["hostname"], json!("live.example"));

    // Once more: everything is taken, and nothing changes.
    let revisions = control.poll().await.unwrap();
    assert_eq!(members(control.import(&anna(), document).await), ["policies[0].policyName"]);
    let other = json!({"policies": [policy("other")], "assignments": [{"policyName": "other", "path": "/"}]});
    assert_eq!(members(control.import(&anna(), other).await), ["every host.configurationName"]);
    assert_eq!(members(control.import(&anna(), json!({"policies": [{}]})).await), ["policies[0].policyName"]);
    assert_eq!(members(control.import(&anna(), json!({"polices": []})).await), ["polices"]);
    assert_eq!(control.poll().await.unwrap(), revisions);
    assert!(matches!(control.policy(9).await, Err(ControlError::NotFound(_))));
    // New names, with settings that are not in force.
    let other = json!({"policies": [policy("other")], "assignments": [{"policyName": "other", "host": "o.example", "path": "/"}]});
    let imported = control.import(&anna(), other).await.unwrap();
    assert_eq!((imported.policies, imported.settings), (vec![9], false));
}
