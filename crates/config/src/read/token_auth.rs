//! Reader of `tokenAuth`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZeroU64;

use super::text::{text, wrong};
use super::{binding, cat, jwt, media_cdn, uri_signing};
use crate::document::{self, Algorithm};
use crate::error::ConfigError;
use crate::secret::Reader;
use playlock_core::http::authority;
use playlock_core::policy::binding::Binding;
use playlock_core::policy::text::{PathMarker, TokenName};
use playlock_core::policy::tokens::{AccessFormat, AccessToken, FormatVerifier, SessionRules, Transport};
use playlock_core::token::acl;
use playlock_core::token::cookie;
use playlock_core::token::edge_auth::{LegacyAlgorithms, Verifier};
use playlock_core::token::format::Format;

/// Defaults in seconds.
const DEFAULT_TTL: u64 = 86_400;
const DEFAULT_SKEW: u64 = 10;
/// Shortest renewal period in seconds: players keep the URIs of a live playlist for some target durations.
const MIN_RENEWAL: u64 = 60;

/// Reads the passwords of EdgeAuth tokens, the current one first; none if no format needs them.
///
/// # Errors
/// The first invalid password, or that there is none.
pub fn read_passwords(
    path: &str,
    auth: &document::TokenAuth,
    reader: &mut Reader<'_>,
) -> Result<Vec<Vec<u8>>, ConfigError> {
    let password = match &auth.password {
        Some(password) => password,
        None if !auth.formats.contains(&Format::EdgeAuth) => return Ok(Vec::new()),
        None => {
            return Err(ConfigError::new(
                format!("{path}.password"),
                "missing, expected a password: tokenAuth is enabled",
            ));
        }
    };
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
pub fn read_session(
    path: &str,
    auth: Option<&document::TokenAuth>,
    marker: &PathMarker,
) -> Result<SessionRules, ConfigError> {
    let transport = auth.map(|auth| auth.session_token_transport).unwrap_or_default();
    let name = auth.and_then(|auth| auth.session_token_name.as_deref()).unwrap_or("hdntl");
    let name = text(&format!("{path}.sessionTokenName"), name)?;
    let acl = auth.and_then(|auth| auth.session_acl.clone());
    // The ACL is a header of requests to the authorizer.
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
        renewal: match auth.and_then(|auth| auth.session_renewal.as_ref()) {
            Some(renewal) => Some(read_renewal(&format!("{path}.sessionRenewal"), renewal, transport, ttl)?),
            None => None,
        },
        transport,
        path_marker: transport.in_path().then(|| marker.clone()),
        wrap_live_playlists: auth.is_some_and(|auth| auth.wrap_live_playlists),
        redirect_playlists: auth.is_some_and(|auth| auth.redirect_playlists),
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

/// Reads the renewal period in seconds.
fn read_renewal(
    path: &str,
    renewal: &document::SessionRenewal,
    transport: Transport,
    ttl: u64,
) -> Result<NonZeroU64, ConfigError> {
    if transport.in_cookie() {
        let message = "the session token is in a cookie, expected sessionTokenTransport \"path\" or \"query\"";
        return Err(ConfigError::new(path, message));
    }
    let after = renewal.after.0;
    match NonZeroU64::new(after).filter(|after| after.get() >= MIN_RENEWAL && after.get().saturating_mul(2) < ttl) {
        Some(after) => Ok(after),
        None => Err(ConfigError::new(
            format!("{path}.after"),
            format!(
                "found {after} seconds, expected at least {MIN_RENEWAL} and less than half of sessionTtl ({ttl} seconds)"
            ),
        )),
    }
}

/// Reads an additional host whose URIs get a token.
fn read_host(path: &str, host: &str) -> Result<String, ConfigError> {
    if host.is_empty() || host.contains(['/', '@', '?', '#', '*', ' ']) {
        return Err(wrong(path, host, "a host, perhaps with a port"));
    }
    Ok(authority::listed_authority(host))
}

/// Reads the formats of access tokens; any of `passwords` verifies those of EdgeAuth.
///
/// # Errors
/// The first member that is invalid, missing, or conflicts with another token's name.
pub fn read_access_token(
    path: &str,
    auth: &document::TokenAuth,
    session: &SessionRules,
    passwords: &[Vec<u8>],
    reader: &mut Reader<'_>,
) -> Result<AccessToken, ConfigError> {
    let mut formats: Vec<AccessFormat> = Vec::with_capacity(auth.formats.len());
    for format in Format::ALL {
        let member = format!("{path}.{}", format.word());
        let missing =
            || ConfigError::new(&member, "missing, expected the keys of this format: tokenAuth.formats has it");
        let chosen = auth.formats.contains(&format);
        if chosen && !format.is_built() {
            return Err(not_built(&format!("{path}.formats"), format));
        }
        let read = match format {
            Format::EdgeAuth if chosen => edge_auth(path, auth, session, passwords)?,
            Format::Cat if chosen => cat::read(&member, auth.cat.as_ref().ok_or_else(missing)?, session.skew, reader)?,
            Format::UriSigning if chosen => {
                uri_signing::read(&member, auth.urisigning.as_ref().ok_or_else(missing)?, session.skew, reader)?
            }
            Format::Jwt if chosen => jwt::read(&member, auth.jwt.as_ref().ok_or_else(missing)?, session.skew, reader)?,
            Format::MediaCdn if chosen => {
                media_cdn::read(&member, auth.mediacdn.as_ref().ok_or_else(missing)?, session.skew, reader)?
            }
            _ => continue,
        };
        check_names(path, &read, session, &formats)?;
        formats.push(read);
    }
    if formats.is_empty() {
        return Err(ConfigError::new(format!("{path}.formats"), "empty, expected at least one format"));
    }
    Ok(AccessToken { formats, enforced: auth.enforce_on_initial_request })
}

/// The error for a format that this build does not have.
fn not_built(path: &str, format: Format) -> ConfigError {
    let built = Format::ALL.into_iter().filter(|format| format.is_built());
    let built: Vec<String> = built.map(|format| format!("\"{}\"", format.word())).collect();
    let (word, built) = (format.word(), built.join(", "));
    let message = format!(
        "found \"{word}\", which this build of playlock leaves out; expected one of {built}, or a build with FEATURES={word}"
    );
    ConfigError::new(path, message)
}

/// Reads the names and the verifier of EdgeAuth tokens.
fn edge_auth(
    path: &str,
    auth: &document::TokenAuth,
    session: &SessionRules,
    passwords: &[Vec<u8>],
) -> Result<AccessFormat, ConfigError> {
    let name = auth.access_token_name.as_deref().unwrap_or("hdnts");
    let cookie = auth.access_token_cookie.as_deref().unwrap_or(name);
    // Header names are compared in lower case.
    let header = auth.access_token_header.as_deref().unwrap_or(name).to_ascii_lowercase();
    let legacy = LegacyAlgorithms {
        sha1: auth.algorithms.contains(&Algorithm::Sha1),
        md5: auth.algorithms.contains(&Algorithm::Md5),
    };
    let verifier = Verifier::new(passwords.iter().map(Vec::as_slice), legacy, auth.salt.clone(), session.skew);
    Ok(AccessFormat {
        parameter: text(&format!("{path}.accessTokenName"), name)?,
        cookie: text(&format!("{path}.accessTokenCookie"), cookie)?,
        header: Some(text(&format!("{path}.accessTokenHeader"), &header)?),
        verifier: FormatVerifier::EdgeAuth(verifier),
    })
}

/// Checks that a token's name determines its format.
///
/// # Errors
/// The first name that the session token or another format has, too.
fn check_names(
    path: &str,
    format: &AccessFormat,
    session: &SessionRules,
    others: &[AccessFormat],
) -> Result<(), ConfigError> {
    let is_edge_auth = format.verifier.format() == Format::EdgeAuth;
    let at = |edge_auth: &str, other: &str| match is_edge_auth {
        true => format!("{path}.{edge_auth}"),
        false => format!("{path}.{}.{other}", format.verifier.format().word()),
    };
    let parameter = at("accessTokenName", "parameter");
    let cookie = at("accessTokenCookie", "cookie");
    let header = at("accessTokenHeader", "header");
    let names =
        [(&parameter, Some(&format.parameter)), (&cookie, Some(&format.cookie)), (&header, format.header.as_ref())];
    for (path, name) in names.into_iter().filter_map(|(path, name)| Some((path, name?))) {
        if *name == session.name {
            return Err(ConfigError::new(path, format!("found \"{name}\", which is the session token's name too")));
        }
    }
    if cookie::is_of_session(&session.name, format.cookie.as_bytes()) {
        let name = &format.cookie;
        return Err(ConfigError::new(
            cookie,
            format!("found \"{name}\", which is the name of a session's cookie; expected another one"),
        ));
    }
    for other in others {
        let taken = |path: &str, name: &TokenName| {
            let word = other.verifier.format().word();
            Err(ConfigError::new(path, format!("found \"{name}\", which is the name of {word} tokens too")))
        };
        if other.parameter == format.parameter {
            return taken(&parameter, &format.parameter);
        }
        if other.is_cookie(format.cookie.as_bytes()) || format.is_cookie(other.cookie.as_bytes()) {
            return taken(&cookie, &format.cookie);
        }
        if let Some(name) = format.header.as_ref().filter(|name| other.header.as_ref() == Some(name)) {
            return taken(&header, name);
        }
    }
    Ok(())
}
