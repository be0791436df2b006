//! Tokens and signed parameters: their fields, explained, and their verification under a configuration.

use playlock_core::bytes::percent;
use playlock_core::http::incoming::{Incoming, RequestHead};
use playlock_core::http::query;
use playlock_core::http::reply::{self, Header, Reason};
use playlock_core::policy::{Match, Opening, Policies, Policy};
use playlock_core::session::Session;
use playlock_core::step::{Known, Request};
use playlock_core::token::format::Format;
use playlock_core::token::signed::{self, Subject};

use crate::address::Address;
use crate::fields::{self, Covers, Role, TokenFields};

/// The explanation of one input, with its verdict.
#[derive(Debug)]
pub struct Finding {
    /// The kind of the input.
    pub what: String,
    /// Names and explained values.
    pub rows: Vec<(String, String)>,
    /// Whether it is valid; `None` if that cannot be determined.
    pub verdict: Option<Result<String, (Option<Reason>, String)>>,
}

/// The options that inputs are verified with.
pub struct Context<'a> {
    /// The configuration, if given.
    pub policies: Option<&'a Policies>,
    /// The URL that contains the input, or was requested with it.
    pub url: Option<&'a Address>,
    /// The address of the viewer.
    pub ip: Option<&'a str>,
    /// The request's headers, by name in lower case.
    pub headers: &'a [Header],
    /// Seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

impl Context<'_> {
    /// The policies that may apply: that of the URL, or all.
    fn candidates(&self) -> Vec<&Policy> {
        let Some(policies) = self.policies else { return Vec::new() };
        if let Some(url) = self.url
            && let Some(Match::Policy(_, policy)) = policies.policy_for_raw(&url.authority, &url.path, self.now)
            && !policies.is_key_path(&url.path)
        {
            return vec![policy];
        }
        policies.iter().map(|(_, policy)| policy).collect()
    }
}

/// Explains and verifies a token.
pub fn token(sent: &str, context: &Context<'_>) -> Finding {
    let Some(token) = fields::read(sent, context.now) else {
        return Finding {
            what: "token".into(),
            rows: Vec::new(),
            verdict: Some(Err((Some(Reason::Malformed), Reason::Malformed.title().into()))),
        };
    };
    let rows = token.rows.iter().map(|(name, value, meaning)| (format!("{name}={value}"), meaning.clone())).collect();
    let verdict = match context.policies {
        Some(_) => verdict_by_policies(&token, context),
        None => verdict_by_times(&token, context.now),
    };
    Finding { what: token.what(), rows, verdict }
}

/// Without a configuration, only the validity period can be checked.
fn verdict_by_times(token: &TokenFields, now: u64) -> Option<Result<String, (Option<Reason>, String)>> {
    let reason = match token.times {
        (Some(start), _) if start > now => Reason::Early,
        (_, Some(end)) if end < now => Reason::Expired,
        _ => return None,
    };
    Some(Err((Some(reason), reason.title().into())))
}

fn verdict_by_policies(token: &TokenFields, context: &Context<'_>) -> Option<Result<String, (Option<Reason>, String)>> {
    let missing = match token.covers {
        Some(Covers::Url) if context.url.is_none() => {
            Some("signed for one URL; expected that URL with --url, to verify the signature")
        }
        Some(Covers::Headers) if context.headers.is_empty() => {
            Some("signed for the values of request headers; expected them with --header, to verify the signature")
        }
        _ => None,
    };
    if let Some(missing) = missing {
        return Some(Err((None, missing.into())));
    }
    let mut failure = None;
    for policy in context.candidates() {
        match verify(policy, token, context) {
            Ok(()) => {
                let path = if context.url.is_none() { "; paths are not checked without --url" } else { "" };
                return Some(Ok(format!("valid under the policy \"{}\"{path}", policy.name)));
            }
            // A valid signature identifies the policy, so its other faults take precedence.
            Err(reason) if matches!(reason, Reason::Signature | Reason::Algorithm | Reason::Malformed) => {
                failure.get_or_insert((reason, None));
            }
            Err(reason) => failure = Some((reason, Some(&policy.name))),
        }
    }
    let (reason, policy) = failure?;
    let under = policy.map(|name| format!(" (signed under the policy \"{name}\")")).unwrap_or_default();
    Some(Err((Some(reason), format!("{}{under}", reason.title()))))
}

/// Verifies the token under one policy; an unknown address, path or header value is not held against it.
fn verify(policy: &Policy, token: &TokenFields, context: &Context<'_>) -> Result<(), Reason> {
    // Without --ip, the address that the token is bound to.
    let assumed = token.ip.as_deref().map(|ip| ip.split('/').next().unwrap_or(ip).to_owned());
    let client = context.ip.map(str::to_owned).or(assumed).map(String::into_bytes);
    let mut headers = vec![reply::header(":path", &context.url.map_or("/".to_owned(), |url| url.target(None)))];
    if let Some(url) = context.url {
        headers.extend([reply::header(":scheme", &url.scheme), reply::header(":authority", &url.authority)]);
    }
    headers.extend(context.headers.iter().cloned());
    let attributes = Known { client_address: client, ..Known::default() };
    let request = Request { headers: &headers, attributes: &attributes, now: context.now, end_of_stream: true };
    let head = RequestHead::read(&request);
    let incoming = Incoming::parse(&head).map_err(|_| Reason::Target)?;
    let verified = match token.role {
        Role::Session => Session::verify(policy, &token.text, &head).and_then(|session| match context.url {
            Some(url) if !context.policies.is_some_and(|policies| policies.is_key_path(&url.path)) => {
                session.covers(&incoming.target.path)
            }
            _ => Ok(()),
        }),
        Role::Access => {
            let Opening::AccessToken(access) = policy.opening() else { return Err(Reason::Signature) };
            let of_format = |format: &Format| access.formats.iter().find(|known| known.verifier.format() == *format);
            let mut result = Err(Reason::Signature);
            for known in token.formats.iter().filter_map(of_format) {
                let reserved = policy.reserved_parameters();
                let verified = known.verifier.verify(&token.text, &incoming, reserved).map(|_| ());
                // The format whose signature is valid counts.
                let unsigned = [Reason::Signature, Reason::Algorithm, Reason::Malformed];
                if !matches!(verified, Err(reason) if unsigned.contains(&reason) && result != Err(Reason::Signature)) {
                    result = verified;
                }
                if result.is_ok() {
                    break;
                }
            }
            result
        }
    };
    match verified {
        Err(Reason::Path) if context.url.is_none() => Ok(()),
        Err(Reason::Ip) if context.ip.is_none() => Ok(()),
        Err(Reason::Header | Reason::Fingerprint) => Ok(()),
        other => other,
    }
}

/// The URL that contains a signed parameter.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The normalised path.
    pub path: &'a str,
    /// The whole query.
    pub query: Option<&'a str>,
}

/// Explains and verifies the value of the signed parameter; `site` is its URL, if known.
pub fn parameter(sent: &str, site: Option<Site<'_>>, context: &Context<'_>) -> Finding {
    let value = percent::decode_str(sent).unwrap_or_else(|| sent.to_owned());
    let mut parts = value.split('~');
    let purpose = parts.next().unwrap_or_default().to_owned();
    let mut fields: Vec<&str> = parts.collect();
    fields.pop();
    let mut rows = vec![(purpose.clone(), describe_purpose(&purpose).to_owned())];
    if purpose == "key" {
        let policy = signed::claimed_policy(sent).unwrap_or_default();
        rows.push(("policy".into(), policy));
        let mut rest = fields.iter().skip(1);
        rows.extend(rest.next().map(|session| ("session".to_owned(), (*session).to_owned())));
        rows.extend(rest.next().map(|period| ("period".to_owned(), (*period).to_owned())));
        rows.extend(rest.filter_map(|field| describe_scope(field)));
    } else if purpose != "variables" {
        rows.extend(fields.iter().filter_map(|field| describe_field(field)));
    }
    let verdict = match (context.policies, site) {
        (Some(_), Some(site)) => verdict_of_parameter(sent, &purpose, site, context),
        _ => None,
    };
    Finding { what: "signed parameter".into(), rows, verdict }
}

/// Verifies a signed parameter; `None` if it is bound to a session that is not in the URL.
fn verdict_of_parameter(
    sent: &str,
    purpose: &str,
    site: Site<'_>,
    context: &Context<'_>,
) -> Option<Result<String, (Option<Reason>, String)>> {
    let session = session_of_query(site.query, context.now);
    let candidates = context.candidates();
    let bound = matches!(purpose, "clear" | "document");
    if bound && session.is_none() && candidates.iter().any(|policy| policy.session.on_content) {
        return None;
    }
    let fits = |policy: &&Policy| {
        let Some(query) = query::of_origin(site.query, policy.reserved_parameters()) else { return false };
        let session = session.as_ref().filter(|_| policy.session.on_content);
        let place = Subject { path: site.path, query: &query, session };
        policy.keyrings.iter().any(|keyring| match purpose {
            "key" => signed::open_key(keyring, site.path, sent).is_some(),
            "variables" => signed::open_variables(keyring, site.path, sent).is_some(),
            _ => signed::open_resource(keyring, place, sent).is_some(),
        })
    };
    Some(match candidates.into_iter().find(fits) {
        Some(policy) => Ok(format!("signed for this resource under the policy \"{}\"", policy.name)),
        None => Err((Some(Reason::Parameter), Reason::Parameter.title().into())),
    })
}

/// The id of the session whose token is in the query.
fn session_of_query(query: Option<&str>, now: u64) -> Option<[u8; 16]> {
    use base64::Engine;
    let mut values = playlock_core::http::target::parameters(query).filter_map(|(_, value)| value);
    let token = fields::read(values.find(|value| fields::looks_like_token(value))?, now)?;
    let id = fields::session_id(&token)?;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()
}

/// Whether the value of a parameter looks like the filter's signed parameter.
pub fn looks_like_parameter(value: &str) -> bool {
    ["media", "clear", "document", "variables", "key"].contains(&value.split('~').next().unwrap_or_default())
        && value.contains('~')
}

fn describe_purpose(purpose: &str) -> &'static str {
    match purpose {
        "media" => "encrypted media",
        "clear" => "served in clear, such as an init section",
        "document" => "JSON document, served in clear, with tokens in its URIs",
        "variables" => "variables for EXT-X-DEFINE to import",
        "key" => "key request",
        _ => "unknown purpose",
    }
}

fn describe_field(field: &str) -> Option<(String, String)> {
    let (name, value) = field.split_at_checked(1)?;
    match name {
        "r" => {
            let (length, offset) = value.split_once('@')?;
            Some(("range".into(), format!("{length} bytes from byte {offset} of the origin's file")))
        }
        "p" => Some(("period".into(), value.into())),
        "n" => Some(("number".into(), format!("media sequence number {value}, which is the IV"))),
        "i" => Some(("IV".into(), "derived from the URL of the segment".into())),
        _ => describe_scope(field),
    }
}

fn describe_scope(field: &str) -> Option<(String, String)> {
    use base64::Engine;
    let (name, value) = field.split_at_checked(1)?;
    let whose = match name {
        "s" => {
            let directory = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(value).ok()?;
            format!("shared by all viewers of {}", String::from_utf8(directory).ok()?)
        }
        "a" => "shared by all viewers of the policy".into(),
        "c" => "configured".into(),
        _ => return None,
    };
    Some(("key".into(), whose))
}
