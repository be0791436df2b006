//! States of Envoys, and the requests that they refused.

use playlock_control::control::{NodeEvent, NodeReport, NodeState, RefusalCount};
use playlock_control::network::Network;
use serde_json::json;

use crate::on_both;
use crate::support::{Database, anna, policy};

on_both!(states, servers_that_are_gone, refused_requests, impact);

async fn states(database: Database) {
    let control = database.open().await;
    let report = async |stream: &str, event: NodeEvent| {
        let report = NodeReport {
            network: Network::Staging,
            node: "edge-1".into(),
            cluster: "edge".into(),
            stream: stream.into(),
            event,
        };
        control.record_node(report).await.unwrap();
    };
    let state = async || control.nodes().await.unwrap()[0].state;
    assert_eq!(control.nodes().await.unwrap(), []);
    // A gauge may come before the stream.
    report("a", NodeEvent::InForce(0)).await;
    assert_eq!(state().await, NodeState::Disconnected);
    report("a", NodeEvent::Connected("1.40.0".into())).await;
    assert_eq!(state().await, NodeState::NeverRan);
    report("a", NodeEvent::Offered(1)).await;
    assert_eq!(state().await, NodeState::Updating);
    // An ACK proves nothing.
    report("a", NodeEvent::Acknowledged(1)).await;
    assert_eq!(state().await, NodeState::Updating);
    database.pass(31);
    assert_eq!(state().await, NodeState::NeverRan);
    report("a", NodeEvent::InForce(1)).await;
    assert_eq!(state().await, NodeState::InForce);

    control.create_policy(&anna(), policy("vod")).await.unwrap();
    assert_eq!(state().await, NodeState::Behind);
    report("a", NodeEvent::Offered(2)).await;
    assert_eq!(state().await, NodeState::Updating);
    report("a", NodeEvent::Refused(2, "Unable to create Wasm plugin".into())).await;
    report("a", NodeEvent::Refused(2, "a later reason".into())).await;
    assert_eq!(state().await, NodeState::Refused);
    // What Envoy says after a refusal is not believed, but the gauge is.
    report("a", NodeEvent::Acknowledged(2)).await;
    assert_eq!(state().await, NodeState::Refused);
    let node = control.nodes().await.unwrap().remove(0);
    let (revision, reason, since) = node.row.refused.unwrap();
    assert_eq!(
        (revision, reason.as_str(), since.as_str()),
        (2, "Unable to create Wasm plugin", "2026-01-02T03:04:36Z")
    );
    assert_eq!((node.row.in_force, node.row.cluster.as_str(), node.row.version.as_str()), (Some(1), "edge", "1.40.0"));
    report("a", NodeEvent::InForce(2)).await;
    assert_eq!(state().await, NodeState::InForce);

    // It comes back on another stream before the end of the first is seen.
    report("b", NodeEvent::Connected("1.40.0".into())).await;
    report("a", NodeEvent::Disconnected).await;
    assert_eq!(state().await, NodeState::InForce);
    report("b", NodeEvent::Disconnected).await;
    assert_eq!(state().await, NodeState::Disconnected);
}

async fn servers_that_are_gone(database: Database) {
    let control = database.open().await;
    for (node, stream) in [("edge-1", "aa-1"), ("edge-2", "bb-1"), ("edge-3", "aab-1")] {
        let (network, event) = (Network::Staging, NodeEvent::Connected("1.40.0".into()));
        let report = NodeReport { network, node: node.into(), cluster: "edge".into(), stream: stream.into(), event };
        control.record_node(report).await.unwrap();
    }
    let connected = async || {
        let nodes = control.nodes().await.unwrap().into_iter();
        nodes.filter(|node| node.row.connected).map(|node| node.row.node).collect::<Vec<_>>()
    };
    for _ in 0..3 {
        database.pass(20);
        control.sweep_nodes("aa").await.unwrap();
        assert_eq!(connected().await, ["edge-1", "edge-2", "edge-3"]);
    }
    database.pass(20);
    control.sweep_nodes("aa").await.unwrap();
    assert_eq!(connected().await, ["edge-1"]);
}

async fn refused_requests(database: Database) {
    let control = database.open().await;
    let count = |reason: &str, count: i64| RefusalCount { policy: "vod".into(), reason: reason.into(), count };
    let record = async |node: &str, counts: &[RefusalCount]| {
        control.record_refusals(Network::Production, node, counts).await.unwrap();
    };
    record("one", &[count("signature", 2), count("expired", 1), count("path", 0)]).await;
    record("two", &[count("signature", 3)]).await;
    database.pass(60);
    record("one", &[count("signature", 1)]).await;
    let listed = async |network, minutes| {
        let rows = control.refusals(network, minutes).await.unwrap();
        rows.into_iter().map(|it| (it.minute, it.reason, it.count)).collect::<Vec<_>>()
    };
    let row =
        |minute: &str, reason: &str, count: i64| (format!("2026-01-02T03:{minute}:00Z"), reason.to_owned(), count);
    let all = [row("04", "expired", 1), row("04", "signature", 5), row("05", "signature", 1)];
    assert_eq!(listed(Network::Production, 60).await, all);
    assert_eq!(listed(Network::Staging, 60).await, []);
    database.pass(60);
    assert_eq!(listed(Network::Production, 1).await, all[2..]);
    database.pass(9 * 86_400);
    assert_eq!(listed(Network::Production, i64::MAX).await, []);
}

async fn impact(database: Database) {
    let control = database.open().await;
    let mut document = policy("vod");
    document["promote"] = json!(true);
    control.create_policy(&anna(), document).await.unwrap();
    let configuration = json!({"configurationName": "tv", "hostname": "tv.example",
        "digitalProperties": {"staging": ["s.tv.example", "t.tv.example"], "production": ["tv.example"]}});
    control.create_configuration(&anna(), configuration).await.unwrap();
    let assignments = json!({"assignments": [{"policyId": 1, "path": "/vod"}]});
    control.put_assignments(&anna(), "tv.example", assignments).await.unwrap();
    let event = NodeEvent::Connected("1.40.0".into());
    let report = NodeReport {
        network: Network::Production,
        node: "a".into(),
        cluster: String::new(),
        stream: "a".into(),
        event,
    };
    control.record_node(report).await.unwrap();
    assert_eq!(
        control.impact(1).await.unwrap(),
        json!({
            "assignments": [{"hosts": ["s.tv.example", "t.tv.example"], "path": "/vod", "startTime": "*", "endTime": "*",
                "network": "staging"}],
            "nodes": {"staging": 0, "production": 1},
        })
    );
}
