//! `playlock serve`: opens the folder and the database, listens, and ends cleanly.

mod error;
mod greeting;
mod health;
mod https;
mod leases;
mod shutdown;

pub use self::error::ServeError;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use playlock_config::sealed::KEY;
use playlock_edgegrid::{ClientSecret, Credentials, EdgercSection, Window};
use playlock_leases::Service;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use self::greeting::Greeting;
use self::https::Tls;
use self::shutdown::Shutdown;
use crate::actor::{Actor, Role};
use crate::api::{self, App, MarketAreas};
use crate::clock::System;
use crate::control::Control;
use crate::documents::seal::Sealer;
use crate::first_run::{Folder, MASTER_KEY_VARIABLE, host_of};
use crate::log::{self, Level};
use crate::network::Network;
use crate::options::Options;
use crate::page;
use crate::store::{self, vault::MasterKey};
use crate::xds::{self, Address, Backoff, Filter, Ports};

/// Time between two looks at the certificates.
const RENEWAL: Duration = Duration::from_hours(12);
/// The name of the first EdgeGrid client.
const FIRST_CLIENT: &str = "first client";
/// The name of the page's user in the audit trail.
const PAGE_USER: &str = "page";

/// Serves until SIGTERM or SIGINT. Prints addresses, files and Envoy's configuration to `output` once it listens.
///
/// # Errors
/// Everything that keeps it from starting, and a listener that fails.
pub fn run(options: &Options, output: &mut dyn Write) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServeError::Runtime)?;
    let done = runtime.block_on(serve(options, output));
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

async fn serve(options: &Options, output: &mut dyn Write) -> Result<(), ServeError> {
    let shutdown = Shutdown::listen().map_err(ServeError::Runtime)?;
    let window = Window::new(options.edgegrid_window).map_err(|fault| ServeError::Option(fault.to_string()))?;
    let dmas = MarketAreas::read(options.dmas.as_deref()).map_err(|fault| ServeError::Option(fault.to_string()))?;
    let mut folder = Folder::open(&options.data, &options.hosts, Timestamp::now())?;
    // Bound before anything is written that names the ports.
    let https = bind("--listen", options.listen).await?;
    let xds = bind("--xds-listen", options.xds_listen).await?;
    let health = bind("--health-listen", options.health_listen).await?;
    let questions = match options.authorize_listen {
        Some(address) => Some(bind("--authorize-listen", address).await?),
        None => None,
    };
    let local = |listener: &TcpListener| listener.local_addr().map_err(ServeError::Runtime);
    let host = host_of(local(&https)?, &options.hosts);
    let control = open(&mut folder, options).await?;
    let filter = Filter::new(&options.filter_name, &options.module).map_err(ServeError::Option)?;
    let xds_host = options.hosts.first().map_or("localhost", String::as_str).to_owned();
    let leases = questions.as_ref().map(local).transpose()?;
    let ports = Ports { xds: local(&xds)?.port(), leases: leases.map(|address| address.port()) };
    folder.write_addresses(&host, &Address { host: xds_host, ports }, filter.name())?;
    let mut login = None;
    if folder.is_unfinished() {
        first_client(&folder, &control, &host).await?;
        login = Some(control.create_login(PAGE_USER, &Role::ALL).await?);
        folder.finish()?;
    }

    let identity = folder.identity()?;
    let tls = Tls::new(&identity)?;
    let with_nodes = xds::Tls::new(&identity.certificate, &identity.key, &identity.authority).map_err(tls_error)?;
    let asking = xds::Tls::http(&identity.certificate, &identity.key, &identity.authority).map_err(tls_error)?;
    let service = questions.is_some().then(|| leases::service(options)).transpose()?;
    let seal = if options.seal { seal(&folder)? } else { xds::Seal::default() };
    let settings =
        xds::Settings { filter, tls: with_nodes.clone(), seal, backoff: Backoff::default(), nodes: xds::CONNECTED };
    let store = service.as_ref().map(|service| service.store.clone());
    let app = App::new(control.clone(), window, options.failures_per_minute, dmas, options.why, store);
    let counters = Arc::clone(&app.counters);
    let greeting = Greeting {
        folder: &options.data,
        host: &host,
        xds: local(&xds)?,
        health: local(&health)?,
        leases,
        login: login.as_ref().map(|login| login.as_str()),
        filter_name: &options.filter_name,
    };
    // Without standard output nobody reads it.
    let _ = output.write_all(greeting.text().as_bytes()).and_then(|()| output.flush());
    log::write(Level::Info, "started", &[("address", &host), ("version", env!("CARGO_PKG_VERSION"))]);

    let router = api::router(app, page::router());
    let listeners = async {
        tokio::try_join!(
            https::serve(https, &tls, router, shutdown.clone()),
            health::serve(health, control.clone(), counters, service.clone(), shutdown.clone()),
            answers(questions.zip(service), asking.clone(), shutdown.clone()),
            envoys(control.clone(), xds, settings, shutdown.clone()),
            renew(&folder, &tls, [&with_nodes, &asking], shutdown.clone()),
        )
    };
    let done = listeners.await;
    control.close().await;
    log::write(Level::Info, "stopped", &[]);
    done.map(|_| ())
}

/// The keys of both networks.
fn seal(folder: &Folder) -> Result<xds::Seal, ServeError> {
    let sealer = |network| {
        let key = Sealer::new(folder.seal_key(network)?);
        let wrong = || ServeError::Option(format!("node-{network}.env: {KEY} is no key; expected 64 hex digits"));
        key.ok_or_else(wrong).map(|key| Some(Arc::new(key)))
    };
    Ok(xds::Seal { staging: sealer(Network::Staging)?, production: sealer(Network::Production)? })
}

/// Answers Envoys' questions about keys, if it should.
async fn answers(leases: Option<(TcpListener, Service)>, tls: xds::Tls, shutdown: Shutdown) -> Result<(), ServeError> {
    match leases {
        Some((listener, service)) => leases::serve(listener, tls, service, shutdown).await,
        None => Ok(()),
    }
}

/// Serves Envoys.
async fn envoys(
    control: Control,
    listener: TcpListener,
    settings: xds::Settings,
    shutdown: Shutdown,
) -> Result<(), ServeError> {
    let served = xds::serve(control, listener, settings, async move { shutdown.ended().await }).await;
    served.map_err(|error| ServeError::Envoys(error.to_string()))
}

fn tls_error(error: xds::TlsError) -> ServeError {
    ServeError::Tls(error.to_string())
}

async fn bind(option: &'static str, address: std::net::SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen(option, address, error))
}

/// Opens the database with the master key, which the first start makes.
async fn open(folder: &mut Folder, options: &Options) -> Result<Control, ServeError> {
    let key = master_key(folder)?;
    let database = match &options.database {
        Some(url) => url.clone(),
        None => sqlite(&folder.database_file()?),
    };
    Ok(Control::open(&database, &key, Arc::new(System)).await?)
}

/// The control plane of a folder beside its server: for commands that need no listener.
///
/// # Errors
/// A folder that no server has made, a database that cannot be opened.
pub async fn open_beside(data: &Path, database: Option<&str>) -> Result<Control, ServeError> {
    let key = Folder::master_key(data, std::env::var(MASTER_KEY_VARIABLE).ok().map(Zeroizing::new))?;
    let database = database.map_or_else(|| sqlite(&data.join("playlock.db")), str::to_owned);
    Ok(Control::open(&database, &key, Arc::new(System)).await?)
}

/// A one-time login of the page, for a folder beside its server: the URL.
///
/// # Errors
/// A folder that no server has made, a database that cannot be opened; a folder whose `edgerc` is gone, which names the host.
pub fn create_login(data: &Path, database: Option<&str>) -> Result<Zeroizing<String>, ServeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServeError::Runtime)?;
    runtime.block_on(async {
        let control = open_beside(data, database).await?;
        let code = control.create_login(PAGE_USER, &Role::ALL).await?;
        control.close().await;
        Ok(Zeroizing::new(format!("https://{}/login#{}", Folder::host(data)?, code.as_str())))
    })
}

/// Replaces the master key of a folder, whose server must not run. The old key stays in `master.key.old`.
///
/// # Errors
/// A folder whose server runs; a master key in the environment, which is the operator's to replace.
pub fn rotate_master_key(data: &Path, database: Option<&str>) -> Result<(), ServeError> {
    if std::env::var_os(MASTER_KEY_VARIABLE).is_some() {
        return Err(ServeError::Option(format!(
            "{MASTER_KEY_VARIABLE}: found a master key; expected none beside the file"
        )));
    }
    let folder = Folder::open(data, &[], Timestamp::now())?;
    let old = Folder::master_key(data, None)?;
    let new = MasterKey::generate(&System)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServeError::Runtime)?;
    let database = database.map_or_else(|| sqlite(&data.join("playlock.db")), str::to_owned);
    // Both keys are on the disk before the database changes, so that one of them opens it whatever happens.
    folder.write_next_master_key(&old.to_hex(), &new.to_hex())?;
    runtime.block_on(store::rotate_master_key(&database, &old, &new, &System))?;
    Ok(folder.use_next_master_key()?)
}

fn master_key(folder: &Folder) -> Result<MasterKey, ServeError> {
    let variable = std::env::var(MASTER_KEY_VARIABLE).ok().map(Zeroizing::new);
    if folder.is_unfinished() && variable.is_none() && !folder.file("master.key").exists() {
        let key = MasterKey::generate(&System)?;
        folder.write_master_key(&key.to_hex())?;
    }
    Ok(Folder::master_key(folder.path(), variable)?)
}

/// The URL of a file. Characters that have a meaning in URLs are escaped.
fn sqlite(file: &Path) -> String {
    let mut url = String::from("sqlite://");
    for byte in file.to_string_lossy().bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url.push_str("?mode=rwc");
    url
}

/// The first client, with all roles, and its `edgerc`. One of an earlier start that was killed is replaced.
async fn first_client(folder: &Folder, control: &Control, host: &str) -> Result<(), ServeError> {
    let system = Actor { name: "playlock serve".into(), roles: Role::ALL.to_vec() };
    for client in control.clients().await? {
        if client.name == FIRST_CLIENT {
            control.delete_client(&system, client.id).await?;
        }
    }
    let made = control.create_client(&system, FIRST_CLIENT, &Role::ALL).await?;
    let unusable = |fault: &dyn std::fmt::Display| ServeError::Option(format!("edgerc: {fault}"));
    let secret = ClientSecret::new(made.client_secret.to_string()).map_err(|fault| unusable(&fault))?;
    let credentials =
        Credentials::new(made.client_token, made.access_token, secret).map_err(|fault| unusable(&fault))?;
    let section =
        EdgercSection::new(&credentials, host).map_err(|fault| ServeError::Option(format!("--host: {fault}")))?;
    Ok(folder.write_edgerc(&section.text())?)
}

/// Replaces certificates before they end.
async fn renew(folder: &Folder, tls: &Tls, with_nodes: [&xds::Tls; 2], shutdown: Shutdown) -> Result<(), ServeError> {
    loop {
        tokio::select! {
            () = shutdown.ended() => return Ok(()),
            () = tokio::time::sleep(RENEWAL) => {}
        }
        // A folder on a full disk must not end the server.
        match folder.renew(Timestamp::now()) {
            Ok(replaced) => {
                for name in &replaced {
                    log::write(Level::Warning, "certificate_replaced", &[("file", &format!("{name}.pem"))]);
                }
                if !replaced.is_empty() {
                    let identity = folder.identity()?;
                    tls.replace(&identity)?;
                    for each in with_nodes {
                        let new = each.replace(&identity.certificate, &identity.key, &identity.authority);
                        new.map_err(tls_error)?;
                    }
                }
            }
            Err(error) => log::write(Level::Error, "certificate_not_replaced", &[("reason", &error.to_string())]),
        }
    }
}
