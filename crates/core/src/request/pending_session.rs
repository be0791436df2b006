//! The session and the URL of a pending request: how URIs in its response identify the session.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::http::authority::Scheme;
use crate::http::base::Base;
use crate::http::incoming::Incoming;
use crate::http::path_token::TokenSegment;
use crate::http::reply::Header;
use crate::playlist::SessionLink;
use crate::policy::Policy;
use crate::session::Session;
use crate::session::jar;
use crate::token::derive::KeyScope;

/// Session of a pending request.
#[derive(Debug)]
pub struct PendingSession {
    /// The session.
    pub session: Session,
    /// Whether the session was opened or resumed.
    pub obtained: Obtained,
}

/// Whether a request opened its session or resumed it from a token.
#[derive(Debug)]
pub enum Obtained {
    /// Opened by this request.
    Opened {
        /// References of the session cookies to remove, to make room for the new one.
        surplus: Vec<String>,
        /// Headers of the response that carry the successor of the access token; a `location` redirects the request.
        renewed: Vec<Header>,
    },
    /// Resumed from a token in the request.
    Resumed {
        /// Whether no other session in the request is equally valid.
        certain: bool,
        /// Whether the URL identifies the session.
        named: bool,
        /// Whether the token is in the path.
        in_path: bool,
    },
}

impl PendingSession {
    /// Whether this request opened the session.
    pub fn is_opened(&self) -> bool {
        matches!(self.obtained, Obtained::Opened { .. })
    }

    /// Whether no other session in the request is equally valid.
    pub fn is_certain(&self) -> bool {
        !matches!(self.obtained, Obtained::Resumed { certain: false, .. })
    }

    /// Whether the URL identifies the session.
    pub fn is_named(&self) -> bool {
        matches!(self.obtained, Obtained::Resumed { named: true, .. })
    }

    /// Cookie of a newly opened session that ends in `left` seconds, and removals of the cookies that make room for it.
    pub fn cookies(&self, policy: &Policy, scheme: Scheme, left: u64) -> Vec<Header> {
        match &self.obtained {
            Obtained::Opened { surplus, .. } if policy.session.transport.in_cookie() => {
                let name = &policy.session.name;
                let dropped = surplus.iter().map(|reference| jar::drop_cookie(name, reference, scheme));
                dropped.chain([jar::set_cookie(name, &self.session, left, scheme)]).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The way in which URIs in the response identify the session. Relative URIs inherit the token of a request that had
    /// it in its path.
    pub fn link(&self, policy: &Policy) -> SessionLink {
        match &policy.session.path_marker {
            Some(marker) => {
                let inherited = matches!(self.obtained, Obtained::Resumed { in_path: true, .. });
                SessionLink::Segment(TokenSegment::new(marker, &self.session.token, inherited))
            }
            None => self.link_in_query(policy, &self.session.token),
        }
    }

    /// The way in which URIs identify the session whose `token` differs from reload to reload: in the query, because
    /// players compare the paths of a live playlist's segments.
    pub fn link_in_query(&self, policy: &Policy, token: &str) -> SessionLink {
        let (name, transport) = (&policy.session.name, policy.session.transport);
        match transport {
            _ if transport.in_path() => SessionLink::Rooted(format!("{name}={token}")),
            _ if transport.in_query() => SessionLink::Parameter(format!("{name}={token}")),
            _ => SessionLink::Parameter(format!("{name}={}", jar::reference(&self.session.id_text()))),
        }
    }

    /// Whether tokens are in the path, but not in that of this request, so that relative URIs do not inherit it.
    pub fn lacks_path_token(&self, policy: &Policy) -> bool {
        policy.session.transport.in_path() && !matches!(self.obtained, Obtained::Resumed { in_path: true, .. })
    }

    /// Scope of the session's own key.
    pub fn own_key(&self) -> KeyScope {
        KeyScope::Session(self.session.id)
    }
}

/// URL as requested by the player.
#[derive(Debug)]
pub struct ViewerUrl {
    /// Scheme of the URL.
    pub scheme: Scheme,
    /// `:authority`.
    pub authority: String,
    /// Path as sent, percent-encoded.
    pub raw_path: String,
    /// Query as sent.
    pub query: Option<String>,
}

impl ViewerUrl {
    /// The URL of a request, without the token in its path.
    pub fn of(incoming: &Incoming<'_>) -> Self {
        let (head, target) = (incoming.head, &incoming.target);
        Self {
            scheme: head.scheme,
            authority: head.authority.into(),
            raw_path: target.raw_path.into(),
            query: target.query.map(Into::into),
        }
    }

    /// Base for resolving the URIs in the response.
    pub fn base(&self, policy: &Policy) -> Base {
        Base::new(self.scheme, &self.authority, &self.raw_path, &policy.session.hosts)
    }
}
