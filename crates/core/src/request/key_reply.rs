//! The response with a key, and the question to the authorizer, for every kind of key.

use alloc::format;
use core::net::IpAddr;

use crate::http::reply::{Reply, header};
use crate::policy::Policy;
use crate::policy::authorizer::{AskedKeys, Question};
use crate::session::Session;

/// The question whether a session may have keys.
pub fn question<'a>(
    policy: &'a Policy,
    session: &'a Session,
    asked: AskedKeys<'a>,
    client: Option<IpAddr>,
) -> Question<'a> {
    Question {
        policy: &policy.name,
        session: session.id_text(),
        paths: session.acl(),
        access_token: session.access_token.as_deref(),
        payload: session.payload.as_deref(),
        asked,
        client,
    }
}

/// The response with a key of 16 bytes. `is_asked`: the authorizer is asked first, so that every request must reach it.
pub fn reply(key: &[u8; 16], session: &Session, is_asked: bool, now: u64) -> Reply {
    let cache_control = match is_asked {
        false => format!("private, max-age={}", session.expires.saturating_sub(now)),
        true => "private, no-store".into(),
    };
    Reply {
        status: 200,
        headers: alloc::vec![
            header("content-type", "application/octet-stream"),
            header("cache-control", &cache_control),
        ],
        body: key.to_vec(),
        reason: None,
    }
}
