//! `keyAuthorizer`: an upstream that authorizes every key request of a session. Verdicts are not cached, so a denial
//! cuts off a session's keys at once.

use alloc::string::{String, ToString};
use alloc::vec;
use core::net::IpAddr;

use super::key_url::push_path;
use super::text::{AbsolutePath, Authority, ClusterName};
use crate::bytes::percent;
use crate::http::message::Call;
use crate::http::reply::{Reason, header};
use crate::token::derive::KeyScope;

/// A policy's authorizer.
#[derive(Debug)]
pub struct Authorizer {
    /// Envoy cluster of the authorizer.
    pub cluster: ClusterName,
    /// `:authority` of the request.
    pub host: Authority,
    /// `:path` of the request.
    pub path: AbsolutePath,
    /// Timeout in seconds.
    pub timeout: u64,
}

/// Facts about a key request that are sent to the authorizer.
#[derive(Debug)]
pub struct Question<'a> {
    /// Policy name.
    pub policy: &'a str,
    /// Session id in base64url.
    pub session: &'a str,
    /// ACL of the session.
    pub paths: &'a str,
    /// Id of the access token that opened the session, as in that token.
    pub access_token: Option<&'a str>,
    /// Payload of that access token, as in that token.
    pub payload: Option<&'a str>,
    /// Scope of the key.
    pub scope: &'a KeyScope,
    /// Key period number.
    pub period: u64,
    /// Client address, if known.
    pub client: Option<IpAddr>,
}

impl Authorizer {
    /// Builds the request to the authorizer.
    pub fn call(&self, question: &Question<'_>) -> Call {
        let encoded = |text: &str| {
            let mut value = String::new();
            push_path(&mut value, text);
            value
        };
        let Question { policy, session, paths, access_token, payload, scope, period, client } = question;
        let (name, stream) = match scope {
            KeyScope::Session(_) => ("session", None),
            KeyScope::Stream(directory) => ("stream", Some(encoded(directory))),
            KeyScope::Application | KeyScope::Configured => ("application", None),
        };
        let mut headers = vec![
            header(":method", "GET"),
            header(":path", &self.path),
            header(":authority", &self.host),
            header("x-playlock-policy", &encoded(policy)),
            header("x-playlock-session", session),
            header("x-playlock-paths", paths),
            header("x-playlock-key-scope", name),
            header("x-playlock-period", &period.to_string()),
        ];
        headers.extend(stream.map(|stream| header("x-playlock-stream", &stream)));
        headers.extend(client.map(|client| header("x-playlock-client", &client.to_string())));
        headers.extend(access_token.map(|id| header("x-playlock-access-token-id", &percent::printable(id))));
        headers.extend(payload.map(|payload| header("x-playlock-payload", &percent::printable(payload))));
        Call { cluster: self.cluster.to_string(), headers, timeout: self.timeout }
    }
}

/// Evaluates the authorizer's response status; `None` if there was no response.
///
/// # Errors
/// [`Reason::Authorizer`] if the authorizer denies the key. [`Reason::Unanswered`] without a response or with a 5xx:
/// the proxy itself generates a 5xx if the upstream is unavailable or times out.
pub fn verdict(status: Option<u16>) -> Result<(), Reason> {
    match status {
        Some(200..=299) => Ok(()),
        None | Some(500..) => Err(Reason::Unanswered),
        Some(_) => Err(Reason::Authorizer),
    }
}
