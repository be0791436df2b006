//! `playlock seal`: secrets under a key that only Envoy's environment has.

use std::collections::BTreeMap;
use std::env;
use std::io::{Read, Write};
use std::path::PathBuf;

use base16ct::lower::encode_string as hex;
use clap::Args;
use playlock_config::document::SecretSource;
use playlock_config::sealed::{self, LONGEST, SealKey, Sealed};
use serde_json::json;

use crate::config::{self, Loaded};
use crate::failure::Failure;
use crate::secrets;
use crate::viewer::random;

/// Seal secrets, so that configurations and dumps of them show ciphertext (AES-256-GCM).
///
/// Reads a secret from standard input and prints the JSON value to write in its place, or seals the secrets of a whole
/// configuration (--config). Envoy opens them with the key in PLAYLOCK_SEAL_KEY of its environment, or in
/// PLAYLOCK_SEAL_KEY_PREVIOUS while the key is exchanged.
#[derive(Args)]
#[command(after_help = "Examples:
  export PLAYLOCK_SEAL_KEY=$(playlock seal --new-key)
  openssl rand -hex 32 | playlock seal
  playlock seal --config policies.json > sealed.json")]
pub struct Seal {
    /// Print a new key.
    #[arg(long, conflicts_with_all = ["config", "env_too"])]
    new_key: bool,
    /// Environment variable with the key: 32 bytes in hex or base64.
    #[arg(long, value_name = "NAME", default_value = sealed::KEY)]
    key_env: String,
    /// Print this configuration with its secrets sealed, and with nothing else changed. Secrets under the key in
    /// PLAYLOCK_SEAL_KEY_PREVIOUS are sealed anew.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Seal the values of the environment variables that the configuration names, too.
    #[arg(long, requires = "config")]
    env_too: bool,
}

/// Writes the key, the value or the configuration to `output`.
///
/// # Errors
/// A key that is missing or none; a secret that is empty or too long; a configuration that is not valid.
pub fn run(arguments: &Seal, input: &mut dyn Read, output: &mut dyn Write) -> Result<(), Failure> {
    if arguments.new_key {
        let key = format!("{}{}\n", hex(&random()?), hex(&random()?));
        return output.write_all(key.as_bytes()).map_err(config::output_failure);
    }
    let sealer = Sealer::new(&arguments.key_env)?;
    let text = match &arguments.config {
        Some(file) => {
            let loaded = sealer.document(&file.display().to_string(), &config::read(file)?, arguments.env_too)?;
            config::warn(&loaded.warnings);
            loaded.text
        }
        None => {
            let mut secret = String::new();
            input
                .read_to_string(&mut secret)
                .map_err(|error| Failure::Wrong(format!("standard input: {error}, expected a secret's text")))?;
            // The output of programs ends with a line feed.
            let secret = secret.strip_suffix('\n').unwrap_or(&secret);
            sealer.value("standard input", secret.strip_suffix('\r').unwrap_or(secret))? + "\n"
        }
    };
    output.write_all(text.as_bytes()).map_err(config::output_failure)
}

/// A key that seals.
pub struct Sealer {
    text: String,
    key: SealKey,
}

impl Sealer {
    /// Takes the key from an environment variable.
    ///
    /// # Errors
    /// It is not set, or no key.
    pub fn new(variable: &str) -> Result<Self, Failure> {
        let expected = "expected 32 bytes: 64 hex digits, or base64 (playlock seal --new-key)";
        let text = env::var(variable)
            .map_err(|_| Failure::Wrong(format!("the environment variable {variable} is not set; {expected}")))?;
        let key = SealKey::parse(&text).ok_or_else(|| {
            let message = format!("the environment variable {variable} has {} characters", text.len());
            Failure::Wrong(format!("{message} that are no key; {expected}"))
        })?;
        Ok(Self { text, key })
    }

    /// The JSON value of a sealed secret; `place` is for the error.
    fn value(&self, place: &str, secret: &str) -> Result<String, Failure> {
        let [nonce @ .., _, _, _, _] = random()?;
        let sealed = sealed::seal(&self.key, nonce, secret).ok_or_else(|| {
            Failure::Wrong(format!("{place}: a secret of {} bytes, expected 1 to {LONGEST}", secret.len()))
        })?;
        Ok(json!({ "sealed": sealed }).to_string())
    }

    /// The configuration `text` with its secrets sealed; with `env_too`, also those in environment variables. `place` is
    /// its position in error messages.
    ///
    /// # Errors
    /// A configuration that is not valid; a secret that cannot be read or sealed.
    pub fn document(&self, place: &str, text: &str, env_too: bool) -> Result<Loaded, Failure> {
        let known = BTreeMap::from([(sealed::KEY, self.text.as_str())]);
        config::parse_elsewhere(&place, text, &known)?;
        let wrong = |path: &str, what: &str| Failure::Wrong(format!("{place}: {path}: {what}"));
        let (mut values, mut shared) = (Vec::new(), BTreeMap::new());
        let mut secrets = Vec::new();
        for found in secrets::find(text).map_err(|error| wrong("$", &error.to_string()))? {
            let path = format!("{place}: {}", found.path);
            let value = match found.source {
                SecretSource::Inline(secret) => {
                    let value = self.value(&path, &secret)?;
                    secrets.push((found.path, secret));
                    value
                }
                SecretSource::Env(name) if env_too => match shared.get(&name) {
                    // One text for one variable: policies that share it get no warning, as before.
                    Some(value) => String::clone(value),
                    None => {
                        let secret = env::var(&name).map_err(|_| {
                            let what = "is not set in this shell's environment";
                            wrong(&found.path, &format!("the environment variable {name} {what}"))
                        })?;
                        let value = self.value(&path, &secret)?;
                        shared.insert(name, value.clone());
                        value
                    }
                },
                SecretSource::Env(_) => continue,
                SecretSource::Sealed(sealed) => {
                    if Sealed::parse(&sealed).is_some_and(|sealed| sealed.key_id() == self.key.id()) {
                        continue;
                    }
                    match shared.get(&sealed) {
                        Some(value) => String::clone(value),
                        None => {
                            let secret = sealed::open(&sealed, &|name| self.lookup(name))
                                .map_err(|fault| wrong(&found.path, &fault.to_string()))?;
                            let value = self.value(&path, &secret)?;
                            shared.insert(sealed, value.clone());
                            value
                        }
                    }
                }
            };
            values.push((found.range, value));
        }
        let sealed = secrets::replace(text, &values);
        let mut loaded = config::parse_elsewhere(&place, &sealed, &known)?;
        // Short texts may be anywhere by chance.
        let elsewhere = secrets.iter().filter(|(_, secret)| secret.len() >= 8 && sealed.contains(secret.as_str()));
        loaded.warnings.extend(elsewhere.map(|(path, _)| {
            format!("{path}: the text of this secret is elsewhere in the configuration, too, and stays there in clear")
        }));
        Ok(loaded)
    }

    fn lookup(&self, name: &str) -> Option<String> {
        if name == sealed::KEY { Some(self.text.clone()) } else { env::var(name).ok() }
    }
}
