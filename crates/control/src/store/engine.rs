//! The two databases.

/// The database's engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A server, which several control planes may share.
    Postgres,
}
