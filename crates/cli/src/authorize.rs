//! `playlock authorize`: the service that counts who is watching.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use playlock_leases::{Options, Redis, RedisUrl, TlsFiles};

use crate::failure::Failure;

/// Answer the filter's questions about keys (keyAuthorizer) by leases: so many sessions per viewer at once.
///
/// The rules are in the policies (keyAuthorizer.leases); docs/concurrency.md explains them. Leases are in memory, or in
/// Redis where several of these services run. SIGTERM and SIGINT end the service after the requests under way.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock authorize
  playlock authorize --listen 0.0.0.0:8083 --certificate server.pem --key server.key --client-ca ca.pem
  playlock authorize --redis redis://redis.example.com

PLAYLOCK_AUTHORIZE_TOKEN in the environment is the bearer token of operators, on --admin-listen.
PLAYLOCK_REDIS_URL takes the place of --redis: every user of the machine can see a process's arguments, and the URL may
have a password.")]
pub struct Authorize {
    /// Address for Envoys: HTTP/1.1 and HTTP/2. Port 0: any free port.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8083")]
    listen: SocketAddr,
    /// Address for operators (HTTP): sessions, GET /metrics, /live and /ready. Other addresses than this machine's own need
    /// a token.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8084")]
    admin_listen: SocketAddr,
    /// Certificate chain for Envoys (PEM): they need certificates, too.
    #[arg(long, value_name = "FILE", requires_all = ["key", "client_ca"])]
    certificate: Option<PathBuf>,
    /// Key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Certificates of the authorities that issue the Envoys' certificates (PEM).
    #[arg(long, value_name = "FILE", requires = "certificate")]
    client_ca: Option<PathBuf>,
    /// Redis server that has the leases, for several services: redis://, rediss:// (TLS) or unix://. It may be away at
    /// first; /ready has the status 503 meanwhile.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// Longest wait for Redis: 1ms to 60s.
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = Redis::timeout)]
    redis_timeout: Duration,
}

/// Serves until a signal.
///
/// # Errors
/// Everything that keeps the service from starting.
pub fn run(arguments: &Authorize, output: &mut dyn Write) -> Result<(), Failure> {
    let files = (arguments.certificate.clone(), arguments.key.clone(), arguments.client_ca.clone());
    let tls = match files {
        (Some(certificate), Some(key), Some(client_ca)) => Some(TlsFiles { certificate, key, client_ca }),
        _ => None,
    };
    let redis = RedisUrl::given(arguments.redis.as_deref()).map_err(|error| Failure::Wrong(error.to_string()))?;
    let options = Options {
        listen: arguments.listen,
        admin_listen: arguments.admin_listen,
        tls,
        redis,
        redis_timeout: arguments.redis_timeout,
    };
    playlock_leases::run(&options, output).map_err(|error| Failure::Wrong(error.to_string()))
}
