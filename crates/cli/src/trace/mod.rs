//! What the filter checks of a request, one by one and in its order, with what each check saw.
//!
//! Every answer comes from the core's own functions; only the order is written down again, and whoever asks compares the
//! end of it with what the core's exchange says.

mod key;
mod token;

use playlock_core::derive::KeyScope;
use playlock_core::enter::{one, single};
use playlock_core::gate::{self, Admitted, Said};
use playlock_core::headers;
use playlock_core::policy::encryption::OnEncryptedOrigin;
use playlock_core::policy::players::Players;
use playlock_core::policy::{Coverage, Policies, Policy, SIGNED_PARAMETER};
use playlock_core::reply::Reason;
use playlock_core::route;
use playlock_core::session::Session;
use playlock_core::signed::{Form, Iv, Resource};
use playlock_core::step::Request;
use playlock_core::target::Target;

use self::key::follow_key;
use self::token::entered;
use crate::assigned::assignments;
use crate::config::Loaded;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It went well, or there was nothing to check.
    Good,
    /// The request is refused for it.
    Bad(Reason),
    /// It alone decides nothing.
    Note,
}

/// One check.
#[derive(Debug)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it came out.
    pub mark: Mark,
    /// That in a sentence.
    pub text: String,
    /// What was seen.
    pub details: Vec<String>,
}

/// The checks so far; the first bad one is the last.
#[derive(Debug, Default)]
pub struct Trace(pub Vec<Check>);

/// The trace ends here.
struct End;

impl Trace {
    /// Why the request is refused, as far as the trace goes.
    pub fn reason(&self) -> Option<Reason> {
        self.0.iter().find_map(|check| match check.mark {
            Mark::Bad(reason) => Some(reason),
            Mark::Good | Mark::Note => None,
        })
    }

    fn say(&mut self, name: &'static str, mark: Mark, text: impl Into<String>) {
        self.0.push(Check { name, mark, text: text.into(), details: Vec::new() });
    }

    fn detail(&mut self, text: impl Into<String>) {
        if let Some(check) = self.0.last_mut() {
            check.details.push(text.into());
        }
    }

    /// Says what came of a check, and ends if it was bad.
    fn ask<T>(&mut self, name: &'static str, asked: Result<T, Reason>, good: &str) -> Result<T, End> {
        match asked {
            Ok(value) => {
                self.say(name, Mark::Good, good);
                Ok(value)
            }
            Err(reason) => {
                self.say(name, Mark::Bad(reason), reason.title());
                Err(End)
            }
        }
    }
}

/// What the filter would check of this request under a configuration; a session that it opens gets this `id`.
pub fn trace(loaded: &Loaded, request: &Request<'_>, id: [u8; 16]) -> Trace {
    let mut trace = Trace::default();
    // A bad check ends it; what was said stays.
    let _ = follow(&mut trace, loaded, request, id);
    trace
}

fn follow(trace: &mut Trace, loaded: &Loaded, request: &Request<'_>, id: [u8; 16]) -> Result<(), End> {
    let (text, policies) = (&loaded.text, &loaded.policies);
    let target = single(request, ":path").and_then(|raw| Target::parse(raw).ok()).ok_or(Reason::Target);
    let target = trace.ask("target", target, "the path can be read in one way only")?;
    trace.detail(format!("path {}", target.path));
    let method = headers::first(request.headers, ":method").unwrap_or_default();
    let readable = matches!(method, b"GET" | b"HEAD");
    if policies.is_key_path(&target.path) {
        return follow_key(trace, policies, request, &target, readable);
    }
    let (index, policy) = match chosen(trace, text, policies, request, &target) {
        Coverage::Policy(index, policy) => (index, policy),
        Coverage::Pass => {
            trace.say("policy", Mark::Good, "nothing holds here, and the request passes untouched");
            return Ok(());
        }
        Coverage::Deny => {
            trace.say("policy", Mark::Bad(Reason::Unassigned), Reason::Unassigned.title());
            return Err(End);
        }
    };
    if !readable && !policy.is_open() && gate::preflight(policy, index, request).is_some() {
        body(trace, request)?;
        trace.say("cors", Mark::Good, "a preflight request, answered by the filter whoever asks");
        return Ok(());
    }
    if readable && !policy.is_open() {
        body(trace, request)?;
    }
    located(trace, policies, policy, request)?;
    if policy.is_open() {
        player(trace, policy, request, None)?;
        trace.say("policy", Mark::Good, "it asks for neither tokens nor encryption: the request passes untouched");
        return Ok(());
    }
    let readable = if readable { Ok(()) } else { Err(Reason::Method) };
    trace.ask("method", readable, "it reads")?;
    let session = entered(trace, policy, request, &target, id)?;
    let by_session = policy.players.as_ref().is_some_and(Players::are_named_by_session);
    if session.is_some() || !by_session {
        player(trace, policy, request, session.as_ref().and_then(|session| session.payload.as_deref()))?;
    }
    let resource = parameter(trace, policy, &target, session.as_ref())?;
    outcome(trace, policies, policy, request, &resource, id)
}

/// The policy, and how it was chosen.
fn chosen<'a>(
    trace: &mut Trace,
    text: &str,
    policies: &'a Policies,
    request: &Request<'_>,
    target: &Target<'_>,
) -> Coverage<'a> {
    let authority = headers::text(request.headers, ":authority").unwrap_or_default();
    let found = gate::covering(policies, request, &target.path);
    let named = if policies.route_policy { (request.route_policy)() } else { None };
    match (&named, &found) {
        (Some(name), _) => {
            let name = String::from_utf8_lossy(name).into_owned();
            trace.say(
                "assignment",
                Mark::Note,
                format!("Envoy's route names the policy \"{name}\", before any assignment"),
            );
            return found;
        }
        (None, Coverage::Policy(_, policy)) => {
            trace.say("assignment", Mark::Good, format!("the policy \"{}\" holds here", policy.name));
        }
        (None, _) => trace.say("assignment", Mark::Note, "no policy holds here"),
    }
    for said in assignments(text, authority, &target.path, request.now) {
        trace.detail(match said.why_not {
            None => format!("assignments[{}] {}: holds", said.index, said.text),
            Some(why) => format!("assignments[{}] {}: does not hold: {why}", said.index, said.text),
        });
    }
    found
}

fn located(trace: &mut Trace, policies: &Policies, policy: &Policy, request: &Request<'_>) -> Result<(), End> {
    if policy.targeting.is_none() {
        return Ok(());
    }
    let asked = gate::located(policies, policy, request);
    let redirect = asked.as_ref().err().and_then(|denied| denied.redirect.clone());
    let asked = trace.ask("targeting", asked.map_err(|denied| denied.reason), "one may watch from there");
    let client = (request.client)().map(|client| String::from_utf8_lossy(&client).into_owned());
    trace.detail(format!("client address {}", client.as_deref().unwrap_or("not known (--ip)")));
    for name in policies.geo_headers.all().into_iter().chain(["referer"]) {
        for value in headers::all(request.headers, name) {
            trace.detail(format!("{name}: {}", String::from_utf8_lossy(value)));
        }
    }
    if let Some(redirect) = redirect {
        trace.detail(format!("the viewer is sent to {redirect}"));
    }
    asked
}

fn player(trace: &mut Trace, policy: &Policy, request: &Request<'_>, payload: Option<&str>) -> Result<(), End> {
    if policy.players.is_none() {
        return Ok(());
    }
    trace.ask("player", gate::identified(policy, request, payload), "it is one that may play")
}

/// Whether the request ends with its headers.
fn body(trace: &mut Trace, request: &Request<'_>) -> Result<(), End> {
    let asked = trace.ask("body", gate::bodiless(request), "it has none");
    if asked.is_err() {
        for name in ["content-length", "transfer-encoding"] {
            for value in headers::all(request.headers, name) {
                trace.detail(format!("{name}: {}", String::from_utf8_lossy(value)));
            }
        }
    }
    asked
}

/// What the signed parameter says of the resource.
fn parameter(
    trace: &mut Trace,
    policy: &Policy,
    target: &Target<'_>,
    session: Option<&Session>,
) -> Result<Resource, End> {
    let sent = match one(target.values(SIGNED_PARAMETER)) {
        Ok(None) => return Ok(Resource::default()),
        Ok(Some(sent)) => Ok(sent),
        Err(reason) => Err(reason),
    };
    let said = sent.and_then(|sent| gate::said(policy, target, session, sent).ok_or(Reason::Parameter));
    let Said { resource, shared, .. } =
        trace.ask("parameter", said, &format!("{SIGNED_PARAMETER} is signed for this resource"))?;
    match resource.form {
        Form::Media => {}
        Form::Clear => trace.detail("served in clear: an init section or the like"),
        Form::Document => trace.detail("a JSON document, served in clear"),
    }
    if let Some(range) = resource.range {
        trace.detail(format!("bytes {} to {} of the origin's file", range.offset, range.last()));
    }
    if let Some(period) = resource.period {
        trace.detail(format!("key period {period}"));
    }
    match resource.iv {
        Iv::Period => {}
        Iv::Number(number) => trace.detail(format!("the IV is the media sequence number {number}")),
        Iv::Segment => trace.detail("the IV is the segment's own"),
    }
    if let Some(scope) = shared {
        trace.detail(format!("under {}", whose(&scope)));
    }
    Ok(resource)
}

/// What the gate makes of it all: the last checks, and what the origin is asked.
fn outcome(
    trace: &mut Trace,
    policies: &Policies,
    policy: &Policy,
    request: &Request<'_>,
    resource: &Resource,
    id: [u8; 16],
) -> Result<(), End> {
    let admitted = gate::admit(policies, request, &mut || id);
    let (stream, edits) = match admitted {
        Ok(Admitted::Stream(stream, edits)) => (stream, edits),
        Err(refused) => {
            let text = match (refused.reason, resource.form) {
                (Reason::Session, _) => "several sessions would do, and the URL does not say whose key it is under",
                (_, Form::Document) => "a document whose key neither a session nor the URL tells",
                (..) => "a segment whose key neither a session nor the URL tells",
            };
            trace.say("key", Mark::Bad(refused.reason), text);
            return Err(End);
        }
        Ok(_) => return Ok(()),
    };
    let (scope, what) = match stream.kind {
        route::Kind::Segment => (stream.media_key.as_ref(), "encrypted under"),
        route::Kind::Playlist if policy.encryption.is_some() => {
            (stream.playlist_keys.as_ref(), "its segments are under")
        }
        _ => (None, ""),
    };
    if stream.lacks_period {
        trace.say(
            "period",
            Mark::Note,
            "keys rotate and the URL does not say the period: refused (parameter) if it is media",
        );
    }
    match scope {
        Some(KeyScope::Session(_)) if stream.opened => {
            trace.say("key", Mark::Good, format!("{what} the new session's own key"))
        }
        Some(scope) => trace.say("key", Mark::Good, format!("{what} {}", whose(scope))),
        None => trace.say("key", Mark::Note, format!("none: the {} goes as it is", stream.kind.word())),
    }
    if policy.encryption.as_ref().is_some_and(|it| it.on_encrypted_origin == OnEncryptedOrigin::Passthrough) {
        trace.detail("what the origin encrypts itself passes through");
    }
    if stream.tentative {
        trace.say(
            "playlist",
            Mark::Note,
            "only the response tells: it is refused unless its content type is a playlist's, or playlistPaths names the path",
        );
    }
    trace.say("origin", Mark::Good, "is asked");
    let path = edits.set.iter().find(|(name, _)| name == ":path");
    let path = path.map_or(headers::first(request.headers, ":path").unwrap_or_default(), |(_, path)| path);
    trace.detail(format!("for {}", String::from_utf8_lossy(path)));
    for (name, value) in edits.set.iter().filter(|(name, _)| name != ":path") {
        trace.detail(format!("with {name}: {}", String::from_utf8_lossy(value)));
    }
    let set = |name: &str| edits.set.iter().any(|(set, _)| set == name);
    for name in edits.remove.iter().filter(|name| !set(name)) {
        trace.detail(format!("without {name}"));
    }
    Ok(())
}

/// Whose key that is.
pub fn whose(scope: &KeyScope) -> String {
    match scope {
        KeyScope::Session(_) => "the session's own key".into(),
        KeyScope::Stream(directory) => format!("the key that all viewers of {directory} share"),
        KeyScope::Application => "the key that all of the policy share".into(),
        KeyScope::Configured => "the key that the configuration names".into(),
    }
}
