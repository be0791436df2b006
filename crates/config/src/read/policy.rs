//! Reader of a policy.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::around::Around;
use super::text::check_name;
use super::{cors, encryption, players, revocation, targeting, token_auth};
use crate::document;
use crate::error::{ConfigError, Errors};
use crate::secret::Reader;
use playlock_core::http::incoming::SIGNED_PARAMETER;
use playlock_core::policy::encryption::Encryption;
use playlock_core::policy::policy::Policy;
use playlock_core::policy::text::PathMarker;
use playlock_core::policy::tokens::{AccessToken, SessionRules};
use playlock_core::token::acl;
use playlock_core::token::derive::{Keyring, Secret};

/// Reads the policy at the JSON path `path`. Members that are invalid, by themselves or in combination with others, are
/// errors: the first of each section. `None` if there is any.
pub fn read(
    path: &str,
    policy: &document::Policy,
    marker: &PathMarker,
    reader: &mut Reader<'_>,
    errors: &mut Errors,
) -> Option<Policy> {
    let name = &policy.policy_name;
    let key_name = policy.key_name.as_ref().unwrap_or(name);
    let named = errors.keep(check_name(path, "policyName", name));
    let named = errors.keep(check_name(path, "keyName", key_name)).and(named);
    reader.policy.clone_from(name);
    let targeting = policy.content_targeting.as_ref();
    let targeting = targeting.map(|it| targeting::read(&format!("{path}.contentTargeting"), it)).transpose();
    let targeting = errors.keep(targeting);
    let tokens = read_tokens(path, policy, marker, reader, errors);
    let sealed = tokens.and_then(|tokens| {
        let by_token = tokens.access_token.as_ref().is_some_and(|access| access.enforced);
        let players = policy.player_verification.as_ref().filter(|players| players.enabled);
        let players = players
            .map(|it| players::read(&format!("{path}.playerVerification"), it, by_token, &mut reader.warnings))
            .transpose();
        let players = errors.keep(players);
        let encryption = errors.keep(read_encryption(path, policy, key_name, &tokens, by_token, reader));
        Some((tokens, players?, encryption?))
    });
    let playlist_paths = errors.keep(read_playlist_paths(&format!("{path}.playlistPaths"), &policy.playlist_paths));
    let revocation = policy.revocation.as_ref();
    let revocation = revocation.map(|it| revocation::read(&format!("{path}.revocation"), it)).transpose();
    let revocation = errors.keep(revocation);
    let cors = policy.cors.as_ref().map(|cors| cors::read(&format!("{path}.cors"), cors)).transpose();
    let cors = errors.keep(cors);
    let (Tokens { access_token, session, secrets, chained }, players, encryption) = sealed?;
    let mut reserved = Vec::with_capacity(4);
    // Without sessions, these may be another node's.
    if !chained {
        reserved.extend([SIGNED_PARAMETER.into(), session.name.as_str().into()]);
    }
    let formats = access_token.iter().flat_map(|access| &access.formats);
    reserved.extend(formats.map(|format| format.parameter.as_str().into()));
    named?;
    Some(Policy {
        name: name.clone(),
        key_name: key_name.clone(),
        reserved: reserved.into(),
        id: policy.policy_id,
        access_token,
        session,
        keyrings: secrets.iter().map(|secret| Keyring::new(secret, key_name)).collect(),
        encryption,
        playlist_paths: playlist_paths?,
        players,
        revocation: revocation?.unwrap_or_default(),
        targeting: targeting?.flatten(),
        cors: cors?,
    })
}

/// The parts of tokens that the other sections need, and the policy's secrets.
struct Tokens {
    access_token: Option<AccessToken>,
    session: SessionRules,
    /// The current one first.
    secrets: Vec<Secret>,
    chained: bool,
}

fn read_tokens(
    path: &str,
    policy: &document::Policy,
    marker: &PathMarker,
    reader: &mut Reader<'_>,
    errors: &mut Errors,
) -> Option<Tokens> {
    let auth = policy.token_auth.as_ref().filter(|auth| auth.enabled);
    let auth_path = format!("{path}.tokenAuth");
    let passwords = auth.map(|auth| token_auth::read_passwords(&auth_path, auth, reader)).transpose();
    let passwords = errors.keep(passwords);
    let session = errors.keep(token_auth::read_session(&auth_path, policy.token_auth.as_ref(), marker));
    let (passwords, session) = (passwords?.unwrap_or_default(), session?);
    let access_token =
        auth.map(|auth| token_auth::read_access_token(&auth_path, auth, &session, &passwords, reader)).transpose();
    let access_token = errors.keep(access_token)?;
    let chained = access_token.as_ref().is_some_and(AccessToken::is_chained);
    #[cfg(feature = "urisigning")]
    if chained {
        errors.keep(super::uri_signing::check_chaining(path, policy))?;
    }
    let encryption = policy.media_encryption.as_ref();
    let secrets = if !chained && (auth.is_some() || encryption.is_some_and(|encryption| encryption.enabled)) {
        errors.keep(encryption::read_secrets(&format!("{path}.mediaEncryption"), encryption, passwords, reader))?
    } else {
        Vec::new()
    };
    Some(Tokens { access_token, session, secrets, chained })
}

fn read_encryption(
    path: &str,
    policy: &document::Policy,
    key_name: &str,
    tokens: &Tokens,
    by_token: bool,
    reader: &mut Reader<'_>,
) -> Result<Option<Encryption>, ConfigError> {
    let media_path = format!("{path}.mediaEncryption");
    let encryption = policy.media_encryption.as_ref().filter(|encryption| encryption.enabled);
    let Some(encryption) = encryption else { return Ok(None) };
    let Tokens { session, secrets, .. } = tokens;
    let around = Around { name: &policy.policy_name, key_name, session, by_token, secrets };
    let encryption = encryption::read(&media_path, encryption, &around, reader)?;
    encryption::check_key_url(&media_path, &encryption, tokens.secrets.len())?;
    if !tokens.session.on_content {
        encryption::check_free_content(path, &encryption)?;
    }
    Ok(Some(encryption))
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
