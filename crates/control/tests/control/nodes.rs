//! States of Envoys, and the requests that they refused.

use playlock_control::control::{NodeEvent, NodeReport, NodeState, RefusalCount};
use playlock_control::network::Network;
use serde_json::json;
use sqlx::{Executor, Row};

use crate::on_both;
use crate::support::{Database, anna, policy};

on_both!(states, servers_that_are_gone, invented_nodes, refused_requests, impact);

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

/// The list is bounded: nodes without a stream make room, those that never ran anything first, and connected ones never.
async fn invented_nodes(database: Database) {
    const MOST: usize = 10_000;
    let control = database.open().await;
    let raw = database.raw().await;
    let insert = async |network: &str, stream: &str, count: usize| {
        let sql = format!(
            "INSERT INTO nodes (network, node, cluster, version, stream, since)
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
             SELECT '{network}', 'one of {count}: ' || i, '', '', {stream}, '2026-01-01T00:00:00Z' FROM n"
        );
        raw.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    };
    let report = async |network: Network, node: &str, event: NodeEvent| {
        let (cluster, stream) = (String::new(), format!("aa-{node}"));
        control.record_node(NodeReport { network, node: node.into(), cluster, stream, event }).await.unwrap();
    };
    let connect = async |node: &str| report(Network::Staging, node, NodeEvent::Connected("1.40.0".into())).await;
    let names = async |network: Network| {
        let nodes = control.nodes().await.unwrap().into_iter().filter(move |node| node.row.network == network);
        nodes.map(|node| node.row.node).collect::<Vec<_>>()
    };
    // Real ones: one that runs a revision, and one that did, with a refusal.
    connect("real").await;
    report(Network::Staging, "real", NodeEvent::InForce(1)).await;
    connect("away").await;
    report(Network::Staging, "away", NodeEvent::InForce(1)).await;
    report(Network::Staging, "away", NodeEvent::Refused(1, "no file".into())).await;
    report(Network::Staging, "away", NodeEvent::Disconnected).await;
    insert("staging", "NULL", 150).await;
    insert("staging", "'bb-1'", MOST - 152).await;
    insert("production", "NULL", 10).await;
    assert_eq!(names(Network::Staging).await.len(), MOST);

    // The invented ones without a stream make room, in batches; after them the real one that is away.
    let mut number = 0;
    for (count, rows, away) in
        [(1, MOST - 99, true), (99, MOST, true), (1, MOST - 49, true), (49, MOST, true), (1, MOST, false)]
    {
        for _ in 0..count {
            number += 1;
            connect(&format!("new {number}")).await;
        }
        let names = names(Network::Staging).await;
        assert_eq!((names.len(), names.iter().any(|name| name == "away")), (rows, away));
        assert!(names.iter().any(|name| name == "real"));
    }
    // All are connected: nothing makes room, for a gauge neither; and a refusal needs a place in the list.
    connect("one more").await;
    report(Network::Staging, "one more", NodeEvent::InForce(1)).await;
    report(Network::Staging, "one more", NodeEvent::Refused(1, "no file".into())).await;
    let listed = names(Network::Staging).await;
    assert!(listed.len() == MOST && !listed.iter().any(|name| name == "one more"));
    let rows: i64 = sqlx::query("SELECT COUNT(*) FROM node_refusals").fetch_one(&raw).await.unwrap().get(0);
    assert_eq!(rows, 0);
    // Those that are listed may come back, and the other network is as it was.
    connect("real").await;
    assert_eq!(control.nodes().await.unwrap().iter().filter(|node| node.row.version == "1.40.0").count(), 152);
    assert_eq!(names(Network::Production).await.len(), 10);
}

async fn refused_requests(database: Database) {
    let control = database.open().await;
    let count = |reason: &str, count: i64| RefusalCount { policy: "vod".into(), reason: reason.into(), count };
    let record = async |counts: &[RefusalCount]| {
        control.record_refusals(Network::Production, counts).await.unwrap();
    };
    record(&[count("signature", 2), count("expired", 1), count("path", 0)]).await;
    record(&[count("signature", 3)]).await;
    database.pass(60);
    record(&[count("signature", 1)]).await;
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
