//! The listener of operators over TCP: whom it answers, and how it ends.

use std::future::pending;
use std::net::SocketAddr;

use playlock_leases::{Service, Store, admin};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Serves with this token; the address.
async fn serving(token: Option<&str>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = admin::router(Service::new(Store::memory(), |_| ()), token.map(|token| token.to_owned().into()));
    tokio::spawn(admin::serve(listener, router, pending()));
    address
}

/// The status of a GET request with these lines of headers.
async fn get(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn without_a_token_no_other_sites_page_gets_an_answer() {
    let address = serving(None).await;
    for host in ["127.0.0.1", "127.0.0.1:8084", "localhost", "localhost:8084", "[::1]", "[::1]:8084"] {
        assert_eq!(get(address, "/control/v1/sessions", &format!("host: {host}\r\n")).await, "200", "{host}");
    }
    // Names that their owner lets point to 127.0.0.1.
    for host in ["rebound.example", "rebound.example:8084", "127.0.0.1.rebound.example", "localhost.example:1", ""] {
        assert_eq!(get(address, "/control/v1/sessions", &format!("host: {host}\r\n")).await, "403", "{host}");
    }
}

#[tokio::test]
async fn with_a_token_every_request_needs_it_but_those_for_health() {
    let address = serving(Some("secret")).await;
    for path in ["/control/v1/sessions", "/control/v1/sessions/counts", "/metrics"] {
        for (sent, status) in [
            ("authorization: Bearer secret\r\n", "200"),
            ("authorization: Bearer secreT\r\n", "401"),
            ("authorization: Bearer \r\n", "401"),
            ("authorization: Basic secret\r\n", "401"),
            ("", "401"),
        ] {
            assert_eq!(get(address, path, &format!("host: any.example\r\n{sent}")).await, status, "{path} {sent}");
        }
    }
    for path in ["/live", "/ready"] {
        assert_eq!(get(address, path, "host: any.example\r\n").await, "200");
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_a_400() {
    let address = serving(None).await;
    for query in ["limit=0", "limit=1001", "limit=x", "realm=other", "colour=red"] {
        let status = get(address, &format!("/control/v1/sessions?{query}"), "host: localhost\r\n").await;
        assert_eq!(status, "400", "{query}");
    }
}

#[tokio::test]
async fn idle_connections_do_not_keep_the_service_from_ending() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = admin::router(Service::new(Store::memory(), |_| ()), None);
    let (end, ended) = oneshot::channel::<()>();
    let serving = tokio::spawn(admin::serve(listener, router, async {
        let _ = ended.await;
    }));
    let mut idle = TcpStream::connect(address).await.unwrap();
    assert_eq!(get(address, "/live", "host: localhost\r\n").await, "200");
    end.send(()).unwrap();
    serving.await.unwrap();
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
}
