//! Databases, a clock and randomness for tests, and shorthand for operations.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::{env, fs, process};

use playlock_control::actor::{Actor, Role};
use playlock_control::clock::Surroundings;
use playlock_control::control::Control;
use playlock_control::error::ControlError;
use playlock_control::store::vault::MasterKey;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{AnyPool, Executor};

use crate::postgres;

/// Makes one test for each database of a function.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::support::Database::sqlite(concat!(module_path!(), stringify!($name)))).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name($crate::support::Database::postgres().await).await;
            }
        }
    )*};
}

/// 2026-01-02T03:04:05Z.
pub const NOW: i64 = 1_767_323_045;

/// A clock that stands still, and bytes that anyone can predict.
pub struct Still {
    pub now: AtomicI64,
    drawn: AtomicU64,
}

impl Default for Still {
    fn default() -> Self {
        Self { now: AtomicI64::new(NOW), drawn: AtomicU64::new(0) }
    }
}

impl Surroundings for Still {
    fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), ControlError> {
        let drawn = self.drawn.fetch_add(1, Ordering::SeqCst);
        let block = Sha256::digest(drawn.to_be_bytes());
        bytes.copy_from_slice(&block[..bytes.len()]);
        Ok(())
    }
}

/// An empty database.
pub struct Database {
    pub url: String,
    /// The folder of SQLite's file.
    pub folder: Option<PathBuf>,
    pub still: Arc<Still>,
}

impl Database {
    pub fn sqlite(name: &str) -> Self {
        let name = name.replace("::", "-");
        let folder = env::temp_dir().join(format!("playlock-sqlite-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.join("playlock.db").display());
        Self { url, folder: Some(folder), still: Arc::default() }
    }

    pub async fn postgres() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let server = tokio::task::spawn_blocking(postgres::url).await.unwrap();
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        sqlx::any::install_default_drivers();
        let pool = AnyPool::connect(&format!("{server}/postgres")).await.unwrap();
        pool.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        pool.close().await;
        Self { url: format!("{server}/{name}"), folder: None, still: Arc::default() }
    }

    /// A server on this database.
    pub async fn open(&self) -> Control {
        self.try_open(&master()).await.unwrap()
    }

    pub async fn try_open(&self, master: &MasterKey) -> Result<Control, ControlError> {
        Control::open(&self.url, master, Arc::clone(&self.still) as Arc<dyn Surroundings>).await
    }

    /// The database without the control plane.
    pub async fn raw(&self) -> AnyPool {
        AnyPool::connect(&self.url).await.unwrap()
    }

    pub fn pass(&self, seconds: i64) {
        self.still.now.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

pub fn master() -> MasterKey {
    MasterKey::of_hex(&"a1".repeat(32)).unwrap()
}

pub fn anna() -> Actor {
    Actor { name: "anna".into(), roles: Role::ALL.to_vec() }
}

/// A file of the API's examples.
pub fn example(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/story").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A policy with tokens and encryption.
pub fn policy(name: &str) -> Value {
    serde_json::json!({
        "policyName": name,
        "tokenAuth": {"enabled": true, "password": "c319f970fd89b9f8c3d48e25548c793d"},
        "mediaEncryption": {"enabled": true},
    })
}

/// The members of the findings of a refused document.
pub fn members<T: std::fmt::Debug>(result: Result<T, ControlError>) -> Vec<String> {
    match result {
        Err(ControlError::Invalid(found)) => found.into_iter().map(|finding| finding.member).collect(),
        other => panic!("expected a document to be refused: {other:?}"),
    }
}
