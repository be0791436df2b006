//! The options of a server.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use playlock_leases::RedisUrl;
use serde_json::Value;

/// The options of `playlock serve`.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data folder.
    pub data: PathBuf,
    /// Address of the API and the page, over TLS. Port 0: any free one.
    pub listen: SocketAddr,
    /// Address for Envoys: gRPC over mutual TLS.
    pub xds_listen: SocketAddr,
    /// Address of health checks and metrics, without TLS.
    pub health_listen: SocketAddr,
    /// Address for Envoys' questions about keys: HTTP over mutual TLS. Without it, no leases are kept.
    pub authorize_listen: Option<SocketAddr>,
    /// The Redis server that has the leases; without one they are in memory.
    pub redis: Option<RedisUrl>,
    /// How long to wait for Redis.
    pub redis_timeout: Duration,
    /// More names and addresses of the server, for its certificate.
    pub hosts: Vec<String>,
    /// PostgreSQL's URL; without it SQLite in the data folder.
    pub database: Option<String>,
    /// The operator's list of Designated Market Areas: a JSON array of `{dmaCode, dmaName}`.
    pub dmas: Option<PathBuf>,
    /// Name of the filter in Envoy's `http_filters`: the name of the resource.
    pub filter_name: String,
    /// The module, a file on Envoy's machine.
    pub module: String,
    /// Whether Envoys get secrets sealed, under a key for each network that the first start with it makes.
    pub seal: bool,
    /// Largest difference between an EdgeGrid timestamp and the server's clock, in seconds: 1 to 3600.
    pub edgegrid_window: u32,
    /// Failed authentications that an address may have in a minute.
    pub failures_per_minute: u32,
    /// Explains a request under a document, for `POST /control/v1/why`.
    pub why: Option<Why>,
}

/// Explains a request under a network's document: the steps, as `playlock why --json` prints them, or the fault in the
/// request.
pub type Why = fn(document: &str, request: &WhyRequest) -> Result<Value, String>;

/// A viewer's request to explain.
#[derive(Clone, PartialEq, Eq)]
pub struct WhyRequest {
    /// The URL, with its tokens.
    pub url: String,
    /// The method, `GET` by default.
    pub method: Option<String>,
    /// Headers: names and values.
    pub headers: Vec<(String, String)>,
    /// The viewer's address.
    pub address: Option<String>,
    /// The time of the request: Unix seconds, RFC 3339, or relative as in `-10m`.
    pub time: Option<String>,
}

/// The URL and headers have tokens.
impl fmt::Debug for WhyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WhyRequest([redacted])")
    }
}
