//! The audit trail: every write has an entry, secrets are masked, and no entry can be changed unseen.

use playlock_control::control::PolicyAction;
use playlock_control::store::audit::AuditEntry;
use serde_json::{Value, json};
use sqlx::Executor;

use crate::on_both;
use crate::support::{Database, anna, policy};

on_both!(entries, pages, triggers, chain);

async fn entries(database: Database) {
    let control = database.open().await;
    control.create_policy(&anna(), policy("vod")).await.unwrap();
    let mut edited = policy("vod");
    edited["tokenAuth"]["password"] = json!("478bdf12ee2e785b1c64ed818c643934");
    control.edit_policy(&anna(), 1, edited).await.unwrap();
    control.act_on_policy(&anna(), 1, PolicyAction::Promote).await.unwrap();
    let entries = control.audit(None, 10).await.unwrap().entries;
    let facts: Vec<_> =
        entries.iter().map(|it| (it.sequence, it.actor.as_str(), it.action.as_str(), it.object.as_str())).collect();
    assert_eq!(
        facts,
        [
            (3, "anna", "policy.promote", "policy 1"),
            (2, "anna", "policy.edit", "policy 1"),
            (1, "anna", "policy.create", "policy 1"),
        ]
    );
    let read = |text: &Option<String>| serde_json::from_str::<Value>(text.as_deref().unwrap()).unwrap();
    assert_eq!(entries[0].time, "2026-01-02T03:04:05Z");
    assert_eq!(read(&entries[0].before), json!({"staging": 2, "production": null, "markedForDelete": false}));
    assert_eq!(read(&entries[0].after), json!({"staging": 2, "production": 2, "markedForDelete": false}));
    assert_eq!(read(&entries[1].before)["tokenAuth"]["password"], json!("********"));
    assert_eq!(read(&entries[1].after)["tokenAuth"]["password"], json!("********"));
    assert_eq!(entries[2].before, None);
}

async fn pages(database: Database) {
    let control = database.open().await;
    for number in 0..5 {
        control.create_policy(&anna(), policy(&format!("policy {number}"))).await.unwrap();
    }
    let numbers = |entries: &[AuditEntry]| entries.iter().map(|it| it.sequence).collect::<Vec<_>>();
    let first = control.audit(None, 2).await.unwrap();
    assert_eq!((numbers(&first.entries), first.next), (vec![5, 4], Some(4)));
    let second = control.audit(first.next, 2).await.unwrap();
    assert_eq!((numbers(&second.entries), second.next), (vec![3, 2], Some(2)));
    let third = control.audit(second.next, 2).await.unwrap();
    assert_eq!((numbers(&third.entries), third.next), (vec![1], None));
}

async fn triggers(database: Database) {
    let control = database.open().await;
    control.create_policy(&anna(), policy("vod")).await.unwrap();
    let raw = database.raw().await;
    for statement in ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit", "UPDATE audit SET hash = hash"] {
        let error = raw.execute(statement).await.unwrap_err().to_string();
        assert!(error.contains("the audit trail is append-only"), "{statement}: {error}");
    }
    if database.folder.is_none() {
        let error = raw.execute("TRUNCATE audit").await.unwrap_err().to_string();
        assert!(error.contains("the audit trail is append-only"), "{error}");
    }
    assert_eq!(control.audit(None, 10).await.unwrap().entries.len(), 1);
}

/// Someone with the database's password changes the trail, past the triggers.
async fn chain(database: Database) {
    let control = database.open().await;
    for number in 1..=5 {
        control.create_policy(&anna(), policy(&format!("policy {number}"))).await.unwrap();
    }
    assert_eq!(control.first_broken_audit_entry().await.unwrap(), None);
    let raw = database.raw().await;
    let drop = match database.folder {
        Some(_) => ["DROP TRIGGER audit_update", "DROP TRIGGER audit_delete"],
        None => ["DROP TRIGGER audit_change ON audit", "DROP TRIGGER audit_truncate ON audit"],
    };
    for statement in drop {
        raw.execute(statement).await.unwrap();
    }
    for (change, back, broken) in [
        ("UPDATE audit SET actor = 'eve' WHERE sequence = 2", "UPDATE audit SET actor = 'anna' WHERE sequence = 2", 2),
        ("UPDATE audit SET before = '' WHERE sequence = 4", "UPDATE audit SET before = NULL WHERE sequence = 4", 4),
        (
            "UPDATE audit SET object = 'policy 3x' WHERE sequence = 3",
            "UPDATE audit SET object = 'policy 3' WHERE sequence = 3",
            3,
        ),
        ("UPDATE audit SET sequence = 6 WHERE sequence = 5", "UPDATE audit SET sequence = 5 WHERE sequence = 6", 5),
        ("DELETE FROM audit WHERE sequence = 1", "SELECT 1", 1),
    ] {
        raw.execute(change).await.unwrap();
        assert_eq!(control.first_broken_audit_entry().await.unwrap(), Some(broken), "{change}");
        raw.execute(back).await.unwrap();
    }
}
