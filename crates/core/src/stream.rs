//! An admitted request, kept until its response comes.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use crate::derive::{ContentKey, KeyScope};
use crate::enter::ours;
use crate::jar;
use crate::playlist::Unservable;
use crate::policy::{Policy, PolicyIndex};
use crate::query;
use crate::reply::Header;
use crate::route::Kind;
use crate::session::Session;
use crate::signed::{Iv, Resource, Variable};
use crate::slice::Slice;
use crate::target;
use crate::url::Scheme;

/// An admitted request, kept until its response comes.
#[derive(Debug)]
pub struct Stream {
    /// The policy's number.
    pub policy: PolicyIndex,
    /// The session that it belongs to; `None` only for content that needs no token.
    pub session: Option<Session>,
    /// The session was opened by this very request.
    pub opened: bool,
    /// No other of the request's sessions would do as well.
    pub certain: bool,
    /// The URL says which session it is of.
    pub named: bool,
    /// References of the sessions whose cookies make room for this one's.
    pub surplus: Vec<String>,
    /// Opened for a path that only the response can show to be a playlist; refused if it is none.
    pub tentative: bool,
    /// Its kind by path and parameters.
    pub kind: Kind,
    /// The resource, as its signed parameter describes it.
    pub resource: Resource,
    /// Keys rotate, and the URL does not say the period: refused if it is media, which only the response may tell.
    pub lacks_period: bool,
    /// The number of the keyring that it is under.
    pub keyring: usize,
    /// The scope of its key if it is media; `None` if neither session nor URL tell.
    pub media_key: Option<KeyScope>,
    /// The scope of the keys in it if it is a playlist; `None` if no session tells.
    pub playlist_keys: Option<KeyScope>,
    /// The directory of the stream that it belongs to if it is a playlist and anything depends on that.
    pub directory: Option<String>,
    /// Variables that the master playlist defined, for a media playlist to import.
    pub imports: Vec<Variable>,
    /// The part of the ciphertext that the client asked for.
    pub slice: Option<Slice>,
    /// A HEAD request.
    pub head: bool,
    /// The viewer's scheme.
    pub scheme: Scheme,
    /// `:authority`.
    pub authority: String,
    /// The path as it came, percent-encoded.
    pub raw_path: String,
    /// The query as it came.
    pub query: Option<String>,
    /// URIs of its playlist that are refused when they are asked for.
    pub unservable: Rc<Unservable>,
    /// Seconds since the epoch.
    pub now: u64,
}

impl Stream {
    /// Whether its media is the same for other sessions.
    pub fn shares_key(&self) -> bool {
        !matches!(self.media_key, None | Some(KeyScope::Session(_)))
    }

    /// The content key and IV of this stream. A resource without a number of its own has the IV of its period: what a
    /// session was told stays true when the configuration changes.
    pub fn content_key(&self, policy: &Policy) -> Option<ContentKey> {
        let (keyring, scope) = (policy.keyrings.get(self.keyring)?, self.media_key.as_ref()?);
        let period = self.resource.period.unwrap_or_default();
        let key = match scope {
            KeyScope::Configured => policy.encryption.as_ref()?.configured_key()?.bytes(),
            _ => keyring.key(scope, period),
        };
        let iv = match self.resource.iv {
            Iv::Number(number) => u128::from(number).to_be_bytes(),
            Iv::Period => keyring.iv(scope, period),
            Iv::Segment => {
                let path = target::normal_path(&self.raw_path).ok()?;
                let query = query::of_origin(self.query.as_deref(), &ours(policy))?;
                self.resource.segment_iv(keyring, &path, &query)
            }
        };
        Some(ContentKey { key, iv })
    }

    /// The parameter that names the session in a URL, as `name=value`: the token, or the reference of its cookie.
    pub fn token_parameter(&self, policy: &Policy) -> Option<String> {
        let (session, name) = (self.session.as_ref()?, &policy.session.name);
        Some(match policy.session.transport.in_query() {
            true => format!("{name}={}", session.query_value()),
            false => format!("{name}={}", jar::reference(&session.id_text())),
        })
    }

    /// The cookie of a session that was just opened, and those that make room for it.
    pub fn session_cookies(&self, policy: &Policy) -> Vec<Header> {
        let session = self.session.as_ref().filter(|_| self.opened && policy.session.transport.in_cookie());
        let Some(session) = session else { return Vec::new() };
        let name = &policy.session.name;
        let dropped = self.surplus.iter().map(|reference| jar::drop_cookie(name, reference, self.scheme));
        dropped.chain([jar::set_cookie(name, session, self.time_left(), self.scheme)]).collect()
    }

    /// Seconds until the session ends.
    pub fn time_left(&self) -> u64 {
        self.session.as_ref().map_or(0, |session| session.expires.saturating_sub(self.now))
    }
}
