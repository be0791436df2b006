//! The HTTP request, and the checks of status and headers.

use std::fs;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use playlock_core::bytes::percent;
use ureq::http::HeaderMap;

use super::asked::{Asked, Version};
use super::options::Request;
use crate::config;
use crate::failure::Failure;
use crate::https::{agent, named_headers};
use crate::terminal::shown;

/// Maximum size of a response in bytes. Eight keys under three systems are 58 KB.
const MAX_BODY: u64 = 4 << 20;
/// Maximum length of a refusal's text in messages, in characters.
const MAX_TEXT: usize = 300;

/// Posts the document; the body of the response. The URL is in no message: tokens may be in its path and query.
///
/// # Errors
/// A server that cannot be reached, a status other than 200, headers that are not those of the version.
pub fn post(arguments: &Request, asked: &Asked, document: &str) -> Result<String, Failure> {
    let url = &arguments.url;
    let host = url.authority.split(':').next().unwrap_or_default();
    let is_local = matches!(host, "localhost" | "127.0.0.1") || url.authority.starts_with("[::1]");
    if url.scheme == "http" && asked.certificate.is_none() && !is_local {
        config::warn(&["http: the keys are not encrypted on their way; expected https, or --certificate".into()]);
    }
    let token = match (&arguments.token, &arguments.token_file) {
        (Some(token), _) => Some(token.clone()),
        (None, Some(file)) => {
            let text = fs::read_to_string(file)
                .map_err(|error| Failure::Wrong(format!("--token-file {}: {error}", file.display())))?;
            Some(text.trim_end().to_owned())
        }
        (None, None) => None,
    };
    let secrets: Vec<String> = token.iter().flat_map(|token| [token.clone(), in_query(token)]).collect();
    let parameter = token.as_deref().map(|token| format!("enc-token={}", in_query(token)));
    let target = url.target(parameter.as_deref());
    let agent = agent(
        arguments.cacert.as_deref(),
        Duration::from_secs(arguments.timeout),
        concat!("playlock-speke/", env!("CARGO_PKG_VERSION")),
    )?;
    let mut request = agent.post(format!("{}://{}{target}", url.scheme, url.authority));
    request = request.header("content-type", "application/xml").header("accept", "application/xml");
    if let Some(version) = asked.version.header() {
        request = request.header("x-speke-version", version);
    }
    if let Some(user) = &arguments.user {
        request = request.header("authorization", format!("Basic {}", STANDARD.encode(user)));
    }
    for (name, value) in named_headers(&arguments.headers)? {
        request = request.header(name, value);
    }
    let place = format!("{}://{}", url.scheme, url.authority);
    let unreachable = |error: ureq::Error| match error {
        // A header of the arguments that HTTP does not have.
        ureq::Error::Http(error) => Failure::Wrong(format!("--header, --user or URL: {error}")),
        error => Failure::Unreachable(format!("{place}: {}", shown(&error.to_string()))),
    };
    let mut response = request.send(document).map_err(unreachable)?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = response.body_mut().with_config().limit(MAX_BODY).read_to_vec().map_err(unreachable)?;
    if status != 200 {
        let text = excerpt(&body, &secrets);
        return Err(Failure::Negative(format!("{place}: status {status}, expected 200: {text}")));
    }
    // Some servers send errors with status 200. What could be a document may have keys in it.
    let text = if body.contains(&b'<') { String::new() } else { excerpt(&body, &secrets) };
    check(&headers, asked.version, &text)?;
    String::from_utf8(body).map_err(|_| Failure::Negative("response: not UTF-8; expected XML in UTF-8".into()))
}

/// The beginning of a refusal's text, without the token, which some servers repeat.
fn excerpt(body: &[u8], secrets: &[String]) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "…");
    }
    shown(&text.trim().chars().take(MAX_TEXT).collect::<String>())
}

/// Checks the headers of a successful response. `text`: the body of a response that is no document.
fn check(headers: &HeaderMap, version: Version, text: &str) -> Result<(), Failure> {
    // A header that is there twice has no value.
    let value = |name: &str| {
        let mut all = headers.get_all(name).iter();
        let value = all.next().filter(|_| all.next().is_none())?;
        value.to_str().ok()
    };
    let wrong = |name: &str, expected: &str| {
        let found = value(name).map_or("absent or twice".to_owned(), |found| format!("found \"{}\"", shown(found)));
        Err(Failure::Negative(format!("{name}: {found}; expected {expected}")))
    };
    let media_type = value("content-type").unwrap_or_default().to_ascii_lowercase();
    let mut parts = media_type.split(';').map(str::trim);
    let is_xml = parts.next().is_some_and(|kind| matches!(kind, "application/xml" | "text/xml"));
    let is_utf8 = parts.all(|part| matches!(part, "charset=utf-8" | "charset=\"utf-8\""));
    if !is_xml || !is_utf8 {
        let text = if text.is_empty() { String::new() } else { format!(": {text}") };
        return wrong("Content-Type", &format!("application/xml{text}"));
    }
    match version.header() {
        Some(version) if value("x-speke-version") != Some(version) => wrong("X-Speke-Version", version),
        Some(_) if value("x-speke-user-agent").is_none() => wrong("X-Speke-User-Agent", "the name of the key provider"),
        None if value("x-speke-version").is_some() => wrong("X-Speke-Version", "none in SPEKE 1.0"),
        None if value("speke-user-agent").is_none() => {
            config::warn(&["Speke-User-Agent: absent; expected the name of the key provider".into()]);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A token as the value of a query parameter.
fn in_query(token: &str) -> String {
    let mut value = String::with_capacity(token.len());
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    percent::encode_into(&mut value, token.as_bytes(), keep);
    value
}
