//! Reading secrets: hex or base64 text, written in the document or in the VM's environment.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::ConfigError;
use super::document::SecretSource;
use crate::derive::{ConfiguredKey, Secret};
use crate::percent;

/// Looks secrets up and remembers which stand in the document.
pub struct Reader<'a> {
    /// The VM's environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// What to log once the document has loaded.
    pub warnings: Vec<String>,
}

impl Reader<'_> {
    /// A password: an even number of hex digits, at least one byte.
    ///
    /// # Errors
    /// If the variable is not set or the text is not that. The text is never shown.
    pub fn password(&mut self, path: &str, source: &SecretSource) -> Result<Vec<u8>, ConfigError> {
        let text = self.text(path, source)?;
        percent::unhex(&text).filter(|bytes| !bytes.is_empty()).ok_or_else(|| {
            ConfigError::new(path, format!("found {} characters, expected an even number of hex digits", text.len()))
        })
    }

    /// A secret: hex or base64 of at least 16 bytes. Text that can be hex is read as hex.
    ///
    /// # Errors
    /// As [`Reader::password`].
    pub fn secret(&mut self, path: &str, source: &SecretSource) -> Result<Secret, ConfigError> {
        let text = self.text(path, source)?;
        let bytes = percent::unhex(&text).or_else(|| STANDARD.decode(&text).ok()).ok_or_else(|| {
            ConfigError::new(path, format!("found {} characters that are neither hex nor base64", text.len()))
        })?;
        let length = bytes.len();
        Secret::new(bytes).ok_or_else(|| ConfigError::new(path, format!("found {length} bytes, expected at least 16")))
    }

    /// A content key: hex or base64 of exactly 16 bytes.
    ///
    /// # Errors
    /// As [`Reader::password`].
    pub fn key(&mut self, path: &str, source: &SecretSource) -> Result<ConfiguredKey, ConfigError> {
        let text = self.text(path, source)?;
        let bytes = percent::unhex(&text).or_else(|| STANDARD.decode(&text).ok());
        bytes.and_then(|bytes| bytes.try_into().ok()).map(ConfiguredKey::new).ok_or_else(|| {
            ConfigError::new(
                path,
                format!("found {} characters, expected 16 bytes: 32 hex digits, or base64", text.len()),
            )
        })
    }

    fn text(&mut self, path: &str, source: &SecretSource) -> Result<String, ConfigError> {
        match source {
            SecretSource::Inline(text) => {
                self.warnings.push(format!(
                    "{path}: the secret stands in the configuration, where logs and dumps show it; {{\"env\": NAME}} keeps it out"
                ));
                Ok(text.clone())
            }
            SecretSource::Env(name) => (self.env)(name).ok_or_else(|| {
                ConfigError::new(
                    path,
                    format!("the environment variable {name} is not set in the VM (vm_config.environment_variables)"),
                )
            }),
        }
    }
}
