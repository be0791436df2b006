//! TLS with Envoys: their certificates are verified, and the server's own may be replaced while it listens.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use playlock_leases::tls::mutual;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub use playlock_leases::tls::TlsError;

/// Protocols by preference (RFC 7301).
const GRPC: &[&[u8]] = &[b"h2"];
const HTTP: &[&[u8]] = &[b"h2", b"http/1.1"];

/// Longest handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Handshakes at once; further connections wait.
const HANDSHAKES: usize = 512;

/// Time until a connection is accepted again after one could not be, for want of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// The server's certificate, and its clients' authority. Clones share them.
#[derive(Clone)]
pub struct Tls {
    protocols: &'static [&'static [u8]],
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Tls {
    /// Takes a certificate with [`SERVER`](super::SERVER) as a URI, its key, and the certificate of the authority that issues
    /// the nodes' certificates (PEM), for gRPC.
    ///
    /// # Errors
    /// If one is not valid.
    pub fn new(certificate: &str, key: &str, client_ca: &str) -> Result<Self, TlsError> {
        Self::of(GRPC, certificate, key, client_ca)
    }

    /// As [`Tls::new`], for HTTP of either version.
    ///
    /// # Errors
    /// If one is not valid.
    pub fn http(certificate: &str, key: &str, client_ca: &str) -> Result<Self, TlsError> {
        Self::of(HTTP, certificate, key, client_ca)
    }

    fn of(
        protocols: &'static [&'static [u8]],
        certificate: &str,
        key: &str,
        authority: &str,
    ) -> Result<Self, TlsError> {
        Ok(Self { protocols, current: Arc::new(RwLock::new(mutual(certificate, key, authority, protocols)?)) })
    }

    /// Uses others from the next connection on.
    ///
    /// # Errors
    /// As [`Tls::new`]; the old ones stay in use.
    pub fn replace(&self, certificate: &str, key: &str, client_ca: &str) -> Result<(), TlsError> {
        let new = mutual(certificate, key, client_ca, self.protocols)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// The configuration of the next connection.
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Accepts connections, and sends those with a verified certificate to `to`, until its receiver is dropped.
    pub(super) async fn accept(self, listener: TcpListener, to: mpsc::Sender<Result<TlsStream<TcpStream>, TlsError>>) {
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
        loop {
            let Ok(permit) = Arc::clone(&handshakes).acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = to.closed() => return,
            };
            let Ok((stream, _)) = accepted else {
                sleep(PAUSE).await;
                continue;
            };
            let current = self.current();
            let to = to.clone();
            tokio::spawn(async move {
                // Small messages should not wait for acknowledgements; without the option they are only later.
                let _ = stream.set_nodelay(true);
                let handshake = timeout(HANDSHAKE, TlsAcceptor::from(current).accept(stream)).await;
                drop(permit);
                if let Ok(Ok(stream)) = handshake {
                    // The server has ended if nobody receives it.
                    let _ = to.send(Ok(stream)).await;
                }
            });
        }
    }
}
