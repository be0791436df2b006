//! The listener of the API and the page: HTTP over TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::AddExtension;
use axum_server::Handle;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_layer::Layer as _;

use super::error::ServeError;
use super::shutdown::{DRAIN, Shutdown};
use crate::first_run::ServerIdentity;

/// Connections at a time; further ones are closed at once.
const CONNECTIONS: usize = 1024;
/// Time for the first request of a connection.
const PATIENCE: Duration = Duration::from_secs(15);
/// Time for the headers of each further request, and so for a connection to be idle. Clients keep connections for
/// about a minute, and take one that was just closed for an error.
const IDLE: Duration = Duration::from_secs(90);

/// The server's certificate, which may be replaced while it listens.
pub struct Tls(RustlsConfig);

impl Tls {
    /// TLS with this certificate.
    ///
    /// # Errors
    /// PEM that is not a certificate and its key.
    pub fn new(identity: &ServerIdentity) -> Result<Self, ServeError> {
        Ok(Self(RustlsConfig::from_config(configuration(identity)?)))
    }

    /// Uses another certificate from the next connection on.
    ///
    /// # Errors
    /// As [`Tls::new`].
    pub fn replace(&self, identity: &ServerIdentity) -> Result<(), ServeError> {
        self.0.reload_from_config(configuration(identity)?);
        Ok(())
    }
}

fn configuration(identity: &ServerIdentity) -> Result<Arc<ServerConfig>, ServeError> {
    let tls = |error: &dyn std::fmt::Display| ServeError::Tls(error.to_string());
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(identity.certificate.as_bytes()).collect();
    let chain = chain.map_err(|error| tls(&error))?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).map_err(|error| tls(&error))?;
    let mut configuration = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| tls(&error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| tls(&error))?;
    configuration.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(configuration))
}

/// Serves until the end, and then lets requests under way finish.
///
/// # Errors
/// If the listener fails.
pub async fn serve(listener: TcpListener, tls: &Tls, router: Router, shutdown: Shutdown) -> Result<(), ServeError> {
    let listener = listener.into_std().map_err(ServeError::Runtime)?;
    let handle = Handle::<SocketAddr>::new();
    let acceptor =
        Bounded { connections: Arc::new(Semaphore::new(CONNECTIONS)), inner: RustlsAcceptor::new(tls.0.clone()) };
    let mut server = axum_server::from_tcp(listener)
        .map_err(ServeError::Runtime)?
        .acceptor(acceptor)
        .handle(handle.clone())
        .first_request_timeout(PATIENCE);
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(IDLE);
    server
        .http_builder()
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(32)
        .max_header_list_size(32 * 1024)
        .keep_alive_interval(Duration::from_secs(30));
    tokio::spawn(async move {
        shutdown.ended().await;
        handle.graceful_shutdown(Some(DRAIN));
    });
    server.serve(router.into_make_service_with_connect_info::<SocketAddr>()).await.map_err(ServeError::Runtime)
}

/// Accepts so many connections at a time.
#[derive(Clone)]
struct Bounded<A> {
    connections: Arc<Semaphore>,
    inner: A,
}

impl<A, I, S> Accept<I, S> for Bounded<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
    A::Stream: Send,
    A::Service: Send,
{
    type Stream = A::Stream;
    // The permit lives as long as the connection's service.
    type Service = AddExtension<A::Service, Arc<OwnedSemaphorePermit>>;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = std::io::Result<(Self::Stream, Self::Service)>> + Send + 'static>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let permit = Arc::clone(&self.connections).try_acquire_owned();
        let accepted = permit.is_ok().then(|| self.inner.accept(stream, service));
        Box::pin(async move {
            let (Ok(permit), Some(accepted)) = (permit, accepted) else {
                return Err(std::io::Error::other("too many connections"));
            };
            let (stream, service) = accepted.await?;
            Ok((stream, axum::Extension(Arc::new(permit)).layer(service)))
        })
    }
}
