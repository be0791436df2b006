//! `keyAuthorizer`: an upstream that authorizes every key request of a session. Verdicts are not cached, so a denial
//! cuts off a session's keys at once.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;

use serde::Deserialize;

use super::key_url::push_path;
use super::leases::{self, Stated};
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
    /// Handling of keys without a decision.
    pub on_unavailable: OnUnavailable,
    /// Terms of leases, if the authorizer counts sessions.
    pub leases: Option<Stated>,
}

/// The handling of a key that the authorizer does not decide on: the proxy has no such cluster or no endpoint of it, there
/// is no response in time, or a 5xx.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OnUnavailable {
    /// The key is refused (503 `unanswered`).
    #[default]
    Deny,
    /// The key is given, and counted as `unauthorized_keys`.
    Allow,
}

/// A call to the authorizer, which decides on a response with keys.
#[derive(Debug)]
pub struct Inquiry {
    /// The call.
    pub call: Call,
    /// Handling of the keys without a decision.
    pub on_unavailable: OnUnavailable,
}

/// The permission to send keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// By the authorizer.
    Granted,
    /// By [`OnUnavailable::Allow`], without a decision of the authorizer.
    Unauthorized,
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
    /// Builds the request to the authorizer. Nothing of the viewer's own headers is in it.
    pub fn inquire(&self, question: &Question<'_>) -> Inquiry {
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
        headers.extend(self.leases.iter().map(|stated| header(leases::HEADER, stated.as_str())));
        headers.extend(client.map(|client| header("x-playlock-client", &client.to_string())));
        headers.extend(access_token.map(|id| header("x-playlock-access-token-id", &percent::printable(id))));
        headers.extend(payload.map(|payload| header("x-playlock-payload", &percent::printable(payload))));
        let call = Call { cluster: self.cluster.to_string(), headers, timeout: self.timeout };
        Inquiry { call, on_unavailable: self.on_unavailable }
    }
}

/// Evaluates the authorizer's response status; `None` if there was no response, or no request.
///
/// # Errors
/// [`Reason::Limit`], [`Reason::Ended`], [`Reason::Ahead`], and [`Reason::Authorizer`] for every other denial.
/// [`Reason::Unanswered`] without a response or with a 5xx, unless keys are given then: the proxy itself generates a 5xx if
/// the upstream is unavailable or times out.
pub fn verdict(status: Option<u16>, on_unavailable: OnUnavailable) -> Result<Permission, Reason> {
    match status {
        Some(200..=299) => Ok(Permission::Granted),
        Some(409) => Err(Reason::Limit),
        Some(410) => Err(Reason::Ended),
        Some(429) => Err(Reason::Ahead),
        None | Some(500..=599) => match on_unavailable {
            OnUnavailable::Deny => Err(Reason::Unanswered),
            OnUnavailable::Allow => Ok(Permission::Unauthorized),
        },
        Some(_) => Err(Reason::Authorizer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of all statuses, a 5xx alone is no decision.
    #[test]
    fn every_status_has_one_meaning() {
        for status in (0..=999).chain([1200, 5000, u16::MAX]).map(Some).chain([None]) {
            let expected = match status {
                Some(200..=299) => [Ok(Permission::Granted); 2],
                Some(409) => [Err(Reason::Limit); 2],
                Some(410) => [Err(Reason::Ended); 2],
                Some(429) => [Err(Reason::Ahead); 2],
                None | Some(500..=599) => [Err(Reason::Unanswered), Ok(Permission::Unauthorized)],
                Some(_) => [Err(Reason::Authorizer); 2],
            };
            assert_eq!([OnUnavailable::Deny, OnUnavailable::Allow].map(|handling| verdict(status, handling)), expected);
        }
    }
}
