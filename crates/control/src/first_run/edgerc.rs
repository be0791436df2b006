//! The host in an `.edgerc` file, which names the port that was bound.

use std::net::{IpAddr, SocketAddr};

/// The host and port under which clients on this machine reach a listener: the address itself, or for all addresses the
/// first of the server's additional names, or `localhost`.
pub fn host_of(address: SocketAddr, names: &[String]) -> String {
    let port = address.port();
    if !address.ip().is_unspecified() {
        return address.to_string();
    }
    match names.first().map(|name| (name, name.parse::<IpAddr>())) {
        Some((_, Ok(ip))) => SocketAddr::new(ip, port).to_string(),
        Some((name, Err(_))) => format!("{name}:{port}"),
        None => format!("localhost:{port}"),
    }
}

/// The host in the first section.
pub fn host(text: &str) -> Option<&str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.find(|(name, _)| name.trim() == "host").map(|(_, host)| host.trim())
}

/// The file with this host in place of its own, in each section; none if it is the same.
pub fn with_host(text: &str, host: &str) -> Option<String> {
    let mut changed = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match line.split_once('=') {
            Some((name, _)) if name.trim() == "host" => changed.push_str(&format!("host = {host}\n")),
            _ => changed.push_str(line),
        }
    }
    (changed != text).then_some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_an_address_that_they_can_connect_to() {
        let none: [String; 0] = [];
        let names = ["control.example".to_owned()];
        for (address, names, host) in [
            ("127.0.0.1:8443", &none[..], "127.0.0.1:8443"),
            ("127.0.0.1:8443", &names, "127.0.0.1:8443"),
            ("[::1]:1", &none, "[::1]:1"),
            ("0.0.0.0:443", &none, "localhost:443"),
            ("[::]:443", &names, "control.example:443"),
            ("0.0.0.0:443", &["2001:db8::1".to_owned()], "[2001:db8::1]:443"),
        ] {
            assert_eq!(host_of(address.parse().unwrap_or_else(|_| ([0, 0, 0, 0], 0).into()), names), host);
        }
    }

    #[test]
    fn only_the_host_changes() {
        let text = "[default]\nhost = a:1\nclient_secret = host=\n";
        assert_eq!(with_host(text, "b:2").as_deref(), Some("[default]\nhost = b:2\nclient_secret = host=\n"));
        assert_eq!(with_host(text, "a:1"), None);
    }
}
