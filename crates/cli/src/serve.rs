//! `playlock serve`: the control plane; `playlock master-key`: its key.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use playlock_control::{Options, ServeError, WhyRequest};
use playlock_leases::{Redis, RedisUrl};
use serde_json::Value;

use crate::address::Address;
use crate::config;
use crate::failure::Failure;
use crate::time::Moment;
use crate::viewer::Viewer;
use crate::why;

/// Serve the Media Security Policy API, its page, and policies to Envoys.
///
/// The first start creates everything in the folder: the database, a small certification authority, a certificate for
/// the server and one for the Envoys of each network, the master key, and an API client (edgerc, for Akamai's client
/// libraries). It prints the addresses, a URL that logs in once, and the lines for Envoy's configuration. There is no
/// default password. Later starts continue. SIGTERM and SIGINT end the server after the requests under way, within ten
/// seconds.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock serve --data control
  playlock serve --data /var/lib/playlock --listen 0.0.0.0:8443 --host control.example.com
  playlock serve --data /var/lib/playlock --database postgres://playlock@db.example.com/playlock

The API at work:
  curl --cacert control/ca.pem -H \"Authorization: Bearer $TOKEN\" https://127.0.0.1:8443/config-media-security/v2/policies

PLAYLOCK_MASTER_KEY in the environment (64 hex digits) takes the place of the file master.key.
PLAYLOCK_REDIS_URL takes the place of --redis: every user of the machine can see a process's arguments, and the URL may
have a password.")]
pub struct Serve {
    /// Folder of the server's files. The first start creates it.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Address of the API and the page (HTTPS). Port 0: any free port.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// Address for Envoys (gRPC with mutual TLS).
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:18000")]
    xds_listen: SocketAddr,
    /// Address of GET /live, /ready and /metrics (HTTP).
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8081")]
    health_listen: SocketAddr,
    /// Address for Envoys' questions about keys (keyAuthorizer.leases; HTTP with mutual TLS): counts viewers' sessions.
    #[arg(long, value_name = "ADDRESS:PORT")]
    authorize_listen: Option<SocketAddr>,
    /// Redis server that has the viewers' sessions, for several servers: redis://, rediss:// (TLS) or unix://. Without it,
    /// they are in this server's memory.
    #[arg(long, value_name = "URL", requires = "authorize_listen")]
    redis: Option<String>,
    /// Longest wait for Redis: 1ms to 60s.
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = Redis::timeout)]
    redis_timeout: Duration,
    /// Another name or address of this server, for its certificate; may be repeated. The first one is also that of the
    /// written files, if the server listens on all addresses.
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// PostgreSQL in place of the file playlock.db, when several servers run.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Designated Market Areas that GET /dmas lists: JSON, [{"dmaCode": "501", "dmaName": "NewYork::CT,NJ,NY,PA"}].
    #[arg(long, value_name = "FILE")]
    dmas: Option<PathBuf>,
    /// Name of the filter in Envoy's http_filters.
    #[arg(long, value_name = "NAME", default_value = "playlock")]
    filter_name: String,
    /// Module of the filter: a file on Envoy's machine.
    #[arg(long, value_name = "FILE", default_value = "/etc/envoy/playlock.wasm")]
    module: String,
    /// Seal the secrets that Envoys get, so that their configuration dumps hold ciphertext. The key of each network is in
    /// node-staging.env and node-production.env, for the environment of its Envoys.
    #[arg(long)]
    seal: bool,
    /// Largest difference between the time of an EdgeGrid signature and this server's clock, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    edgegrid_window: u32,
    /// Failed authentications per minute and address; further requests of the address get a 429 until the minute ends.
    #[arg(long, value_name = "NUMBER", default_value_t = 30)]
    failures_per_minute: u32,
}

/// Replace the key that encrypts the control plane's secrets.
#[derive(Args)]
#[command(after_help = "Example:
  playlock master-key rotate --data control")]
pub struct MasterKey {
    #[command(subcommand)]
    action: MasterKeyAction,
}

#[derive(Subcommand)]
enum MasterKeyAction {
    /// Make a new master key, and encrypt the database's key under it. The server must not run.
    ///
    /// The old key stays in master.key.old: old back-ups of the database need it.
    #[command(after_help = "Example:
  playlock master-key rotate --data control")]
    Rotate {
        /// Folder of the server's files.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// PostgreSQL in place of the file playlock.db.
        #[arg(long, value_name = "URL")]
        database: Option<String>,
    },
}

/// Serves until a signal.
///
/// # Errors
/// Everything that keeps the server from starting.
pub fn run(arguments: &Serve, output: &mut dyn Write) -> Result<(), Failure> {
    let redis = match arguments.authorize_listen {
        Some(_) => RedisUrl::given(arguments.redis.as_deref()).map_err(|error| Failure::Wrong(error.to_string()))?,
        None => None,
    };
    let options = Options {
        data: arguments.data.clone(),
        listen: arguments.listen,
        xds_listen: arguments.xds_listen,
        health_listen: arguments.health_listen,
        authorize_listen: arguments.authorize_listen,
        redis,
        redis_timeout: arguments.redis_timeout,
        hosts: arguments.hosts.clone(),
        database: arguments.database.clone(),
        dmas: arguments.dmas.clone(),
        filter_name: arguments.filter_name.clone(),
        module: arguments.module.clone(),
        seal: arguments.seal,
        edgegrid_window: arguments.edgegrid_window,
        failures_per_minute: arguments.failures_per_minute,
        why: Some(explain),
    };
    playlock_control::run(&options, output).map_err(|error| failure(&error))
}

/// Rotates the master key.
///
/// # Errors
/// A server that runs, a folder or database that cannot be used.
pub fn master_key(arguments: &MasterKey, output: &mut dyn Write) -> Result<(), Failure> {
    let MasterKeyAction::Rotate { data, database } = &arguments.action;
    playlock_control::rotate_master_key(data, database.as_deref()).map_err(|error| failure(&error))?;
    let text = "the master key was replaced; master.key.old is for old back-ups of the database\n";
    output.write_all(text.as_bytes()).map_err(config::output_failure)
}

/// The failure of a server as that of a command.
pub fn failure(error: &ServeError) -> Failure {
    Failure::Wrong(error.to_string())
}

/// The verdict of a network's document on a request, as `playlock why --json` prints it. Variables of Envoy's
/// environment are not known here: the answer names them.
fn explain(document: &str, request: &WhyRequest) -> Result<Value, String> {
    let wrong = |failure: Failure| failure.to_string();
    let url: Address = request.url.parse().map_err(|expected: String| format!("url: {expected}"))?;
    let now = match &request.time {
        None => None,
        Some(text) => Some(text.parse::<Moment>().map_err(|expected| format!("time: {expected}"))?),
    };
    let viewer = Viewer {
        ip: request.address.clone(),
        headers: request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect(),
        cookies: Vec::new(),
        method: request.method.clone().unwrap_or_else(|| "GET".into()),
        host: None,
        route_policy: None,
        ja4: None,
        protocol: "HTTP/1.1".into(),
        now,
    };
    let asked = viewer.asks(&url).map_err(wrong)?;
    let loaded = config::parse_apart(&"the network's document", document).map_err(wrong)?;
    let (verdict, explanation) = why::judge(loaded.policies, &loaded.text, &asked).map_err(wrong)?;
    let mut explained = why::as_json(&verdict, &explanation, asked.now);
    if let Some(members) = explained.as_object_mut() {
        members.insert("unknownVariables".into(), loaded.unknown.into_iter().collect());
    }
    Ok(explained)
}
