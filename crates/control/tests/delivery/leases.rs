//! Questions about keys over real connections: the Envoys' TLS of delivery, with certificates that are replaced.

use playlock_control::network::Network;
use playlock_control::xds::{self, Tls, of_certificate};
use playlock_leases::{Realm, Security, Service, Store, listen};
use rustls::pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;

use crate::authority::Authority;
use crate::{PRODUCTION, STAGING};

fn served(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn the_next_connection_gets_the_replaced_certificate() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue(&[xds::SERVER]);
    let tls = Tls::http(&certificate, &key, &authority.certificate).unwrap();
    let current = tls.clone();
    let realm: fn(&CertificateDer<'_>) -> _ = |leaf| of_certificate(leaf).map(|_| Realm::Production);
    let security = Security::Mutual { configuration: Box::new(move || current.current()), realm };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let service = Service::new(Store::memory(), |_| ());
    let serving = tokio::spawn(listen(listener, security, service, std::future::pending()));

    let first = authority.connect(port, &[PRODUCTION]).await;
    assert_eq!(first.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(served(&authority.connect(port, &[STAGING]).await), served(&first));
    let (certificate, key) = authority.issue(&[xds::SERVER]);
    tls.replace(&certificate, &key, &authority.certificate).unwrap();
    let second = authority.connect(port, &[PRODUCTION]).await;
    assert_ne!(served(&second), served(&first));
    assert!(tls.replace("", &key, &authority.certificate).is_err());
    assert_eq!(served(&authority.connect(port, &[PRODUCTION]).await), served(&second));
    serving.abort();
}

#[test]
fn the_network_is_that_of_the_certificate() {
    let authority = Authority::new();
    for (uris, network) in [
        (&[STAGING][..], Some(Network::Staging)),
        (&[PRODUCTION], Some(Network::Production)),
        (&[PRODUCTION, STAGING], None),
        (&[xds::SERVER], None),
        (&[], None),
    ] {
        assert_eq!(of_certificate(&authority.leaf(uris)), network, "{uris:?}");
    }
}
