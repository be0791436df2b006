//! The listener of key authorization: leases, for Envoys with a node's certificate.

use playlock_leases::{Realm, Security, Service, Store, Trouble, Unavailable, listen};
use rustls::pki_types::CertificateDer;
use tokio::net::TcpListener;

use super::error::ServeError;
use super::shutdown::Shutdown;
use crate::log::{self, Level};
use crate::network::Network;
use crate::options::Options;
use crate::xds::{self, of_certificate};

/// The service on the store that the options name.
///
/// # Errors
/// If Redis cannot be reached by its URL on this system.
pub fn service(options: &Options) -> Result<Service, ServeError> {
    let store = match &options.redis {
        None => Store::memory(),
        Some(url) => Store::redis(url, options.redis_timeout, report_store).map_err(|Unavailable(cause)| {
            ServeError::Option(format!("--redis: {cause}; expected the address of a server"))
        })?,
    };
    Ok(Service::new(store, report))
}

/// Answers questions until the end. The realm of an Envoy is the network of its certificate.
///
/// # Errors
/// None.
pub async fn serve(
    listener: TcpListener,
    tls: xds::Tls,
    service: Service,
    shutdown: Shutdown,
) -> Result<(), ServeError> {
    let security = Security::Mutual { configuration: Box::new(move || tls.current()), realm };
    let sweeper = tokio::spawn(service.store.clone().sweep());
    listen(listener, security, service, async move { shutdown.ended().await }).await;
    sweeper.abort();
    Ok(())
}

fn realm(certificate: &CertificateDer<'_>) -> Option<Realm> {
    of_certificate(certificate).map(|network| match network {
        Network::Staging => Realm::Staging,
        Network::Production => Realm::Production,
    })
}

fn report(trouble: &Trouble) {
    log::write(Level::Warning, "question", &[("reason", &trouble.to_string())]);
}

/// Logs changes of the connection to Redis.
fn report_store(change: Result<(), &Unavailable>) {
    match change {
        Ok(()) => log::write(Level::Info, "store", &[("reason", "connected")]),
        Err(fault) => log::write(Level::Warning, "store", &[("reason", &fault.to_string())]),
    }
}
