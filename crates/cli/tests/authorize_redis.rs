//! `playlock authorize` with a real Redis server: over TLS, with a password that no argument, page or line of the log shows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use std::{env, fs, process, thread};

const PASSWORD: &str = "geheim";

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that goes with the test, with a certificate for `localhost`.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = env::temp_dir().join(format!("playlock-authorize-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(&folder)
            .output()
            .expect("the openssl command line is needed: install the package `openssl`");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn redis(folder: &Path, port: u16) -> Running {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", "redis-server", "--port", "0", "--tls-port", &port.to_string()]);
    command.args(["--bind", "127.0.0.1", "--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"]);
    command.args(["--tls-ca-cert-file", "cert.pem", "--tls-auth-clients", "no", "--requirepass", PASSWORD]);
    command.args(["--save", "", "--appendonly", "no"]).current_dir(folder).stdout(Stdio::null());
    let process = Running(command.spawn().expect("setpriv (util-linux)"));
    for _ in 0..600 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return process;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("redis-server did not start: install Debian's redis-server (tools/packages.sh redis-server)");
}

/// The service, and its addresses for Envoys and operators.
fn authorize(folder: &Path, url: &str) -> (Running, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_playlock"));
    command.args(["authorize", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--redis-timeout", "2s"]);
    command.env("PLAYLOCK_REDIS_URL", url).env("SSL_CERT_FILE", folder.join("cert.pem"));
    command.stdout(Stdio::piped()).stderr(fs::File::create(folder.join("log")).unwrap());
    let mut process = Running(command.spawn().unwrap());
    let mut lines = BufReader::new(process.0.stdout.take().unwrap());
    let mut address = |prefix: &str| address(&mut lines, prefix);
    let (envoys, operators) = (address("questions on "), address("operators on "));
    (process, envoys, operators)
}

fn address(lines: &mut BufReader<ChildStdout>, prefix: &str) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line.trim_end().strip_prefix(prefix).unwrap_or_else(|| panic!("{line:?}")).to_owned()
}

fn get(address: &str, path: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    (response[9..12].parse().unwrap(), response)
}

fn ask(address: &str, session: char) -> u16 {
    let headers = format!(
        "x-playlock-leases: group=tv;limit=1;on-limit=refuse-new;viewer=id;period=60;grace=30;keys-ahead=5;session=86400\r\n\
         x-playlock-policy: vod\r\nx-playlock-session: {}{session}A\r\nx-playlock-paths: /vod/*\r\n\
         x-playlock-period: 7\r\nx-playlock-access-token-id: ann\r\n",
        "A".repeat(20)
    );
    get(address, "/lease", &headers).0
}

/// Waits until a page has a status; returns the page.
fn until(status: u16, address: &str, path: &str) -> String {
    let mut last = String::new();
    for _ in 0..600 {
        let (found, page) = get(address, path, "");
        if found == status {
            return page;
        }
        last = page;
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{path} has not the status {status}: {last}");
}

#[test]
fn leases_are_in_redis_over_tls() {
    let folder = Folder::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("rediss://:{PASSWORD}@localhost:{port}");
    // Nothing is there yet.
    let (service, envoys, operators) = authorize(&folder.0, &url);
    let page = until(503, &operators, "/ready");
    assert!(page.contains("refused"), "{page}");
    assert_eq!(ask(&envoys, 'A'), 503);
    let server = redis(&folder.0, port);
    until(200, &operators, "/ready");
    let (_other, others, other_operators) = authorize(&folder.0, &url);
    until(200, &other_operators, "/ready");
    // One lease for both services.
    assert_eq!((ask(&envoys, 'A'), ask(&others, 'B'), ask(&others, 'A')), (204, 409, 204));
    let (_, listed) = get(&other_operators, "/control/v1/sessions", "");
    assert!(listed.contains("\"viewer\":\"ann\""), "{listed}");
    let (_, metrics) = get(&operators, "/metrics", "");
    assert!(metrics.contains("playlock_leases_live{realm=\"default\",policy=\"vod\"} 1"), "{metrics}");
    drop(server);
    until(503, &operators, "/ready");
    assert_eq!(ask(&envoys, 'A'), 503);
    let (_, metrics) = get(&operators, "/metrics", "");
    assert!(metrics.contains("{answer=\"unavailable\"} 2"), "{metrics}");

    let arguments = fs::read_to_string(format!("/proc/{}/cmdline", service.0.id())).unwrap();
    let log = fs::read_to_string(folder.0.join("log")).unwrap();
    assert!(log.contains("event=store reason=\"connected\"") && log.contains("event=question"), "{log}");
    for text in [&arguments, &log, &page, &metrics] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
}

#[test]
fn an_url_that_is_none_is_refused_without_being_repeated() {
    for (arguments, url, place) in [
        (&["authorize", "--redis", "http://:geheim@redis"][..], "", "--redis: no URL of a Redis server"),
        (&["authorize"][..], "redis://:geheim@redis:port", "PLAYLOCK_REDIS_URL: no URL of a Redis server"),
    ] {
        let command = Command::new(env!("CARGO_BIN_EXE_playlock"))
            .args(arguments)
            .env("PLAYLOCK_REDIS_URL", url)
            .output()
            .unwrap();
        let errors = String::from_utf8(command.stderr).unwrap();
        assert_eq!(command.status.code(), Some(2));
        assert!(errors.contains(place) && !errors.contains(PASSWORD), "{errors}");
    }
}
