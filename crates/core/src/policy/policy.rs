//! A compiled policy, valid by type, with its keys derived in advance.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::cors::Cors;
use super::encryption::{Encryption, SampleEncryption};
use super::index::{KeyringIndex, PolicyId};
use super::players::Players;
use super::revocation::Revocation;
use super::targeting::Targeting;
use super::tokens::{AccessToken, SessionRules};
#[cfg(feature = "speke")]
use super::viewer_url::ViewerUrl;
use crate::http::route::{self, Extension, Format};
use crate::token::acl;
use crate::token::derive::Keyring;

/// A policy.
#[derive(Debug)]
pub struct Policy {
    /// `policyName`.
    pub name: String,
    /// The name that keys are derived from, and that key URLs contain: `keyName`, or else `policyName`.
    pub key_name: String,
    /// `policyId`.
    pub id: Option<PolicyId>,
    /// Access tokens, enforced or only removed from requests; `None` without `tokenAuth`.
    pub access_token: Option<AccessToken>,
    /// Session tokens, lifetime and binding.
    pub session: SessionRules,
    /// One keyring per secret, the current one first.
    pub keyrings: Vec<Keyring>,
    /// Encryption of media, if any.
    pub encryption: Option<Encryption>,
    /// Paths of additional playlists, as an ACL; `None` if there are none.
    pub playlist_paths: Option<String>,
    /// Checks on the client's address, location, proxy and Referer; `None` if there are none.
    pub targeting: Option<Targeting>,
    /// Allowed players; `None` for all.
    pub players: Option<Players>,
    /// Revoked sessions.
    pub revocation: Revocation,
    /// CORS headers; `None` leaves the origin's unchanged.
    pub cors: Option<Cors>,
    /// Query parameters removed from requests to the origin: the signed parameter, session tokens and access tokens.
    pub reserved: Rc<[String]>,
}

/// Requirement for opening a session.
#[derive(Debug)]
pub enum Opening<'a> {
    /// A valid access token.
    AccessToken(&'a AccessToken),
    /// None: any playlist request opens one.
    Free,
}

impl Policy {
    /// Whether the policy requires neither tokens nor encryption, so requests that pass its other checks are forwarded
    /// unchanged.
    pub fn is_open(&self) -> bool {
        self.access_token.is_none() && self.encryption.is_none()
    }

    /// Whether the policy checks nothing.
    pub fn lets_all_pass(&self) -> bool {
        self.is_open() && self.targeting.is_none() && self.players.is_none()
    }

    /// The encryption of media, unless that comes encrypted from the origin.
    pub fn own_encryption(&self) -> Option<&Encryption> {
        self.encryption.as_ref().filter(|encryption| encryption.encrypts())
    }

    /// Encryption of samples, if the policy has one.
    pub fn samples(&self) -> Option<&SampleEncryption> {
        self.encryption.as_ref()?.samples.as_ref()
    }

    /// URL at which viewers get the keys of packaged contents, if the policy has one.
    #[cfg(feature = "speke")]
    pub fn viewer_url(&self) -> Option<&ViewerUrl> {
        self.encryption.as_ref()?.speke.as_ref()?.viewer()
    }

    /// Kind of the resource at the normalised `path`.
    pub fn extension(&self, path: &str) -> Extension {
        match (route::extension(path), &self.playlist_paths) {
            (Extension::Other | Extension::Missing, Some(paths)) if acl::allows(paths, path) => {
                Extension::Playlist(Format::Hls)
            }
            (extension, _) => extension,
        }
    }

    /// Query parameters removed from requests to the origin: the signed parameter, session tokens and access tokens.
    pub fn reserved_parameters(&self) -> &Rc<[String]> {
        &self.reserved
    }

    /// Requirement for opening a session.
    pub fn opening(&self) -> Opening<'_> {
        match &self.access_token {
            Some(access) if access.enforced => Opening::AccessToken(access),
            _ => Opening::Free,
        }
    }

    /// Whether tokens are renewed with each response, in place of sessions.
    pub fn is_chained(&self) -> bool {
        self.access_token.as_ref().is_some_and(AccessToken::is_chained)
    }

    /// Keyring with this index.
    pub fn keyring(&self, index: KeyringIndex) -> Option<&Keyring> {
        self.keyrings.get(index.get())
    }

    /// Keyrings with their indices, the current secret's first.
    pub fn keyrings(&self) -> impl Iterator<Item = (KeyringIndex, &Keyring)> {
        self.keyrings.iter().enumerate().map(|(index, keyring)| (KeyringIndex::new(index), keyring))
    }
}
