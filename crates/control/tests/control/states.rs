//! The states of policies: `states.tsv`.

use playlock_control::control::{Control, PolicyAction};
use playlock_control::error::ControlError;
use playlock_control::network::Network;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Database, anna, policy};

on_both!(states);

async fn act(control: &Control, id: i64, action: &str) -> Result<(), ControlError> {
    let mut document = policy(&format!("policy {id}"));
    document["promote"] = json!(action.ends_with("+promote"));
    document["description"] = json!(action);
    let act = async |action| control.act_on_policy(&anna(), id, action).await;
    match action {
        "create" | "create+promote" => {
            assert_eq!(control.create_policy(&anna(), document).await?.id, id);
            Ok(())
        }
        "edit" | "edit+promote" => control.edit_policy(&anna(), id, document).await.map(drop),
        "promote" => act(PolicyAction::Promote).await,
        "reset" => act(PolicyAction::Reset).await,
        "mark" => act(PolicyAction::MarkForDelete).await,
        "delete" => control.delete_policy(&anna(), id).await,
        "rollback" => control.roll_back_policy(&anna(), id, 1, Network::Staging).await,
        "rollback!" => control.roll_back_policy(&anna(), id, 1, Network::Production).await,
        "assign" => {
            let host = format!("host-{id}.example");
            let configuration = json!({"configurationName": host, "hostname": host,
                "digitalProperties": {"staging": [host], "production": [host]}});
            control.create_configuration(&anna(), configuration).await?;
            let assignments = json!({"assignments": [{"policyId": id, "path": "/"}], "promote": true});
            control.put_assignments(&anna(), &host, assignments).await.map(drop)
        }
        other => panic!("{other}"),
    }
}

async fn states(database: Database) {
    let control = database.open().await;
    let lines = include_str!("states.tsv").lines().filter(|line| !line.starts_with('#'));
    for (id, line) in (1..).zip(lines) {
        let fields: Vec<_> = line.split('\t').collect();
        let [actions, production, staging, got, unsaved, outcome] = fields[..] else { panic!("{line}") };
        let actions: Vec<_> = actions.split(' ').collect();
        let (last, before) = actions.split_last().unwrap();
        for action in before {
            act(&control, id, action).await.unwrap_or_else(|error| panic!("{line}: {action}: {error}"));
        }
        let revisions = control.poll().await.unwrap();
        let audited = control.audit(None, 1).await.unwrap().entries;
        let found = match act(&control, id, last).await {
            Ok(()) => "ok",
            Err(ControlError::Conflict(_)) => "conflict",
            Err(ControlError::NotFound(_)) => "gone",
            Err(other) => panic!("{line}: {other}"),
        };
        assert_eq!(found, outcome, "{line}");
        if found != "ok" {
            assert_eq!(control.poll().await.unwrap(), revisions, "{line}");
            assert_eq!(control.audit(None, 1).await.unwrap().entries, audited, "{line}");
        }
        let listed = control.policies().await.unwrap();
        let status = |network: &str| {
            let of_network =
                |element: &&Value| element["policyId"] == json!(id) && element["environment"] == json!(network);
            let found: Vec<_> = listed.iter().filter(of_network).collect();
            assert!(found.len() < 2, "{line}");
            found.first().map_or("-".to_owned(), |element| element["status"].as_str().unwrap().to_owned())
        };
        assert_eq!([status("production"), status("staging")], [production, staging], "{line}");
        match control.policy(id).await {
            Ok(policy) => {
                assert_eq!(policy["status"], json!(got), "{line}");
                assert_eq!(policy.get("unsavedPolicy").is_some(), unsaved == "yes", "{line}");
            }
            Err(ControlError::NotFound(_)) => assert_eq!(got, "-", "{line}"),
            Err(other) => panic!("{line}: {other}"),
        }
    }
    assert_eq!(control.first_broken_audit_entry().await.unwrap(), None);
}
