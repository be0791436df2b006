//! The key that signs, and the settings of the policy that it belongs to.

use std::io::Read;

use playlock_core::policy::{AccessToken, Match, Opening, Policies, Policy, PolicyIndex};
use playlock_core::token::format::Format;
use serde_json::Value;

use super::key::{self, SigningKey, secret};
use super::options::{Signer, Token};
use crate::config::Loaded;
use crate::failure::Failure;

/// The signer for these arguments.
///
/// # Errors
/// A policy or key that is missing or cannot be used.
pub fn signer(arguments: &Token, loaded: Option<&Loaded>, now: u64, input: &mut dyn Read) -> Result<Signer, Failure> {
    let given = arguments.key.is_some() || arguments.key_file.is_some();
    let given = given
        .then(|| key::given(arguments.key.as_deref(), arguments.key_file.as_deref(), arguments.algorithm, input))
        .transpose()?;
    match (loaded, given) {
        (Some(loaded), given) => from_config(arguments, loaded, now, given),
        (None, Some(key)) => Ok(from_key(arguments, key)),
        (None, None) => Err(Failure::Wrong("expected --config, --key or --key-file".into())),
    }
}

fn from_key(arguments: &Token, key: SigningKey) -> Signer {
    let format = arguments.format.unwrap_or(Format::EdgeAuth);
    Signer {
        format,
        key,
        settings: Value::Null,
        salt: arguments.salt.clone(),
        name: arguments.name.clone().unwrap_or_else(|| default_name(format).to_owned()),
        policy: None,
    }
}

/// The name of the query parameter unless a policy sets another one.
fn default_name(format: Format) -> &'static str {
    match format {
        Format::EdgeAuth => "hdnts",
        Format::Cat => "cat",
        Format::UriSigning => "URISigningPackage",
        Format::Jwt => "token",
        Format::MediaCdn => "edge-cache-token",
    }
}

/// The key, salt and parameter name of the chosen policy.
fn from_config(arguments: &Token, loaded: &Loaded, now: u64, given: Option<SigningKey>) -> Result<Signer, Failure> {
    let (index, policy) = chosen_policy(arguments, &loaded.policies, now)?;
    let Opening::AccessToken(AccessToken { formats, .. }) = policy.opening() else {
        return Err(Failure::Wrong(format!(
            "the policy \"{}\" takes no access tokens; expected one with tokenAuth",
            policy.name
        )));
    };
    let of_policy = |wanted: &Format| formats.iter().find(|format| format.verifier.format() == *wanted);
    let first = formats.first().map(|format| format.verifier.format());
    let format = arguments.format.or(first).unwrap_or(Format::EdgeAuth);
    let access = of_policy(&format).ok_or_else(|| {
        let words: Vec<&str> = formats.iter().map(|format| format.verifier.format().word()).collect();
        let (word, words) = (format.word(), words.join(", "));
        Failure::Wrong(format!(
            "--format: the policy \"{}\" takes no {word} tokens; expected one of: {words}",
            policy.name
        ))
    })?;
    let document: Value =
        serde_json::from_str(&loaded.text).map_err(|error| Failure::Wrong(format!("--config: {error}")))?;
    let auth = document.pointer(&format!("/policies/{}/tokenAuth", index.get())).unwrap_or(&Value::Null);
    let settings = auth.get(format.word()).unwrap_or(&Value::Null);
    let key = match (given, format) {
        (Some(key), _) => key,
        (None, Format::EdgeAuth) => password(auth, &policy.name)?,
        (None, _) => key::of_policy(settings, format, &policy.name)?,
    };
    Ok(Signer {
        format,
        key,
        settings: settings.clone(),
        salt: arguments.salt.clone().or_else(|| Some(auth.get("salt")?.as_str()?.to_owned())),
        name: arguments.name.clone().unwrap_or_else(|| access.parameter.to_string()),
        policy: Some(policy.name.clone()),
    })
}

/// The password of EdgeAuth tokens.
fn password(auth: &Value, policy: &str) -> Result<SigningKey, Failure> {
    let text = auth.get("password").and_then(secret);
    let password = text.and_then(|text| base16ct::mixed::decode_vec(text).ok());
    password.map(SigningKey::hmac).ok_or_else(|| {
        Failure::Wrong(format!(
            "the policy \"{policy}\" has no password that is known here; expected tokenAuth.password"
        ))
    })
}

fn chosen_policy<'a>(
    arguments: &Token,
    policies: &'a Policies,
    now: u64,
) -> Result<(PolicyIndex, &'a Policy), Failure> {
    if let Some(name) = &arguments.policy {
        let found = policies.iter().find(|(_, policy)| policy.name == *name);
        return found.ok_or_else(|| {
            Failure::Wrong(format!(
                "--policy: no policy is named \"{name}\"; expected a policyName of the configuration"
            ))
        });
    }
    if let Some(url) = &arguments.url {
        return match policies.policy_for_raw(&url.authority, &url.path, now) {
            Some(Match::Policy(index, policy)) => Ok((index, policy)),
            _ => Err(Failure::Wrong(
                "--url: no policy is assigned to this URL at this time; expected another URL or time, or --policy"
                    .into(),
            )),
        };
    }
    let takes = |policy: &Policy| match policy.opening() {
        Opening::AccessToken(access) => {
            arguments.format.is_none_or(|format| access.formats.iter().any(|known| known.verifier.format() == format))
        }
        Opening::Free => false,
    };
    let takers: Vec<_> = policies.iter().filter(|(_, policy)| takes(policy)).collect();
    match takers.as_slice() {
        [one] => Ok(*one),
        _ => {
            let names: Vec<&str> = takers.iter().map(|(_, policy)| policy.name.as_str()).collect();
            Err(Failure::Wrong(format!(
                "--policy: not given, and not exactly one policy takes access tokens; expected one of: {}",
                names.join(", ")
            )))
        }
    }
}
