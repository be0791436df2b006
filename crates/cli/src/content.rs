//! Which key and IV a resource is under: from its URL and session token, or from what they are derived from.

use clap::{Args, ValueEnum};
use playlock_core::http::headers;
use playlock_core::http::query;
use playlock_core::http::reply::{self, Header, Reason};
use playlock_core::http::target::Target;
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

/// What says which key it is.
#[derive(Args)]
pub struct Which {
    /// A segment's, playlist's or key's URL with its session token, as the player had it.
    #[arg(value_name = "URL")]
    pub url: Option<Address>,
    /// The session token, if it is not in the URL.
    #[arg(long, value_name = "TOKEN")]
    pub session_token: Option<String>,
    /// The policy, where no URL tells.
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// The session, as the access log has it.
    #[arg(long, value_name = "ID")]
    pub session_id: Option<String>,
    /// Who shares the key, where no URL tells.
    #[arg(long, value_enum)]
    pub scope: Option<Scope>,
    /// The stream's directory, such as /vod/a/, where its viewers share the key.
    #[arg(long, value_name = "DIRECTORY")]
    pub stream: Option<String>,
    /// The key period, where no URL tells (0).
    #[arg(long, value_name = "NUMBER")]
    pub period: Option<u64>,
    /// The media sequence number, where it is the IV.
    #[arg(long, value_name = "NUMBER")]
    pub sequence: Option<u64>,
    /// Of the transition secret, not of the secret.
    #[arg(long)]
    pub transition: bool,
    /// A request header that the session is bound to; may be given several times.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// The viewer's address, if the session is bound to it.
    #[arg(long, visible_alias = "client-ip", value_name = "ADDRESS")]
    pub ip: Option<String>,
    /// The time, if it is not now; a session that has ended is looked at as it was at its end.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub now: Option<Moment>,
}

/// `keyScope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// One session's own key.
    Session,
    /// That of all viewers of a stream.
    Stream,
    /// That of all of the policy.
    Application,
    /// The one that the configuration names.
    Configured,
}

/// A content key, and what it was derived from.
pub struct Content {
    /// The policy's name.
    pub policy: String,
    /// Whose it is.
    pub scope: KeyScope,
    /// The key period.
    pub period: u64,
    /// 16 bytes.
    pub key: [u8; 16],
    /// 16 bytes.
    pub iv: [u8; 16],
    /// What should be known beside it.
    pub notes: Vec<String>,
}

/// Finds it.
///
/// # Errors
/// The filter's refusal of the URL; what is missing or wrong.
pub fn find(which: &Which, policies: &Policies) -> Result<Content, Failure> {
    match &which.url {
        Some(url) => by_url(which, url, policies),
        None => by_names(which, policies),
    }
}

fn by_names(which: &Which, policies: &Policies) -> Result<Content, Failure> {
    let mut all = policies.iter().map(|(_, policy)| policy);
    let policy = match &which.policy {
        Some(name) => all.find(|policy| policy.name == *name),
        None if policies.len() == 1 => all.next(),
        None => return Err(Failure::Wrong("a URL, or --policy is needed: the configuration has several".into())),
    };
    let policy = policy.ok_or_else(|| Failure::Wrong("--policy: the configuration has none of that name".into()))?;
    let spoken = which.session_token.as_deref().and_then(|token| fields::read(token, 0));
    let id = which.session_id.as_deref().or_else(|| fields::id_of_session(spoken.as_ref()?));
    let scope = match which.scope.unwrap_or(Scope::Session) {
        Scope::Session => {
            let id = id.ok_or_else(|| Failure::Wrong("a URL, --session-id or --session-token is needed".into()))?;
            KeyScope::Session(session_id(id)?)
        }
        Scope::Stream => {
            let stream = which.stream.clone().ok_or_else(|| Failure::Wrong("--stream is needed".into()))?;
            if !stream.starts_with('/') || !stream.ends_with('/') {
                return Err(Failure::Wrong("--stream: expected a directory such as /vod/a/".into()));
            }
            KeyScope::Stream(stream)
        }
        Scope::Application => KeyScope::Application,
        Scope::Configured => KeyScope::Configured,
    };
    derived(
        policy,
        KeyringIndex::new(usize::from(which.transition)),
        scope,
        which.period.unwrap_or_default(),
        which.sequence,
    )
}

fn session_id(text: &str) -> Result<[u8; 16], Failure> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| Failure::Wrong("--session-id: expected the 22 characters that the access log says".into()))
}

fn derived(
    policy: &Policy,
    keyring: KeyringIndex,
    scope: KeyScope,
    period: u64,
    number: Option<u64>,
) -> Result<Content, Failure> {
    let keys = policy
        .keyring(keyring)
        .ok_or_else(|| Failure::Wrong(format!("the policy {} has no such secret", policy.name)))?;
    let configured = policy.encryption.as_ref().and_then(|encryption| encryption.configured_key());
    let key = match (&scope, configured) {
        (KeyScope::Configured, Some(key)) => key.bytes(),
        (KeyScope::Configured, None) => {
            return Err(Failure::Wrong(format!("the policy {} has no configured key", policy.name)));
        }
        _ => keys.key(&scope, period),
    };
    let iv = number.map_or_else(|| keys.iv(&scope, period), |number| u128::from(number).to_be_bytes());
    Ok(Content { policy: policy.name.clone(), scope, period, key, iv, notes: Vec::new() })
}

fn by_url(which: &Which, url: &Address, policies: &Policies) -> Result<Content, Failure> {
    let mut notes = Vec::new();
    let clock = Moment::or_now(which.now);
    let query = url.query.as_deref();
    let sent = || playlock_core::http::target::parameters(query).filter_map(|(_, value)| value);
    let token = which.session_token.as_deref().or_else(|| sent().find(|value| fields::looks_like_token(value)));
    // What was captured is often looked at when its session is over.
    let ended = token.and_then(|token| fields::read(token, clock)).map(|spoken| spoken.times.1);
    let now = match ended {
        Some(end) if which.now.is_none() && end < clock => {
            notes.push(format!("the session ended {}, {}", time::local(end), time::distance(end, clock)));
            end
        }
        _ => clock,
    };
    let viewer = Viewer {
        ip: which.ip.clone(),
        headers: which.headers.clone(),
        cookies: Vec::new(),
        method: "GET".into(),
        host: None,
        route_policy: which.policy.clone(),
        now: Some(Moment::At(now)),
    };
    let mut asked = viewer.asks(url)?;
    if let Some(token) = &which.session_token {
        carry(&mut asked.headers, policies, url, token, now);
    }
    let content = asked.with(|request| of_request(which, policies, request))?;
    Ok(Content { notes, ..content })
}

/// Puts a session token where its policy, or every policy at a key endpoint, wants it.
fn carry(headers: &mut Vec<Header>, policies: &Policies, url: &Address, token: &str, now: u64) {
    let policy = match policies.policy_for_raw(&url.authority, &url.path, now) {
        Some(Match::Policy(_, policy)) => policy,
        _ => match policies.iter().next() {
            Some((_, policy)) => policy,
            None => return,
        },
    };
    let name = &policy.session.name;
    if policy.session.transport.in_query() {
        let target = url.target(Some(&format!("{name}={token}")));
        headers.retain(|(known, _)| known != ":path");
        headers.push(reply::header(":path", &target));
    } else {
        headers.push(reply::header("cookie", &format!("{}={token}", jar::cookie_name_for(name, token))));
    }
}

fn of_request(which: &Which, policies: &Policies, request: &Request<'_>) -> Result<Content, Failure> {
    let raw = headers::text(request.headers, ":path").unwrap_or_default();
    let target = Target::parse(raw.as_bytes()).map_err(|_| Failure::Refused(Reason::Target))?;
    let admitted = admit_unobserved(policies, request, &mut || [0; 16]).map_err(|refused| match refused.denied.reason {
        Reason::Signature => Failure::Negative(format!(
            "{}: {}: its session was opened under another secret than this configuration has now, or it was altered",
            Reason::Signature.word(),
            Reason::Signature.title()
        )),
        reason => Failure::Refused(reason),
    })?;
    match admitted {
        Admitted::Key(AdmittedKey { policy, session, scope, period, .. }) => {
            let policy = policies.get(policy).ok_or_else(|| Failure::Wrong("no policy".into()))?;
            derived(policy, session.keyring, scope, period, which.sequence)
        }
        Admitted::Pending(pending, _) if pending.session.as_ref().is_some_and(PendingSession::is_opened) => {
            Err(Failure::Wrong("this URL opens a new session each time: a URL with a session token is needed".into()))
        }
        Admitted::Pending(pending, _) => {
            let policy = policies.get(pending.policy).ok_or_else(|| Failure::Wrong("no policy".into()))?;
            let (keyring, resource, scope) = match pending.asked {
                Asked::Media(PendingMedia { claim: Claim { keyring, resource, scope }, .. }) => {
                    (keyring, resource, scope)
                }
                Asked::Playlist => {
                    let keyring = pending.session.map(|pending| pending.session.keyring).unwrap_or_default();
                    (keyring, Resource::MEDIA, pending.playlist.keys)
                }
                Asked::Clear(_) | Asked::Document(_) => (KeyringIndex::default(), Resource::MEDIA, None),
            };
            let scope = scope.ok_or_else(|| Failure::Wrong("this URL is of something that is not encrypted".into()))?;
            let period = which.period.or(resource.period).unwrap_or_default();
            let number = match resource.iv {
                Iv::Number(number) => which.sequence.or(Some(number)),
                Iv::Period | Iv::Segment => which.sequence,
            };
            let mut content = derived(policy, keyring, scope, period, number)?;
            if let (Iv::Segment, None) = (resource.iv, number)
                && let Some(keyring) = policy.keyring(keyring)
                && let Some(query) = query::of_origin(target.query, policy.reserved_parameters())
            {
                content.iv = resource.segment_iv(keyring, &target.path, &query);
            }
            Ok(content)
        }
        Admitted::Pass | Admitted::Preflight { .. } => {
            Err(Failure::Wrong("this URL is under no policy that encrypts".into()))
        }
    }
}
