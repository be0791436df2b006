//! One policy, valid by type: what the exchange needs to know, with every key derived that can be.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::encryption::{Encryption, check_free_content, check_key_url, read_encryption, read_secrets};
use crate::config::ConfigError;
use crate::config::document::{self, Algorithm, PolicyId, Transport};
use crate::config::secret::Reader;
use crate::derive::Keyring;
use crate::jar;
use crate::policy::binding::Binding;
use crate::policy::cors::Cors;
use crate::policy::players::Players;
use crate::policy::revocation::Revocation;
use crate::policy::targeting::Targeting;
use crate::route::{self, Extension};
use crate::token::acl;
use crate::token::edge_auth::{LegacyAlgorithms, Verifier};

/// The query parameter that carries what the filter itself signs.
pub const SIGNED_PARAMETER: &str = "plk";

const DEFAULT_TTL: u64 = 86_400;
const DEFAULT_SKEW: u64 = 10;

/// A policy.
#[derive(Debug)]
pub struct Policy {
    /// `policyName`.
    pub name: String,
    /// `policyId`.
    pub id: Option<PolicyId>,
    /// Where access tokens stand, whether or not one is needed; `None` if the policy does not know any.
    pub access_token: Option<AccessToken>,
    needs_access_token: bool,
    /// How a session goes on.
    pub session: SessionRules,
    /// The keys under each secret, the current one first.
    pub keyrings: Vec<Keyring>,
    /// Encryption of media, if any.
    pub encryption: Option<Encryption>,
    /// Paths of further playlists, as an ACL; `None`: there are none.
    playlist_paths: Option<String>,
    /// From where and by what way one may watch; `None`: from anywhere.
    pub targeting: Option<Targeting>,
    /// The players that may play; `None`: every one.
    pub players: Option<Players>,
    /// Sessions that end before their time.
    pub revocation: Revocation,
    /// What pages on other sites may do; `None`: what the origin says.
    pub cors: Option<Cors>,
    protects: bool,
}

/// How a session is opened.
#[derive(Debug)]
pub enum Opening<'a> {
    /// By an access token.
    AccessToken(&'a AccessToken),
    /// By asking for a playlist.
    Free,
}

/// Where an access token is found and what verifies it.
#[derive(Debug)]
pub struct AccessToken {
    /// Query parameter.
    pub name: String,
    /// Cookie.
    pub cookie: String,
    /// Header, in lower case.
    pub header: String,
    /// What verifies it.
    pub verifier: Verifier,
}

/// How a session goes on.
#[derive(Debug)]
pub struct SessionRules {
    /// Name of the session token in the query; its cookies' begin with it.
    pub name: String,
    /// Where it travels.
    pub transport: Transport,
    /// A live media playlist that opens a session is answered with a master playlist.
    pub wrap_live_playlists: bool,
    /// How long a session lasts, in seconds.
    pub ttl: u64,
    /// Tolerance of clocks, in seconds.
    pub skew: u64,
    /// The session's ACL, in place of the access token's.
    pub acl: Option<String>,
    /// Content needs a session token; playlists and keys always do.
    pub on_content: bool,
    /// What it is bound to beside its token.
    pub binding: Binding,
    /// Other authorities whose URIs get a token, in lower case without default ports.
    pub hosts: Vec<String>,
}

impl Policy {
    /// Whether the policy needs neither token nor key: what its targeting lets in passes untouched.
    pub fn is_open(&self) -> bool {
        !self.protects
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

    /// How a session is opened.
    pub fn opening(&self) -> Opening<'_> {
        match &self.access_token {
            Some(access) if self.needs_access_token => Opening::AccessToken(access),
            _ => Opening::Free,
        }
    }

    /// Builds a policy from its document at the JSON path `path`.
    pub(crate) fn build(path: &str, policy: &document::Policy, reader: &mut Reader<'_>) -> Result<Self, ConfigError> {
        let name = &policy.policy_name;
        if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
            return Err(ConfigError::new(
                format!("{path}.policyName"),
                "expected 1 to 128 bytes without control characters",
            ));
        }
        reader.policy.clone_from(name);
        let token_auth = policy.token_auth.as_ref().filter(|auth| auth.enabled);
        let encryption = policy.media_encryption.as_ref().filter(|encryption| encryption.enabled);
        let players = policy.player_verification.as_ref().filter(|players| players.enabled);
        let protects = token_auth.is_some() || encryption.is_some();

        let targeting = match &policy.content_targeting {
            Some(targeting) => Targeting::build(&format!("{path}.contentTargeting"), targeting)?,
            None => None,
        };

        let passwords = match token_auth {
            Some(auth) => read_passwords(&format!("{path}.tokenAuth"), auth, reader)?,
            None => Vec::new(),
        };
        let session = read_session(&format!("{path}.tokenAuth"), policy.token_auth.as_ref())?;
        let access_token = token_auth
            .map(|auth| read_access_token(&format!("{path}.tokenAuth"), auth, &session, &passwords))
            .transpose()?;
        let needs_access_token = token_auth.is_some_and(|auth| auth.enforce_on_initial_request);
        let secrets = if protects {
            read_secrets(&format!("{path}.mediaEncryption"), policy.media_encryption.as_ref(), passwords, reader)?
        } else {
            Vec::new()
        };
        let players = players
            .map(|players| Players::build(&format!("{path}.playerVerification"), players, needs_access_token))
            .transpose()?;
        let (players, warnings) = players.unzip();
        reader.warnings.extend(warnings.unwrap_or_default());
        let encryption = match encryption {
            Some(encryption) => {
                Some(read_encryption(&format!("{path}.mediaEncryption"), encryption, session.on_content, reader)?)
            }
            None => None,
        };
        if let Some(encryption) = &encryption {
            check_key_url(&format!("{path}.mediaEncryption"), encryption, secrets.len())?;
            if !session.on_content {
                check_free_content(path, encryption)?;
            }
        }
        Ok(Self {
            name: name.clone(),
            id: policy.policy_id,
            access_token,
            needs_access_token,
            session,
            keyrings: secrets.iter().map(|secret| Keyring::new(secret, name)).collect(),
            encryption,
            playlist_paths: read_playlist_paths(&format!("{path}.playlistPaths"), &policy.playlist_paths)?,
            players,
            revocation: match &policy.revocation {
                Some(revocation) => Revocation::build(&format!("{path}.revocation"), revocation)?,
                None => Revocation::default(),
            },
            targeting,
            cors: policy.cors.as_ref().map(|cors| Cors::build(&format!("{path}.cors"), cors)).transpose()?,
            protects,
        })
    }
}

fn read_playlist_paths(path: &str, patterns: &[String]) -> Result<Option<String>, ConfigError> {
    let is_good = |pattern: &str| {
        let plain = !pattern.contains(|c: char| c.is_control() || c == '!');
        plain && pattern.starts_with(['/', '*']) && acl::is_valid(pattern)
    };
    match patterns.iter().enumerate().find(|(_, pattern)| !is_good(pattern)) {
        Some((index, pattern)) => Err(ConfigError::new(
            format!("{path}[{index}]"),
            format!(
                "found \"{}\", expected one pattern of paths, such as \"/live/*/playlist.php\"",
                pattern.escape_default()
            ),
        )),
        None => Ok((!patterns.is_empty()).then(|| patterns.join("!"))),
    }
}

fn read_passwords(
    path: &str,
    auth: &document::TokenAuth,
    reader: &mut Reader<'_>,
) -> Result<Vec<Vec<u8>>, ConfigError> {
    let password = auth.password.as_ref().ok_or_else(|| {
        ConfigError::new(format!("{path}.password"), "missing, expected a password: tokenAuth is enabled")
    })?;
    let mut passwords = Vec::with_capacity(2);
    passwords.push(reader.password(&format!("{path}.password"), password)?);
    if let Some(transition) = &auth.transition_password {
        passwords.push(reader.password(&format!("{path}.transitionPassword"), transition)?);
    }
    Ok(passwords)
}

fn read_session(path: &str, auth: Option<&document::TokenAuth>) -> Result<SessionRules, ConfigError> {
    let name = auth.and_then(|auth| auth.session_token_name.clone()).unwrap_or_else(|| "hdntl".into());
    check_name(&format!("{path}.sessionTokenName"), &name)?;
    let acl = auth.and_then(|auth| auth.session_acl.clone());
    // It stands in a field of the token, and the token in a cookie.
    let unfit = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'~' | b'"' | b',' | b';' | b'\\');
    if acl.as_ref().is_some_and(|acl| !acl::is_valid(acl) || acl.bytes().any(unfit)) {
        return Err(ConfigError::new(
            format!("{path}.sessionAcl"),
            "expected path patterns joined with !, such as \"/vod/*\"",
        ));
    }
    let mut hosts = Vec::new();
    for (index, host) in auth.map(|auth| auth.hosts.as_slice()).unwrap_or_default().iter().enumerate() {
        let normal = crate::url::listed_authority(host);
        if host.is_empty() || host.contains(['/', '@', '?', '#', '*', ' ']) {
            return Err(ConfigError::new(
                format!("{path}.hosts[{index}]"),
                format!("found \"{host}\", expected a host, perhaps with a port"),
            ));
        }
        hosts.push(normal);
    }
    let ttl = auth.and_then(|auth| auth.session_ttl).map_or(DEFAULT_TTL, |ttl| ttl.0);
    if ttl == 0 {
        return Err(ConfigError::new(format!("{path}.sessionTtl"), "found 0, expected at least one second"));
    }
    Ok(SessionRules {
        name,
        transport: auth.map(|auth| auth.session_token_transport).unwrap_or_default(),
        wrap_live_playlists: auth.is_none_or(|auth| auth.wrap_live_playlists),
        ttl,
        skew: auth.and_then(|auth| auth.clock_skew).map_or(DEFAULT_SKEW, |skew| skew.0),
        acl,
        on_content: auth.is_none_or(|auth| !auth.enabled || auth.enforce_on_content_request),
        binding: match auth.and_then(|auth| auth.session_binding.as_ref()) {
            Some(binding) => Binding::build(&format!("{path}.sessionBinding"), binding)?,
            None => Binding::default(),
        },
        hosts,
    })
}

fn read_access_token(
    path: &str,
    auth: &document::TokenAuth,
    session: &SessionRules,
    passwords: &[Vec<u8>],
) -> Result<AccessToken, ConfigError> {
    let name = auth.access_token_name.clone().unwrap_or_else(|| "hdnts".into());
    let cookie = auth.access_token_cookie.clone().unwrap_or_else(|| name.clone());
    let header = auth.access_token_header.clone().unwrap_or_else(|| name.clone()).to_ascii_lowercase();
    for (member, name) in [("accessTokenName", &name), ("accessTokenCookie", &cookie), ("accessTokenHeader", &header)] {
        let path = format!("{path}.{member}");
        check_name(&path, name)?;
        if *name == session.name {
            return Err(ConfigError::new(path, format!("found \"{name}\", which is the session token's name too")));
        }
    }
    if jar::is_cookie(&session.name, cookie.as_bytes()) {
        return Err(ConfigError::new(
            format!("{path}.accessTokenCookie"),
            format!("found \"{cookie}\", which is the name of a session's cookie; expected another one"),
        ));
    }
    let legacy = LegacyAlgorithms {
        sha1: auth.algorithms.contains(&Algorithm::Sha1),
        md5: auth.algorithms.contains(&Algorithm::Md5),
    };
    let verifier = Verifier::new(passwords.iter().map(Vec::as_slice), legacy, auth.salt.clone(), session.skew);
    Ok(AccessToken { name, cookie, header, verifier })
}

/// Names are compared in queries, cookies and headers alike, so they must need no escape in any of them.
fn check_name(path: &str, name: &str) -> Result<(), ConfigError> {
    let plain = !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if !plain || name == SIGNED_PARAMETER {
        return Err(ConfigError::new(
            path,
            format!(
                "found \"{}\", expected up to 64 letters, digits, _ and -, and not \"{SIGNED_PARAMETER}\"",
                name.escape_default()
            ),
        ));
    }
    Ok(())
}
