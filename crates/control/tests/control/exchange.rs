//! The guided exchange of a secret.

use playlock_control::control::{Control, Exchange, ExchangeStep, NodeEvent, NodeReport, PolicyAction, Secret};
use playlock_control::error::ControlError;
use playlock_control::network::Network;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Database, anna, members, policy};

on_both!(password, generated_secret, refusals, edited_meanwhile);

const OLD: &str = "c319f970fd89b9f8c3d48e25548c793d";
const NEW: &str = "478bdf12ee2e785b1c64ed818c643934";

async fn promoted(control: &Control) {
    let mut document = policy("vod");
    document["promote"] = json!(true);
    control.create_policy(&anna(), document).await.unwrap();
}

async fn report(control: &Control, network: Network, node: &str, event: NodeEvent) {
    let report = NodeReport { network, node: node.into(), cluster: "edge".into(), stream: node.into(), event };
    control.record_node(report).await.unwrap();
}

/// Both networks' Envoys run the newest revision, or only those of one network.
async fn run(control: &Control, networks: &[Network]) {
    let revisions = control.poll().await.unwrap();
    for network in networks {
        report(control, *network, "one", NodeEvent::InForce(revisions.on(*network))).await;
    }
}

async fn step(control: &Control, secret: Secret, step: ExchangeStep) -> Result<Exchange, ControlError> {
    control.do_exchange(&anna(), 1, secret, step, None).await
}

/// The secrets of a section on both networks, which are the same.
async fn secrets(control: &Control, section: &str, members: [&str; 2]) -> [Value; 2] {
    let mut found = Vec::new();
    for network in Network::ALL {
        let document: Value = serde_json::from_str(&control.candidate(network).await.unwrap().document).unwrap();
        found.push(members.map(|member| document["policies"][0][section][member].clone()));
    }
    assert_eq!(found[0], found[1]);
    found.pop().unwrap()
}

async fn password(database: Database) {
    let control = database.open().await;
    promoted(&control).await;
    for network in Network::ALL {
        report(&control, network, "one", NodeEvent::Connected("1.40.0".into())).await;
    }
    run(&control, &Network::ALL).await;
    let passwords = async || secrets(&control, "tokenAuth", ["password", "transitionPassword"]).await;
    let state = control.exchange(1, Secret::Password).await.unwrap();
    assert_eq!((state.step, state.next, state.waiting_for), ("none", ExchangeStep::Add, vec![]));

    let state = control.do_exchange(&anna(), 1, Secret::Password, ExchangeStep::Add, Some(json!(NEW))).await.unwrap();
    assert_eq!((state.step, state.next), ("added", ExchangeStep::Swap));
    assert_eq!(state.waiting_for, ["production/one", "staging/one"]);
    assert_eq!(passwords().await, [json!(OLD), json!(NEW)]);

    // While one network is behind, nothing goes on.
    run(&control, &[Network::Staging]).await;
    match step(&control, Secret::Password, ExchangeStep::Swap).await {
        Err(ControlError::Waiting(nodes)) => assert_eq!(nodes, ["production/one"]),
        other => panic!("{other:?}"),
    }
    run(&control, &[Network::Production]).await;
    assert_eq!(step(&control, Secret::Password, ExchangeStep::Swap).await.unwrap().step, "swapped");
    assert_eq!(passwords().await, [json!(NEW), json!(OLD)]);

    // A node that was never there before counts, too, and one that is gone until it is forgotten.
    report(&control, Network::Production, "two", NodeEvent::Connected("1.40.0".into())).await;
    run(&control, &Network::ALL).await;
    match step(&control, Secret::Password, ExchangeStep::Drop).await {
        Err(ControlError::Waiting(nodes)) => assert_eq!(nodes, ["production/two"]),
        other => panic!("{other:?}"),
    }
    assert!(control.forget_node(&anna(), Network::Production, "two").await.is_err());
    report(&control, Network::Production, "two", NodeEvent::Disconnected).await;
    control.forget_node(&anna(), Network::Production, "two").await.unwrap();
    assert_eq!(step(&control, Secret::Password, ExchangeStep::Drop).await.unwrap().step, "none");
    assert_eq!(passwords().await, [json!(NEW), Value::Null]);
    assert_eq!(control.policy_versions(1).await.unwrap().len(), 4);
    assert_eq!(control.policy(1).await.unwrap()["status"], json!("ACTIVE"));
}

/// A policy without a secret of its own exchanges the generated one.
async fn generated_secret(database: Database) {
    let control = database.open().await;
    promoted(&control).await;
    let pair = async || secrets(&control, "mediaEncryption", ["secret", "transitionSecret"]).await;
    let [old, _] = pair().await;
    assert_eq!(old.as_str().unwrap().len(), 64);
    step(&control, Secret::Encryption, ExchangeStep::Add).await.unwrap();
    let [first, new] = pair().await;
    assert_eq!(first, old);
    assert_ne!(new, old);
    step(&control, Secret::Encryption, ExchangeStep::Swap).await.unwrap();
    assert_eq!(pair().await, [new.clone(), old]);
    step(&control, Secret::Encryption, ExchangeStep::Drop).await.unwrap();
    assert_eq!(pair().await, [new, Value::Null]);
}

async fn refusals(database: Database) {
    let control = database.open().await;
    let conflict = async |step_: ExchangeStep| match step(&control, Secret::Password, step_).await {
        Err(ControlError::Conflict(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert!(matches!(step(&control, Secret::Password, ExchangeStep::Add).await, Err(ControlError::NotFound(_))));
    control.create_policy(&anna(), policy("vod")).await.unwrap();
    assert!(conflict(ExchangeStep::Add).await.contains("not the same on both networks"));
    control.act_on_policy(&anna(), 1, PolicyAction::Promote).await.unwrap();
    assert!(conflict(ExchangeStep::Swap).await.contains("found step swap, expected add"));
    for value in [json!(OLD), json!("abc"), json!(17)] {
        let refused = control.do_exchange(&anna(), 1, Secret::Password, ExchangeStep::Add, Some(value)).await;
        let refused = members(refused);
        assert!(refused == ["value"] || refused == ["tokenAuth.transitionPassword"], "{refused:?}");
    }
    step(&control, Secret::Password, ExchangeStep::Add).await.unwrap();
    assert!(conflict(ExchangeStep::Add).await.contains("expected swap"));
    let beside = control.do_exchange(&anna(), 1, Secret::Password, ExchangeStep::Swap, Some(json!(NEW))).await;
    assert_eq!(members(beside), ["value"]);
    control.act_on_policy(&anna(), 1, PolicyAction::MarkForDelete).await.unwrap();
    assert!(conflict(ExchangeStep::Swap).await.contains("not the same on both networks"));
}

/// Passwords that were written otherwise end the exchange; other members do not.
async fn edited_meanwhile(database: Database) {
    let control = database.open().await;
    promoted(&control).await;
    step(&control, Secret::Password, ExchangeStep::Add).await.unwrap();
    let mut document = control.policy(1).await.unwrap();
    document["description"] = json!("edited");
    document["promote"] = json!(true);
    control.edit_policy(&anna(), 1, document.clone()).await.unwrap();
    assert_eq!(control.exchange(1, Secret::Password).await.unwrap().step, "added");
    document["tokenAuth"]["transitionPassword"] = json!(NEW);
    control.edit_policy(&anna(), 1, document).await.unwrap();
    assert_eq!(control.exchange(1, Secret::Password).await.unwrap().step, "none");
}
