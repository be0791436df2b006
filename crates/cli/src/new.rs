//! `playlock new`: writes a first configuration, its secrets, and a page that explains both.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use base16ct::lower::encode_string as hex;
use clap::Args;
use serde_json::Value;

use crate::config;
use crate::failure::Failure;
use crate::viewer::random;

/// Write a first configuration with fresh secrets, and a page that explains both.
///
/// Creates policies.json (for Envoy), .env (the secrets, for the environment of Envoy, Docker Compose and this command;
/// readable only by its owner) and policies.md. Existing files are not overwritten.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock new edge
  playlock new edge --name films --path /films --host tv.example
  set -a && . edge/.env && set +a && playlock check --config edge/policies.json")]
pub struct New {
    /// Directory for the files; created if missing.
    directory: PathBuf,
    /// Name of the policy. Keys are derived from it: renaming a policy without a `keyName` ends its sessions.
    #[arg(long, default_value = "vod")]
    name: String,
    /// Path to protect, with everything below it.
    #[arg(long, default_value = "/...")]
    path: String,
    /// Host to protect; all hosts by default.
    #[arg(long)]
    host: Option<String>,
}

/// Writes the files, and their names to `output`.
///
/// # Errors
/// A name, path or host that is not valid in a configuration; a file that exists or cannot be written.
pub fn run(arguments: &New, output: &mut dyn Write) -> Result<(), Failure> {
    let directory = &arguments.directory;
    let policies = policies(arguments);
    playlock_config::parse(policies.as_bytes(), &|name| Some(config::stand_in(name))).map_err(|error| {
        let option = match error.path.as_str() {
            "policies[0].policyName" => "--name",
            "assignments[0].host" => "--host",
            _ => "--path",
        };
        Failure::Wrong(format!("{option}: {}", error.message))
    })?;
    let files =
        [("policies.json", policies, 0o644), (".env", environment()?, 0o600), ("policies.md", page(arguments), 0o644)];
    let failure = |path: &Path, error: std::io::Error| Failure::Wrong(format!("{}: {error}", path.display()));
    fs::create_dir_all(directory).map_err(|error| failure(directory, error))?;
    // Checked before the first is written, since some of the files alone are of no use.
    if let Some((name, ..)) = files.iter().find(|(name, ..)| directory.join(name).exists()) {
        return Err(Failure::Wrong(format!(
            "{}: exists already; expected a directory without it",
            directory.join(name).display()
        )));
    }
    for (name, text, mode) in &files {
        let path = directory.join(name);
        create(&path, text, *mode).map_err(|error| failure(&path, error))?;
        writeln!(output, "{}", path.display()).map_err(config::output_failure)?;
    }
    Ok(())
}

/// Creates a file with these permissions (on Unix).
fn create(path: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)?.write_all(text.as_bytes())
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn policies(arguments: &New) -> String {
    let host = arguments.host.as_ref().map(|host| format!("\"host\": {}, ", quoted(host))).unwrap_or_default();
    format!(
        r#"{{
  "holdHeaders": true,
  "policies": [
    {{
      "policyName": {name},
      "tokenAuth": {{
        "enabled": true,
        "password": {{"env": "PLAYLOCK_PASSWORD"}},
        "sessionTokenTransport": "path",
        "sessionTtl": "1d",
        "clockSkew": "10s"
      }},
      "mediaEncryption": {{
        "enabled": true,
        "secret": {{"env": "PLAYLOCK_SECRET"}},
        "keyPath": "/serve.key",
        "keyScope": "session",
        "scheme": "cbcs",
        "licensePath": "/license"
      }}
    }}
  ],
  "assignments": [
    {{{host}"path": {path}, "policyName": {name}}}
  ],
  "default": "deny"
}}
"#,
        name = quoted(&arguments.name),
        path = quoted(&arguments.path),
    )
}

fn environment() -> Result<String, Failure> {
    let fresh = || Ok::<_, Failure>(format!("{}{}", hex(&random()?), hex(&random()?)));
    Ok(format!(
        "# Secrets of policies.json: keep them out of version control, and the same on every Envoy.\n\
         # Access tokens are signed with this (hex, as EdgeAuth libraries expect it).\n\
         PLAYLOCK_PASSWORD={}\n\
         # Keys and session tokens are derived from this. Only Envoy needs it.\n\
         PLAYLOCK_SECRET={}\n",
        fresh()?,
        fresh()?
    ))
}

fn page(arguments: &New) -> String {
    let New { name, path, host, .. } = arguments;
    let below = path.strip_suffix("/...").unwrap_or(path).trim_end_matches('/');
    let host = host.as_deref().unwrap_or("edge.example");
    format!(
        r#"# policies.json

The configuration of the filter. JSON has no comments, so its members are explained here.

| member | here | meaning |
|---|---|---|
| `holdHeaders` | `true` | A playlist that cannot be served gets a clean error, not a reset response. Needs `allow_on_headers_stop_iteration: true` in Envoy's filter. Where that cannot be set (Istio's WasmPlugin), use `false`, or responses hang, and remove `scheme` and `licensePath`. |
| `policies[].policyName` | `{name}` | Name of the policy in logs and counters. Keys are derived from it: to rename it without ending all sessions, write the old name into `keyName`. |
| `tokenAuth.password` | `PLAYLOCK_PASSWORD` | Your site signs access tokens with it. To rotate it: add the new one as `transitionPassword` everywhere, then swap the two, then remove the old one. |
| `tokenAuth.sessionTokenTransport` | `path` | Session tokens are the first segment of each URL's path (`/~TOKEN/…`), so relative URIs inherit them and no cookies are needed. Alternatives: `query`, `cookie`, `both`. |
| `tokenAuth.sessionTtl` | `1d` | Longest session; after that, the viewer needs a new access token. |
| `tokenAuth.clockSkew` | `10s` | Tolerated difference between clocks. |
| `mediaEncryption.secret` | `PLAYLOCK_SECRET` | All keys are derived from it; the same on every Envoy. To rotate it: `transitionSecret`, likewise. |
| `mediaEncryption.keyPath` | `/serve.key` | Players request keys from this path. Such requests never reach the origin. |
| `mediaEncryption.keyScope` | `session` | Each session has its own key. With `stream` or `application`, viewers share keys, so that a cache in front can store segments. |
| `mediaEncryption.scheme` | `cbcs` | MPDs are served too: their media is encrypted sample by sample. HLS is not affected, and is encrypted with AES-128. Remove it together with `licensePath` to use `keyRotation` or `keyUrl`; MPDs are refused then. |
| `mediaEncryption.licensePath` | `/license` | Players of MPDs request ClearKey licenses from this path. Such requests never reach the origin. |
| `assignments[]` | `{path}` | The policy applies to this path and everything below it. |
| `default` | `deny` | Requests that no assignment covers are refused. `pass` forwards them unchanged. |

`playlock schema` prints a schema of all members, for completion in editors.

## Next

```sh
set -a && . ./.env && set +a                  # the secrets, for this shell
playlock check --config policies.json
playlock token --config policies.json --url https://{host}{below}/master.m3u8
playlock ecds --config policies.json > ecds.yaml   # for Envoy's config_discovery; or paste policies.json into envoy.yaml
playlock check --envoy envoy.yaml                  # does a route bypass playlock in Envoy's configuration?
playlock watch "$(playlock token --config policies.json --url https://{host}{below}/master.m3u8)"
playlock why --config policies.json 'https://…'    # when a viewer got a 403
```

Envoy needs the two variables of .env in its own environment (`host_env_keys` in the filter's `vm_config`). Docker Compose reads
an .env beside its own file for every command, `down` too.
"#
    )
}
