//! `playlock speke answer`: answers a document as the filter's key server does, without a proxy.

use std::io::{Read, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use playlock_core::policy::Policies;
use playlock_core::policy::speke::{Requester, Speke};
use playlock_drm::Scheme;
use playlock_speke::document::limits;
use playlock_speke::{self as speke, Document, SpekeError, Supply};
use zeroize::Zeroizing;

use super::asked::Version;
use crate::config;
use crate::failure::Failure;
use crate::viewer::random;

/// Answer the CPIX document on standard input as the key server of a policy does.
///
/// The keys are those that packagers get from Envoy with this configuration. A document that the key server refuses is
/// refused in the same words, with the exit status 1. Anyone with the answer can decrypt the content.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock speke answer --config policies.json < request.xml > answer.xml
  playlock speke answer --config policies.json --policy live --requester packager --speke-version 1.0 --scheme cbcs \\
      < request.xml > answer.xml")]
pub struct AnswerCommand {
    /// Configuration of the filter. Secrets given as {"env": NAME} are read from the environment.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Policy whose key server answers; needed if several policies have one.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    /// Requester whose content IDs the document's must be one of. Without it, every content ID is answered.
    #[arg(long, value_name = "NAME")]
    requester: Option<String>,
    /// Version of SPEKE, which is in a header of requests.
    #[arg(long, value_enum, default_value = "2.0")]
    speke_version: Version,
    /// Encryption scheme of documents that name none, as `scheme` in the URL of requests.
    #[arg(long, value_enum)]
    scheme: Option<UrlScheme>,
}

/// A scheme in the URL of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum UrlScheme {
    Cenc,
    Cbcs,
}

/// Answers the document on `input`.
///
/// # Errors
/// The key server refuses the document; the configuration, an argument or a stream cannot be used.
pub fn run(arguments: &AnswerCommand, input: &mut dyn Read, output: &mut dyn Write) -> Result<(), Failure> {
    let loaded = config::load(&arguments.config)?;
    config::warn(&loaded.warnings);
    let speke = server(&loaded.policies, arguments.policy.as_deref())?;
    let requester = arguments.requester.as_deref().map(|name| requester(speke, name)).transpose()?;
    let mut body = Vec::new();
    // One byte more is too many; what follows does not matter.
    let read = input.take(limits::BODY as u64 + 1).read_to_end(&mut body);
    read.map_err(|error| Failure::Wrong(format!("standard input: {error}")))?;
    let document = Document::read(&body, version(arguments.speke_version)).map_err(|error| refusal(&error))?;
    if requester.is_some_and(|requester| !requester.may_have(document.content_id().as_str())) {
        return Err(Failure::Negative("content ID: not one of this requester's".into()));
    }
    let mut seed = Zeroizing::new([0; 32]);
    for half in seed.chunks_mut(16) {
        half.copy_from_slice(&random()?);
    }
    let scheme = arguments.scheme.map(|scheme| match scheme {
        UrlScheme::Cenc => Scheme::Cenc,
        UrlScheme::Cbcs => Scheme::Cbcs,
    });
    let supply = Supply { keys: speke, settings: &speke.settings, scheme, seed: &seed };
    let answer = Zeroizing::new(document.answer(&supply).map_err(|error| refusal(&error))?);
    output.write_all(answer.as_bytes()).and_then(|()| output.flush()).map_err(config::output_failure)
}

/// The key server of the policy `name`, or of the only policy that has one.
fn server<'a>(policies: &'a Policies, name: Option<&str>) -> Result<&'a Speke, Failure> {
    let servers: Vec<_> = policies
        .iter()
        .filter_map(|(_, policy)| Some((policy.name.as_str(), policy.encryption.as_ref()?.speke.as_deref()?)))
        .collect();
    let names = || servers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    match (servers.as_slice(), name) {
        ([], _) => Err(wrong("--config: no policy has a key server; expected one with mediaEncryption.speke")),
        ([(_, server)], None) => Ok(*server),
        (_, None) => Err(wrong(&format!("--policy: missing; expected one of {}", names()))),
        (servers, Some(name)) => servers
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, server)| *server)
            .ok_or_else(|| wrong(&format!("--policy: found \"{name}\", expected one of {}", names()))),
    }
}

/// The requester of this name.
fn requester<'a>(speke: &'a Speke, name: &str) -> Result<&'a Requester, Failure> {
    speke.requesters.iter().find(|requester| requester.name.to_string() == name).ok_or_else(|| {
        let names: Vec<_> = speke.requesters.iter().map(|requester| requester.name.to_string()).collect();
        wrong(&format!("--requester: found \"{name}\", expected one of {}", names.join(", ")))
    })
}

fn version(version: Version) -> speke::Version {
    match version {
        Version::V1 => speke::Version::V1,
        Version::V2_0 => speke::Version::V2_0,
        Version::V2_1 => speke::Version::V2_1,
    }
}

fn wrong(message: &str) -> Failure {
    Failure::Wrong(message.into())
}

fn refusal(error: &SpekeError) -> Failure {
    Failure::Negative(error.message())
}
