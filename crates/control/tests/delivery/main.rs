//! Delivery over real connections: TLS, gRPC and the services, with the operations in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod authority;
mod envoy;
mod leases;
mod memory;

use envoy_types::pb::envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use envoy_types::pb::envoy::service::extension::v3::extension_config_discovery_service_client::ExtensionConfigDiscoveryServiceClient as Client;
use envoy_types::pb::envoy::service::metrics::v3::metrics_service_client::MetricsServiceClient;
use envoy_types::pb::envoy::service::metrics::v3::{StreamMetricsMessage, stream_metrics_message::Identifier};
use envoy_types::pb::io::prometheus::client::{Counter, Gauge, LabelPair, Metric, MetricFamily};
use playlock_control::control::{NodeEvent, RefusalCount};
use playlock_control::network::Network;
use tokio::sync::mpsc::UnboundedReceiver;
use tonic::Code;

use self::authority::Authority;
use self::envoy::{Envoy, document, first, node};
use self::memory::{Memory, Recorded, Server};

const STAGING: &str = "spiffe://playlock/network/staging";
const PRODUCTION: &str = "spiffe://playlock/network/production";

/// The next recorded event of any node.
async fn event(recorded: &mut UnboundedReceiver<Recorded>) -> NodeEvent {
    match recorded.recv().await.unwrap() {
        Recorded::Event(_, _, event) => event,
        other @ Recorded::Refusals(..) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_certificate_decides_the_network_whatever_the_node_claims() {
    let (memory, mut recorded) = Memory::new();
    let authority = Authority::new();
    let server = Server::start(&memory, &authority).await;
    memory.publish(Network::Staging, r#"{"staging": 1}"#);
    memory.publish(Network::Production, r#"{"production": 1}"#);
    let staging = authority.channel(server.port, Some((&authority, &[STAGING])));
    let mut claims = first("production", "");
    claims.resource_names.push("production".to_owned());
    let response = Envoy::open(&staging, claims).await.unwrap().next().await.unwrap();
    assert_eq!(document(&response).trim(), r#"{"staging": 1}"#);
    let production = authority.channel(server.port, Some((&authority, &[PRODUCTION])));
    let response = Envoy::open(&production, first("edge", "")).await.unwrap().next().await.unwrap();
    assert_eq!(document(&response).trim(), r#"{"production": 1}"#);
    let connected = Recorded::Event(Network::Staging, "production".to_owned(), NodeEvent::Connected(String::new()));
    assert_eq!(recorded.recv().await.unwrap(), connected);
    server.end().await;
}

#[tokio::test]
async fn other_certificates_get_nothing() {
    let (memory, mut recorded) = Memory::new();
    let (authority, other) = (Authority::new(), Authority::new());
    let server = Server::start(&memory, &authority).await;
    memory.publish(Network::Production, "{}");
    let nobody: &[&str] = &[];
    for (client, code) in [
        (None, Code::Unavailable),
        (Some((&other, &[PRODUCTION][..])), Code::Unavailable),
        (Some((&authority, nobody)), Code::PermissionDenied),
        (Some((&authority, &["spiffe://playlock/server"][..])), Code::PermissionDenied),
        (Some((&authority, &[STAGING, PRODUCTION][..])), Code::PermissionDenied),
    ] {
        let channel = authority.channel(server.port, client);
        let Err(status) = Envoy::open(&channel, first("edge", "")).await else { panic!("{code:?}") };
        // A handshake that fails is a transport error, which tonic reports as one of two codes.
        let status = if status.code() == Code::Unknown { Code::Unavailable } else { status.code() };
        assert_eq!(status, code);
        let messages = tokio_stream::iter([StreamMetricsMessage::default()]);
        assert!(MetricsServiceClient::new(channel).stream_metrics(messages).await.is_err());
    }
    server.end().await;
    drop(memory);
    assert_eq!(recorded.recv().await, None);
}

#[tokio::test]
async fn another_certificate_holds_from_the_next_connection_on() {
    let (memory, _recorded) = Memory::new();
    let (authority, other) = (Authority::new(), Authority::new());
    let server = Server::start(&memory, &authority).await;
    memory.publish(Network::Staging, "{}");
    let before = authority.channel(server.port, Some((&authority, &[STAGING])));
    Envoy::open(&before, first("edge", "")).await.unwrap().next().await.unwrap();
    let (certificate, key) = other.issue(&[playlock_control::xds::SERVER]);
    server.tls.replace("not a certificate", &key, &other.certificate).unwrap_err();
    server.tls.replace(&certificate, &key, &other.certificate).unwrap();
    // The open connection stays; others need the new authority.
    Envoy::open(&before, first("edge", "")).await.unwrap().next().await.unwrap();
    assert!(
        Envoy::open(&authority.channel(server.port, Some((&authority, &[STAGING]))), first("edge", "")).await.is_err()
    );
    let after = other.channel(server.port, Some((&other, &[STAGING])));
    Envoy::open(&after, first("edge", "")).await.unwrap().next().await.unwrap();
    server.end().await;
}

#[tokio::test]
async fn silent_clients_do_not_keep_the_server() {
    let (memory, _recorded) = Memory::new();
    let authority = Authority::new();
    let server = Server::start(&memory, &authority).await;
    let silent = authority.connect(server.port, &[STAGING]).await;
    server.end().await;
    drop(silent);
}

#[tokio::test]
async fn delta_and_polls_are_not_offered() {
    let (memory, _recorded) = Memory::new();
    let authority = Authority::new();
    let server = Server::start(&memory, &authority).await;
    let mut client = Client::new(authority.channel(server.port, Some((&authority, &[STAGING]))));
    let delta = client.delta_extension_configs(tokio_stream::iter([DeltaDiscoveryRequest::default()])).await;
    assert_eq!(delta.unwrap_err().code(), Code::Unimplemented);
    let poll = client.fetch_extension_configs(DiscoveryRequest::default()).await;
    assert_eq!(poll.unwrap_err().code(), Code::Unimplemented);
    server.end().await;
}

#[tokio::test]
async fn changes_arrive_and_refused_bytes_do_not_come_back() {
    let (memory, mut recorded) = Memory::new();
    let authority = Authority::new();
    let server = Server::start(&memory, &authority).await;
    let channel = authority.channel(server.port, Some((&authority, &[STAGING])));
    let mut edge = Envoy::open(&channel, first("edge", "")).await.unwrap();
    assert_eq!(event(&mut recorded).await, NodeEvent::Connected(String::new()));
    // A new process runs nothing.
    assert_eq!(event(&mut recorded).await, NodeEvent::InForce(0));
    memory.publish(Network::Staging, r#"{"a": 1}"#);
    let one = edge.next().await.unwrap();
    assert_eq!(event(&mut recorded).await, NodeEvent::Offered(1));
    edge.answer(&one, &one.version_info, None);
    assert_eq!(event(&mut recorded).await, NodeEvent::Acknowledged(1));
    memory.publish(Network::Production, "{}");
    memory.publish(Network::Staging, r#"{"a": 2}"#);
    let two = edge.next().await.unwrap();
    assert_eq!(document(&two).trim(), r#"{"a": 2}"#);
    assert_eq!(event(&mut recorded).await, NodeEvent::Offered(2));
    edge.answer(&two, &one.version_info, Some("no\nfile"));
    assert_eq!(event(&mut recorded).await, NodeEvent::Refused(2, "no file".to_owned()));
    // The same policies as other bytes.
    let again = edge.next().await.unwrap();
    assert_eq!(document(&again), format!("{} ", document(&two)));
    assert_eq!(again.version_info, two.version_info);
    assert_eq!(event(&mut recorded).await, NodeEvent::Offered(2));
    // On another stream of the same node, too; a stale nonce is not an answer.
    drop(edge);
    assert_eq!(event(&mut recorded).await, NodeEvent::Disconnected);
    let mut edge = Envoy::open(&channel, first("edge", &one.version_info)).await.unwrap();
    let third = edge.next().await.unwrap();
    assert_eq!(document(&third), format!("{} ", document(&two)));
    edge.answer(&again, &two.version_info, Some("stale"));
    edge.answer(&third, &two.version_info, None);
    let expected = [NodeEvent::Connected(String::new()), NodeEvent::Offered(2), NodeEvent::Acknowledged(2)];
    for expected in expected {
        let found = event(&mut recorded).await;
        // A nonce counts from 1 on each stream: the second of the first stream is not the first of this one.
        assert_eq!(found, expected);
    }
    server.end().await;
    assert_eq!(event(&mut recorded).await, NodeEvent::Disconnected);
}

#[tokio::test]
async fn another_server_sends_other_bytes_and_nothing_to_a_node_that_has_the_version() {
    let (memory, mut recorded) = Memory::new();
    let authority = Authority::new();
    memory.publish(Network::Staging, "{}");
    let mut seen = Vec::new();
    for _ in 0..2 {
        let server = Server::start(&memory, &authority).await;
        let channel = authority.channel(server.port, Some((&authority, &[STAGING])));
        let mut edge = Envoy::open(&channel, first("edge", "")).await.unwrap();
        let response = edge.next().await.unwrap();
        edge.answer(&response, &response.version_info, None);
        seen.push(response);
        let mut settled = Envoy::open(&channel, first("settled", &seen[0].version_info)).await.unwrap();
        while recorded.recv().await.unwrap()
            != Recorded::Event(Network::Staging, "settled".to_owned(), NodeEvent::Acknowledged(1))
        {}
        server.end().await;
        // The end of the server, and no response before it.
        assert_eq!(settled.next().await.unwrap_err().code(), Code::Unavailable);
    }
    assert_eq!(seen[0].version_info, seen[1].version_info);
    assert_ne!(document(&seen[0]), document(&seen[1]));
    assert_eq!(document(&seen[0]).trim(), document(&seen[1]).trim());
}

#[tokio::test]
async fn requests_for_something_else_are_recorded_and_not_answered() {
    let (memory, mut recorded) = Memory::new();
    let authority = Authority::new();
    let server = Server::start(&memory, &authority).await;
    memory.publish(Network::Staging, "{}");
    let channel = authority.channel(server.port, Some((&authority, &[STAGING])));
    // So that the revision is published.
    Envoy::open(&channel, first("other", "")).await.unwrap().next().await.unwrap();
    let mut streams = Vec::new();
    for (id, name, kind, reason) in [
        ("name", "gate\u{1b}keeper", envoy::TYPE_URL, r#"found "gate_keeper", expected "playlock""#),
        ("type", "playlock", "type.googleapis.com/envoy.config.cluster.v3.Cluster", "envoy.config.cluster.v3.Cluster"),
    ] {
        let mut request = first(id, "");
        (request.resource_names, request.type_url) = (vec![name.to_owned()], kind.to_owned());
        streams.push(Envoy::open(&channel, request).await.unwrap());
        loop {
            let Recorded::Event(_, node, event) = recorded.recv().await.unwrap() else { continue };
            if let NodeEvent::Refused(revision, detail) = event {
                assert_eq!((node.as_str(), revision), (id, 1));
                assert!(detail.contains(reason), "{detail}");
                break;
            }
        }
    }
    let unnamed = Envoy::open(&channel, DiscoveryRequest::default()).await.unwrap().next().await;
    assert_eq!(unnamed.unwrap_err().code(), Code::InvalidArgument);
    server.end().await;
    for mut stream in streams {
        assert_eq!(stream.next().await.unwrap_err().code(), Code::Unavailable);
    }
}

#[tokio::test]
async fn metrics_bring_the_revision_in_force_and_the_refusals() {
    let (memory, mut recorded) = Memory::new();
    let authority = Authority::new();
    let server = Server::start(&memory, &authority).await;
    memory.publish(Network::Production, r#"{"policies": [{"policyName": "live tv"}]}"#);
    let channel = authority.channel(server.port, Some((&authority, &[PRODUCTION])));
    // So that the policies are published.
    Envoy::open(&channel, first("other", "")).await.unwrap().next().await.unwrap();
    let label = |name: &str, value: &str| LabelPair { name: Some(name.to_owned()), value: Some(value.to_owned()) };
    let gauge = Metric { gauge: Some(Gauge { value: Some(1.0) }), ..Metric::default() };
    let counter = Metric {
        label: vec![label("playlock_policy", "live_tv"), label("playlock_reason", "signature")],
        counter: Some(Counter { value: Some(3.0), ..Counter::default() }),
        ..Metric::default()
    };
    let family = |name: &str, metric: Metric| MetricFamily {
        name: Some(format!("wasmcustom.playlock.{name}")),
        metric: vec![metric],
        ..MetricFamily::default()
    };
    let message = |id: &str| StreamMetricsMessage {
        identifier: Some(Identifier { node: Some(node(id)) }),
        envoy_metrics: vec![family("revision", gauge.clone()), family("refused", counter.clone())],
    };
    // The second message's node is not believed.
    let messages = tokio_stream::iter([message("edge"), message("other")]);
    MetricsServiceClient::new(channel).stream_metrics(messages).await.unwrap();
    let (mut in_force, mut refused) = (Vec::new(), 0);
    while in_force.is_empty() || refused < 6 {
        match recorded.recv().await.unwrap() {
            Recorded::Event(_, node, NodeEvent::InForce(revision @ 1..)) => in_force.push((node, revision)),
            Recorded::Event(..) => {}
            Recorded::Refusals(network, node, counts) => {
                let [RefusalCount { policy, reason, count }] = &counts[..] else { panic!("{counts:?}") };
                assert_eq!((network, node.as_str()), (Network::Production, "edge"));
                assert_eq!((policy.as_str(), reason.as_str()), ("live tv", "signature"));
                refused += count;
            }
        }
    }
    assert_eq!((in_force, refused), (vec![("edge".to_owned(), 1)], 6));
    server.end().await;
}

#[tokio::test]
async fn beyond_a_hundred_nodes_of_a_network_new_ones_are_refused_and_others_are_not() {
    let (memory, mut recorded) = Memory::new();
    let authority = Authority::new();
    let server = Server::start(&memory, &authority).await;
    memory.publish(Network::Staging, "{}");
    memory.publish(Network::Production, "{}");
    let channels: Vec<_> = (0..10).map(|_| authority.channel(server.port, Some((&authority, &[STAGING])))).collect();
    let mut crowd = Vec::new();
    for number in 0..100 {
        let mut edge = Envoy::open(&channels[number % 10], first(&format!("edge-{number}"), "")).await.unwrap();
        edge.next().await.unwrap();
        crowd.push(edge);
    }
    let refused = Envoy::open(&channels[0], first("invented", "")).await.unwrap().next().await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.message().starts_with("nodes: 100 of staging are connected;"), "{refused}");
    // A node that has a stream may have another one; the other network has places of its own.
    Envoy::open(&channels[0], first("edge-0", "")).await.unwrap().next().await.unwrap();
    let production = authority.channel(server.port, Some((&authority, &[PRODUCTION])));
    Envoy::open(&production, first("edge", "")).await.unwrap().next().await.unwrap();
    // A place that is free is given away.
    drop(crowd.pop());
    loop {
        match recorded.recv().await.unwrap() {
            Recorded::Event(_, node, NodeEvent::Disconnected) if node == "edge-99" => break,
            Recorded::Event(_, node, _) => assert_ne!(node, "invented"),
            other @ Recorded::Refusals(..) => panic!("{other:?}"),
        }
    }
    Envoy::open(&channels[0], first("invented", "")).await.unwrap().next().await.unwrap();
    server.end().await;
}

#[tokio::test]
async fn a_document_that_cannot_be_read_leaves_the_last_one() {
    let (memory, _recorded) = Memory::new();
    let authority = Authority::new();
    let server = Server::start(&memory, &authority).await;
    memory.publish(Network::Staging, r#"{"a": 1}"#);
    let channel = authority.channel(server.port, Some((&authority, &[STAGING])));
    let mut edge = Envoy::open(&channel, first("edge", "")).await.unwrap();
    let one = edge.next().await.unwrap();
    edge.answer(&one, &one.version_info, None);
    memory.publish(Network::Staging, "unreadable");
    memory.publish(Network::Staging, r#"{"a": 3}"#);
    let three = edge.next().await.unwrap();
    assert_eq!(document(&three).trim(), r#"{"a": 3}"#);
    server.end().await;
}

#[tokio::test]
async fn a_crowd_gets_the_same_bytes() {
    let (memory, _recorded) = Memory::new();
    let authority = Authority::new();
    let server = Server::start(&memory, &authority).await;
    memory.publish(Network::Production, r#"{"a": 1}"#);
    let channels: Vec<_> = (0..8).map(|_| authority.channel(server.port, Some((&authority, &[PRODUCTION])))).collect();
    let mut crowd = Vec::new();
    for number in 0..64 {
        let mut edge = Envoy::open(&channels[number % 8], first(&format!("edge-{number}"), "")).await.unwrap();
        let response = edge.next().await.unwrap();
        edge.answer(&response, &response.version_info, None);
        crowd.push(edge);
    }
    memory.publish(Network::Production, r#"{"a": 2}"#);
    let expected = crowd[0].next().await.unwrap();
    for edge in crowd.iter_mut().skip(1) {
        assert_eq!(edge.next().await.unwrap().resources, expected.resources);
    }
    server.end().await;
}
