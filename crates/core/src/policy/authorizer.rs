//! `keyAuthorizer`: an upstream that is asked whether a session may have a key, each time that it asks for one. Nothing is
//! remembered here, so its no ends a session's keys at once.

use alloc::string::{String, ToString};
use alloc::vec;
use core::net::IpAddr;

use super::key_url::push_path;
use super::text::{AbsolutePath, Authority, ClusterName};
use crate::http::message::Call;
use crate::http::reply::{Reason, header};
use crate::token::derive::KeyScope;

/// A policy's authorizer.
#[derive(Debug)]
pub struct Authorizer {
    /// The proxy's name for it.
    pub cluster: ClusterName,
    /// The host that is asked.
    pub host: Authority,
    /// What is asked for there.
    pub path: AbsolutePath,
    /// How long an answer is waited for, in seconds.
    pub timeout: u64,
}

/// What a key is asked for.
#[derive(Debug)]
pub struct Question<'a> {
    /// The policy's name.
    pub policy: &'a str,
    /// The id of the session that asks, as its token writes it.
    pub session: &'a str,
    /// The session's ACL.
    pub paths: &'a str,
    /// The id of the access token that opened it.
    pub access_token: Option<&'a str>,
    /// That token's payload.
    pub payload: Option<&'a str>,
    /// Whose key it is.
    pub scope: &'a KeyScope,
    /// The key period.
    pub period: u64,
    /// The client's address, if it is known.
    pub client: Option<IpAddr>,
}

impl Authorizer {
    /// The request that asks.
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
        headers.extend(access_token.map(|id| header("x-playlock-access-token-id", id)));
        headers.extend(payload.map(|payload| header("x-playlock-payload", payload)));
        Call { cluster: self.cluster.to_string(), headers, timeout: self.timeout }
    }
}

/// What an answer's status says; `None`: there was no answer.
///
/// # Errors
/// [`Reason::Authorizer`] for a no, [`Reason::Unanswered`] where it could not say: the proxy answers for an upstream that
/// is not there or takes too long, with a 5xx.
pub fn verdict(status: Option<u16>) -> Result<(), Reason> {
    match status {
        Some(200..=299) => Ok(()),
        None | Some(500..) => Err(Reason::Unanswered),
        Some(_) => Err(Reason::Authorizer),
    }
}
