//! An admitted request, kept until its response arrives: state common to all requests, and one type per kind of
//! resource.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use playlock_cmaf::{Scheme, Settings};

pub use super::pending_session::{Obtained, PendingSession, ViewerUrl};
use crate::http::reply::Header;
use crate::http::route::{Extension, Format, Kind};
use crate::media::client_range::ClientRange;
use crate::playlist::{SessionLink, Unservable};
use crate::policy::encryption::{Encryption, KeySharing, SampleScheme};
use crate::policy::{KeyringIndex, Policy, PolicyIndex};
use crate::token::derive::{ContentKey, KeyScope};
use crate::token::signed::{ByteRange, Iv, Resource, Treatment, Variable};

/// An admitted request, kept until its response arrives.
#[derive(Debug)]
pub struct PendingRequest {
    /// Index of the policy.
    pub policy: PolicyIndex,
    /// Session of the request; `None` only for content that requires no token.
    pub session: Option<PendingSession>,
    /// URL as requested by the player.
    pub url: ViewerUrl,
    /// Whether this is a HEAD request.
    pub head: bool,
    /// Seconds since the epoch.
    pub now: u64,
    /// State for a playlist response. Every request has it: only the media type of the response identifies a playlist.
    pub playlist: PendingPlaylist,
    /// Requested resource.
    pub asked: Asked,
}

impl PendingRequest {
    /// Kind of the resource, by its URL.
    pub fn kind(&self) -> Kind {
        self.asked.kind()
    }

    /// Whether the request opened a session for a path that is not known to be a playlist. The response is rejected
    /// unless it is one.
    pub fn is_tentative(&self) -> bool {
        !matches!(self.asked, Asked::Playlist(_)) && self.session.as_ref().is_some_and(PendingSession::is_opened)
    }

    /// The way in which URIs in the response identify the session.
    pub fn session_link(&self, policy: &Policy) -> Option<SessionLink> {
        self.session.as_ref().map(|pending| pending.link(policy))
    }

    /// Cookie of a newly opened session, and removals of the cookies that make room for it.
    pub fn session_cookies(&self, policy: &Policy) -> Vec<Header> {
        let cookies = |pending: &PendingSession| pending.cookies(policy, self.url.scheme, self.time_left());
        self.session.as_ref().map(cookies).unwrap_or_default()
    }

    /// Headers that carry the successor of the access token, if it has one.
    pub fn renewed(&self) -> &[Header] {
        match &self.session {
            Some(PendingSession { obtained: Obtained::Opened { renewed, .. }, .. }) => renewed,
            _ => &[],
        }
    }

    /// Remaining lifetime of the session in seconds.
    pub fn time_left(&self) -> u64 {
        self.session.as_ref().map_or(0, |pending| pending.session.expires.saturating_sub(self.now))
    }
}

/// State of a request for the case that its response is a playlist.
#[derive(Debug)]
pub struct PendingPlaylist {
    /// Scope of the content keys in the playlist; `None` if the scope depends on a session and there is none.
    pub keys: Option<KeyScope>,
    /// Directory of the stream; `None` if nothing in the playlist depends on it.
    pub directory: Option<String>,
    /// Variables of the multivariant playlist, for the media playlist to import.
    pub imports: Vec<Variable>,
    /// URIs in the playlist that will be rejected when requested.
    pub unservable: Rc<Unservable>,
}

impl PendingPlaylist {
    /// Derives the key scope from the policy's `encryption` and the request's `session`.
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

/// Requested resource, by its URL.
#[derive(Debug)]
pub enum Asked {
    /// Playlist or MPD, identified by its path.
    Playlist(Format),
    /// Media to encrypt.
    Media(PendingMedia),
    /// Media whose samples are to be encrypted.
    Samples(PendingSamples),
    /// Resource served in clear.
    Clear(PendingClear),
    /// JSON document that contains URIs.
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

/// Media of an MPD, whose samples are encrypted.
#[derive(Debug)]
pub struct PendingSamples {
    /// Its key.
    pub claim: Claim,
}

/// A resource served in clear.
#[derive(Debug)]
pub struct PendingClear {
    /// Byte range, and the claim to repeat in redirects: the policy may have encrypted when the URL was written.
    pub claim: Claim,
}

/// A JSON document that contains URIs.
#[derive(Debug)]
pub struct PendingDocument {
    /// Claim to repeat in redirects.
    pub claim: Claim,
}

/// Verified claim of a URL's signed parameter about its resource, and the secret it is under.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Index of the keyring.
    pub keyring: KeyringIndex,
    /// Claimed resource.
    pub resource: Resource,
    /// Scope of the content key if the resource is media; `None` if neither the session nor the URL determines it.
    pub scope: Option<KeyScope>,
}

impl Claim {
    /// Combines the session with the signed parameter, where `keyring` signed `resource` and the scope `shared`. Media
    /// without a shared scope uses the session's own key, regardless of the current configuration. This excludes
    /// sessions opened by this request: no URL with their key has been issued yet.
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
    /// Classifies a URL by its extension and claim; `encrypts` is whether the policy encrypts media. `client_range` is
    /// the request's Range, if the response may be a part of the ciphertext, and `segment_iv` the IV of a segment that has
    /// one of its own.
    pub fn new(
        extension: Extension,
        encrypts: bool,
        claim: Claim,
        client_range: Option<ClientRange>,
        segment_iv: Option<[u8; 16]>,
    ) -> Self {
        match (extension, claim.resource.form) {
            // A claim about media must not let a playlist bypass the rewriter.
            (Extension::Playlist(format), _) => Self::Playlist(format),
            (_, Treatment::Document) => Self::Document(PendingDocument { claim }),
            (_, Treatment::Samples) => Self::Samples(PendingSamples { claim }),
            (_, Treatment::Media) if encrypts => {
                let client_range = client_range.filter(|_| claim.resource.range.is_none());
                Self::Media(PendingMedia { claim, client_range, segment_iv })
            }
            (_, Treatment::Media | Treatment::Clear) => Self::Clear(PendingClear { claim }),
        }
    }

    /// Kind in counters and logs.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Playlist(_) => Kind::Playlist,
            Self::Media(_) | Self::Samples(_) => Kind::Segment,
            Self::Clear(_) | Self::Document(_) => Kind::Clear,
        }
    }

    /// Claim of the URL; `None` for playlists.
    pub fn claim(&self) -> Option<&Claim> {
        match self {
            Self::Playlist(_) => None,
            Self::Media(PendingMedia { claim, .. })
            | Self::Samples(PendingSamples { claim })
            | Self::Clear(PendingClear { claim })
            | Self::Document(PendingDocument { claim }) => Some(claim),
        }
    }

    /// Byte range of the resource in the origin's file.
    pub fn range(&self) -> Option<ByteRange> {
        self.claim().and_then(|claim| claim.resource.range)
    }

    /// First and last byte to request from the origin; `None` for the whole file.
    pub fn origin_range(&self) -> Option<(u64, u64)> {
        match (self.range(), self) {
            (Some(range), _) => Some((range.offset, range.last())),
            (None, Self::Media(media)) => Some((0, media.client_range?.plaintext_last()?)),
            (None, _) => None,
        }
    }

    /// Whether the origin must send the resource complete and without content coding. False only for whole resources in
    /// clear, which pass unchanged.
    pub fn needs_all(&self) -> bool {
        !matches!(self, Self::Clear(_)) || self.range().is_some()
    }
}

impl Claim {
    /// Whether other sessions get the same ciphertext.
    pub fn shares_key(&self) -> bool {
        !matches!(self.scope, None | Some(KeyScope::Session(_)))
    }
}

impl PendingSamples {
    /// The settings of the encryption; `None` if neither the session nor the URL names the key.
    pub fn settings(&self, policy: &Policy) -> Option<playlock_cmaf::Settings> {
        let Claim { keyring, scope, .. } = &self.claim;
        let (keyring, scope) = (policy.keyring(*keyring)?, scope.as_ref()?);
        let samples = policy.samples()?;
        let made = |scheme: Scheme<'_>| Settings::new(&keyring.sample_key(scope), keyring.sample_kid(scope), scheme);
        let settings = match samples.scheme {
            SampleScheme::Cbcs => made(Scheme::Cbcs { iv: keyring.sample_iv(scope) }),
            SampleScheme::Cenc => made(Scheme::Cenc { secret: &keyring.sample_ivs(scope) }),
        };
        Some(match samples.coverage {
            Some(coverage) => settings.with_coverage(coverage),
            None => settings,
        })
    }
}

impl PendingMedia {
    /// Whether other sessions get the same ciphertext.
    pub fn shares_key(&self) -> bool {
        self.claim.shares_key()
    }

    /// Whether keys rotate and the URL does not name the period. Such media is refused; only the response may show that it
    /// is media.
    pub fn lacks_period(&self, policy: &Policy) -> bool {
        let rotates = policy.encryption.as_ref().is_some_and(|encryption| encryption.rotation.changes());
        rotates && self.claim.resource.period.is_none()
    }

    /// The content key and IV; `None` if neither the session nor the URL names the key. A resource without a number or IV of
    /// its own has the IV of its period, so that URLs from before a change of configuration remain valid.
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
                for format in [Format::Hls, Format::Dash] {
                    let asked = asked(Extension::Playlist(format), encrypts, resource);
                    assert!(matches!(asked, Asked::Playlist(found) if found == format), "{form:?}");
                    assert_eq!((asked.origin_range(), asked.needs_all()), (None, true));
                }
            }
        }
    }

    #[test]
    fn all_else_is_what_its_claim_says() {
        let range = ByteRange::new(5, 10);
        // Treatment, whether the policy encrypts, byte range; expected kind, range requested from the origin,
        // `needs_all`.
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
