//! A client of the control plane: requests signed with EdgeGrid, or with a bearer token.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, io::Read as _};

use clap::Args;
use playlock_edgegrid::{Credentials, MAX_BODY, SignedRequest, Signer, new_nonce};
use serde_json::Value;
use ureq::Agent;
use ureq::http::{Request, Response};
use zeroize::Zeroizing;

use super::edgerc;
use crate::failure::Failure;
use crate::terminal::shown;
use crate::viewer::random;
use crate::{https, time};

/// Time for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of an answer at most.
const LIMIT: u64 = 64 << 20;

/// The server, and the credentials for it.
#[derive(Args)]
#[group(skip)]
pub struct Server {
    /// File with the server's host and EdgeGrid credentials.
    #[arg(long, value_name = "FILE", required_unless_present = "server", conflicts_with = "server")]
    edgerc: Option<PathBuf>,
    /// Section of the file.
    #[arg(long, value_name = "NAME", default_value = "default")]
    section: String,
    /// URL of the server, for a bearer token.
    #[arg(long, value_name = "URL", requires = "token_env")]
    server: Option<String>,
    /// Environment variable with the bearer token.
    #[arg(long, value_name = "NAME", requires = "server")]
    token_env: Option<String>,
    /// Certificates that the server's is verified with, in PEM; by default the system's.
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
}

/// A connection to a server.
pub struct Client {
    agent: Agent,
    /// Host and port.
    authority: String,
    proof: Proof,
}

enum Proof {
    Signature(Credentials),
    Token(Zeroizing<String>),
}

impl Client {
    /// The client that the arguments describe.
    ///
    /// # Errors
    /// Files or variables that cannot be used.
    pub fn of(server: &Server) -> Result<Self, Failure> {
        let agent = https::agent(server.cacert.as_deref(), PATIENCE, concat!("playlock/", env!("CARGO_PKG_VERSION")))?;
        if let Some(file) = &server.edgerc {
            let fault = |reason: &dyn std::fmt::Display| Failure::Wrong(format!("{}: {reason}", file.display()));
            let text = Zeroizing::new(fs::read_to_string(file).map_err(|error| fault(&error))?);
            let section = edgerc::section(&text, &server.section).map_err(|reason| fault(&reason))?;
            return Ok(Self { agent, authority: section.host, proof: Proof::Signature(section.credentials) });
        }
        let url = server.server.as_deref().unwrap_or_default();
        let authority = url.strip_prefix("https://").map(|rest| rest.trim_end_matches('/'));
        let authority = authority.filter(|rest| !rest.is_empty() && !rest.contains(['/', '?', '#', '@']));
        let authority = authority
            .ok_or_else(|| Failure::Wrong(format!("--server: found \"{}\", expected https://HOST:PORT", shown(url))))?;
        let name = server.token_env.as_deref().unwrap_or_default();
        let token = env::var(name).map_err(|_| {
            Failure::Wrong(format!("--token-env: the environment variable {name} is not set; expected the token in it"))
        })?;
        Ok(Self { agent, authority: authority.to_owned(), proof: Proof::Token(Zeroizing::new(token)) })
    }

    /// A GET request.
    ///
    /// # Errors
    /// As [`Client::send_text`].
    pub fn get(&self, target: &str) -> Result<Value, Failure> {
        let authorization = self.authorization("GET", target, &[])?;
        let request = self.request("GET", target, &authorization).body(()).map_err(|error| invalid(&error))?;
        answer(self.agent.run(request).map_err(|error| self.unreachable(&error))?)
    }

    /// A DELETE request.
    ///
    /// # Errors
    /// As [`Client::send_text`].
    pub fn delete(&self, target: &str) -> Result<Value, Failure> {
        let authorization = self.authorization("DELETE", target, &[])?;
        let request = self.request("DELETE", target, &authorization).body(()).map_err(|error| invalid(&error))?;
        answer(self.agent.run(request).map_err(|error| self.unreachable(&error))?)
    }

    /// A request with a document.
    ///
    /// # Errors
    /// As [`Client::send_text`].
    pub fn send(&self, method: &str, target: &str, document: &Value) -> Result<Value, Failure> {
        self.send_text(method, target, document.to_string())
    }

    /// A request with a document as text.
    ///
    /// # Errors
    /// The server refuses it, or cannot be reached.
    pub fn send_text(&self, method: &str, target: &str, text: String) -> Result<Value, Failure> {
        let authorization = self.authorization(method, target, text.as_bytes())?;
        let request = self.request(method, target, &authorization).header("content-type", "application/json");
        let request = request.body(text).map_err(|error| invalid(&error))?;
        answer(self.agent.run(request).map_err(|error| self.unreachable(&error))?)
    }

    fn request(&self, method: &str, target: &str, authorization: &str) -> ureq::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("https://{}{target}", self.authority))
            .header("authorization", authorization)
            .header("accept", "application/json")
    }

    /// The value of the `Authorization` header.
    fn authorization(&self, method: &str, target: &str, body: &[u8]) -> Result<Zeroizing<String>, Failure> {
        let credentials = match &self.proof {
            Proof::Token(token) => return Ok(Zeroizing::new(format!("Bearer {}", token.as_str()))),
            Proof::Signature(credentials) => credentials,
        };
        let signed = SignedRequest { method, scheme: "https", authority: &self.authority, target, headers: &[], body };
        let now = i64::try_from(time::now()).unwrap_or(i64::MAX);
        let signer = Signer { credentials, max_body: MAX_BODY };
        let value = signer.sign(&signed, now, &new_nonce(random()?));
        value.map(Zeroizing::new).map_err(|fault| Failure::Wrong(fault.to_string()))
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        Failure::Unreachable(format!("https://{}: {error}", self.authority))
    }
}

fn invalid(error: &ureq::http::Error) -> Failure {
    Failure::Wrong(format!("the request cannot be sent: {error}"))
}

/// The document of an answer, or the server's problem.
fn answer(response: Response<ureq::Body>) -> Result<Value, Failure> {
    let status = response.status();
    let mut text = String::new();
    let read = response.into_body().into_with_config().limit(LIMIT).reader().read_to_string(&mut text);
    read.map_err(|error| Failure::Unreachable(format!("the answer broke off: {error}")))?;
    let document: Option<Value> = serde_json::from_str(&text).ok();
    if status.is_success() {
        let document = document.or_else(|| text.is_empty().then_some(Value::Null));
        return document.ok_or_else(|| Failure::Unreachable("the answer is not JSON; expected a control plane".into()));
    }
    let detail = document.as_ref().and_then(|document| document.get("detail")).and_then(Value::as_str);
    Err(Failure::Negative(format!("{}: {}", status.as_u16(), shown(detail.unwrap_or("the server gave no reason")))))
}
