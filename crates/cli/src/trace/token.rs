//! The tokens of a request: where they were found, what they say, and whether they hold.

use playlock_core::enter::{Entered, access_token, client_address, enter, ours};
use playlock_core::headers;
use playlock_core::jar::{self, Sent};
use playlock_core::policy::{Opening, Policy};
use playlock_core::reply::Reason;
use playlock_core::route::Extension;
use playlock_core::session::Session;
use playlock_core::step::Request;
use playlock_core::target::Target;
use playlock_core::token::edge_auth::Presented;

use super::{End, Mark, Trace};
use crate::fields;

/// The session that the request is in; `None` where content needs none.
pub fn entered(
    trace: &mut Trace,
    policy: &Policy,
    request: &Request<'_>,
    target: &Target<'_>,
    id: [u8; 16],
) -> Result<Option<Session>, End> {
    let extension = policy.extension(&target.path);
    let asked = enter(policy, request, target, extension, &mut || id);
    look_at_session_token(trace, policy, request, target, Some(&target.path));
    let goes_on = asked.as_ref().is_ok_and(|entered| !entered.opened);
    if !goes_on && extension != Extension::Other {
        look_at_access_token(trace, policy, request, target);
    }
    match asked {
        Ok(Entered { session, opened, certain, .. }) => {
            match opened {
                true => trace.say("session", Mark::Good, "a new one is opened"),
                false => trace.say("session", Mark::Good, format!("{} goes on", session.id_text())),
            }
            if !certain {
                trace.detail("the oldest of several that would do: the URL does not say which");
            }
            trace.detail(format!("paths: {}", session.acl()));
            Ok(Some(session))
        }
        Err(_) if !policy.session.on_content && extension != Extension::Playlist => {
            trace.say("session", Mark::Note, "none, and content needs none under this policy");
            Ok(None)
        }
        Err(reason) => {
            trace.say("session", Mark::Bad(reason), reason.title());
            if extension == Extension::Other {
                trace.detail("content goes by session token alone; an access token opens playlists: paths that end in .m3u8 or .m3u, or that playlistPaths names");
            }
            Err(End)
        }
    }
}

/// The session tokens of a request: for a playlist or content at `path`, or for a key, where paths do not count.
pub fn look_at_session_token(
    trace: &mut Trace,
    policy: &Policy,
    request: &Request<'_>,
    target: &Target<'_>,
    path: Option<&str>,
) {
    let rules = &policy.session;
    let transport = match (rules.transport.in_query(), rules.transport.in_cookie()) {
        (true, true) => "query parameter or cookie",
        (true, false) => "query parameter",
        _ => "cookie",
    };
    let name = "session token";
    let presented = match jar::presented(policy, request, target) {
        Ok(presented) => presented,
        Err(reason) => return trace.say(name, Mark::Note, format!("{}: {} {}", reason.word(), transport, rules.name)),
    };
    if presented.tokens.is_empty() {
        let text = match target.values(&rules.name).next().filter(|_| presented.named) {
            Some(reference) => {
                format!("the URL names the cookie {}, which was not sent", jar::cookie_name(&rules.name, reference))
            }
            None => format!("none in the {transport} {}", rules.name),
        };
        trace.say(name, Mark::Note, text);
    }
    for sent in &presented.tokens {
        let verified = sent.verify(policy, request, presented.only().is_some());
        let verified = verified.and_then(|session| path.map_or(Ok(()), |path| session.covers(path)));
        say_token(trace, name, &place(&rules.name, sent), sent.token, verified, request.now);
    }
}

fn place(name: &str, sent: &Sent<'_>) -> String {
    match sent.reference {
        Some(reference) => format!("in the cookie {}", jar::cookie_name(name, reference)),
        None => format!("in the query parameter {name}"),
    }
}

fn look_at_access_token(trace: &mut Trace, policy: &Policy, request: &Request<'_>, target: &Target<'_>) {
    let name = "access token";
    let Opening::AccessToken(access) = policy.opening() else {
        trace.say(name, Mark::Note, "none is needed under this policy: whoever asks gets a session");
        return;
    };
    match access_token(access, request, target) {
        Err(reason) => trace.say(name, Mark::Note, format!("{}: {}", reason.word(), reason.title())),
        Ok(None) => {
            let places = format!("parameter {}, cookie {} or header {}", access.name, access.cookie, access.header);
            trace.say(name, Mark::Note, format!("none in {places}"));
        }
        Ok(Some(sent)) => {
            let place = if target.values(&access.name).next().is_some() {
                format!("in the query parameter {}", access.name)
            } else if headers::cookies(request.headers, &access.cookie).next().is_some() {
                format!("in the cookie {}", access.cookie)
            } else {
                format!("in the header {}", access.header)
            };
            let client = || (request.client)().as_deref().and_then(client_address);
            let presented = Presented { target, ours: &ours(policy), client: &client, now: request.now };
            let verified = access.verifier.verify(sent, &presented).map(|_| ());
            say_token(trace, name, &place, sent, verified, request.now);
        }
    }
}

/// A token by itself: where it was, whether it holds, and what it says.
pub fn say_token(
    trace: &mut Trace,
    name: &'static str,
    place: &str,
    sent: &str,
    verified: Result<(), Reason>,
    now: u64,
) {
    match verified {
        Ok(()) => trace.say(name, Mark::Good, format!("{place}: it holds")),
        Err(reason) => trace.say(name, Mark::Note, format!("{place}: {}: {}", reason.word(), reason.title())),
    }
    if let Some(spoken) = fields::read(sent, now) {
        for (field, value, meaning) in spoken.fields.iter().filter(|(field, ..)| *field != "hmac") {
            trace.detail(format!("{field}={value}: {meaning}"));
        }
    }
    for check in checks_before(verified.err()) {
        trace.detail(check);
    }
}

/// What a token's verification had found good before it failed, in the core's order.
fn checks_before(failure: Option<Reason>) -> Vec<String> {
    let order: [(&str, &[Reason]); 5] = [
        ("grammar", &[Reason::Malformed]),
        ("signature", &[Reason::Algorithm, Reason::Signature]),
        ("times", &[Reason::Early, Reason::Expired]),
        ("address, header, revocation", &[Reason::Ip, Reason::Header, Reason::Revoked]),
        ("path", &[Reason::Path]),
    ];
    let mut said = Vec::new();
    for (name, reasons) in order {
        match failure {
            Some(reason) if reasons.contains(&reason) => {
                said.push(format!("{name}: {}", reason.word()));
                break;
            }
            _ => said.push(format!("{name}: good")),
        }
    }
    said
}
