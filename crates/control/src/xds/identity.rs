//! The identity of an Envoy: its network by its certificate, its name by its own claim.

use tonic::Status;
use tonic::transport::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::network::Network;

/// Beginning of the URI (subject alternative name) in a node's certificate; the network's name follows.
pub const NETWORK: &str = "spiffe://playlock/network/";

/// Longest name of a node or its cluster, in bytes.
const LONGEST_NAME: usize = 128;

/// The network that the client's certificate is for. `certificates` begins with the client's own, which the TLS handshake
/// has verified.
///
/// # Errors
/// `UNAUTHENTICATED` without a certificate; `PERMISSION_DENIED` with one that does not have exactly one URI, of a network.
pub fn network(certificates: Option<&[CertificateDer<'_>]>) -> Result<Network, Status> {
    let Some(leaf) = certificates.and_then(<[_]>::first) else {
        return Err(Status::unauthenticated(format!("client certificate: none; {EXPECTED}")));
    };
    of_certificate(leaf)
        .ok_or_else(|| Status::permission_denied(format!("client certificate: not a node's; {EXPECTED}")))
}

/// The network of a node's certificate, which the TLS handshake has verified; `None` unless it has exactly one URI, of a
/// network.
pub fn of_certificate(leaf: &CertificateDer<'_>) -> Option<Network> {
    Network::of(uri(leaf)?.strip_prefix(NETWORK)?)
}

const EXPECTED: &str =
    "expected one whose only URI is spiffe://playlock/network/staging or spiffe://playlock/network/production";

/// The certificate's URI, if it has exactly one (X.509-SVID, section 2).
fn uri(der: &[u8]) -> Option<String> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    let names = &certificate.subject_alternative_name().ok()??.value.general_names;
    let mut uris = names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    });
    let uri = uris.next().filter(|_| rest.is_empty())?;
    uris.next().is_none().then(|| uri.to_owned())
}

/// A node's claim about its name as a text of printable ASCII, cut to 128 bytes. Other characters become `_`.
pub fn name(claim: &str) -> String {
    claim.chars().take(LONGEST_NAME).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};
    use tonic::Code;

    use super::*;

    /// A certificate with these URIs.
    fn certificate(uris: &[&str]) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["production".to_owned()]).unwrap();
        params.subject_alt_names.extend(uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())));
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec().into()
    }

    #[test]
    fn only_one_uri_of_a_network_counts() {
        let of = |uris: &[&str]| network(Some(&[certificate(uris)])).map_err(|status| status.code());
        assert_eq!(of(&["spiffe://playlock/network/staging"]), Ok(Network::Staging));
        assert_eq!(of(&["spiffe://playlock/network/production"]), Ok(Network::Production));
        for others in [
            &[][..],
            &["spiffe://playlock/network/"],
            &["spiffe://playlock/network/Production"],
            &["spiffe://playlock/network/production/"],
            &["spiffe://playlock/server"],
            &["spiffe://example/network/production"],
            &["spiffe://playlock/network/production", "spiffe://playlock/network/staging"],
            &["spiffe://playlock/network/production", "spiffe://playlock/network/production"],
            &["spiffe://playlock/network/production", "https://example.org"],
        ] {
            assert_eq!(of(others), Err(Code::PermissionDenied), "{others:?}");
        }
        assert_eq!(network(None).unwrap_err().code(), Code::Unauthenticated);
        assert_eq!(network(Some(&[])).unwrap_err().code(), Code::Unauthenticated);
        assert_eq!(network(Some(&[vec![0x30, 0].into()])).unwrap_err().code(), Code::PermissionDenied);
    }

    #[test]
    fn the_first_certificate_is_the_clients() {
        let chain = [
            certificate(&["spiffe://playlock/network/staging"]),
            certificate(&["spiffe://playlock/network/production"]),
        ];
        assert_eq!(network(Some(&chain)).unwrap(), Network::Staging);
    }

    #[test]
    fn bytes_behind_a_certificate_are_refused() {
        let mut der = certificate(&["spiffe://playlock/network/staging"]).to_vec();
        der.push(0);
        assert_eq!(network(Some(&[der.into()])).unwrap_err().code(), Code::PermissionDenied);
    }

    #[test]
    fn a_name_is_short_and_printable() {
        assert_eq!(name("edge-1.example/7"), "edge-1.example/7");
        assert_eq!(name("a\u{1b}[2J\r\nb\u{202e}c\u{e9}"), "a_[2J__b_c_");
        assert_eq!(name(&"x".repeat(9000)).len(), LONGEST_NAME);
    }
}
