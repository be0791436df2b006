//! The listener of key authorization: leases, for Envoys with a node's certificate.

use playlock_leases::{Realm, Security, Service, Store, Trouble, listen};
use rustls::pki_types::CertificateDer;
use tokio::net::TcpListener;

use super::error::ServeError;
use super::shutdown::Shutdown;
use crate::log::{self, Level};
use crate::network::Network;
use crate::xds::{self, of_certificate};

/// The service on a store.
pub fn service(store: Store) -> Service {
    Service::new(store, report)
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
    let sweeper = service.store.clone().sweep();
    let listening = listen(listener, security, service, async move { shutdown.ended().await });
    tokio::select! {
        () = listening => {}
        // The sweeper of a store that sweeps itself may end: it must not end the listener.
        () = async { sweeper.await; std::future::pending().await } => {}
    }
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
