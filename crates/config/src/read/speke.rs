//! Reader of `mediaEncryption.speke`: the key server for packagers.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::text::{text, wrong};
use crate::error::ConfigError;
use crate::secret::Reader;
use crate::speke::{self as written, PlayReadyHeader};
use playlock_core::bytes::cidr;
use playlock_core::policy::Policies;
use playlock_core::policy::speke::{ContentPattern, Requester, RequesterToken, Speke};
use playlock_core::policy::text::KeyPath;
use playlock_core::policy::viewer_url::ViewerUrl;
use playlock_core::token::derive::{PackagerKeys, Secret};
use playlock_drm::template::{MAX_LENGTH, MAX_PLACEHOLDERS, TemplateFault};
use playlock_drm::{Settings, Template};

/// Reads the member at the JSON path `path`. Keys are derived from `key_name`; `secrets` are the policy's, the current one first.
///
/// # Errors
/// The first invalid member.
pub fn read(
    path: &str,
    speke: &written::Speke,
    key_name: &str,
    secrets: &[Secret],
    reader: &mut Reader<'_>,
) -> Result<Speke, ConfigError> {
    let own =
        speke.secret.as_ref().map(|source| reader.lasting_secret(&format!("{path}.secret"), source)).transpose()?;
    let mut all = own.iter().chain(secrets).map(|secret| PackagerKeys::new(secret, key_name));
    let keys = all.next().ok_or_else(|| {
        ConfigError::new(
            format!("{path}.secret"),
            "missing, expected a secret, as the policy has none to derive keys from",
        )
    })?;
    let older = all.collect();
    let viewer = read_viewer_url(path, speke)?;
    let mut settings = read_settings(path, speke)?;
    if let Some(url) = &viewer {
        settings.key_url = template(path, "viewerUrl", &url.key_template(keys.secret_id()), Template::reference)?;
        settings.license_url =
            template(path, "viewerUrl", &url.license_template(keys.secret_id()), Template::reference)?;
    }
    Ok(Speke {
        path: text(&format!("{path}.path"), &speke.path)?,
        requesters: read_requesters(&format!("{path}.requesters"), &speke.requesters, reader)?,
        keys,
        older,
        settings,
        viewer,
    })
}

fn read_viewer_url(path: &str, speke: &written::Speke) -> Result<Option<ViewerUrl>, ConfigError> {
    let Some(url) = &speke.viewer_url else { return Ok(None) };
    for (member, beside) in [("keyUrl", &speke.key_url), ("licenseUrl", &speke.license_url)] {
        if beside.is_some() {
            let message = "found beside viewerUrl, which stands in for it; expected one of the two";
            return Err(ConfigError::new(format!("{path}.{member}"), message));
        }
    }
    text(&format!("{path}.viewerUrl"), url).map(Some)
}

fn read_requesters(
    path: &str,
    requesters: &[written::Requester],
    reader: &mut Reader<'_>,
) -> Result<Vec<Requester>, ConfigError> {
    if requesters.is_empty() {
        return Err(ConfigError::new(path, "empty, expected at least one requester"));
    }
    let mut read: Vec<Requester> = Vec::with_capacity(requesters.len());
    for (index, requester) in requesters.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let token = read_token(&format!("{path}.token"), requester, reader)?;
        let next = Requester {
            name: text(&format!("{path}.name"), &requester.name)?,
            token,
            contents: read_contents(&format!("{path}.contentIds"), &requester.content_ids)?,
            networks: read_each(
                &format!("{path}.networks"),
                &requester.networks,
                cidr::block,
                "an address or a network such as \"192.0.2.0/24\"",
            )?,
        };
        if let Some(other) = read.iter().find(|other| other.name == next.name) {
            let message = format!("\"{}\" names two requesters, expected different names", other.name);
            return Err(ConfigError::new(format!("{path}.name"), message));
        }
        if let Some(other) = read.iter().find(|other| other.token.is(&next.token)) {
            let message = format!("the same as that of \"{}\", expected another token", other.name);
            return Err(ConfigError::new(format!("{path}.token"), message));
        }
        read.push(next);
    }
    Ok(read)
}

/// Reads the token. The error does not show it.
fn read_token(
    path: &str,
    requester: &written::Requester,
    reader: &mut Reader<'_>,
) -> Result<RequesterToken, ConfigError> {
    let token = reader.token(path, &requester.token)?;
    RequesterToken::parse(&token).ok_or_else(|| {
        let (least, most) = (RequesterToken::SHORTEST, RequesterToken::LONGEST);
        let found = if token.bytes().all(|byte| byte.is_ascii_graphic()) { "" } else { ", some of which no header can carry" };
        let message = format!("found {} bytes{found}; expected {least} to {most} printable characters of ASCII without spaces (openssl rand -hex 32)", token.len());
        ConfigError::new(path, message)
    })
}

fn read_contents(path: &str, patterns: &[String]) -> Result<Vec<ContentPattern>, ConfigError> {
    if patterns.is_empty() {
        return Err(ConfigError::new(path, "empty, expected at least one content ID, or \"*\" for all"));
    }
    read_each(path, patterns, ContentPattern::parse, "a content ID, or its beginning and a *, without / and \\")
}

fn read_each<T>(
    path: &str,
    texts: &[String],
    parse: fn(&str) -> Option<T>,
    expected: &str,
) -> Result<Vec<T>, ConfigError> {
    let mut read = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        read.push(parse(text).ok_or_else(|| wrong(&format!("{path}[{index}]"), text, expected))?);
    }
    Ok(read)
}

type Parse = fn(&str) -> Result<Template, TemplateFault>;

fn template(path: &str, member: &str, text: &str, parse: Parse) -> Result<Option<Template>, ConfigError> {
    let read = parse(text);
    read.map(Some).map_err(|fault| ConfigError::new(format!("{path}.{member}"), describe(fault, member == "fairplay")))
}

fn read_settings(path: &str, speke: &written::Speke) -> Result<Settings, ConfigError> {
    let template = |member: &str, text: &Option<String>, parse: Parse| match text {
        None => Ok(None),
        Some(text) => template(path, member, text, parse),
    };
    let provider = speke.widevine_provider.as_deref();
    if let Some(name) = provider.filter(|name| !(1..=128).contains(&name.len()) || name.chars().any(char::is_control)) {
        let expected = "1 to 128 bytes without control characters";
        return Err(wrong(&format!("{path}.widevineProvider"), name, expected));
    }
    Ok(Settings {
        fairplay: template("fairplay", &speke.fairplay, Template::fairplay)?,
        key_url: template("keyUrl", &speke.key_url, Template::url)?,
        license_url: template("licenseUrl", &speke.license_url, Template::url)?,
        widevine_provider: provider.map(Into::into),
        playready_url: template("playreadyUrl", &speke.playready_url, Template::url)?,
        playready_list: speke.playready_header == PlayReadyHeader::V4_2,
    })
}

fn describe(fault: TemplateFault, fairplay: bool) -> String {
    match fault {
        TemplateFault::Scheme if fairplay => "expected a URI that begins with skd://".into(),
        TemplateFault::Scheme => "expected a URL that begins with https:// or http://".into(),
        TemplateFault::Length => format!("too long, expected at most {MAX_LENGTH} bytes"),
        TemplateFault::Placeholders => format!("too many placeholders, expected at most {MAX_PLACEHOLDERS}"),
        TemplateFault::Character { at } => {
            format!("found a character that no URI has, or a brace alone, at byte {at}; expected it percent-encoded")
        }
        TemplateFault::Unknown { at } => format!(
            "found an unknown placeholder at byte {at}; expected {{contentId}}, {{kid}}, {{iv}} or {{json:base64}}, perhaps with :base64, :base64url or :hex"
        ),
    }
}

/// Policies with a key server for packagers. Their paths are compared with each other, and with that of each request.
const MOST: usize = 1000;

/// Checks what key servers need of the whole document.
///
/// # Errors
/// A path that is another key server's, or headers that are not held.
pub fn check(policies: &Policies) -> Result<(), ConfigError> {
    if let Some((_, index)) = policies.speke_paths().nth(MOST) {
        let member = format!("policies[{}].mediaEncryption.speke", index.get());
        return Err(ConfigError::new(
            member,
            format!("is one of more than {MOST}; expected at most {MOST} with speke"),
        ));
    }
    for (path, index) in policies.speke_paths() {
        let error = |message: String| {
            let member = format!("policies[{}].mediaEncryption.speke.path", index.get());
            Err(ConfigError::new(member, format!("found \"{path}\", {message}")))
        };
        if !policies.hold_headers {
            return error(
                "but requests with a body are collected with held headers alone; expected holdHeaders true".into(),
            );
        }
        let others = policies.speke_paths().filter(|(_, other)| *other != index);
        if let Some((other, _)) = others.into_iter().find(|(other, _)| is_below(path, other)) {
            return error(format!("which \"{other}\" of another policy's speke covers; expected paths apart"));
        }
        if let Some((name, covered)) = endpoints(policies).find(|(_, covered)| is_below(covered, path)) {
            return error(format!("which covers the {name} \"{covered}\"; expected paths apart"));
        }
    }
    check_viewer_urls(policies)
}

fn is_below(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The key endpoints and license servers of all policies: member and path.
fn endpoints(policies: &Policies) -> impl Iterator<Item = (&'static str, &KeyPath)> {
    let key_paths = policies.iter().filter_map(|(_, policy)| policy.encryption.as_ref()?.key_path());
    let license_paths = policies.iter().filter_map(|(_, policy)| Some(&policy.samples()?.license_path));
    key_paths.map(|it| ("keyPath", it)).chain(license_paths.map(|it| ("licensePath", it)))
}

/// A request below a viewers' URL is for packaged content: endpoints there would never get it. Neither would the URL get
/// those below a packagers' path.
fn check_viewer_urls(policies: &Policies) -> Result<(), ConfigError> {
    for (index, url) in policies.viewer_urls() {
        let error = |message: String| {
            Err(ConfigError::new(format!("policies[{}].mediaEncryption.speke.viewerUrl", index.get()), message))
        };
        if let Some((name, path)) = endpoints(policies).find(|(_, path)| url.read(path).is_some()) {
            return error(format!("covers the {name} \"{path}\"; expected paths apart"));
        }
        if let Some((path, _)) = policies.speke_paths().find(|(path, _)| is_below(url.directory(), path)) {
            return error(format!("below the path \"{path}\" of packagers; expected paths apart"));
        }
    }
    Ok(())
}
