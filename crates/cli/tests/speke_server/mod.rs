//! A SPEKE server for tests: keys that a reader can compute, and responses that a test can tamper with.
#![allow(dead_code, reason = "two tests share it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use playlock_drm::{Kid, Settings, Template};
use playlock_speke::{ContentId, Document, Keys, SpekeError, Supply, request};
use zeroize::Zeroizing;

/// A response, and the body of its request.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: String,
    pub request: String,
}

impl Reply {
    pub fn untouched(self) -> Self {
        self
    }

    pub fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// A server until the test's process ends.
pub struct Server {
    address: String,
    heard: Arc<Mutex<String>>,
}

impl Server {
    pub fn new(tamper: impl Fn(Reply) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard: Arc<Mutex<String>> = Arc::default();
        let hears = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
                }
                let length = header(&head, "content-length").map_or(0, |value| value.parse().unwrap());
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                hears.lock().unwrap().clone_from(&head);
                let reply = tamper(respond(&head, &String::from_utf8(body).unwrap()));
                let mut response = format!("HTTP/1.1 {} x\r\nconnection: close\r\n", reply.status);
                for (name, value) in reply.headers {
                    response += &format!("{name}: {value}\r\n");
                }
                response += &format!("content-length: {}\r\n\r\n{}", reply.body.len(), reply.body);
                stream.write_all(response.as_bytes()).unwrap();
            }
        });
        Self { address, heard }
    }

    pub fn url(&self) -> String {
        format!("http://{}/cpix/getKey", self.address)
    }

    /// The head of the last request.
    pub fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
}

/// The response of an honest server.
fn respond(head: &str, body: &str) -> Reply {
    let target = head.split(' ').nth(1).unwrap();
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let names: Vec<_> = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.as_bytes()))
        .collect();
    let headers = names.iter().map(|(name, value)| (name.as_str(), *value));
    let read = request::Request::read(head.split(' ').next().unwrap(), path, query, headers).unwrap();
    let document = Document::read(body.as_bytes(), read.version);
    let (status, text) = match document.and_then(|document| answer(&document)) {
        Ok(text) => (200, text),
        Err(error) => (error.status(), error.message()),
    };
    let headers = request::headers(read.version, status == 200);
    Reply { status, headers, body: text, request: body.to_owned() }
}

/// Each byte of the key ID, xor 0xa5; the IV is the key ID backwards.
struct Computed;

impl Keys for Computed {
    fn key(&self, _: &ContentId, kid: &Kid) -> Zeroizing<[u8; 16]> {
        Zeroizing::new(kid.bytes().map(|byte| byte ^ 0xa5))
    }

    fn iv(&self, _: &ContentId, kid: &Kid) -> [u8; 16] {
        let mut iv = *kid.bytes();
        iv.reverse();
        iv
    }
}

pub fn answer(document: &Document<'_>) -> Result<String, SpekeError> {
    let settings = Settings {
        fairplay: Some(Template::fairplay("skd://{json:base64}").unwrap()),
        key_url: Some(Template::url("https://edge.example/keys/{contentId}/{kid}").unwrap()),
        license_url: Some(Template::url("https://edge.example/license").unwrap()),
        ..Settings::default()
    };
    document.answer(&Supply { keys: &Computed, settings: &settings, scheme: None, seed: &[7; 32] })
}

/// The certificate of [`private_key`], in PEM.
pub fn certificate() -> String {
    let request = fs::read_to_string(folder().join("requests/2.0-encrypted.xml")).unwrap();
    let text = request.split("X509Certificate>").nth(1).unwrap().split('<').next().unwrap().trim();
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

/// The file of a private key.
pub fn private_key() -> String {
    folder().join("oracle/recipient.pem").to_str().unwrap().to_owned()
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../speke/tests")
}

/// Hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
