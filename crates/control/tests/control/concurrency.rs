//! Two servers on one database: writes serialise, revisions have no gap, and each server sees the other's.

use std::collections::BTreeSet;
use std::sync::Arc;

use playlock_control::control::{Control, PolicyAction};
use playlock_control::error::ControlError;
use playlock_control::network::Network;
use serde_json::json;
use sqlx::{Executor, Row};

use crate::on_both;
use crate::support::{Database, anna, policy};

on_both!(parallel_writes, parallel_promotions, unnotified_writes, seen_elsewhere, starts);

/// Writes of both servers at once, each of which changes staging's document.
async fn parallel_writes(database: Database) {
    const EACH: i64 = 12;
    let servers = [database.open().await, database.open().await];
    let mut writers = Vec::new();
    for (server, control) in servers.iter().enumerate() {
        for number in 0..EACH {
            let control = control.clone();
            writers.push(tokio::spawn(async move {
                control.create_policy(&anna(), policy(&format!("{server} {number}"))).await.unwrap().id
            }));
        }
    }
    let mut ids = BTreeSet::new();
    for writer in writers {
        assert!(ids.insert(writer.await.unwrap()), "a number was given twice");
    }
    assert_eq!(ids, (1..=2 * EACH).collect());
    for control in &servers {
        let revisions = control.poll().await.unwrap();
        assert_eq!((revisions.staging, revisions.production), (1 + 2 * EACH, 1));
        assert_eq!(control.candidate(Network::Staging).await.unwrap().revision, 1 + 2 * EACH);
        assert_eq!(control.first_broken_audit_entry().await.unwrap(), None);
    }
    let [one, two] = &servers;
    let documents = [one.candidate(Network::Staging).await.unwrap(), two.candidate(Network::Staging).await.unwrap()];
    assert_eq!(documents[0].document, documents[1].document);
}

/// Many promotions of one edit: one succeeds, and the others find nothing to promote.
async fn parallel_promotions(database: Database) {
    let servers = [database.open().await, database.open().await];
    servers[0].create_policy(&anna(), policy("vod")).await.unwrap();
    for round in 1..=3 {
        let promotions: Vec<_> = (0..8)
            .map(|number: usize| {
                let control: Control = servers[number % 2].clone();
                tokio::spawn(async move { control.act_on_policy(&anna(), 1, PolicyAction::Promote).await })
            })
            .collect();
        let mut promoted = 0;
        for promotion in promotions {
            match promotion.await.unwrap() {
                Ok(()) => promoted += 1,
                Err(ControlError::Conflict(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(promoted, 1);
        assert_eq!(servers[0].poll().await.unwrap().production, 1 + round);
        let mut edited = policy("vod");
        edited["tokenAuth"]["sessionTtl"] = json!(format!("{round}h"));
        servers[1].edit_policy(&anna(), 1, edited).await.unwrap();
    }
}

/// A server that ends between its commit and its notification: polling finds the revision.
async fn unnotified_writes(database: Database) {
    let control = database.open().await;
    let mut changes = control.changes();
    let raw = database.raw().await;
    raw.execute("UPDATE networks SET revision = revision + 1 WHERE network = 'production'").await.unwrap();
    // The watcher polls; nothing here tells it to.
    changes.wait_for(|revisions| revisions.production == 2).await.unwrap();
    assert_eq!(control.candidate(Network::Production).await.unwrap().revision, 2);
}

async fn seen_elsewhere(database: Database) {
    let (one, two) = (database.open().await, database.open().await);
    let mut changes = two.changes();
    let mut document = policy("vod");
    document["promote"] = json!(true);
    one.create_policy(&anna(), document).await.unwrap();
    let seen = *changes.wait_for(|revisions| revisions.staging == 2 && revisions.production == 2).await.unwrap();
    assert_eq!(seen, two.poll().await.unwrap());
    let candidate = two.candidate(Network::Production).await.unwrap();
    assert!(candidate.document.contains("\"vod\""));
    // A write that is dropped before its end leaves nothing.
    let writing = tokio::spawn({
        let one = one.clone();
        async move { one.create_policy(&anna(), policy("dropped")).await.map(drop) }
    });
    writing.abort();
    let _ = writing.await;
    let revisions = two.poll().await.unwrap();
    assert!(revisions.staging <= 3);
    two.create_policy(&anna(), policy("next")).await.unwrap();
}

/// Servers that start at once on an empty database make one data key, and one row for each network.
async fn starts(database: Database) {
    let database = Arc::new(database);
    let opening: Vec<_> = (0..4)
        .map(|_| {
            let database = Arc::clone(&database);
            tokio::spawn(async move { database.open().await })
        })
        .collect();
    let mut servers = Vec::new();
    for server in opening {
        servers.push(server.await.unwrap());
    }
    servers[0].create_policy(&anna(), policy("vod")).await.unwrap();
    for server in &servers {
        assert!(server.candidate(Network::Staging).await.unwrap().document.contains("vod"));
    }
    let raw = database.raw().await;
    for (table, rows) in [("vault", 1_i64), ("networks", 2), ("settings_versions", 1), ("migrations", 2)] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        assert_eq!(sqlx::query(sql).fetch_one(&raw).await.unwrap().get::<i64, _>(0), rows, "{table}");
    }
}
