//! One policy, valid by type: what the exchange needs to know, with every key derived that can be.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::cors::Cors;
use super::encryption::Encryption;
use super::index::{KeyringIndex, PolicyId};
use super::players::Players;
use super::revocation::Revocation;
use super::targeting::Targeting;
use super::tokens::{AccessToken, SessionRules};
use crate::http::route::{self, Extension};
use crate::token::acl;
use crate::token::derive::Keyring;

/// A policy.
#[derive(Debug)]
pub struct Policy {
    /// `policyName`.
    pub name: String,
    /// `policyId`.
    pub id: Option<PolicyId>,
    /// Where access tokens stand, whether or not one is needed; `None` if the policy does not know any.
    pub access_token: Option<AccessToken>,
    /// How a session goes on.
    pub session: SessionRules,
    /// The keys under each secret, the current one first.
    pub keyrings: Vec<Keyring>,
    /// Encryption of media, if any.
    pub encryption: Option<Encryption>,
    /// Paths of further playlists, as an ACL; `None`: there are none.
    pub playlist_paths: Option<String>,
    /// From where and by what way one may watch; `None`: from anywhere.
    pub targeting: Option<Targeting>,
    /// The players that may play; `None`: every one.
    pub players: Option<Players>,
    /// Sessions that end before their time.
    pub revocation: Revocation,
    /// What pages on other sites may do; `None`: what the origin says.
    pub cors: Option<Cors>,
    /// Query parameters that the origin never sees: the signed one, session tokens and access tokens.
    pub reserved: Rc<[String]>,
}

/// How a session is opened.
#[derive(Debug)]
pub enum Opening<'a> {
    /// By an access token.
    AccessToken(&'a AccessToken),
    /// By asking for a playlist.
    Free,
}

impl Policy {
    /// Whether the policy needs neither token nor key: what its targeting lets in passes untouched.
    pub fn is_open(&self) -> bool {
        self.access_token.is_none() && self.encryption.is_none()
    }

    /// Whether nothing of it is checked.
    pub fn lets_all_pass(&self) -> bool {
        self.is_open() && self.targeting.is_none() && self.players.is_none()
    }

    /// The kind of resource that the normalised `path` names.
    pub fn extension(&self, path: &str) -> Extension {
        match &self.playlist_paths {
            Some(paths) if acl::allows(paths, path) => Extension::Playlist,
            _ => route::extension(path),
        }
    }

    /// Query parameters that the origin never sees: the signed one, session tokens and access tokens.
    pub fn reserved_parameters(&self) -> &Rc<[String]> {
        &self.reserved
    }

    /// How a session is opened.
    pub fn opening(&self) -> Opening<'_> {
        match &self.access_token {
            Some(access) if access.enforced => Opening::AccessToken(access),
            _ => Opening::Free,
        }
    }

    /// The keys under one of its secrets.
    pub fn keyring(&self, index: KeyringIndex) -> Option<&Keyring> {
        self.keyrings.get(index.get())
    }

    /// The keys under each secret, the current one first.
    pub fn keyrings(&self) -> impl Iterator<Item = (KeyringIndex, &Keyring)> {
        self.keyrings.iter().enumerate().map(|(index, keyring)| (KeyringIndex::new(index), keyring))
    }
}
