//! No secret is in the database, nor in an audit entry or an error; and the master key can be exchanged.

use std::fs;

use playlock_control::actor::Role;
use playlock_control::control::{ExchangeStep, PolicyAction, Secret};
use playlock_control::documents::mask::masked;
use playlock_control::network::Network;
use playlock_control::store::rotate_master_key;
use playlock_control::store::vault::MasterKey;
use serde_json::{Value, json};
use sqlx::Row;

use crate::on_both;
use crate::support::{Database, anna, example, master, policy};

on_both!(dump, master_keys, moved_ciphertexts, masks);

/// Every table with every row as bytes: SQLite's files, or all rows of PostgreSQL as text.
async fn dumped(database: &Database) -> Vec<u8> {
    if let Some(folder) = &database.folder {
        let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
        return files.flatten().collect();
    }
    let raw = database.raw().await;
    let tables = sqlx::query("SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'");
    let mut all = Vec::new();
    for table in tables.fetch_all(&raw).await.unwrap() {
        let table: String = table.get(0);
        let sql = format!("SELECT CAST(CAST(t.* AS TEXT) AS TEXT) FROM {table} t");
        for row in sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&raw).await.unwrap() {
            all.extend(row.get::<String, _>(0).into_bytes());
            all.push(b'\n');
        }
        // Bytes stand there in hex.
        let sql = format!("SELECT convert_to(CAST(t.* AS TEXT), 'UTF8') FROM {table} t");
        for row in sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&raw).await.unwrap() {
            all.extend(row.get::<Vec<u8>, _>(0));
        }
    }
    all
}

/// The bytes in hex, in which a search is fast even without optimisation.
struct Dump(String);

impl Dump {
    async fn of(database: &Database) -> Self {
        Self(base16ct::lower::encode_string(&dumped(database).await))
    }

    fn contains(&self, bytes: &[u8]) -> bool {
        self.0.contains(&base16ct::lower::encode_string(bytes))
    }
}

async fn dump(database: Database) {
    let control = database.open().await;
    control.create_policy(&anna(), example("policy-post.json")).await.unwrap();
    control.act_on_policy(&anna(), 1, PolicyAction::Promote).await.unwrap();
    control.edit_policy(&anna(), 1, example("policy-put.json")).await.unwrap();
    control.act_on_policy(&anna(), 1, PolicyAction::Promote).await.unwrap();
    let mut with_secret = policy("with a secret");
    with_secret["mediaEncryption"]["secret"] = json!("77e1a04f6c1c44d3a0e1f8bd1b0a0d5f");
    with_secret["promote"] = json!(true);
    control.create_policy(&anna(), with_secret).await.unwrap();
    let value = json!("0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    control.do_exchange(&anna(), 2, Secret::Password, ExchangeStep::Add, Some(value)).await.unwrap();
    control.delete_policy(&anna(), 1).await.unwrap_err();
    let client = control.create_client(&anna(), "script", &[Role::Read]).await.unwrap();
    let token = control.create_token(&anna(), "script", &[Role::Read], None).await.unwrap();
    let login = control.create_login("admin", &[Role::Admin]).await.unwrap();
    let second = control.create_login("admin", &[Role::Admin]).await.unwrap();
    let session = control.log_in(&second).await.unwrap().unwrap();

    let mut secrets: Vec<String> = [
        "c319f970fd89b9f8c3d48e25548c793d",
        "478bdf12ee2e785b1c64ed818c643934",
        "77e1a04f6c1c44d3a0e1f8bd1b0a0d5f",
        "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "SAMPLEHASH",
    ]
    .map(str::to_owned)
    .into();
    let production: Value =
        serde_json::from_str(&control.candidate(Network::Production).await.unwrap().document).unwrap();
    let generated = production["policies"][0]["mediaEncryption"]["secret"].as_str().unwrap();
    assert_eq!(generated.len(), 64);
    secrets.push(generated.into());
    secrets.extend([
        client.client_secret.to_string(),
        login.to_string(),
        second.to_string(),
        session.cookie.to_string(),
    ]);
    secrets.push(token.token.trim_start_matches("playlock_").to_owned());
    secrets.push(master().to_hex().to_string());

    // Something that must be found, so that the search is one.
    let dump = Dump::of(&database).await;
    assert!(dump.contains(b"Policy - All Features") && dump.contains(client.client_token.as_bytes()));
    for secret in &secrets {
        let raw = base16ct::mixed::decode_vec(secret).unwrap_or_default();
        assert!(!dump.contains(secret.as_bytes()), "{secret} is in the database");
        assert!(raw.is_empty() || !dump.contains(&raw), "{secret} is there in bytes");
    }
    control.close().await;
    let dump = Dump::of(&database).await;
    assert!(secrets.iter().all(|secret| !dump.contains(secret.as_bytes())));
}

async fn master_keys(database: Database) {
    let control = database.open().await;
    control.create_policy(&anna(), example("policy-post.json")).await.unwrap();
    let before = control.candidate(Network::Staging).await.unwrap();
    control.close().await;
    let new = MasterKey::generate(&*database.still).unwrap();
    let error = database.try_open(&new).await.err().unwrap().to_string();
    assert!(error.contains("the master key is not the one"), "{error}");
    rotate_master_key(&database.url, &new, &master(), &*database.still).await.unwrap_err();
    rotate_master_key(&database.url, &master(), &new, &*database.still).await.unwrap();
    assert!(database.try_open(&master()).await.is_err());
    let control = database.try_open(&new).await.unwrap();
    assert_eq!(control.candidate(Network::Staging).await.unwrap().document, before.document);
    let back = MasterKey::of_hex(&format!("{}\n", &*new.to_hex())).unwrap();
    assert_eq!(back.to_hex(), new.to_hex());
    assert_eq!(format!("{back:?}"), "MasterKey([redacted])");
    for text in ["", "a1", &"a1".repeat(31), &"a1".repeat(33), &"g1".repeat(32)] {
        assert!(MasterKey::of_hex(text).is_none(), "{text}");
    }
}

/// A ciphertext of one row does not open in another.
async fn moved_ciphertexts(database: Database) {
    let control = database.open().await;
    for name in ["weak", "strong"] {
        control.create_policy(&anna(), policy(name)).await.unwrap();
    }
    let raw = database.raw().await;
    let from = "SELECT document FROM policy_versions WHERE policy = 1";
    let sql = sqlx::AssertSqlSafe(format!("UPDATE policy_versions SET document = ({from}) WHERE policy = 2"));
    sqlx::query(sql).execute(&raw).await.unwrap();
    let error = control.policy(2).await.unwrap_err().to_string();
    assert!(error.contains("the ciphertext was altered, or moved here"), "{error}");
    assert!(control.policy(1).await.is_ok());
}

/// A client without the right to read secrets edits a policy: they stay.
async fn masks(database: Database) {
    let control = database.open().await;
    let mut document = policy("vod");
    document["mediaEncryption"]["secret"] = json!("77e1a04f6c1c44d3a0e1f8bd1b0a0d5f");
    document["tokenAuth"]["transitionPassword"] = json!({"env": "NEXT"});
    control.create_policy(&anna(), document).await.unwrap();
    let mut shown = masked(&control.policy(1).await.unwrap());
    assert_eq!(shown["tokenAuth"]["password"], json!("********"));
    assert_eq!(shown["mediaEncryption"]["secret"], json!("********"));
    shown["description"] = json!("edited");
    control.edit_policy(&anna(), 1, shown).await.unwrap();
    let policy = control.policy(1).await.unwrap();
    assert_eq!(policy["description"], json!("edited"));
    assert_eq!(policy["tokenAuth"]["password"], json!("c319f970fd89b9f8c3d48e25548c793d"));
    assert_eq!(policy["mediaEncryption"]["secret"], json!("77e1a04f6c1c44d3a0e1f8bd1b0a0d5f"));
    let candidate = control.candidate(Network::Staging).await.unwrap();
    assert_eq!(candidate.variables, ["NEXT"]);
}
