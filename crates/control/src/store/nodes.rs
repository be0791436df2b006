//! Rows of `nodes`, `node_refusals` and `refusals`: Envoys, and the requests that they refused.

use sqlx::{AnyPool, Row};

use crate::error::ControlError;
use crate::network::Network;

/// A row of `nodes`, with the refusal of what was offered last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// The network, from the certificate.
    pub network: Network,
    /// `node.id`.
    pub node: String,
    /// `node.cluster`.
    pub cluster: String,
    /// Envoy's version.
    pub version: String,
    /// Whether a stream is open.
    pub connected: bool,
    /// The time of the last connection or disconnection.
    pub since: String,
    /// The revision sent last.
    pub offered: Option<i64>,
    /// The time at which it was sent.
    pub offered_at: Option<String>,
    /// The revision that Envoy says it accepted.
    pub acknowledged: Option<i64>,
    /// The revision in force, by the module's gauge; a document without one counts as none.
    pub in_force: Option<i64>,
    /// The newest refusal: revision, reason, time.
    pub refused: Option<(i64, String, String)>,
}

/// Nodes of one network that are listed at most: their names are claims, of which one certificate can make any number.
pub const MOST_NODES: i64 = 10_000;

/// Nodes that make room for new ones at a time, of those that never ran a revision.
const ROOM: i64 = 100;

/// The place of a node in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// Whether it has one: it has none if all others have streams.
    pub listed: bool,
    /// The number of others that made room.
    pub forgotten: u64,
}

/// Opens a stream of a node.
///
/// # Errors
/// If the database cannot be written.
pub async fn connected(
    pool: &AnyPool,
    node: (Network, &str, &str),
    version: &str,
    stream: &str,
    now: &str,
) -> Result<Listing, ControlError> {
    let listing = list(pool, node, now).await?;
    let (network, node, cluster) = node;
    sqlx::query(
        "UPDATE nodes SET cluster = $3, version = $4, stream = $5, seen = $6, since = $6, offered = NULL, offered_at = NULL,
         acknowledged = NULL WHERE network = $1 AND node = $2",
    )
    .bind(network.name())
    .bind(node)
    .bind(cluster)
    .bind(version)
    .bind(stream)
    .bind(now)
    .execute(pool)
    .await?;
    Ok(listing)
}

/// Lists a node, unless it is. If the list is full, nodes without a stream make room: those that never ran a revision
/// first, and of each kind those whose stream ended first.
async fn list(pool: &AnyPool, node: (Network, &str, &str), now: &str) -> Result<Listing, ControlError> {
    let network = node.0;
    let sql = "SELECT 1 FROM nodes WHERE network = $1 AND node = $2";
    let known = sqlx::query(sql).bind(network.name()).bind(node.1).fetch_optional(pool).await?.is_some();
    if known || insert(pool, node, now).await? {
        return Ok(Listing { listed: true, forgotten: 0 });
    }
    let mut forgotten = 0;
    for (condition, count) in [("COALESCE(in_force, 0) = 0", ROOM), ("in_force > 0", 1)] {
        if forgotten == 0 {
            let sql = sqlx::AssertSqlSafe(format!(
                "DELETE FROM nodes WHERE network = $1 AND stream IS NULL AND node IN (SELECT node FROM nodes
                 WHERE network = $1 AND stream IS NULL AND {condition} ORDER BY since, node LIMIT $2)"
            ));
            forgotten = sqlx::query(sql).bind(network.name()).bind(count).execute(pool).await?.rows_affected();
        }
    }
    let sql = "DELETE FROM node_refusals WHERE network = $1 AND NOT EXISTS (SELECT 1 FROM nodes
               WHERE nodes.network = node_refusals.network AND nodes.node = node_refusals.node)";
    sqlx::query(sql).bind(network.name()).execute(pool).await?;
    Ok(Listing { listed: insert(pool, node, now).await?, forgotten })
}

/// Lists a new node if there is room. Returns whether there was.
async fn insert(pool: &AnyPool, node: (Network, &str, &str), now: &str) -> Result<bool, ControlError> {
    let sql = "INSERT INTO nodes (network, node, cluster, version, since) SELECT $1, $2, $3, '', $4
               WHERE (SELECT COUNT(*) FROM nodes WHERE network = $1) < $5 ON CONFLICT (network, node) DO NOTHING";
    let query = sqlx::query(sql).bind(node.0.name()).bind(node.1).bind(node.2).bind(now).bind(MOST_NODES);
    Ok(query.execute(pool).await?.rows_affected() > 0)
}

/// Ends a stream of a node, unless the node has opened another one meanwhile.
///
/// # Errors
/// If the database cannot be written.
pub async fn disconnected(
    pool: &AnyPool,
    network: Network,
    node: &str,
    stream: &str,
    now: &str,
) -> Result<(), ControlError> {
    sqlx::query("UPDATE nodes SET stream = NULL, since = $1 WHERE network = $2 AND node = $3 AND stream = $4")
        .bind(now)
        .bind(network.name())
        .bind(node)
        .bind(stream)
        .execute(pool)
        .await?;
    Ok(())
}

/// Marks the nodes with a stream of this server as seen at `now`, and ends the streams of those that no server has seen since
/// `before`: their server is gone. `server`: what the names of its streams begin with, hex digits.
///
/// # Errors
/// If the database cannot be written.
pub async fn sweep(pool: &AnyPool, server: &str, now: &str, before: &str) -> Result<(), ControlError> {
    sqlx::query("UPDATE nodes SET seen = $1 WHERE stream LIKE $2")
        .bind(now)
        .bind(format!("{server}-%"))
        .execute(pool)
        .await?;
    sqlx::query("UPDATE nodes SET stream = NULL, since = $1 WHERE stream IS NOT NULL AND seen < $2")
        .bind(now)
        .bind(before)
        .execute(pool)
        .await?;
    Ok(())
}

/// Stores the revision sent to a node.
///
/// # Errors
/// If the database cannot be written.
pub async fn offered(
    pool: &AnyPool,
    network: Network,
    node: &str,
    revision: i64,
    now: &str,
) -> Result<(), ControlError> {
    sqlx::query("UPDATE nodes SET offered = $1, offered_at = $2 WHERE network = $3 AND node = $4")
        .bind(revision)
        .bind(now)
        .bind(network.name())
        .bind(node)
        .execute(pool)
        .await?;
    Ok(())
}

/// Stores the revision that a node accepted.
///
/// # Errors
/// If the database cannot be written.
pub async fn acknowledged(pool: &AnyPool, network: Network, node: &str, revision: i64) -> Result<(), ControlError> {
    sqlx::query("UPDATE nodes SET acknowledged = $1 WHERE network = $2 AND node = $3")
        .bind(revision)
        .bind(network.name())
        .bind(node)
        .execute(pool)
        .await?;
    Ok(())
}

/// Stores the revision in force. The gauge may come before the node's stream.
///
/// # Errors
/// If the database cannot be written.
pub async fn in_force(
    pool: &AnyPool,
    node: (Network, &str, &str),
    revision: i64,
    now: &str,
) -> Result<Listing, ControlError> {
    let listing = list(pool, node, now).await?;
    let (network, node, _) = node;
    sqlx::query("UPDATE nodes SET in_force = $1 WHERE network = $2 AND node = $3")
        .bind(revision)
        .bind(network.name())
        .bind(node)
        .execute(pool)
        .await?;
    Ok(listing)
}

/// Stores a listed node's refusal of a revision, with Envoy's reason; of the same revision only the first.
///
/// # Errors
/// If the database cannot be written.
pub async fn refused(
    pool: &AnyPool,
    network: Network,
    node: &str,
    refusal: (i64, &str),
    now: &str,
) -> Result<(), ControlError> {
    sqlx::query(
        "INSERT INTO node_refusals (network, node, revision, reason, since) SELECT $1, $2, $3, $4, $5
         WHERE EXISTS (SELECT 1 FROM nodes WHERE network = $1 AND node = $2)
         ON CONFLICT (network, node, revision) DO NOTHING",
    )
    .bind(network.name())
    .bind(node)
    .bind(refusal.0)
    .bind(refusal.1)
    .bind(now)
    .execute(pool)
    .await?;
    Ok(())
}

/// All nodes, by network and name.
///
/// # Errors
/// If the database cannot be read.
pub async fn all(connection: &mut sqlx::AnyConnection) -> Result<Vec<NodeRow>, ControlError> {
    let sql = "SELECT n.network, n.node, n.cluster, n.version, n.stream, n.since, n.offered, n.offered_at,
               n.acknowledged, n.in_force, r.revision, r.reason, r.since
               FROM nodes n LEFT JOIN node_refusals r ON r.network = n.network AND r.node = n.node AND r.revision =
               (SELECT MAX(l.revision) FROM node_refusals l WHERE l.network = n.network AND l.node = n.node)
               ORDER BY n.network DESC, n.node";
    let rows = sqlx::query(sql).fetch_all(connection).await?;
    let mut nodes = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(network) = Network::of(&row.try_get::<String, _>(0)?) else { continue };
        let revision: Option<i64> = row.try_get(10)?;
        let refused = match revision {
            Some(revision) => Some((revision, row.try_get(11)?, row.try_get(12)?)),
            None => None,
        };
        nodes.push(NodeRow {
            network,
            node: row.try_get(1)?,
            cluster: row.try_get(2)?,
            version: row.try_get(3)?,
            connected: row.try_get::<Option<String>, _>(4)?.is_some(),
            since: row.try_get(5)?,
            offered: row.try_get(6)?,
            offered_at: row.try_get(7)?,
            acknowledged: row.try_get(8)?,
            in_force: row.try_get::<Option<i64>, _>(9)?.filter(|revision| *revision > 0),
            refused,
        });
    }
    Ok(nodes)
}

/// Removes a node without a stream, and its refusals. Returns whether there was one.
///
/// # Errors
/// If the database cannot be written.
pub async fn forget(connection: &mut sqlx::AnyConnection, network: Network, node: &str) -> Result<bool, ControlError> {
    let sql = "DELETE FROM nodes WHERE network = $1 AND node = $2 AND stream IS NULL";
    let done = sqlx::query(sql).bind(network.name()).bind(node).execute(&mut *connection).await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let sql = "DELETE FROM node_refusals WHERE network = $1 AND node = $2";
    sqlx::query(sql).bind(network.name()).bind(node).execute(connection).await?;
    Ok(true)
}

/// Adds refused requests to a minute.
///
/// # Errors
/// If the database cannot be written.
pub async fn count_refusals(
    pool: &AnyPool,
    minute: &str,
    network: Network,
    refusal: (&str, &str, i64),
) -> Result<(), ControlError> {
    // Not by node: names are claims, and rows are bounded by the network's policies.
    sqlx::query(
        "INSERT INTO refusals (minute, network, node, policy, reason, count) VALUES ($1, $2, '', $3, $4, $5)
         ON CONFLICT (minute, network, node, policy, reason) DO UPDATE SET count = refusals.count + excluded.count",
    )
    .bind(minute)
    .bind(network.name())
    .bind(refusal.0)
    .bind(refusal.1)
    .bind(refusal.2)
    .execute(pool)
    .await?;
    Ok(())
}

/// Refused requests of a network since a minute, added up over nodes: minute, policy, reason, count.
///
/// # Errors
/// If the database cannot be read.
pub async fn refusals(
    pool: &AnyPool,
    network: Network,
    since: &str,
) -> Result<Vec<(String, String, String, i64)>, ControlError> {
    let sql = "SELECT minute, policy, reason, CAST(SUM(count) AS BIGINT) FROM refusals
               WHERE network = $1 AND minute >= $2 GROUP BY minute, policy, reason ORDER BY minute, policy, reason";
    let rows = sqlx::query(sql).bind(network.name()).bind(since).fetch_all(pool).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))).collect()
}

/// Removes refused requests before a minute.
///
/// # Errors
/// If the database cannot be written.
pub async fn drop_refusals(pool: &AnyPool, before: &str) -> Result<(), ControlError> {
    sqlx::query("DELETE FROM refusals WHERE minute < $1").bind(before).execute(pool).await?;
    Ok(())
}
