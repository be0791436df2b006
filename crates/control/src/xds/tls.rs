//! TLS with Envoys: their certificates are verified, and the server's own may be replaced while it listens.

use std::error::Error;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Longest handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Handshakes at once; further connections wait.
const HANDSHAKES: usize = 512;

/// Time until a connection is accepted again after one could not be, for want of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A fault in a certificate or key.
pub type TlsError = Box<dyn Error + Send + Sync>;

/// The server's certificate, and its clients' authority. Clones share them.
#[derive(Clone)]
pub struct Tls {
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Tls {
    /// Takes a certificate with [`SERVER`](super::SERVER) as a URI, its key, and the certificate of the authority that issues
    /// the nodes' certificates (PEM).
    ///
    /// # Errors
    /// If one is not valid.
    pub fn new(certificate: &str, key: &str, client_ca: &str) -> Result<Self, TlsError> {
        Ok(Self { current: Arc::new(RwLock::new(configuration(certificate, key, client_ca)?)) })
    }

    /// Uses others from the next connection on.
    ///
    /// # Errors
    /// As [`Tls::new`]; the old ones stay in use.
    pub fn replace(&self, certificate: &str, key: &str, client_ca: &str) -> Result<(), TlsError> {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = configuration(certificate, key, client_ca)?;
        Ok(())
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
            let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
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

fn configuration(certificate: &str, key: &str, client_ca: &str) -> Result<Arc<ServerConfig>, TlsError> {
    let certificates = |pem: &str| CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    for root in certificates(client_ca)? {
        roots.add(root)?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider)).build()?;
    let mut configuration = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates(certificate)?, PrivateKeyDer::from_pem_slice(key.as_bytes())?)?;
    configuration.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(configuration))
}
