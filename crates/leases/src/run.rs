//! `playlock authorize`: a service on its own.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::admin;
use crate::listen::{Security, listen};
use crate::question::Realm;
use crate::service::{Service, Trouble};
use crate::store::{RedisUrl, Store, Unavailable};
use crate::tls::{self, TlsError};

/// Environment variable with the bearer token of operators.
pub const TOKEN_VARIABLE: &str = "PLAYLOCK_AUTHORIZE_TOKEN";

/// The options of `playlock authorize`.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address for Envoys. Port 0: any free one.
    pub listen: SocketAddr,
    /// Address for operators.
    pub admin_listen: SocketAddr,
    /// Files with certificates, for mutual TLS with Envoys.
    pub tls: Option<TlsFiles>,
    /// The Redis server that has the leases; without one they are in memory.
    pub redis: Option<RedisUrl>,
    /// How long to wait for Redis.
    pub redis_timeout: Duration,
}

/// PEM files for mutual TLS.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The server's certificate chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The certificates of the authorities that issue the clients' certificates.
    pub client_ca: PathBuf,
}

/// A reason for which the service does not start.
#[derive(Debug)]
pub enum RunError {
    /// The system gives no runtime or signals.
    System(io::Error),
    /// An option's address cannot be bound.
    Listen(&'static str, SocketAddr, io::Error),
    /// A file cannot be read.
    File(PathBuf, io::Error),
    /// A certificate or key is not valid.
    Tls(TlsError),
    /// The store cannot be used as it is given.
    Store(Unavailable),
    /// Operators could connect from other machines, and there is no token.
    Open(SocketAddr),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => write!(f, "the system refuses: {error}"),
            Self::Listen(option, address, error) => {
                write!(f, "{option}: {address}: {error}; expected an address and port of this machine that are free")
            }
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Store(Unavailable(cause)) => write!(f, "--redis: {cause}; expected the address of a server"),
            Self::Tls(error) => write!(f, "certificates: {error}; expected PEM"),
            Self::Open(address) => write!(
                f,
                "--admin-listen: {address} can be reached from other machines; expected {TOKEN_VARIABLE} in the environment, \
                 or an address such as 127.0.0.1:8084"
            ),
        }
    }
}

impl std::error::Error for RunError {}

/// Serves until SIGTERM or SIGINT. Prints the addresses to `output` once it listens.
///
/// # Errors
/// Everything that keeps it from starting.
pub fn run(options: &Options, output: &mut dyn Write) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(RunError::System)?;
    let done = runtime.block_on(serve(options, output));
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

async fn serve(options: &Options, output: &mut dyn Write) -> Result<(), RunError> {
    let token = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty()).map(Zeroizing::new);
    if token.is_none() && !options.admin_listen.ip().is_loopback() {
        return Err(RunError::Open(options.admin_listen));
    }
    let security = match &options.tls {
        Some(files) => security(files)?,
        None => Security::Plain,
    };
    let ended = end_of_process()?;
    let envoys = bind("--listen", options.listen).await?;
    let operators = bind("--admin-listen", options.admin_listen).await?;
    let store = match &options.redis {
        Some(url) => Store::redis(url, options.redis_timeout, report_store).map_err(RunError::Store)?,
        None => Store::memory(),
    };
    let service = Service::new(store.clone(), report);
    let local = |listener: &TcpListener| listener.local_addr().map_err(RunError::System);
    let text = format!("questions on {}\noperators on {}\n", local(&envoys)?, local(&operators)?);
    // Without standard output nobody reads it.
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());

    let router = admin::router(service.clone(), token);
    let sweeper = tokio::spawn(store.clone().sweep());
    tokio::join!(admin::serve(operators, router, wait(ended.clone())), listen(envoys, security, service, wait(ended)),);
    sweeper.abort();
    Ok(())
}

async fn bind(option: &'static str, address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address).await.map_err(|error| RunError::Listen(option, address, error))
}

/// Turns true at SIGTERM or SIGINT.
fn end_of_process() -> Result<watch::Receiver<bool>, RunError> {
    let (sender, receiver) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::System)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::System)?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        // Without receivers nothing is left to end.
        let _ = sender.send(true);
        sender.closed().await;
    });
    Ok(receiver)
}

async fn wait(mut ended: watch::Receiver<bool>) {
    // A closed channel is an end, too.
    let _ = ended.wait_for(|ended| *ended).await;
}

fn security(files: &TlsFiles) -> Result<Security, RunError> {
    let read = |path: &PathBuf| fs::read_to_string(path).map_err(|error| RunError::File(path.clone(), error));
    let key = Zeroizing::new(read(&files.key)?);
    let protocols: &[&[u8]] = &[b"h2", b"http/1.1"];
    let configuration = tls::mutual(&read(&files.certificate)?, &key, &read(&files.client_ca)?, protocols);
    let configuration = configuration.map_err(RunError::Tls)?;
    Ok(Security::Mutual {
        configuration: Box::new(move || Arc::clone(&configuration)),
        realm: |_| Some(Realm::Default),
    })
}

/// Writes trouble to standard error.
fn report(trouble: &Trouble) {
    log(&format!("level=warning event=question reason={:?}", trouble.to_string()));
}

/// Writes changes of the connection to Redis to standard error.
fn report_store(change: Result<(), &Unavailable>) {
    match change {
        Ok(()) => log("level=info event=store reason=\"connected\""),
        Err(unavailable) => log(&format!("level=warning event=store reason={:?}", unavailable.to_string())),
    }
}

fn log(line: &str) {
    let now = jiff::Timestamp::now();
    // Without standard error there is nowhere to report that.
    let _ = writeln!(io::stderr().lock(), "time={now:.3} {line}");
}
