//! Reader of `tokenAuth`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::binding;
use super::text::{text, wrong};
use crate::config::document::{self, Algorithm};
use crate::config::error::ConfigError;
use crate::config::secret::Reader;
use crate::http::url;
use crate::policy::binding::Binding;
use crate::policy::text::TokenName;
use crate::policy::tokens::{AccessToken, SessionRules};
use crate::token::acl;
use crate::token::cookie;
use crate::token::edge_auth::{LegacyAlgorithms, Verifier};

/// Defaults in seconds.
const DEFAULT_TTL: u64 = 86_400;
const DEFAULT_SKEW: u64 = 10;

/// Reads the passwords, the current one first.
///
/// # Errors
/// The first invalid password, or that there is none.
pub fn read_passwords(
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

/// Reads the session rules. They also apply if `tokenAuth` is disabled or absent.
///
/// # Errors
/// The first invalid member.
pub fn read_session(path: &str, auth: Option<&document::TokenAuth>) -> Result<SessionRules, ConfigError> {
    let name = auth.and_then(|auth| auth.session_token_name.as_deref()).unwrap_or("hdntl");
    let name = text(&format!("{path}.sessionTokenName"), name)?;
    let acl = auth.and_then(|auth| auth.session_acl.clone());
    // The ACL is a field of the session token, which is sent in a cookie.
    let unfit = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'~' | b'"' | b',' | b';' | b'\\');
    if acl.as_ref().is_some_and(|acl| !acl::is_valid(acl) || acl.bytes().any(unfit)) {
        return Err(ConfigError::new(
            format!("{path}.sessionAcl"),
            "expected path patterns joined with !, such as \"/vod/*\"",
        ));
    }
    let hosts = auth.map(|auth| auth.hosts.as_slice()).unwrap_or_default().iter().enumerate();
    let hosts = hosts.map(|(index, host)| read_host(&format!("{path}.hosts[{index}]"), host));
    let hosts = hosts.collect::<Result<_, _>>()?;
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
            Some(binding) => binding::read(&format!("{path}.sessionBinding"), binding)?,
            None => Binding::default(),
        },
        hosts,
    })
}

/// Reads an additional host whose URIs get a token.
fn read_host(path: &str, host: &str) -> Result<String, ConfigError> {
    if host.is_empty() || host.contains(['/', '@', '?', '#', '*', ' ']) {
        return Err(wrong(path, host, "a host, perhaps with a port"));
    }
    Ok(url::listed_authority(host))
}

/// Reads the names of access tokens; any of `passwords` verifies them.
///
/// # Errors
/// The first member that is invalid or conflicts with the session token's name.
pub fn read_access_token(
    path: &str,
    auth: &document::TokenAuth,
    session: &SessionRules,
    passwords: &[Vec<u8>],
) -> Result<AccessToken, ConfigError> {
    let own_name = |member: &str, written: &str| -> Result<TokenName, ConfigError> {
        let path = format!("{path}.{member}");
        let name = text(&path, written)?;
        if name == session.name {
            return Err(ConfigError::new(path, format!("found \"{name}\", which is the session token's name too")));
        }
        Ok(name)
    };
    let name = auth.access_token_name.as_deref().unwrap_or("hdnts");
    let cookie = auth.access_token_cookie.as_deref().unwrap_or(name);
    // Header names are compared in lower case.
    let header = auth.access_token_header.as_deref().unwrap_or(name).to_ascii_lowercase();
    let name = own_name("accessTokenName", name)?;
    let cookie = own_name("accessTokenCookie", cookie)?;
    let header = own_name("accessTokenHeader", &header)?;
    if cookie::is_of_session(&session.name, cookie.as_bytes()) {
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
    Ok(AccessToken { name, cookie, header, verifier, enforced: auth.enforce_on_initial_request })
}
