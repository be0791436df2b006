//! Settings: staging, production and versions.

use playlock_control::error::ControlError;
use playlock_control::network::Network;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Database, anna};

on_both!(settings);

async fn settings(database: Database) {
    let control = database.open().await;
    let initial = json!({"holdHeaders": true, "default": "deny"});
    assert_eq!(control.settings().await.unwrap(), json!({"staging": initial, "production": initial}));
    for promote in [true, false] {
        assert!(matches!(control.act_on_settings(&anna(), promote).await, Err(ControlError::Conflict(_))));
    }
    let edited = json!({"tokenPathMarker": "~t-", "default": "pass"});
    let shown = json!({"tokenPathMarker": "~t-", "default": "pass", "holdHeaders": true});
    control.put_settings(&anna(), edited.clone()).await.unwrap();
    assert_eq!(control.settings().await.unwrap(), json!({"staging": shown, "production": initial}));
    let revisions = control.poll().await.unwrap();
    assert_eq!((revisions.staging, revisions.production), (2, 1));
    let document = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let staging = document(&control.candidate(Network::Staging).await.unwrap().document);
    assert_eq!(staging["tokenPathMarker"], json!("~t-"));
    control.act_on_settings(&anna(), true).await.unwrap();
    assert_eq!(control.settings().await.unwrap(), json!({"staging": shown, "production": shown}));
    control.put_settings(&anna(), json!({})).await.unwrap();
    control.act_on_settings(&anna(), false).await.unwrap();
    assert_eq!(control.settings().await.unwrap(), json!({"staging": shown, "production": shown}));
    // The same settings once more: a version, and no revision.
    let revisions = control.poll().await.unwrap();
    control.put_settings(&anna(), edited).await.unwrap();
    assert_eq!(control.poll().await.unwrap(), revisions);
}
