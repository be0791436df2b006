//! Reading of secrets: hex or base64 text, from the document, in clear or sealed, or from the VM's environment.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base16ct::mixed;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
#[cfg(feature = "keys")]
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
#[cfg(feature = "keys")]
use zeroize::Zeroizing;

use super::env::Env;
use super::error::ConfigError;
use super::sealed::{self, Fault};
use super::strength::{Role, Strength};
use super::value::SecretSource;
use playlock_core::policy::targeting::GeoHeaders;
use playlock_core::token::derive::{ConfiguredKey, Secret};

/// Looks secrets up, and collects warnings about inline and weak ones.
pub struct Reader<'a> {
    /// The VM's environment.
    pub env: Env<'a>,
    /// The `policyName` of the policy being read.
    pub policy: String,
    /// The proxy's headers for the client's location.
    pub geo_headers: GeoHeaders,
    /// Warnings to log once the document has loaded.
    pub warnings: Vec<String>,
    strength: Strength,
}

impl<'a> Reader<'a> {
    /// Creates a reader that takes variables from `env`.
    pub fn new(env: Env<'a>, geo_headers: GeoHeaders) -> Self {
        Self { env, policy: String::new(), geo_headers, warnings: Vec::new(), strength: Strength::default() }
    }

    /// Reads a password: an even number of hex digits, at least one byte.
    ///
    /// # Errors
    /// If the variable is not set or the text is malformed. Errors never show the text.
    pub fn password(&mut self, path: &str, source: &SecretSource) -> Result<Vec<u8>, ConfigError> {
        let text = self.text(path, source)?;
        let bytes = mixed::decode_vec(&text).ok().filter(|bytes| !bytes.is_empty());
        let bytes = bytes.ok_or_else(|| ConfigError::new(path, not_hex(&text)))?;
        self.judge(Role::Password, path, source, &bytes);
        Ok(bytes)
    }

    /// Reads a secret: hex or base64 of at least 16 bytes. Text that is valid hex is read as hex.
    ///
    /// # Errors
    /// As [`Reader::password`].
    pub fn secret(&mut self, path: &str, source: &SecretSource) -> Result<Secret, ConfigError> {
        self.secret_as(Role::Secret, path, source)
    }

    /// Reads the secret of a key server for packagers, as [`Reader::secret`].
    ///
    /// # Errors
    /// As [`Reader::password`].
    #[cfg(feature = "speke")]
    pub fn lasting_secret(&mut self, path: &str, source: &SecretSource) -> Result<Secret, ConfigError> {
        self.secret_as(Role::Lasting, path, source)
    }

    /// Reads the text of a requester's token.
    ///
    /// # Errors
    /// If the variable is not set.
    #[cfg(feature = "speke")]
    pub fn token(&mut self, path: &str, source: &SecretSource) -> Result<String, ConfigError> {
        let text = self.text(path, source)?;
        // As others would read the same variable.
        let bytes = hex_or_base64(&text).unwrap_or_else(|| text.clone().into_bytes());
        self.judge(Role::Token, path, source, &bytes);
        Ok(text)
    }

    fn secret_as(&mut self, role: Role, path: &str, source: &SecretSource) -> Result<Secret, ConfigError> {
        let text = self.text(path, source)?;
        let bytes = hex_or_base64(&text).ok_or_else(|| {
            ConfigError::new(path, format!("found {} characters that are neither hex nor base64", text.len()))
        })?;
        let length = bytes.len();
        self.judge(role, path, source, &bytes);
        Secret::new(bytes).ok_or_else(|| ConfigError::new(path, format!("found {length} bytes, expected at least 16")))
    }

    /// Reads a content key: hex or base64 of exactly 16 bytes.
    ///
    /// # Errors
    /// As [`Reader::password`].
    pub fn key(&mut self, path: &str, source: &SecretSource) -> Result<ConfiguredKey, ConfigError> {
        let text = self.text(path, source)?;
        let bytes = hex_or_base64(&text);
        if let Some(bytes) = &bytes {
            self.judge(Role::Key, path, source, bytes);
        }
        bytes.and_then(|bytes| bytes.try_into().ok()).map(ConfiguredKey::new).ok_or_else(|| {
            ConfigError::new(
                path,
                format!("found {} characters, expected 16 bytes: 32 hex digits, or base64", text.len()),
            )
        })
    }

    /// Reads the secret of a JSON Web Key, which signs access tokens: base64url without padding, at least one byte.
    ///
    /// # Errors
    /// As [`Reader::password`].
    #[cfg(feature = "keys")]
    pub fn base64url(&mut self, path: &str, source: &SecretSource) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
        let text = self.text(path, source)?;
        let bytes = URL_SAFE_NO_PAD.decode(&text).ok().filter(|bytes| !bytes.is_empty()).map(Zeroizing::new);
        let bytes = bytes.ok_or_else(|| {
            let message = "expected base64url without =, of at least one byte";
            ConfigError::new(path, format!("found {} characters that are not such a secret, {message}", text.len()))
        })?;
        self.judge(Role::Password, path, source, &bytes);
        Ok(bytes)
    }

    fn judge(&mut self, role: Role, path: &str, source: &SecretSource, bytes: &[u8]) {
        // What several policies name is shared on purpose: a variable, or the same sealed text.
        let shared = match source {
            SecretSource::Inline(_) => None,
            SecretSource::Env(name) | SecretSource::Sealed(name) => Some(name.as_str()),
        };
        self.warnings.extend(self.strength.judge(role, path, &self.policy, shared, bytes));
    }

    /// Reads a text.
    ///
    /// # Errors
    /// If the variable is not set, or the sealed text cannot be opened.
    pub fn text(&mut self, path: &str, source: &SecretSource) -> Result<String, ConfigError> {
        match source {
            SecretSource::Inline(text) => {
                self.warnings.push(format!(
                    "{path}: the secret stands in the configuration, where logs and dumps show it; {{\"env\": NAME}} or {{\"sealed\": TEXT}} keeps it out"
                ));
                Ok(text.clone())
            }
            SecretSource::Env(name) => (self.env.variable)(name).ok_or_else(|| {
                let place = "in the VM (vm_config.environment_variables)";
                let message = format!("the environment variable {name} is not set {place}");
                ConfigError { unset: Some(name.clone()), ..ConfigError::new(path, message) }
            }),
            SecretSource::Sealed(text) => match (sealed::open(text, self.env.variable), self.env.stand_in) {
                (Ok(text), _) => Ok(text),
                (Err(Fault::Unset), Some(stand_in)) => Ok(stand_in(text)),
                (Err(fault), _) => {
                    let unset = (fault == Fault::Unset).then(|| sealed::KEY.into());
                    Err(ConfigError { unset, ..ConfigError::new(path, fault.to_string()) })
                }
            },
        }
    }
}

/// Decodes hex or base64. Text that is valid hex is read as hex, which is decoded in constant time.
fn hex_or_base64(text: &str) -> Option<Vec<u8>> {
    mixed::decode_vec(text).ok().or_else(|| STANDARD.decode(text).ok())
}

/// Describes the fault of a malformed password, without any of its characters.
fn not_hex(text: &str) -> String {
    let found = match text.len() {
        0 => "nothing".into(),
        _ if text.trim() != text => "white space around it".into(),
        length if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => format!("{length} hex digits"),
        length => format!("{length} characters that are not all hex digits (0 to 9, a to f)"),
    };
    format!("found {found}, expected an even number of hex digits, such as those of openssl rand -hex 32")
}
