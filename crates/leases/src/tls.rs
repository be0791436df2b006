//! TLS with clients that have certificates.

use std::error::Error;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// A fault in a certificate or key.
pub type TlsError = Box<dyn Error + Send + Sync>;

/// A configuration that requires clients' certificates: the server's certificate chain and key, the certificates of the
/// clients' authorities (PEM), and the protocols in the order of preference (RFC 7301).
///
/// # Errors
/// If one is not valid.
pub fn mutual(
    certificate: &str,
    key: &str,
    client_ca: &str,
    protocols: &[&[u8]],
) -> Result<Arc<ServerConfig>, TlsError> {
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
    configuration.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Arc::new(configuration))
}
