//! HTTP and HTTPS for the commands that send requests: TLS, trusted certificates, headers in arguments.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::failure::Failure;

/// The files with trusted certificates on common systems.
const CA_BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/opt/homebrew/etc/ca-certificates/cert.pem",
];

/// An agent that follows no redirect and treats every status as a response. `cacert`: a file in PEM; `timeout`: for one
/// response.
///
/// # Errors
/// As [`certificates`].
pub fn agent(cacert: Option<&Path>, timeout: Duration, user_agent: &str) -> Result<Agent, Failure> {
    let tls = TlsConfig::builder()
        .root_certs(roots(cacert)?)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(timeout))
        .user_agent(user_agent);
    Ok(config.build().new_agent())
}

/// Headers of arguments: `NAME: VALUE`.
///
/// # Errors
/// A header without a name.
pub fn named_headers(lines: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let named = |line: &String| {
        let (name, value) = line.split_once(':').filter(|(name, _)| !name.trim().is_empty())?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    let headers = lines.iter().map(|line| {
        named(line).ok_or_else(|| Failure::Wrong(format!("--header: found \"{line}\", expected NAME: VALUE")))
    });
    headers.collect()
}

/// The certificates of a file in PEM, at least one.
///
/// # Errors
/// A file that cannot be read or has no certificate.
pub fn certificates(file: &Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let text = fs::read(file).map_err(|error| Failure::Wrong(format!("{}: {error}", file.display())))?;
    let found: Vec<_> = parse_pem(&text)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    match found.is_empty() {
        true => Err(Failure::Wrong(format!("{}: no certificate; expected PEM", file.display()))),
        false => Ok(found),
    }
}

/// The CA certificates that servers are verified with.
fn roots(cacert: Option<&Path>) -> Result<RootCerts, Failure> {
    let of_environment = env::var_os("SSL_CERT_FILE").map(Into::into);
    let file = match (cacert, of_environment) {
        (Some(file), _) => Some(file.to_owned()),
        (None, Some(file)) => Some(file),
        (None, None) => CA_BUNDLES.iter().map(Path::new).find(|file| file.is_file()).map(Path::to_owned),
    };
    // Without any, only http works; https fails with an error about the issuer.
    let found = file.map_or(Ok(Vec::new()), |file| certificates(&file))?;
    Ok(RootCerts::Specific(Arc::new(found)))
}
