//! The content key and IV of a resource: from its URL and session token, or from the policy, session and period.

use clap::{Args, ValueEnum};
use playlock_core::http::reply::{self, Header, Reason};
use playlock_core::policy::{KeyringIndex, Match, Policies, Policy};
use playlock_core::request::pending::{Asked, Claim, PendingMedia, PendingSession};
use playlock_core::request::{Admitted, AdmittedKey, admit_unobserved};
use playlock_core::session::jar;
use playlock_core::step::Request;
use playlock_core::token::derive::KeyScope;
use playlock_core::token::signed::{Iv, Resource};

use crate::address::Address;
use crate::failure::Failure;
use crate::fields;
use crate::time::{self, Moment};
use crate::viewer::Viewer;

/// The options that determine a content key.
#[derive(Args)]
pub struct KeySource {
    /// URL of a segment, playlist or key with its session token, as the player requested it.
    #[arg(value_name = "URL")]
    pub url: Option<Address>,
    /// Session token, if the URL has none.
    #[arg(long, value_name = "TOKEN")]
    pub session_token: Option<String>,
    /// Policy, if there is no URL.
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// Session id, as in the access log.
    #[arg(long, value_name = "ID")]
    pub session_id: Option<String>,
    /// Viewers who share the key, if there is no URL.
    #[arg(long, value_enum)]
    pub scope: Option<Scope>,
    /// Directory of the stream, such as /vod/a/, for --scope stream.
    #[arg(long, value_name = "DIRECTORY")]
    pub stream: Option<String>,
    /// Key rotation period, if there is no URL (default 0).
    #[arg(long, value_name = "NUMBER")]
    pub period: Option<u64>,
    /// Media sequence number, if it is the IV.
    #[arg(long, value_name = "NUMBER")]
    pub sequence: Option<u64>,
    /// Use the transition secret.
    #[arg(long)]
    pub transition: bool,
    /// Request header that the session is bound to; may be repeated.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// JA4 fingerprint of the viewer's TLS client, if the session is bound to it.
    #[arg(long, value_name = "FINGERPRINT")]
    pub ja4: Option<String>,
    /// Address of the viewer, if the session is bound to it.
    #[arg(long, visible_alias = "client-ip", value_name = "ADDRESS")]
    pub ip: Option<String>,
    /// Time to use instead of now. For an expired session, the default is the end of the session.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub now: Option<Moment>,
}

/// `keyScope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// Each session has its own key.
    Session,
    /// All viewers of a stream.
    Stream,
    /// All viewers of the policy.
    Application,
    /// The key in the configuration.
    Configured,
}

/// A content key, with the values that it was derived from.
pub struct ContentKey {
    /// The policy's name.
    pub policy: String,
    /// The viewers who share the key.
    pub scope: KeyScope,
    /// The key rotation period.
    pub period: u64,
    /// The content key.
    pub key: [u8; 16],
    /// The IV.
    pub iv: [u8; 16],
    /// Remarks for the user.
    pub notes: Vec<String>,
}

/// Finds the content key.
///
/// # Errors
/// The filter refuses the URL; an option is missing or does not fit the configuration.
pub fn find(source: &KeySource, policies: &Policies) -> Result<ContentKey, Failure> {
    match &source.url {
        Some(url) => by_url(source, url, policies),
        None => by_options(source, policies),
    }
}

fn by_options(source: &KeySource, policies: &Policies) -> Result<ContentKey, Failure> {
    let mut all = policies.iter().map(|(_, policy)| policy);
    let policy =
        match &source.policy {
            Some(name) => all.find(|policy| policy.name == *name),
            None if policies.len() == 1 => all.next(),
            None => return Err(Failure::Wrong(
                "--policy: not given, and the configuration has several policies; expected the name of one, or a URL"
                    .into(),
            )),
        };
    let policy = policy.ok_or_else(|| {
        Failure::Wrong("--policy: no policy has this name; expected a policyName of the configuration".into())
    })?;
    let token = source.session_token.as_deref().and_then(|token| fields::read(token, 0));
    let id = source.session_id.as_deref().or_else(|| fields::session_id(token.as_ref()?));
    let scope = match source.scope.unwrap_or(Scope::Session) {
        Scope::Session => {
            let id = id.ok_or_else(|| {
                Failure::Wrong("--session-id: not given; expected a session id, --session-token or a URL".into())
            })?;
            KeyScope::Session(session_id(id)?)
        }
        Scope::Stream => {
            let stream = source.stream.clone().ok_or_else(|| {
                Failure::Wrong("--stream: not given; expected the directory of the stream, such as /vod/a/".into())
            })?;
            if !stream.starts_with('/') || !stream.ends_with('/') {
                return Err(Failure::Wrong(format!(
                    "--stream: \"{stream}\" does not begin and end with /; expected a directory, such as /vod/a/"
                )));
            }
            KeyScope::Stream(stream)
        }
        Scope::Application => KeyScope::Application,
        Scope::Configured => KeyScope::Configured,
    };
    derived(
        policy,
        KeyringIndex::new(usize::from(source.transition)),
        scope,
        source.period.unwrap_or_default(),
        source.sequence,
    )
}

fn session_id(text: &str) -> Result<[u8; 16], Failure> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        Failure::Wrong("--session-id: not a session id; expected the 22 characters in the access log".into())
    })
}

fn derived(
    policy: &Policy,
    keyring: KeyringIndex,
    scope: KeyScope,
    period: u64,
    number: Option<u64>,
) -> Result<ContentKey, Failure> {
    let keys = policy
        .keyring(keyring)
        .ok_or_else(|| Failure::Wrong(format!("the policy \"{}\" does not have the secret of this key; expected mediaEncryption.secret (with --transition: transitionSecret)", policy.name)))?;
    let configured = policy.encryption.as_ref().and_then(|encryption| encryption.configured_key());
    let key = match (&scope, configured) {
        (KeyScope::Configured, Some(key)) => key.bytes(),
        (KeyScope::Configured, None) => {
            return Err(Failure::Wrong(format!(
                "the policy \"{}\" has no configured key; expected mediaEncryption.key, or another --scope",
                policy.name
            )));
        }
        _ => keys.key(&scope, period),
    };
    let iv = number.map_or_else(|| keys.iv(&scope, period), |number| u128::from(number).to_be_bytes());
    Ok(ContentKey { policy: policy.name.clone(), scope, period, key, iv, notes: Vec::new() })
}

fn by_url(source: &KeySource, url: &Address, policies: &Policies) -> Result<ContentKey, Failure> {
    let mut notes = Vec::new();
    let clock = Moment::or_now(source.now);
    let query = url.query.as_deref();
    let sent = || playlock_core::http::target::parameters(query).filter_map(|(_, value)| value);
    let token = source.session_token.as_deref().or_else(|| sent().find(|value| fields::looks_like_token(value)));
    // Captured segments are often decrypted after the session has expired.
    let ended = token.and_then(|token| fields::read(token, clock)).and_then(|token| token.times.1);
    let now = match ended {
        Some(end) if source.now.is_none() && end < clock => {
            notes.push(format!("the session ended {}, {}", time::local(end), time::distance(end, clock)));
            end
        }
        _ => clock,
    };
    let viewer = Viewer {
        ip: source.ip.clone(),
        headers: source.headers.clone(),
        cookies: Vec::new(),
        method: "GET".into(),
        host: None,
        route_policy: source.policy.clone(),
        ja4: source.ja4.clone(),
        protocol: "HTTP/1.1".to_owned(),
        now: Some(Moment::At(now)),
    };
    let mut asked = viewer.asks(url)?;
    if let Some(token) = &source.session_token {
        add_session_token(&mut asked.headers, policies, url, token, now);
    }
    let content = asked.with(|request| by_request(source, policies, request))?;
    Ok(ContentKey { notes, ..content })
}

/// Adds a session token to the path, the query or the cookies, as its policy expects it; at a key endpoint, as the first policy does.
fn add_session_token(headers: &mut Vec<Header>, policies: &Policies, url: &Address, token: &str, now: u64) {
    let policy = match policies.policy_for_raw(&url.authority, &url.path, now) {
        Some(Match::Policy(_, policy)) => policy,
        _ => match policies.iter().next() {
            Some((_, policy)) => policy,
            None => return,
        },
    };
    let name = &policy.session.name;
    let target = match &policy.session.path_marker {
        Some(marker) => url.with_path_token(marker, token).target(None),
        None if policy.session.transport.in_query() => url.target(Some(&format!("{name}={token}"))),
        None => {
            headers.push(reply::header("cookie", &format!("{}={token}", jar::cookie_name_for(name, token))));
            return;
        }
    };
    headers.retain(|(known, _)| known != ":path");
    headers.push(reply::header(":path", &target));
}

/// The failure for a URL that opens a session.
const OPENS: &str = "the URL opens a new session with every request; expected one with a session token";

fn by_request(source: &KeySource, policies: &Policies, request: &Request<'_>) -> Result<ContentKey, Failure> {
    let admitted = admit_unobserved(policies, request, &mut || [0; 16]).map_err(|refused| match refused.denied.reason {
        Reason::Signature => Failure::Negative(format!(
            "{}: {}: the token was altered, or the session was opened with a secret that this configuration no longer has",
            Reason::Signature.word(),
            Reason::Signature.title()
        )),
        reason => Failure::Refused(reason),
    })?;
    match admitted {
        Admitted::Key(AdmittedKey { policy, session, scope, period, .. }) => {
            let policy = policies.get(policy).ok_or_else(|| Failure::Wrong("no policy".into()))?;
            derived(policy, session.keyring, scope, period, source.sequence)
        }
        Admitted::Redirected { .. } => Err(Failure::Wrong(OPENS.into())),
        Admitted::Pending(pending, _) if pending.session.as_ref().is_some_and(PendingSession::is_opened) => {
            Err(Failure::Wrong(OPENS.into()))
        }
        Admitted::Pending(pending, _) => {
            let policy = policies.get(pending.policy).ok_or_else(|| Failure::Wrong("no policy".into()))?;
            let (keyring, resource, scope, segment_iv) = match pending.asked {
                Asked::Media(PendingMedia { claim: Claim { keyring, resource, scope }, segment_iv, .. }) => {
                    (keyring, resource, scope, segment_iv)
                }
                Asked::Playlist(_) => {
                    let keyring = pending.session.map(|pending| pending.session.keyring).unwrap_or_default();
                    (keyring, Resource::MEDIA, pending.playlist.keys, None)
                }
                Asked::Clear(_) | Asked::Document(_) => (KeyringIndex::default(), Resource::MEDIA, None, None),
            };
            let scope = scope.ok_or_else(|| {
                Failure::Wrong(
                    "the URL is of a resource that is not encrypted; expected one of a segment, playlist or key".into(),
                )
            })?;
            let period = source.period.or(resource.period).unwrap_or_default();
            let number = match resource.iv {
                Iv::Number(number) => source.sequence.or(Some(number)),
                Iv::Period | Iv::Segment => source.sequence,
            };
            let mut content = derived(policy, keyring, scope, period, number)?;
            if number.is_none() {
                content.iv = segment_iv.unwrap_or(content.iv);
            }
            Ok(content)
        }
        Admitted::Pass | Admitted::Preflight { .. } | Admitted::Chained(..) => Err(Failure::Wrong(
            "the URL is under no policy that encrypts; expected one that an assignment with mediaEncryption covers"
                .into(),
        )),
    }
}
