//! The database: SQLite or PostgreSQL behind one SQL, migrations, rows, and encryption at rest. It knows no rules of
//! policies; `control` has those.

pub mod access;
pub mod audit;
pub mod configurations;
mod database;
mod engine;
pub mod exchanges;
mod migrations;
pub mod networks;
pub mod nodes;
pub mod policies;
pub mod settings;
pub mod vault;

pub use self::database::{Store, Writing, rotate_master_key};
pub use self::engine::Engine;
