//! An admitted request, kept until its response comes: a part for all, and one type for each kind of resource that a URL
//! can ask for.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use crate::http::reply::Header;
use crate::http::route::{Extension, Kind};
use crate::http::url::{Base, Scheme};
use crate::media::client_range::ClientRange;
use crate::playlist::Unservable;
use crate::policy::encryption::{Encryption, KeySharing};
use crate::policy::{KeyringIndex, Policy, PolicyIndex};
use crate::session::Session;
use crate::session::jar;
use crate::token::derive::{ContentKey, KeyScope};
use crate::token::signed::{ByteRange, Iv, Resource, Treatment, Variable};

/// An admitted request, kept until its response comes.
#[derive(Debug)]
pub struct PendingRequest {
    /// The policy's number.
    pub policy: PolicyIndex,
    /// The session that it belongs to; `None` only for content that needs no token.
    pub session: Option<PendingSession>,
    /// The URL as the viewer's player has it.
    pub url: ViewerUrl,
    /// A HEAD request.
    pub head: bool,
    /// Seconds since the epoch.
    pub now: u64,
    /// Needed if the response is a playlist. Any may be: only the response's media type tells.
    pub playlist: PendingPlaylist,
    /// What the URL asks for.
    pub asked: Asked,
}

impl PendingRequest {
    /// Its kind by its URL.
    pub fn kind(&self) -> Kind {
        self.asked.kind()
    }

    /// Whether its session was opened for a path that only the response can show to be a playlist; refused if it is none.
    pub fn is_tentative(&self) -> bool {
        !matches!(self.asked, Asked::Playlist) && self.session.as_ref().is_some_and(PendingSession::is_opened)
    }

    /// The parameter that names the session in a URL, as `name=value`: the token, or the reference of its cookie.
    pub fn token_parameter(&self, policy: &Policy) -> Option<String> {
        let (session, name) = (&self.session.as_ref()?.session, &policy.session.name);
        Some(match policy.session.transport.in_query() {
            true => format!("{name}={}", session.query_value()),
            false => format!("{name}={}", jar::reference(&session.id_text())),
        })
    }

    /// The cookie of a session that was just opened, and those that make room for it.
    pub fn session_cookies(&self, policy: &Policy) -> Vec<Header> {
        match &self.session {
            Some(PendingSession { session, obtained: Obtained::Opened { surplus } })
                if policy.session.transport.in_cookie() =>
            {
                let (name, scheme) = (&policy.session.name, self.url.scheme);
                let dropped = surplus.iter().map(|reference| jar::drop_cookie(name, reference, scheme));
                dropped.chain([jar::set_cookie(name, session, self.time_left(), scheme)]).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Seconds until the session ends.
    pub fn time_left(&self) -> u64 {
        self.session.as_ref().map_or(0, |pending| pending.session.expires.saturating_sub(self.now))
    }
}

/// The session of a pending request.
#[derive(Debug)]
pub struct PendingSession {
    /// The session.
    pub session: Session,
    /// How the request came by it.
    pub obtained: Obtained,
}

/// How a request came by its session.
#[derive(Debug)]
pub enum Obtained {
    /// It was opened by this very request.
    Opened {
        /// References of the sessions whose cookies make room for this one's.
        surplus: Vec<String>,
    },
    /// The request carries its token.
    Resumed {
        /// No other of the request's sessions would do as well.
        certain: bool,
        /// The URL says which session it is of.
        named: bool,
    },
}

impl PendingSession {
    /// Whether the session was opened by this very request.
    pub fn is_opened(&self) -> bool {
        matches!(self.obtained, Obtained::Opened { .. })
    }

    /// Whether no other of the request's sessions would do as well.
    pub fn is_certain(&self) -> bool {
        !matches!(self.obtained, Obtained::Resumed { certain: false, .. })
    }

    /// Whether the URL says which session it is of.
    pub fn is_named(&self) -> bool {
        matches!(self.obtained, Obtained::Resumed { named: true, .. })
    }

    /// The scope of the session's own key.
    pub fn own_key(&self) -> KeyScope {
        KeyScope::Session(self.session.id)
    }
}

/// The URL of a request as the viewer's player has it.
#[derive(Debug)]
pub struct ViewerUrl {
    /// Its scheme.
    pub scheme: Scheme,
    /// `:authority`.
    pub authority: String,
    /// The path as it came, percent-encoded.
    pub raw_path: String,
    /// The query as it came.
    pub query: Option<String>,
}

impl ViewerUrl {
    /// The base of URIs in the response.
    pub fn base(&self, policy: &Policy) -> Base {
        Base::new(self.scheme, &self.authority, &self.raw_path, &policy.session.hosts)
    }
}

/// What a request carries in case that its response is a playlist.
#[derive(Debug)]
pub struct PendingPlaylist {
    /// The scope of the keys in it; `None` if no session tells.
    pub keys: Option<KeyScope>,
    /// The directory of the stream that it belongs to, if anything in it depends on that.
    pub directory: Option<String>,
    /// Variables that the master playlist defined, for a media playlist to import.
    pub imports: Vec<Variable>,
    /// URIs of it that are refused when they are asked for.
    pub unservable: Rc<Unservable>,
}

impl PendingPlaylist {
    /// `encryption` is the policy's, `session` the request's.
    pub fn new(
        encryption: Option<&Encryption>,
        session: Option<&PendingSession>,
        directory: Option<String>,
        imports: Vec<Variable>,
    ) -> Self {
        let keys = match encryption {
            Some(encryption) if encryption.configured_key().is_some() => Some(KeyScope::Configured),
            Some(Encryption { scope: KeySharing::Application, .. }) => Some(KeyScope::Application),
            Some(Encryption { scope: KeySharing::Stream, .. }) => directory.clone().map(KeyScope::Stream),
            _ => session.map(PendingSession::own_key),
        };
        Self { keys, directory, imports, unservable: Rc::default() }
    }
}

/// What a URL asks for.
#[derive(Debug)]
pub enum Asked {
    /// A playlist by its path.
    Playlist,
    /// Media that leaves encrypted.
    Media(PendingMedia),
    /// A resource that is served in clear.
    Clear(PendingClear),
    /// A JSON document that names URIs.
    Document(PendingDocument),
}

/// Media that leaves encrypted.
#[derive(Debug)]
pub struct PendingMedia {
    /// Its key, IV and byte range.
    pub claim: Claim,
    /// The part of the ciphertext that the client asked for; never of a byte range, which is a resource of its own.
    pub client_range: Option<ClientRange>,
    /// The IV of a segment that has one of its own (16 bytes), which depends on its path and query.
    pub segment_iv: Option<[u8; 16]>,
}

/// A resource that is served in clear.
#[derive(Debug)]
pub struct PendingClear {
    /// Its byte range, and what a redirect repeats: its URL may have been written while the policy still encrypted.
    pub claim: Claim,
}

/// A JSON document that names URIs.
#[derive(Debug)]
pub struct PendingDocument {
    /// What a redirect repeats.
    pub claim: Claim,
}

/// What a URL says of its resource by its signed parameter, and which secret that is under.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The number of the keyring that it is under.
    pub keyring: KeyringIndex,
    /// The resource.
    pub resource: Resource,
    /// The scope of its key if it is media; `None` if neither session nor URL tell.
    pub scope: Option<KeyScope>,
}

impl Claim {
    /// `keyring` signed the parameter that says `resource` and whose key is `shared`. Media of which the URL says no key
    /// is under the session's own, whatever the configuration says by now; a session that has just been opened has given
    /// out no such URL.
    pub fn new(
        session: Option<&PendingSession>,
        keyring: KeyringIndex,
        resource: Resource,
        shared: Option<KeyScope>,
    ) -> Self {
        let keyring = match session {
            Some(pending) if shared.is_none() => pending.session.keyring,
            _ => keyring,
        };
        let own = || session.filter(|pending| !pending.is_opened()).map(PendingSession::own_key);
        Self { keyring, resource, scope: shared.or_else(own) }
    }
}

impl Asked {
    /// What a URL with this extension and claim asks for where a policy encrypts media, or does not. `client_range` is the
    /// request's Range, if it may be answered with a part of the ciphertext.
    pub fn new(
        extension: Extension,
        encrypts: bool,
        claim: Claim,
        client_range: Option<ClientRange>,
        segment_iv: Option<[u8; 16]>,
    ) -> Self {
        match (extension, claim.resource.form) {
            // What is said of media must not take a playlist past the rewriter.
            (Extension::Playlist, _) => Self::Playlist,
            (_, Treatment::Document) => Self::Document(PendingDocument { claim }),
            (_, Treatment::Media) if encrypts => {
                let client_range = client_range.filter(|_| claim.resource.range.is_none());
                Self::Media(PendingMedia { claim, client_range, segment_iv })
            }
            (_, Treatment::Media | Treatment::Clear) => Self::Clear(PendingClear { claim }),
        }
    }

    /// Its kind in counters and logs.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Playlist => Kind::Playlist,
            Self::Media(_) => Kind::Segment,
            Self::Clear(_) | Self::Document(_) => Kind::Clear,
        }
    }

    /// What the URL says of the resource; nothing of a playlist.
    pub fn claim(&self) -> Option<&Claim> {
        match self {
            Self::Playlist => None,
            Self::Media(PendingMedia { claim, .. })
            | Self::Clear(PendingClear { claim })
            | Self::Document(PendingDocument { claim }) => Some(claim),
        }
    }

    /// The part of the origin's file that the resource is.
    pub fn range(&self) -> Option<ByteRange> {
        self.claim().and_then(|claim| claim.resource.range)
    }

    /// The first and the last byte of the part that the origin is asked for; `None`: the whole.
    pub fn origin_range(&self) -> Option<(u64, u64)> {
        match (self.range(), self) {
            (Some(range), _) => Some((range.offset, range.last())),
            (None, Self::Media(media)) => Some((0, media.client_range?.plaintext_last()?)),
            (None, _) => None,
        }
    }

    /// Whether its origin must send it whole and plain: all but what is the origin's own resource, served as it is.
    pub fn needs_all(&self) -> bool {
        !matches!(self, Self::Clear(_)) || self.range().is_some()
    }
}

impl PendingMedia {
    /// Whether it is the same for other sessions.
    pub fn shares_key(&self) -> bool {
        !matches!(self.claim.scope, None | Some(KeyScope::Session(_)))
    }

    /// Whether keys rotate and the URL does not say the period: refused if it is media, which only the response may tell.
    pub fn lacks_period(&self, policy: &Policy) -> bool {
        let rotates = policy.encryption.as_ref().is_some_and(|encryption| encryption.rotation.changes());
        rotates && self.claim.resource.period.is_none()
    }

    /// Its content key and IV; `None` if nothing tells its key. A resource without a number of its own has the IV
    /// of its period: what a session was told stays true when the configuration changes.
    pub fn content_key(&self, policy: &Policy) -> Option<ContentKey> {
        let Claim { keyring, resource, scope } = &self.claim;
        let (keyring, scope) = (policy.keyring(*keyring)?, scope.as_ref()?);
        let period = resource.period.unwrap_or_default();
        let key = match scope {
            KeyScope::Configured => policy.encryption.as_ref()?.configured_key()?.bytes(),
            _ => keyring.key(scope, period),
        };
        let iv = match resource.iv {
            Iv::Number(number) => u128::from(number).to_be_bytes(),
            Iv::Period => keyring.iv(scope, period),
            Iv::Segment => self.segment_iv?,
        };
        Some(ContentKey { key, iv })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(extension: Extension, encrypts: bool, resource: Resource) -> Asked {
        let claim = Claim { keyring: KeyringIndex::default(), resource, scope: Some(KeyScope::Application) };
        Asked::new(extension, encrypts, claim, Some(ClientRange::From(0, Some(20))), None)
    }

    #[test]
    fn a_playlists_claim_does_not_take_it_past_the_rewriter() {
        for form in [Treatment::Media, Treatment::Clear, Treatment::Document] {
            for encrypts in [true, false] {
                let resource = Resource { form, range: ByteRange::new(5, 10), ..Resource::default() };
                let asked = asked(Extension::Playlist, encrypts, resource);
                assert!(matches!(asked, Asked::Playlist), "{form:?}");
                assert_eq!((asked.origin_range(), asked.needs_all()), (None, true));
            }
        }
    }

    #[test]
    fn all_else_is_what_its_claim_says() {
        let range = ByteRange::new(5, 10);
        // Form, whether the policy encrypts, byte range; kind, what the origin is asked for, whether it must come whole.
        for (form, encrypts, range, kind, origin, all) in [
            (Treatment::Media, true, None, Kind::Segment, Some((0, 31)), true),
            (Treatment::Media, true, range, Kind::Segment, Some((5, 14)), true),
            (Treatment::Media, false, None, Kind::Clear, None, false),
            (Treatment::Media, false, range, Kind::Clear, Some((5, 14)), true),
            (Treatment::Clear, true, None, Kind::Clear, None, false),
            (Treatment::Clear, true, range, Kind::Clear, Some((5, 14)), true),
            (Treatment::Document, true, None, Kind::Clear, None, true),
            (Treatment::Document, false, None, Kind::Clear, None, true),
        ] {
            for extension in [Extension::Other, Extension::Missing] {
                let asked = asked(extension, encrypts, Resource { form, range, ..Resource::default() });
                let found = (asked.kind(), asked.origin_range(), asked.needs_all());
                assert_eq!(found, (kind, origin, all), "{form:?} {encrypts} {range:?}");
            }
        }
    }
}
