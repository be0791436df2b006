//! A client of the control plane, or of a service of leases: requests signed with EdgeGrid, with a bearer token, or without.

use std::fs;
use std::io::{Read as _, Write};
use std::path::PathBuf;
use std::time::Duration;
use std::{env, io};

use clap::Args;
use playlock_edgegrid::{Credentials, MAX_BODY, SignedRequest, Signer, new_nonce};
use serde_json::Value;
use ureq::Agent;
use ureq::http::request::Builder;
use ureq::http::{Request, Response};
use zeroize::Zeroizing;

use super::edgerc;
use crate::config::output_failure;
use crate::failure::Failure;
use crate::terminal::shown;
use crate::viewer::random;
use crate::{https, time};

/// Time for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
const JSON: &str = "application/json";
/// Bytes of an answer in JSON at most.
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
    #[arg(long, value_name = "URL")]
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
    /// `https`, or `http` for a service of leases.
    scheme: &'static str,
    /// Host and port.
    authority: String,
    proof: Proof,
}

enum Proof {
    Signature(Credentials),
    Token(Zeroizing<String>),
    None,
}

impl Client {
    /// The client of a control plane that the arguments describe.
    ///
    /// # Errors
    /// Files or variables that cannot be used; a URL without a token.
    pub fn of(server: &Server) -> Result<Self, Failure> {
        let client = Self::of_either(server)?;
        if client.scheme != "https" {
            return Err(wrong_url(server, "https://HOST:PORT"));
        }
        match client.proof {
            Proof::None => Err(Failure::Wrong("--token-env: missing; expected an environment variable's name".into())),
            _ => Ok(client),
        }
    }

    /// The client of a control plane or of a service of leases (`playlock authorize`), which may have no TLS and no token.
    ///
    /// # Errors
    /// Files or variables that cannot be used.
    pub fn of_either(server: &Server) -> Result<Self, Failure> {
        let agent = https::agent(server.cacert.as_deref(), PATIENCE, concat!("playlock/", env!("CARGO_PKG_VERSION")))?;
        if let Some(file) = &server.edgerc {
            let fault = |reason: &dyn std::fmt::Display| Failure::Wrong(format!("{}: {reason}", file.display()));
            let text = Zeroizing::new(fs::read_to_string(file).map_err(|error| fault(&error))?);
            let section = edgerc::section(&text, &server.section).map_err(|reason| fault(&reason))?;
            let proof = Proof::Signature(section.credentials);
            return Ok(Self { agent, scheme: "https", authority: section.host, proof });
        }
        let url = server.server.as_deref().unwrap_or_default();
        let of =
            |scheme: &'static str| Some((scheme, url.strip_prefix(scheme)?.strip_prefix("://")?.trim_end_matches('/')));
        let found = of("https").or_else(|| of("http"));
        let found = found.filter(|(_, rest)| !rest.is_empty() && !rest.contains(['/', '?', '#', '@']));
        let (scheme, authority) = found.ok_or_else(|| wrong_url(server, "https://HOST:PORT or http://HOST:PORT"))?;
        let proof = match server.token_env.as_deref() {
            None => Proof::None,
            Some(name) => Proof::Token(env::var(name).map(Zeroizing::new).map_err(|_| {
                Failure::Wrong(format!(
                    "--token-env: the environment variable {name} is not set; expected the token in it"
                ))
            })?),
        };
        Ok(Self { agent, scheme, authority: authority.to_owned(), proof })
    }

    /// A GET request.
    ///
    /// # Errors
    /// As [`Client::send_text`].
    pub fn get(&self, target: &str) -> Result<Value, Failure> {
        let authorization = self.authorization("GET", target, &[])?;
        let request = self.request("GET", target, authorization.as_ref(), JSON).body(());
        let request = request.map_err(|error| invalid(&error))?;
        answer(self.agent.run(request).map_err(|error| self.unreachable(&error))?)
    }

    /// Writes the body of a GET request's answer, of another type than JSON, to `output` as it arrives.
    ///
    /// # Errors
    /// As [`Client::send_text`]; an answer that breaks off; output that cannot be written.
    pub fn copy(&self, target: &str, accept: &str, output: &mut dyn Write) -> Result<(), Failure> {
        let authorization = self.authorization("GET", target, &[])?;
        let request = self.request("GET", target, authorization.as_ref(), accept).body(());
        let response = self.agent.run(request.map_err(|error| invalid(&error))?);
        let response = response.map_err(|error| self.unreachable(&error))?;
        if !response.status().is_success() {
            return answer(response).map(|_| ());
        }
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
        let mut block = [0; 8192];
        loop {
            let read = match body.read(&mut block) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(|error| broke_off(&error))?,
            };
            match block.get(..read) {
                Some([]) | None => return Ok(()),
                Some(part) => output.write_all(part).map_err(output_failure)?,
            }
        }
    }

    /// A DELETE request.
    ///
    /// # Errors
    /// As [`Client::send_text`].
    pub fn delete(&self, target: &str) -> Result<Value, Failure> {
        let authorization = self.authorization("DELETE", target, &[])?;
        let request = self.request("DELETE", target, authorization.as_ref(), JSON).body(());
        let request = request.map_err(|error| invalid(&error))?;
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
        let request = self.request(method, target, authorization.as_ref(), JSON).header("content-type", JSON);
        let request = request.body(text).map_err(|error| invalid(&error))?;
        answer(self.agent.run(request).map_err(|error| self.unreachable(&error))?)
    }

    fn request(&self, method: &str, target: &str, authorization: Option<&Zeroizing<String>>, accept: &str) -> Builder {
        let request = Request::builder().method(method).uri(format!("{}://{}{target}", self.scheme, self.authority));
        let request = request.header("accept", accept);
        match authorization {
            None => request,
            Some(value) => request.header("authorization", value.as_str()),
        }
    }

    /// The value of the `Authorization` header, if there is one.
    fn authorization(&self, method: &str, target: &str, body: &[u8]) -> Result<Option<Zeroizing<String>>, Failure> {
        let credentials = match &self.proof {
            Proof::None => return Ok(None),
            Proof::Token(token) => return Ok(Some(Zeroizing::new(format!("Bearer {}", token.as_str())))),
            Proof::Signature(credentials) => credentials,
        };
        let signed = SignedRequest { method, scheme: "https", authority: &self.authority, target, headers: &[], body };
        let now = i64::try_from(time::now()).unwrap_or(i64::MAX);
        let signer = Signer { credentials, max_body: MAX_BODY };
        let value = signer.sign(&signed, now, &new_nonce(random()?));
        value.map(|value| Some(Zeroizing::new(value))).map_err(|fault| Failure::Wrong(fault.to_string()))
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        Failure::Unreachable(format!("{}://{}: {error}", self.scheme, self.authority))
    }
}

fn wrong_url(server: &Server, expected: &str) -> Failure {
    let url = server.server.as_deref().unwrap_or_default();
    Failure::Wrong(format!("--server: found \"{}\", expected {expected}", shown(url)))
}

fn broke_off(error: &io::Error) -> Failure {
    Failure::Unreachable(format!("the answer broke off: {error}"))
}

fn invalid(error: &ureq::http::Error) -> Failure {
    Failure::Wrong(format!("the request cannot be sent: {error}"))
}

/// The document of an answer, or the server's problem.
fn answer(response: Response<ureq::Body>) -> Result<Value, Failure> {
    let status = response.status();
    let mut text = String::new();
    let read = response.into_body().into_with_config().limit(LIMIT).reader().read_to_string(&mut text);
    read.map_err(|error| broke_off(&error))?;
    let document: Option<Value> = serde_json::from_str(&text).ok();
    if status.is_success() {
        let document = document.or_else(|| text.is_empty().then_some(Value::Null));
        return document.ok_or_else(|| Failure::Unreachable("the answer is not JSON; expected a control plane".into()));
    }
    let detail = document.as_ref().and_then(|document| document.get("detail")).and_then(Value::as_str);
    Err(Failure::Negative(format!("{}: {}", status.as_u16(), shown(detail.unwrap_or("the server gave no reason")))))
}
