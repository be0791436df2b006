//! The checks on a request for a playlist or content.

use playlock_core::http::headers;
use playlock_core::http::incoming::SIGNED_PARAMETER;
use playlock_core::http::reply::Reason;
use playlock_core::http::route::{Extension, Format};
use playlock_core::policy::encryption::OnEncryptedOrigin;
use playlock_core::request::Admitted;
use playlock_core::request::chained::ChainedRequest;
use playlock_core::request::check::Outcome;
use playlock_core::request::pending::{Asked, PendingRequest, PendingSession};
use playlock_core::request::visit::Visit;
use playlock_core::step::HeaderEdits;
use playlock_core::token::derive::KeyScope;
use playlock_core::token::signed::{Iv, Treatment};
use playlock_core::token::uri_signing::renewal::RenewalCarrier;

use super::explanation::{Explanation, Mark};
use super::key::shared_by;
use super::shared::shared;

/// Adds one of these checks.
pub fn explain(explanation: &mut Explanation<'_>, check: &'static str, outcome: Outcome<'_>, visit: &Visit<'_>) {
    match check {
        "cors" => explanation.outcome(check, outcome, "a preflight request: the filter answers it for any viewer"),
        "open" => explanation.say(
            "policy",
            Mark::Good,
            "it asks for neither tokens nor encryption: the request passes untouched",
        ),
        "method" => explanation.outcome(check, outcome, "GET or HEAD"),
        "chain" => explanation.outcome(check, outcome, "the policy renews tokens with each response"),
        "forward" => {
            if let Outcome::Admitted(Admitted::Chained(chained, edits)) = outcome {
                renewed(explanation, chained, edits, visit);
            }
        }
        "session" => session(explanation, outcome, visit),
        "redirect" => explanation.outcome(check, outcome, "to the same URL with the token of the new session"),
        "parameter" => parameter(explanation, outcome, visit),
        "key" => match outcome {
            Outcome::Admitted(Admitted::Pending(pending, edits)) => forwarded(explanation, pending, edits, visit),
            Outcome::Refused(denied) => {
                let text = match denied.reason {
                    Reason::Session => {
                        "several sessions would do, and the URL does not name the one whose key it is under"
                    }
                    _ => "neither a session nor the URL tells the key",
                };
                explanation.say(check, Mark::Bad(denied.reason), text);
            }
            _ => explanation.outcome(check, outcome, ""),
        },
        _ => shared(explanation, check, outcome, visit),
    }
}

fn session(explanation: &mut Explanation<'_>, outcome: Outcome<'_>, visit: &Visit<'_>) {
    match (outcome, &visit.session) {
        (Outcome::Skipped, _) if visit.policy.is_chained() => {
            explanation.say("session", Mark::Note, "none: this policy renews tokens instead");
        }
        (Outcome::Skipped, _) => {
            explanation.say("session", Mark::Note, "none, and content needs none under this policy");
        }
        (Outcome::Passed, Some(pending)) => {
            match pending.is_opened() {
                true => explanation.say("session", Mark::Good, "a new one is opened"),
                false => explanation.say("session", Mark::Good, format!("{} is resumed", pending.session.id_text())),
            }
            if !pending.is_certain() {
                explanation.detail("the oldest of several that would do: the URL does not name one");
            }
            explanation.detail(format!("paths: {}", pending.session.acl()));
        }
        _ => {
            explanation.outcome("session", outcome, "");
            if visit.extension == Extension::Other {
                explanation.detail("content takes session tokens only; an access token opens playlists: paths that end in .m3u8, .m3u or .mpd, or that playlistPaths names");
            }
        }
    }
}

fn parameter(explanation: &mut Explanation<'_>, outcome: Outcome<'_>, visit: &Visit<'_>) {
    explanation.outcome("parameter", outcome, format!("{SIGNED_PARAMETER} is signed for this resource"));
    let resource = &visit.claim.resource;
    match resource.form {
        Treatment::Media => {}
        Treatment::Clear => explanation.detail("served in clear: an init section or the like"),
        Treatment::Document => explanation.detail("a JSON document, served in clear"),
    }
    if let Some(range) = resource.range {
        explanation.detail(format!("bytes {} to {} of the origin's file", range.offset, range.last()));
    }
    if let Some(period) = resource.period {
        explanation.detail(format!("key period {period}"));
    }
    match resource.iv {
        Iv::Period => {}
        Iv::Number(number) => explanation.detail(format!("the IV is the media sequence number {number}")),
        Iv::Segment => explanation.detail("the segment has its own IV"),
    }
    if let Some(scope) = &visit.claim.shared {
        explanation.detail(format!("under {}", shared_by(scope)));
    }
}

/// The request goes to the origin, and its response gets the next token.
fn renewed(explanation: &mut Explanation<'_>, chained: &ChainedRequest, edits: &HeaderEdits, visit: &Visit<'_>) {
    let text = match chained.renewal.as_ref().map(|renewal| (&renewal.carrier, renewal.lifetime)) {
        None => "the token is valid until it ends: its claims, or a path with fewer segments than cdnistd, exclude the next one".to_owned(),
        Some((RenewalCarrier::Cookie(path), lifetime)) => {
            format!("the response sets a cookie for {path} with the next token, valid for {lifetime} s")
        }
        Some((RenewalCarrier::Query, lifetime)) => {
            format!("a redirect's location gets the next token, valid for {lifetime} s")
        }
    };
    explanation.say("renewal", Mark::Note, text);
    origin_gets(explanation, edits, visit);
}

/// The request goes to the origin.
fn forwarded(explanation: &mut Explanation<'_>, pending: &PendingRequest, edits: &HeaderEdits, visit: &Visit<'_>) {
    let policy = visit.policy;
    if matches!(&pending.asked, Asked::Media(media) if media.lacks_period(policy)) {
        explanation.say(
            "period",
            Mark::Note,
            "keys rotate and the URL does not name the period: refused (parameter) if it is media",
        );
    }
    if matches!(pending.asked, Asked::Playlist(Format::Dash)) && policy.encryption.is_some() {
        explanation.say("mpd", Mark::Note, "the policy encrypts: an MPD in the response is refused (dash)");
    }
    let (scope, what) = match &pending.asked {
        Asked::Media(media) => (media.claim.scope.as_ref(), "encrypted under"),
        Asked::Playlist(_) if policy.encryption.is_some() => (pending.playlist.keys.as_ref(), "its segments are under"),
        Asked::Playlist(_) | Asked::Clear(_) | Asked::Document(_) => (None, ""),
    };
    match scope {
        Some(KeyScope::Session(_)) if pending.session.as_ref().is_some_and(PendingSession::is_opened) => {
            explanation.say("key", Mark::Good, format!("{what} the new session's own key"));
        }
        Some(scope) => explanation.say("key", Mark::Good, format!("{what} {}", shared_by(scope))),
        None => explanation.say("key", Mark::Note, format!("none: the {} goes out as it is", pending.kind().word())),
    }
    if policy.encryption.as_ref().is_some_and(|it| it.on_encrypted_origin == OnEncryptedOrigin::Passthrough) {
        explanation.detail("media that the origin encrypts itself passes through");
    }
    if pending.is_tentative() {
        explanation.say(
            "playlist",
            Mark::Note,
            "only the response tells: it is refused unless its content type is a playlist's or an MPD's, or playlistPaths names the path",
        );
    }
    origin_gets(explanation, edits, visit);
}

/// The request as the origin receives it.
fn origin_gets(explanation: &mut Explanation<'_>, edits: &HeaderEdits, visit: &Visit<'_>) {
    explanation.say("origin", Mark::Good, "is asked");
    let path = edits.set.iter().find(|(name, _)| name == ":path");
    let sent = headers::first(visit.incoming.head.headers, ":path").unwrap_or_default();
    let path = path.map_or(sent, |(_, path)| path);
    explanation.detail(format!("for {}", String::from_utf8_lossy(path)));
    for (name, value) in edits.set.iter().filter(|(name, _)| name != ":path") {
        explanation.detail(format!("with {name}: {}", String::from_utf8_lossy(value)));
    }
    let set = |name: &str| edits.set.iter().any(|(set, _)| set == name);
    for name in edits.remove.iter().filter(|name| !set(name)) {
        explanation.detail(format!("without {name}"));
    }
}
