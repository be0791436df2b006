//! `keyAuthorizer`: an upstream that authorizes every key request of a session. Verdicts are not cached, so a denial
//! cuts off a session's keys at once.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
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
    pub session: String,
    /// ACL of the session.
    pub paths: &'a str,
    /// Id of the access token that opened the session, as in that token.
    pub access_token: Option<&'a str>,
    /// Payload of that access token, as in that token.
    pub payload: Option<&'a str>,
    /// The keys.
    pub asked: AskedKeys<'a>,
    /// Client address, if known.
    pub client: Option<IpAddr>,
}

/// The keys that a session asks for.
#[derive(Debug, Clone, Copy)]
pub enum AskedKeys<'a> {
    /// A key of content that is encrypted here.
    Derived {
        /// Its scope.
        scope: &'a KeyScope,
        /// Number of its key period.
        period: u64,
    },
    /// Keys of content that was packaged elsewhere.
    Packaged {
        /// The content ID.
        content: &'a str,
        /// The key IDs, separated by commas.
        kids: &'a str,
    },
}

impl Authorizer {
    /// Builds the request to the authorizer.
    pub fn call(&self, question: &Question<'_>) -> Call {
        let encoded = |text: &str| {
            let mut value = String::new();
            push_path(&mut value, text);
            value
        };
        let Question { policy, session, paths, access_token, payload, asked, client } = question;
        let (name, of_keys) = match asked {
            AskedKeys::Packaged { content, kids } => {
                let ids = [("x-playlock-content-id", encoded(content)), ("x-playlock-key-ids", (*kids).to_string())];
                ("content", Vec::from(ids))
            }
            AskedKeys::Derived { scope, period } => {
                let (name, stream) = match scope {
                    KeyScope::Session(_) => ("session", None),
                    KeyScope::Stream(directory) => ("stream", Some(encoded(directory))),
                    KeyScope::Application | KeyScope::Configured => ("application", None),
                };
                let mut of_keys = vec![("x-playlock-period", period.to_string())];
                of_keys.extend(stream.map(|stream| ("x-playlock-stream", stream)));
                (name, of_keys)
            }
        };
        let mut headers = vec![
            header(":method", "GET"),
            header(":path", &self.path),
            header(":authority", &self.host),
            header("x-playlock-policy", &encoded(policy)),
            header("x-playlock-session", session),
            header("x-playlock-paths", paths),
            header("x-playlock-key-scope", name),
        ];
        headers.extend(of_keys.iter().map(|(name, value)| header(name, value)));
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
