//! `playlock ecds`: a file for Envoy's extension discovery, so that replacing the file replaces the configuration.

use std::env;
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use playlock_config::sealed;
use sha2::{Digest, Sha256};

use crate::config::{self, Loaded};
use crate::failure::Failure;
use crate::seal::Sealer;

/// Write a configuration as a file for Envoy's extension discovery (ECDS).
///
/// Envoy loads a new file when it is renamed over the old one, and keeps the old configuration if the new one is not
/// valid. Requests in progress finish under the configuration that they started with.
#[derive(Args)]
#[command(after_help = "Example:
  playlock ecds --config policies.json > ecds.new && mv ecds.new /etc/envoy/ecds.yaml

In Envoy's http_filters:
  - name: playlock
    config_discovery:
      config_source:
        path_config_source: { path: /etc/envoy/ecds.yaml }
        resource_api_version: V3
      type_urls: [type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm]")]
pub struct Ecds {
    /// Configuration of the filter.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Module of the filter: a file on Envoy's machine. A module that Envoy has to fetch is not safe.
    #[arg(long, value_name = "FILE", default_value = "/etc/envoy/playlock.wasm")]
    module: String,
    /// Name of the filter in Envoy's http_filters.
    #[arg(long, default_value = "playlock")]
    name: String,
    /// Write the values of the environment variables that the configuration names into the file. Without this option,
    /// Envoy reads them from its own environment, which does not change until Envoy restarts.
    #[arg(long)]
    with_secrets: bool,
    /// Seal the secrets that the file would show, under the key in PLAYLOCK_SEAL_KEY: those in the configuration and, with
    /// --with-secrets, the values of the variables. Envoy needs the same key in its environment. Each run writes another
    /// file; `playlock seal --config` writes a configuration to keep.
    #[arg(long)]
    seal: bool,
}

/// Writes the file to `output`.
///
/// # Errors
/// A module that is a URL; a configuration that Envoy would reject, too; a file that would show the key of sealed secrets.
pub fn run(arguments: &Ecds, output: &mut dyn Write) -> Result<(), Failure> {
    if arguments.module.contains("://") {
        return Err(Failure::Wrong(format!(
            "--module: found the URL {}, expected a file on Envoy's machine: Envoy drops the filter while it fetches the module of an update",
            arguments.module
        )));
    }
    let mut loaded = match (arguments.seal, arguments.with_secrets) {
        (true, env_too) => {
            let text = config::read(&arguments.config)?;
            Sealer::new(sealed::KEY)?.document(&arguments.config.display().to_string(), &text, env_too)?
        }
        (false, true) => config::load(&arguments.config)?,
        (false, false) => config::load_elsewhere(&arguments.config)?,
    };
    if loaded.variables.contains(sealed::KEY) {
        if arguments.with_secrets && !arguments.seal {
            return Err(Failure::Wrong(format!(
                "--with-secrets: the configuration has sealed secrets, and the file would show their key ({}); expected --seal beside it, or neither",
                sealed::KEY
            )));
        }
        // Envoy ignores names of variables that it does not have. So it needs no other file while the key is exchanged.
        loaded.variables.insert(sealed::PREVIOUS_KEY.to_owned());
    }
    config::warn(&loaded.warnings);
    output.write_all(document(arguments, &loaded).as_bytes()).map_err(config::output_failure)
}

/// The whole file. JSON strings are YAML strings, too, so they are written as JSON.
fn document(arguments: &Ecds, loaded: &Loaded) -> String {
    let name = quoted(&arguments.name);
    let hold = match loaded.policies.hold_headers {
        true => "\n        allow_on_headers_stop_iteration: true",
        false => "",
    };
    let mut text = format!(
        r#"resources:
  - "@type": type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig
    name: {name}
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
      config:
        name: {name}
        failure_policy: FAIL_RELOAD{hold}
        vm_config:
          vm_id: {name}
          runtime: envoy.wasm.runtime.v8
          code: {{ local: {{ filename: {} }} }}
"#,
        quoted(&arguments.module)
    );
    text.push_str(&environment(arguments, loaded));
    text.push_str(
        r#"        configuration:
          "@type": type.googleapis.com/google.protobuf.StringValue
          value: |
"#,
    );
    for line in escaped(loaded.text.trim()).lines().map(str::trim_end) {
        if !line.is_empty() {
            text.push_str("            ");
            text.push_str(line);
        }
        text.push('\n');
    }
    // Envoy shows the version of the file that is in force in its statistics.
    let digest = Sha256::digest(text.as_bytes());
    let version = base16ct::lower::encode_string(digest.get(..8).unwrap_or_default());
    format!(
        "# Written by `playlock ecds`. Envoy loads a new file when it is renamed to this name.\nversion_info: \"{version}\"\n{text}"
    )
}

/// The environment of the VM. Envoy starts a new VM when it changes, so new values reach the filter.
fn environment(arguments: &Ecds, loaded: &Loaded) -> String {
    let list = |items: Vec<String>| items.join(", ");
    let inner = match (loaded.variables.is_empty(), arguments.with_secrets && !arguments.seal) {
        (true, _) => return String::new(),
        (false, false) => {
            format!("host_env_keys: [{}]", list(loaded.variables.iter().map(|name| quoted(name)).collect()))
        }
        (false, true) => {
            let pair = |name: &String| Some(format!("{}: {}", quoted(name), quoted(&env::var(name).ok()?)));
            format!("key_values: {{ {} }}", list(loaded.variables.iter().filter_map(pair).collect()))
        }
    };
    format!("          environment_variables:\n            {inner}\n")
}

/// A string that JSON and YAML read alike.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            _ if char.is_control() => push_escape(&mut quoted, char),
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    escaped(&quoted)
}

/// JSON with escapes for characters that YAML takes for line breaks or rejects. JSON has these in strings only.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for char in json.chars() {
        match char {
            '\n' | '\t' | ' '..='~' => text.push(char),
            '\r' => text.push(' '),
            _ => push_escape(&mut text, char),
        }
    }
    text
}

fn push_escape(to: &mut String, char: char) {
    let mut units = [0; 2];
    for unit in char.encode_utf16(&mut units) {
        // Writing to a String cannot fail.
        let _ = write!(to, "\\u{unit:04x}");
    }
}
