//! `keyAuthorizer`: an upstream that is asked whether a session may have a key, each time that it asks for one. Nothing is
//! remembered here, so its no ends a session's keys at once.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use core::net::IpAddr;

use crate::config::{ConfigError, document};
use crate::derive::KeyScope;
use crate::policy::key_url::push_path;
use crate::reply::{Reason, header};
use crate::session::Session;
use crate::step::Call;

/// In seconds.
const DEFAULT_TIMEOUT: u64 = 2;
const MAX_TIMEOUT: u64 = 60;

/// A policy's authorizer.
#[derive(Debug)]
pub struct Authorizer {
    cluster: String,
    host: String,
    path: String,
    /// In seconds.
    timeout: u64,
}

/// What a key is asked for.
#[derive(Debug)]
pub struct Question<'a> {
    /// The policy's name.
    pub policy: &'a str,
    /// Who asks.
    pub session: &'a Session,
    /// Whose key it is.
    pub scope: &'a KeyScope,
    /// The key period.
    pub period: u64,
    /// The client's address, if it is known.
    pub client: Option<IpAddr>,
}

impl Authorizer {
    /// Builds it from its document at the JSON path `path`.
    ///
    /// # Errors
    /// The first member that cannot be.
    pub fn build(path: &str, authorizer: &document::KeyAuthorizer) -> Result<Self, ConfigError> {
        let wrong = |member: &str, found: &str, expected: &str| {
            ConfigError::new(
                format!("{path}.{member}"),
                format!("found \"{}\", expected {expected}", found.escape_default()),
            )
        };
        let document::KeyAuthorizer { cluster, path: target, host, timeout } = authorizer;
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain(cluster) {
            return Err(wrong("cluster", cluster, "the name of a cluster of Envoy's"));
        }
        if !plain(target) || !target.starts_with('/') || target.contains('#') {
            return Err(wrong("path", target, "an absolute path such as \"/may-play\""));
        }
        let host = host.as_ref().unwrap_or(cluster);
        if !plain(host) || host.contains(['/', '@', '?', '#']) {
            return Err(wrong("host", host, "a host, perhaps with a port"));
        }
        let timeout = timeout.map_or(DEFAULT_TIMEOUT, |timeout| timeout.0);
        if !(1..=MAX_TIMEOUT).contains(&timeout) {
            return Err(wrong("timeout", &format!("{timeout}s"), "\"1s\" to \"60s\""));
        }
        Ok(Self { cluster: cluster.clone(), host: host.clone(), path: target.clone(), timeout })
    }

    /// The request that asks.
    pub fn call(&self, question: &Question<'_>) -> Call {
        let encoded = |text: &str| {
            let mut value = String::new();
            push_path(&mut value, text);
            value
        };
        let Question { policy, session, scope, period, client } = question;
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
            header("x-playlock-session", &session.id_text()),
            header("x-playlock-paths", session.acl()),
            header("x-playlock-key-scope", name),
            header("x-playlock-period", &period.to_string()),
        ];
        headers.extend(stream.map(|stream| header("x-playlock-stream", &stream)));
        headers.extend(client.map(|client| header("x-playlock-client", &client.to_string())));
        headers.extend(session.access_token.as_ref().map(|id| header("x-playlock-access-token-id", id)));
        headers.extend(session.payload.as_ref().map(|payload| header("x-playlock-payload", payload)));
        Call { cluster: self.cluster.clone(), headers, timeout: self.timeout }
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
