//! Cookies with session tokens.
//!
//! Each session has a cookie of its own, `NAME-REFERENCE`, because one browser may play several films. The URIs of a
//! playlist carry the reference in place of the token, `NAME=REFERENCE`, so that each request identifies its session.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::http::authority::Scheme;
use crate::http::headers;
use crate::http::incoming::{Incoming, RequestHead, at_most_one};
use crate::http::reply::{Header, Reason, header};
use crate::policy::Policy;
use crate::session::Session;
use crate::session::token::claimed_reference;
use crate::token::cookie::{REFERENCE, is_reference, reference_in};
pub use crate::token::cookie::{cookie_name, is_of_session as is_cookie, reference};

/// Session cookies per token name that a browser keeps. With the longest tokens they take 6.3 KB, within the 8 KB that
/// servers and caches in front of the proxy commonly accept for a header.
pub const MAX_SESSIONS: usize = 6;

/// Session cookies that are tried for a URL that names no session. Bounds the cost of forged cookies.
const MAX_TRIED: usize = 4;

/// A session token as sent, not verified.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// The token.
    pub token: &'a str,
    /// The carrier.
    pub carrier: Carrier<'a>,
}

/// Carrier of a session token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier<'a> {
    /// Query parameter.
    Query,
    /// First segment of the path.
    Path,
    /// Cookie, by the reference in its name.
    Cookie(&'a str),
}

impl Sent<'_> {
    /// Verifies the token. Clients escape values of queries, not of cookies.
    ///
    /// # Errors
    /// As [`Session::verify`]; [`Reason::Session`] if the cookie's name belongs to another session.
    pub fn verify(&self, policy: &Policy, head: &RequestHead<'_>) -> Result<Session, Reason> {
        let session = match self.carrier {
            Carrier::Query => Session::verify(policy, self.token, head)?,
            Carrier::Path | Carrier::Cookie(_) => Session::verify_as_it_stands(policy, self.token, head)?,
        };
        match self.carrier {
            Carrier::Cookie(sent) if reference(&session.id_text()) != sent => Err(Reason::Session),
            _ => Ok(session),
        }
    }
}

/// The session tokens that a request presents.
#[derive(Debug)]
pub struct Presented<'a> {
    /// The candidates: one token, or those of all cookies if the URL names no session.
    pub tokens: Vec<Sent<'a>>,
    /// The URL names the session.
    pub named: bool,
}

impl<'a> Presented<'a> {
    /// Whether the token is in the path, so that relative URIs in the response have it.
    pub fn is_in_path(&self) -> bool {
        self.only().is_some_and(|sent| sent.carrier == Carrier::Path)
    }

    /// The token, if there is exactly one.
    pub fn only(&self) -> Option<Sent<'a>> {
        if let [sent] = self.tokens.as_slice() { Some(*sent) } else { None }
    }
}

/// Finds the session tokens of a request in the places that the policy's transport allows.
///
/// # Errors
/// [`Reason::Duplicate`]; [`Reason::Malformed`] if the query has no reference where one is required.
pub fn presented<'a>(policy: &Policy, incoming: &'a Incoming<'a>) -> Result<Presented<'a>, Reason> {
    let (name, transport) = (&policy.session.name, policy.session.transport);
    if transport.in_path() {
        return in_path(name, incoming);
    }
    let tokens = match at_most_one(incoming.target.values(name))? {
        Some(sent) if transport.in_cookie() && is_reference(sent) => {
            let cookie = at_most_one(headers::cookies(incoming.head.headers, &cookie_name(name, sent)))?;
            cookie.map(|token| Sent { token, carrier: Carrier::Cookie(sent) }).into_iter().collect()
        }
        Some(token) if transport.in_query() => alloc::vec![Sent { token, carrier: Carrier::Query }],
        Some(_) => return Err(Reason::Malformed),
        None if transport.in_cookie() => {
            return Ok(Presented { tokens: newest(incoming.head.headers, name)?, named: false });
        }
        None => return Ok(Presented { tokens: Vec::new(), named: false }),
    };
    Ok(Presented { tokens, named: true })
}

/// The session token in the path, or in the query, where playlists put tokens that differ from reload to reload. A
/// second one there or in the session's cookie is refused; cookies of other sessions belong to other policies.
fn in_path<'a>(name: &str, incoming: &'a Incoming<'a>) -> Result<Presented<'a>, Reason> {
    let in_path = incoming.path_token?.filter(|sent| !is_access(sent));
    let sent = match (in_path, at_most_one(incoming.target.values(name))?) {
        (None, None) => return Ok(Presented { tokens: Vec::new(), named: false }),
        (Some(_), Some(_)) => return Err(Reason::Duplicate),
        (Some(token), None) => Sent { token, carrier: Carrier::Path },
        (None, Some(token)) => Sent { token, carrier: Carrier::Query },
    };
    // One pass: a request may have thousands of cookies.
    let own = cookie_name_for(name, sent.token);
    let mut cookies = headers::cookie_pairs(incoming.head.headers).map(|(cookie, _)| cookie);
    if cookies.any(|cookie| cookie == name.as_bytes() || cookie == own.as_bytes()) {
        return Err(Reason::Duplicate);
    }
    Ok(Presented { tokens: alloc::vec![sent], named: true })
}

/// Whether the token in a path is an access token: those have a name before them.
fn is_access(sent: &str) -> bool {
    sent.contains('=')
}

/// The last [`MAX_TRIED`] session cookies of a name, in order. Browsers send the oldest first (RFC 6265 section 5.4),
/// and those are the next to be dropped.
fn newest<'a>(request: &'a [Header], name: &str) -> Result<Vec<Sent<'a>>, Reason> {
    let mut found: Vec<Sent<'_>> = Vec::with_capacity(MAX_TRIED);
    for (cookie, token) in headers::cookie_pairs(request) {
        let Some(reference) = reference_in(name, cookie) else { continue };
        if found.iter().any(|sent| sent.carrier == Carrier::Cookie(reference)) {
            return Err(Reason::Duplicate);
        }
        if found.len() >= MAX_TRIED {
            found.remove(0);
        }
        found.push(Sent { token, carrier: Carrier::Cookie(reference) });
    }
    Ok(found)
}

/// The session that a request continues.
#[derive(Debug)]
pub struct GoingOn {
    /// The session.
    pub session: Session,
    /// No other presented session is valid for the request.
    pub certain: bool,
}

/// Selects the session that a request continues; `None` if the request presents none.
///
/// With `path` (normalised), the session must cover it. The oldest of several valid sessions wins, so a playlist that
/// is reloaded by a URL without a reference stays with its first session. `seen` is called with each token and its
/// result.
///
/// # Errors
/// The reason why no token is valid. [`Reason::Path`] takes precedence over others.
pub fn going_on(
    policy: &Policy,
    head: &RequestHead<'_>,
    presented: &Presented<'_>,
    path: Option<&str>,
    seen: &mut dyn FnMut(Sent<'_>, Result<(), Reason>),
) -> Option<Result<GoingOn, Reason>> {
    let (mut found, mut failure): (Option<GoingOn>, Option<Reason>) = (None, None);
    for sent in &presented.tokens {
        let verified = sent.verify(policy, head).and_then(|session| {
            path.map_or(Ok(()), |path| session.covers(path))?;
            Ok(session)
        });
        seen(*sent, verified.as_ref().map(|_| ()).map_err(|reason| *reason));
        match (verified, found.take()) {
            (Ok(session), None) => found = Some(GoingOn { session, certain: true }),
            (Ok(session), Some(other)) => {
                let age = |session: &Session| (session.opened, session.id);
                let older = if age(&session) < age(&other.session) { session } else { other.session };
                found = Some(GoingOn { session: older, certain: false });
            }
            (Err(reason), other) => {
                found = other;
                failure = failure.filter(|_| reason != Reason::Path).or(Some(reason));
            }
        }
    }
    let missing = presented.named.then_some(Reason::Missing);
    found.map(Ok).or_else(|| failure.or(missing).map(Err))
}

/// The name of the cookie for a session token, by its unverified id; a name that fits no session if it has none.
pub fn cookie_name_for(name: &str, token: &str) -> String {
    let reference = claimed_reference(token, REFERENCE).filter(|reference| is_reference(reference));
    cookie_name(name, reference.unwrap_or("AAAAAAAA"))
}

/// The sessions whose cookies a browser should drop when another one opens: the oldest, by their references.
pub fn surplus(request: &[Header], name: &str) -> Vec<String> {
    let cookies = headers::cookie_pairs(request).filter_map(|(cookie, _)| reference_in(name, cookie));
    let references: Vec<&str> = cookies.collect();
    let surplus = (references.len() + 1).saturating_sub(MAX_SESSIONS);
    // Bounded, because a client controls the number of cookies but must not control the length of a response.
    references.into_iter().take(surplus.min(MAX_SESSIONS)).map(Into::into).collect()
}

/// The cookie of a session that was just opened and ends in `left` seconds.
pub fn set_cookie(name: &str, session: &Session, left: u64, scheme: Scheme) -> Header {
    let cookie = cookie_name(name, reference(&session.id_text()));
    header("set-cookie", &format!("{cookie}={}; Path=/; Max-Age={left}; HttpOnly{}", session.token, site(scheme)))
}

/// The cookie of a signed token that is renewed with each response, for the next `left` seconds and URIs below `path`.
pub fn token_cookie(name: &str, token: &str, path: &str, left: u64, scheme: Scheme) -> Header {
    header("set-cookie", &format!("{name}={token}; Path={path}; Max-Age={left}; HttpOnly{}", site(scheme)))
}

/// The header that deletes the cookie of the session with this reference.
pub fn drop_cookie(name: &str, reference: &str, scheme: Scheme) -> Header {
    let cookie = cookie_name(name, reference);
    header("set-cookie", &format!("{cookie}=; Path=/; Max-Age=0; HttpOnly{}", site(scheme)))
}

/// The cookie attributes that depend on the scheme. Players on other sites need SameSite=None, which browsers accept
/// only with Secure, and Secure only by https.
fn site(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Https => "; Secure; SameSite=None",
        Scheme::Http => "; SameSite=Lax",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_cookies_make_room() {
        let names = |count: usize| (0..count).map(|n| format!("s-{n:08}=x")).collect::<Vec<_>>().join("; ");
        for (count, dropped) in [(0, 0), (5, 0), (6, 1), (8, 3), (100, 6)] {
            let cookies = [header("cookie", &names(count)), header("cookie", "other=1; s=2")];
            let surplus = surplus(&cookies, "s");
            assert_eq!(surplus, (0..dropped).map(|n| format!("{n:08}")).collect::<Vec<_>>(), "{count}");
        }
    }
}
