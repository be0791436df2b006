//! `playlock new`: a configuration to begin with, its secrets, and a page that explains both.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use base16ct::lower::encode_string as hex;
use clap::Args;
use serde_json::Value;

use crate::config;
use crate::failure::Failure;
use crate::viewer::random;

/// Write a configuration to begin with, fresh secrets for it, and a page that explains both.
///
/// Into a directory come policies.json (for Envoy), .env (the secrets, for its environment, Docker Compose
/// and this command; readable by its owner alone) and policies.md. Nothing that is there is overwritten.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock new edge
  playlock new edge --name films --path /films --host tv.example
  set -a && . edge/.env && set +a && playlock check --config edge/policies.json")]
pub struct New {
    /// Where to; made if it is not there.
    directory: PathBuf,
    /// The policy's name. Keys are derived from it: renaming a policy ends its sessions.
    #[arg(long, default_value = "vod")]
    name: String,
    /// What is protected: this path and everything below it.
    #[arg(long, default_value = "/...")]
    path: String,
    /// On this host alone.
    #[arg(long)]
    host: Option<String>,
}

/// Writes the files, and what to do next to `output`.
///
/// # Errors
/// A name or path that the configuration cannot have, a file that is there already or cannot be written.
pub fn run(arguments: &New, output: &mut dyn Write) -> Result<(), Failure> {
    let directory = &arguments.directory;
    let policies = policies(arguments);
    playlock_core::config::parse(policies.as_bytes(), &|name| Some(config::stand_in(name))).map_err(|error| {
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
    // Before the first is written: half of them would be of no use.
    if let Some((name, ..)) = files.iter().find(|(name, ..)| directory.join(name).exists()) {
        return Err(Failure::Wrong(format!("{}: is there already", directory.join(name).display())));
    }
    for (name, text, mode) in &files {
        let path = directory.join(name);
        create(&path, text, *mode).map_err(|error| failure(&path, error))?;
        writeln!(output, "{}", path.display()).map_err(config::output_failure)?;
    }
    Ok(())
}

/// A new file with that content, which others may not read if `mode` says so.
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
        "sessionTokenTransport": "query",
        "sessionTtl": "1d",
        "clockSkew": "10s"
      }},
      "mediaEncryption": {{
        "enabled": true,
        "secret": {{"env": "PLAYLOCK_SECRET"}},
        "keyPath": "/serve.key",
        "keyScope": "session"
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
         # Access tokens are signed with this (hex, as every EdgeAuth library wants it).\n\
         PLAYLOCK_PASSWORD={}\n\
         # Keys and session tokens are derived from this. No one but Envoy needs it.\n\
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

What playlock does, as Envoy gets it. JSON has no comments, so they are here.

| member | here | meaning |
|---|---|---|
| `holdHeaders` | `true` | A playlist that cannot be served is a clean error, not a broken response. Needs `allow_on_headers_stop_iteration: true` in Envoy's filter; without that set it to `false` (Istio's WasmPlugin), or responses hang. |
| `policies[].policyName` | `{name}` | Names the policy in logs and tokens. Keys are derived from it: renaming ends all sessions. |
| `tokenAuth.password` | `PLAYLOCK_PASSWORD` | What your site signs access tokens with. To change it: the new one as `transitionPassword` everywhere, then swap the two, then drop the old one. |
| `tokenAuth.sessionTokenTransport` | `query` | Session tokens stand in the URLs of playlists, so no cookies are needed. `cookie` or `both` otherwise. |
| `tokenAuth.sessionTtl` | `1d` | The longest that someone watches without a new access token. |
| `tokenAuth.clockSkew` | `10s` | By how much clocks may differ. |
| `mediaEncryption.secret` | `PLAYLOCK_SECRET` | What all keys are derived from, the same on every Envoy. To change it: `transitionSecret`, likewise. |
| `mediaEncryption.keyPath` | `/serve.key` | Where players get keys. The origin never sees it. |
| `mediaEncryption.keyScope` | `session` | Every viewer has a key of their own. `stream` or `application` share it, so that a cache in front can keep segments. |
| `assignments[]` | `{path}` | The policy holds for this path and everything below it. |
| `default` | `deny` | What no assignment covers is refused. `pass` lets it through untouched. |

`playlock schema` lists every other member, and editors complete with it.

## Next

```sh
set -a && . ./.env && set +a                  # the secrets, for this shell
playlock check --config policies.json
playlock token --config policies.json --url https://{host}{below}/master.m3u8
playlock ecds --config policies.json > ecds.yaml   # for Envoy's config_discovery; or paste policies.json into envoy.yaml
playlock check --envoy envoy.yaml                  # is there a way round playlock in Envoy's configuration?
playlock watch "$(playlock token --config policies.json --url https://{host}{below}/master.m3u8)"
playlock why --config policies.json 'https://…'    # when a viewer got a 403
```

Envoy needs the two variables of .env in its own environment (`host_env_keys` in the filter's `vm_config`). Docker Compose reads
an .env beside its own file for every command, `down` too.
"#
    )
}
