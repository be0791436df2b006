//! Reader of a policy.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{cors, encryption, players, revocation, targeting, token_auth};
use crate::document;
use crate::error::ConfigError;
use crate::secret::Reader;
use playlock_core::http::incoming::SIGNED_PARAMETER;
use playlock_core::policy::policy::Policy;
use playlock_core::policy::revocation::Revocation;
use playlock_core::policy::text::PathMarker;
use playlock_core::policy::tokens::AccessToken;
use playlock_core::token::acl;
use playlock_core::token::derive::Keyring;

/// Reads the policy at the JSON path `path`.
///
/// # Errors
/// The first member that is invalid, by itself or in combination with others.
pub fn read(
    path: &str,
    policy: &document::Policy,
    marker: &PathMarker,
    reader: &mut Reader<'_>,
) -> Result<Policy, ConfigError> {
    let name = &policy.policy_name;
    check_name(path, "policyName", name)?;
    let key_name = policy.key_name.as_ref().unwrap_or(name);
    check_name(path, "keyName", key_name)?;
    reader.policy.clone_from(name);
    let token_auth = policy.token_auth.as_ref().filter(|auth| auth.enabled);
    let encryption = policy.media_encryption.as_ref().filter(|encryption| encryption.enabled);
    let players = policy.player_verification.as_ref().filter(|players| players.enabled);
    let (auth_path, media_path) = (format!("{path}.tokenAuth"), format!("{path}.mediaEncryption"));

    let targeting = match &policy.content_targeting {
        Some(targeting) => targeting::read(&format!("{path}.contentTargeting"), targeting)?,
        None => None,
    };
    let passwords = match token_auth {
        Some(auth) => token_auth::read_passwords(&auth_path, auth, reader)?,
        None => Vec::new(),
    };
    let session = token_auth::read_session(&auth_path, policy.token_auth.as_ref(), marker)?;
    let access_token = match token_auth {
        Some(auth) => Some(token_auth::read_access_token(&auth_path, auth, &session, &passwords, reader)?),
        None => None,
    };
    let chained = access_token.as_ref().is_some_and(AccessToken::is_chained);
    #[cfg(feature = "urisigning")]
    if chained {
        super::uri_signing::check_chaining(path, policy)?;
    }
    let secrets = if !chained && (token_auth.is_some() || encryption.is_some()) {
        encryption::read_secrets(&media_path, policy.media_encryption.as_ref(), passwords, reader)?
    } else {
        Vec::new()
    };
    let by_token = access_token.as_ref().is_some_and(|access| access.enforced);
    let players = players
        .map(|it| players::read(&format!("{path}.playerVerification"), it, by_token, &mut reader.warnings))
        .transpose()?;
    let encryption = encryption
        .map(|encryption| encryption::read(&media_path, encryption, session.on_content, key_name, &secrets, reader))
        .transpose()?;
    if let Some(encryption) = &encryption {
        encryption::check_key_url(&media_path, encryption, secrets.len())?;
        if !session.on_content {
            encryption::check_free_content(path, encryption)?;
        }
    }
    let mut reserved = Vec::with_capacity(4);
    // Without sessions, these may be another node's.
    if !chained {
        reserved.extend([SIGNED_PARAMETER.into(), session.name.as_str().into()]);
    }
    let formats = access_token.iter().flat_map(|access| &access.formats);
    reserved.extend(formats.map(|format| format.parameter.as_str().into()));
    Ok(Policy {
        name: name.clone(),
        key_name: key_name.clone(),
        reserved: reserved.into(),
        id: policy.policy_id,
        access_token,
        session,
        keyrings: secrets.iter().map(|secret| Keyring::new(secret, key_name)).collect(),
        encryption,
        playlist_paths: read_playlist_paths(&format!("{path}.playlistPaths"), &policy.playlist_paths)?,
        players,
        revocation: match &policy.revocation {
            Some(revocation) => revocation::read(&format!("{path}.revocation"), revocation)?,
            None => Revocation::default(),
        },
        targeting,
        cors: policy.cors.as_ref().map(|cors| cors::read(&format!("{path}.cors"), cors)).transpose()?,
    })
}

/// Checks a `policyName` or a `keyName`.
///
/// # Errors
/// An empty or long name, or one with control characters.
fn check_name(path: &str, member: &str, name: &str) -> Result<(), ConfigError> {
    if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
        let message = "expected 1 to 128 bytes without control characters";
        return Err(ConfigError::new(format!("{path}.{member}"), message));
    }
    Ok(())
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
