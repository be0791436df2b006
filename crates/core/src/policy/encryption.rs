//! `mediaEncryption` of a policy, valid by type: where keys come from, who shares them, when they change.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZeroU64;

use crate::config::ConfigError;
use crate::config::document::{self, IvMode, KeyRotation, KeyScope, OnEncryptedOrigin, SecretSource};
use crate::config::secret::Reader;
use crate::derive::{ConfiguredKey, Secret};
use crate::policy::authorizer::Authorizer;
use crate::policy::key_url::{KeyUrl, Place};
use crate::target;

const DEFAULT_STREAM_DEPTH: u8 = 1;

/// Encryption of media.
#[derive(Debug)]
pub struct Encryption {
    /// Where players get keys.
    pub keys: Keys,
    /// Who shares a key, where it is derived.
    pub scope: KeyScope,
    /// How many path segments below its assignment's path a stream's directory is.
    pub stream_depth: usize,
    /// When the key changes.
    pub rotation: Rotation,
    /// What the IV of a segment is.
    pub iv_mode: IvMode,
    /// What becomes of media that the origin encrypts itself.
    pub on_encrypted_origin: OnEncryptedOrigin,
}

/// Where players get keys.
#[derive(Debug)]
pub enum Keys {
    /// Here.
    Endpoint {
        /// The path of the key endpoint.
        path: String,
        /// Who is asked before a key is given out.
        authorizer: Option<Authorizer>,
    },
    /// From a server of the customer's own.
    External {
        /// What goes into playlists.
        url: KeyUrl,
        /// The key that is given out there; `None`: the derived one.
        key: Option<ConfiguredKey>,
    },
}

impl Encryption {
    /// The path of the key endpoint, if there is one.
    pub fn key_path(&self) -> Option<&str> {
        match &self.keys {
            Keys::Endpoint { path, .. } => Some(path),
            Keys::External { .. } => None,
        }
    }

    /// Who is asked before a key is given out.
    pub fn authorizer(&self) -> Option<&Authorizer> {
        match &self.keys {
            Keys::Endpoint { authorizer, .. } => authorizer.as_ref(),
            Keys::External { .. } => None,
        }
    }

    /// Where players get keys, if not here.
    pub fn key_url(&self) -> Option<&KeyUrl> {
        match &self.keys {
            Keys::External { url, .. } => Some(url),
            Keys::Endpoint { .. } => None,
        }
    }

    /// The key that is configured, if one is.
    pub fn configured_key(&self) -> Option<&ConfiguredKey> {
        match &self.keys {
            Keys::External { key, .. } => key.as_ref(),
            Keys::Endpoint { .. } => None,
        }
    }

    /// Whether anything in a playlist depends on the stream that it belongs to.
    pub fn asks_for_stream(&self) -> bool {
        self.scope == KeyScope::Stream || self.key_url().is_some_and(|url| url.has(Place::Stream))
    }
}

/// When the key changes within a session. A segment's key period follows from its media sequence number, so that it is
/// the same in every reload of a playlist and on every node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rotation {
    /// Never.
    #[default]
    Never,
    /// After so many segments.
    Segments(NonZeroU64),
    /// After as many segments as fit into so many seconds, one at least.
    Seconds(u64),
}

impl Rotation {
    /// Whether the key changes at all.
    pub fn changes(self) -> bool {
        self != Self::Never
    }

    /// The key period of the segment with this media sequence number, in a playlist with this EXT-X-TARGETDURATION (in
    /// seconds).
    pub fn period(self, number: u64, target_duration: u64) -> u64 {
        match self {
            Self::Never => 0,
            Self::Segments(segments) => number / segments,
            Self::Seconds(seconds) => number / (seconds / target_duration.max(1)).max(1),
        }
    }
}

/// The secrets in order of use. A policy that names none uses its passwords: one written for the Media Security
/// Policy API has nothing else.
pub fn read_secrets(
    path: &str,
    encryption: Option<&document::MediaEncryption>,
    passwords: Vec<Vec<u8>>,
    reader: &mut Reader<'_>,
) -> Result<Vec<Secret>, ConfigError> {
    let member = |name: &str| format!("{path}.{name}");
    let source = |pick: fn(&document::MediaEncryption) -> Option<&SecretSource>| encryption.and_then(pick);
    let transition = source(|encryption| encryption.transition_secret.as_ref());
    let Some(secret) = source(|encryption| encryption.secret.as_ref()) else {
        if transition.is_some() {
            return Err(ConfigError::new(member("secret"), "missing, expected a secret beside transitionSecret"));
        }
        let secrets: Option<Vec<_>> = passwords.into_iter().map(Secret::new).collect();
        return secrets.filter(|secrets| !secrets.is_empty()).ok_or_else(|| {
            ConfigError::new(
                member("secret"),
                "missing, expected a secret of at least 16 bytes (or tokenAuth passwords of 16 bytes, from which keys are derived then)",
            )
        });
    };
    let mut secrets = Vec::with_capacity(2);
    secrets.push(reader.secret(&member("secret"), secret)?);
    if let Some(transition) = transition {
        secrets.push(reader.secret(&member("transitionSecret"), transition)?);
    }
    Ok(secrets)
}

/// Builds it from its document at the JSON path `path`; `on_content`: content needs a session token.
///
/// # Errors
/// The first member that cannot be.
pub fn read_encryption(
    path: &str,
    encryption: &document::MediaEncryption,
    on_content: bool,
    reader: &mut Reader<'_>,
) -> Result<Encryption, ConfigError> {
    match encryption.percentage_coverage.as_deref() {
        None | Some("ALL" | "AUTO" | "100") => {}
        // It would leave content in clear, and saves nothing here: the cipher costs less than that is worth.
        Some(share) if share.parse::<u8>().is_ok_and(|share| (1..100).contains(&share)) => {
            reader
                .warnings
                .push(format!("{path}.percentageCoverage: found \"{share}\"; every segment is encrypted all the same"));
        }
        Some(other) => {
            return Err(ConfigError::new(
                format!("{path}.percentageCoverage"),
                format!("found \"{}\", expected \"ALL\", \"AUTO\" or \"1\" to \"100\"", other.escape_default()),
            ));
        }
    }
    let rotation = match encryption.key_rotation {
        None => Rotation::Never,
        Some(KeyRotation::Segments(segments)) => {
            Rotation::Segments(NonZeroU64::new(segments).ok_or_else(|| {
                ConfigError::new(format!("{path}.keyRotation.segments"), "found 0, expected at least 1")
            })?)
        }
        Some(KeyRotation::Time(time)) => Rotation::Seconds(time.0),
    };
    let built = Encryption {
        keys: match &encryption.key_url {
            None => read_endpoint(path, encryption)?,
            Some(url) => read_external(path, encryption, url, reader)?,
        },
        scope: encryption.key_scope.unwrap_or(if on_content { KeyScope::Session } else { KeyScope::Stream }),
        stream_depth: encryption.stream_depth.unwrap_or(DEFAULT_STREAM_DEPTH).into(),
        rotation,
        iv_mode: encryption.iv_mode,
        on_encrypted_origin: encryption.on_encrypted_origin,
    };
    if encryption.stream_depth.is_some() && !built.asks_for_stream() {
        return Err(ConfigError::new(
            format!("{path}.streamDepth"),
            "found where nothing depends on streams, expected it beside keyScope \"stream\" or a keyUrl with {stream}",
        ));
    }
    Ok(built)
}

fn read_endpoint(path: &str, encryption: &document::MediaEncryption) -> Result<Keys, ConfigError> {
    if encryption.key.is_some() {
        return Err(ConfigError::new(
            format!("{path}.key"),
            "found without keyUrl: the key endpoint gives out derived keys; expected keyUrl, too",
        ));
    }
    let key_path = encryption.key_path.clone().unwrap_or_else(|| "/serve.key".into());
    // It stands in a quoted attribute of every playlist and is compared with the decoded path of requests.
    let plain = key_path.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_'));
    if !plain || target::normal_path(&key_path).is_err() || key_path.ends_with('/') {
        return Err(ConfigError::new(
            format!("{path}.keyPath"),
            format!("found \"{}\", expected an absolute path of letters, digits and /.-_", key_path.escape_default()),
        ));
    }
    let authorizer = encryption.key_authorizer.as_ref();
    let authorizer = authorizer.map(|it| Authorizer::build(&format!("{path}.keyAuthorizer"), it)).transpose()?;
    Ok(Keys::Endpoint { path: key_path, authorizer })
}

fn read_external(
    path: &str,
    encryption: &document::MediaEncryption,
    url: &str,
    reader: &mut Reader<'_>,
) -> Result<Keys, ConfigError> {
    let beside = |member: &str, why: &str| Err(ConfigError::new(format!("{path}.{member}"), why));
    if encryption.key_path.is_some() {
        return beside(
            "keyPath",
            "found beside keyUrl, with which no keys are given out here; expected one of the two",
        );
    }
    if encryption.key_authorizer.is_some() {
        return beside(
            "keyAuthorizer",
            "found beside keyUrl, with which no keys are given out here; expected one of the two",
        );
    }
    let url = KeyUrl::parse(url).map_err(|expected| {
        ConfigError::new(format!("{path}.keyUrl"), format!("found \"{}\", {expected}", url.escape_default()))
    })?;
    let key = match &encryption.key {
        None => None,
        Some(_) if encryption.key_scope.is_some() => {
            return beside("keyScope", "found beside key, which is the only one; expected one of the two");
        }
        Some(_) if encryption.key_rotation.is_some() => {
            return beside("keyRotation", "found beside key, which never changes; expected one of the two");
        }
        Some(source) => Some(reader.key(&format!("{path}.key"), source)?),
    };
    Ok(Keys::External { url, key })
}

/// A URL must name one key: players keep keys by it, and the key server has nothing else to go by.
pub fn check_key_url(path: &str, encryption: &Encryption, secrets: usize) -> Result<(), ConfigError> {
    let Keys::External { url, key: None } = &encryption.keys else { return Ok(()) };
    for (needed, place, name, why) in [
        (encryption.scope == KeyScope::Session, Place::Session, "session", "every session has its own key"),
        (encryption.scope == KeyScope::Stream, Place::Stream, "stream", "every stream has its own key"),
        (encryption.rotation != Rotation::Never, Place::Period, "period", "every key period has its own key"),
        (secrets > 1, Place::Secret, "secret", "keys are derived from either of two secrets"),
    ] {
        if needed && !url.has(place) {
            return Err(ConfigError::new(format!("{path}.keyUrl"), format!("expected {{{name}}} in it: {why}")));
        }
    }
    Ok(())
}

/// Content that goes without a token must find its key without a session.
pub fn check_free_content(path: &str, encryption: &Encryption) -> Result<(), ConfigError> {
    if encryption.scope == KeyScope::Session && encryption.configured_key().is_none() {
        return Err(ConfigError::new(
            format!("{path}.tokenAuth.enforceOnContentRequest"),
            "found false beside mediaEncryption.keyScope \"session\", whose keys only a session's token tells; expected true, or keyScope \"stream\" or \"application\"",
        ));
    }
    if encryption.on_encrypted_origin == OnEncryptedOrigin::Passthrough {
        return Err(ConfigError::new(
            format!("{path}.mediaEncryption.onEncryptedOrigin"),
            "found \"passthrough\" beside tokenAuth.enforceOnContentRequest false, which would give the origin's keys to anyone; expected \"deny\"",
        ));
    }
    Ok(())
}
