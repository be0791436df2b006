//! The options of `playlock token`, and what the files of the formats take of them.

use std::path::PathBuf;

use clap::Args;
use playlock_core::token::format::Format;

use super::key::{Algorithm, SigningKey};
use crate::address::Address;
use crate::time::{Moment, parse_span};

/// Make an access token, as a site does for a viewer.
///
/// With --url, print that URL with the token in it. Unless --acl is given, the token is for this URL, and its session
/// covers everything below the URL's directory.
///
/// The key is the first of the policy that can sign, or that of --key-file: a JSON Web Key, or hex digits for an HMAC (or,
/// with --algorithm eddsa, for Ed25519).
#[derive(Args)]
#[command(after_help = "Examples:
  playlock token --config policies.json --url https://edge.example/vod/master.m3u8
  playlock token --config policies.json --policy vod --acl '/vod/*' --duration 1h --ip 203.0.113.7
  playlock token --config policies.json --format jwt --acl '/vod/*' --id viewer-7
  playlock token --key-file password.hex --acl '/vod/*!/live/*' --expires 2030-01-01
  playlock token --key-file private.jwk --format cat --acl '/vod/*' --issuer https://site.example
  printenv PLAYLOCK_PASSWORD | playlock token --key-file - --acl '/vod/*'")]
pub struct Token {
    /// Configuration with the key. Secrets given as {"env": NAME} are read from the environment.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["key", "key_file"])]
    pub config: Option<PathBuf>,
    /// Policy, if the URL does not determine it and the configuration has several.
    #[arg(long, value_name = "NAME", requires = "config")]
    pub policy: Option<String>,
    /// Format of the token; without it, the first one of the policy, or edgeauth.
    #[arg(long, value_parser = parse_format, value_name = "edgeauth|cat|urisigning|jwt|mediacdn")]
    pub format: Option<Format>,
    /// Key in hex, instead of a configuration. Other users of this machine can see it; prefer --key-file.
    #[arg(long, value_name = "HEX", conflicts_with = "key_file")]
    pub key: Option<String>,
    /// File with the key: a JSON Web Key with its private part, or hex; - is standard input. With --config, instead of the
    /// policy's key.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Algorithm of the signature, if the key does not determine it. SHA-1 and MD5 are for edgeauth and mediacdn only.
    #[arg(long, value_enum)]
    pub algorithm: Option<Algorithm>,
    /// Key ID (`kid`) in the token, instead of the key's (cat, urisigning, jwt).
    #[arg(long, value_name = "ID")]
    pub kid: Option<String>,
    /// Salt, instead of the configuration's (edgeauth).
    #[arg(long)]
    pub salt: Option<String>,
    /// Name of the query parameter, instead of the configuration's or the format's own.
    #[arg(long)]
    pub name: Option<String>,
    /// URL of the playlist that the viewer opens.
    #[arg(long, required_unless_present = "acl")]
    pub url: Option<Address>,
    /// Paths that the token covers; may be repeated, or joined with !. With mediacdn, also the beginning of a URL.
    #[arg(long, value_name = "PATTERN")]
    pub acl: Vec<String>,
    /// Start of validity.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub start: Option<Moment>,
    /// End of validity.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, conflicts_with = "duration")]
    pub expires: Option<Moment>,
    /// Duration of validity, from the start or from now: 90s, 5m, 12h, 1d.
    #[arg(long, value_parser = parse_span, default_value = "5m")]
    pub duration: u64,
    /// Address of the viewer, to bind the token to it; with cat and mediacdn, also a network such as 203.0.113.0/24.
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Option<String>,
    /// Request header that the viewer will send, to bind the token to it; may be repeated (mediacdn).
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// Payload; the filter copies it to the session token.
    #[arg(long, visible_alias = "data")]
    pub payload: Option<String>,
    /// Id of the token, for revocation. The sessions that it opens have ids of their own.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Issuer (`iss`), instead of the key's or the policy's (cat, urisigning, jwt).
    #[arg(long, value_name = "NAME")]
    pub issuer: Option<String>,
    /// Audience (`aud`), instead of the policy's (cat, urisigning, jwt).
    #[arg(long, value_name = "NAME")]
    pub audience: Option<String>,
    /// Lifetime of the tokens that renew this one: 90s, 5m (cat, urisigning).
    #[arg(long, value_parser = parse_span, value_name = "DURATION")]
    pub renew: Option<u64>,
    /// Time to use instead of now: seconds since 1970, 2026-12-24T18:00:00Z, +1h or -5m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub now: Option<Moment>,
    /// Print the token, the URL and the times as JSON.
    #[arg(long)]
    pub json: bool,
}

/// The claims of a token, whatever its format.
pub struct Claims<'a> {
    /// The options, for claims that not every format has.
    pub options: &'a Token,
    /// Start of validity, in seconds since 1970-01-01T00:00:00Z.
    pub start: Option<u64>,
    /// End of validity, in the same unit.
    pub expires: u64,
    /// The patterns of `--acl`, joined with `!`.
    pub acl: Option<String>,
    /// The URL that the viewer opens, without a token.
    pub url: Option<&'a Address>,
}

/// A key and the settings of the policy that it belongs to.
pub struct Signer {
    /// The format of the token.
    pub format: Format,
    /// The key.
    pub key: SigningKey,
    /// The format's member of the policy's `tokenAuth`.
    pub settings: serde_json::Value,
    /// Salt of EdgeAuth tokens.
    pub salt: Option<String>,
    /// Name of the query parameter.
    pub name: String,
    /// The policy's name.
    pub policy: Option<String>,
}

impl Signer {
    /// The issuer: that of the options, of the key, or the first that the policy accepts.
    pub fn issuer<'a>(&'a self, options: &'a Token) -> Option<&'a str> {
        options.issuer.as_deref().or(self.key.issuer.as_deref()).or_else(|| self.first("issuers"))
    }

    /// The audience: that of the options, or the first that the policy accepts.
    pub fn audience<'a>(&'a self, options: &'a Token) -> Option<&'a str> {
        options.audience.as_deref().or_else(|| self.first("audience")).or_else(|| self.first("audiences"))
    }

    /// The first text of a member of the format's settings.
    fn first(&self, member: &str) -> Option<&str> {
        self.settings.get(member)?.get(0)?.as_str()
    }
}

fn parse_format(text: &str) -> Result<Format, String> {
    let known = Format::ALL.into_iter().find(|format| format.word() == text);
    known.ok_or_else(|| {
        let words: Vec<&str> = Format::ALL.iter().map(|format| format.word()).collect();
        format!("expected one of: {}", words.join(", "))
    })
}
