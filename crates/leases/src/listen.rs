//! The listener of Envoys: HTTP/1.1 and HTTP/2, without TLS or with the clients' certificates verified.

use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::question::Realm;
use crate::service::Service;

/// Connections at once; further ones wait.
const CONNECTIONS: usize = 4096;
/// Longest handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Time until a connection is accepted again after one could not be, for want of descriptors.
pub const PAUSE: Duration = Duration::from_millis(100);
/// Time that requests under way get when the service ends.
const DRAIN: Duration = Duration::from_secs(5);

/// How Envoys are known.
pub enum Security {
    /// Every client that can connect may ask.
    Plain,
    /// A client needs a certificate that the configuration verifies.
    Mutual {
        /// The configuration for the next connection.
        configuration: Box<dyn Fn() -> Arc<ServerConfig> + Send + Sync>,
        /// The realm of a client's certificate; `None` refuses it.
        realm: fn(&CertificateDer<'_>) -> Option<Realm>,
    },
}

/// Serves until `end`, and then lets requests under way finish.
///
/// Idle connections stay open: an Envoy that sent a question on one that is being closed would get no answer.
pub async fn listen(listener: TcpListener, security: Security, service: Service, end: impl Future<Output = ()>) {
    let (graceful, security) = (GracefulShutdown::new(), Arc::new(security));
    tokio::select! {
        () = accept(&listener, &security, &service, &graceful) => {}
        () = end => {}
    }
    drop(listener);
    // Requests that take longer are cut off.
    let _ = timeout(DRAIN, graceful.shutdown()).await;
}

async fn accept(listener: &TcpListener, security: &Arc<Security>, service: &Service, graceful: &GracefulShutdown) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(permit) = Arc::clone(&connections).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        // Small messages should not wait for acknowledgements; without the option they are only later.
        let _ = stream.set_nodelay(true);
        let (security, service, watcher) = (Arc::clone(security), service.clone(), graceful.watcher());
        tokio::spawn(async move {
            match &*security {
                Security::Plain => serve(stream, Realm::Default, service, watcher).await,
                Security::Mutual { configuration, realm } => {
                    if let Some((stream, realm)) = handshake(stream, configuration(), *realm).await {
                        serve(stream, realm, service, watcher).await;
                    }
                }
            }
            drop(permit);
        });
    }
}

/// The connection of a client with a certificate, and its realm.
async fn handshake(
    stream: TcpStream,
    configuration: Arc<ServerConfig>,
    realm: fn(&CertificateDer<'_>) -> Option<Realm>,
) -> Option<(TlsStream<TcpStream>, Realm)> {
    let stream = timeout(HANDSHAKE, TlsAcceptor::from(configuration).accept(stream)).await.ok()?.ok()?;
    let realm = stream.get_ref().1.peer_certificates()?.first().and_then(realm)?;
    Some((stream, realm))
}

async fn serve<S>(stream: S, realm: Realm, service: Service, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = auto::Builder::new(TokioExecutor::new());
    let answering = service_fn(move |request| {
        let service = service.clone();
        async move { service.answer(realm, request).await }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), answering).into_owned();
    // A connection that breaks is the client's affair.
    let _ = watcher.watch(connection).await;
}
