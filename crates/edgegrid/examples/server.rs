//! A server that answers each request with the result of its EdgeGrid signature, to try clients against. It speaks plain
//! HTTP/1.1; the clients insist on TLS, so something in front of it has to end that.
//!
//! ```text
//! cargo run -p playlock-edgegrid --example server -- 127.0.0.1:8080 localhost:8443 edgerc
//! ```
//!
//! The arguments: the address to listen on, the host for the clients, and the `.edgerc` file that is written for them.
#![allow(clippy::print_stdout, reason = "an example")]

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

use playlock_edgegrid::{
    Authorization, Credentials, EdgercSection, MAX_BODY, NonceMemory, RANDOM_BYTES, Refusal, SignedRequest, Window,
    verify,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [listen, host, edgerc] = arguments.as_slice() else { return Err("usage: server LISTEN HOST EDGERC".into()) };
    let mut random = [0; RANDOM_BYTES];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let credentials = Credentials::from_random(&random);
    std::fs::write(edgerc, EdgercSection::new(&credentials, host)?.text().as_bytes())?;
    let mut nonces = NonceMemory::new(Window::default(), NonceMemory::LIMIT);
    for connection in TcpListener::bind(listen)?.incoming() {
        // One request for each connection, and one connection at a time.
        if let Err(error) = connection.map_err(Into::into).and_then(|it| answer(it, &credentials, &mut nonces)) {
            println!("{error}");
        }
    }
    Ok(())
}

fn answer(connection: TcpStream, credentials: &Credentials, nonces: &mut NonceMemory) -> Result<(), Box<dyn Error>> {
    let mut reader = BufReader::new(connection.try_clone()?.take(1 << 22));
    let (mut line, mut host, mut header, mut length) = (String::new(), String::new(), String::new(), 0);
    reader.read_line(&mut line)?;
    loop {
        let mut field = String::new();
        reader.read_line(&mut field)?;
        let Some((name, value)) = field.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "host" => host = value.into(),
            "authorization" => header = value.into(),
            "content-length" => length = value.parse()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let request = SignedRequest { method, scheme: "https", authority: &host, target, headers: &[], body: &body };
    let (status, text) = match check(&header, &request, credentials, nonces) {
        Ok(()) => ("200 OK", "accepted".to_owned()),
        Err(refusal) => ("401 Unauthorized", refusal.to_string()),
    };
    println!("{method} {target}, {length} bytes: {text}");
    let length = text.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    Ok((&connection).write_all((head + &text).as_bytes())?)
}

fn check(
    header: &str,
    request: &SignedRequest<'_>,
    credentials: &Credentials,
    nonces: &mut NonceMemory,
) -> Result<(), Refusal> {
    let authorization = Authorization::parse(header)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
    let timestamp = authorization.timestamp();
    Window::default().check(now, timestamp)?;
    let client = authorization.client_token();
    if client != credentials.client_token() || authorization.access_token() != credentials.access_token() {
        return Err(Refusal::Client);
    }
    verify(&authorization, credentials.client_secret(), request, MAX_BODY)?;
    nonces.check_and_remember(now, timestamp, client, authorization.nonce())
}
