//! The key endpoint's own checks, in its order.

use playlock_core::derive::KeyScope;
use playlock_core::enter::one;
use playlock_core::gate;
use playlock_core::key::owner;
use playlock_core::policy::{Policies, SIGNED_PARAMETER};
use playlock_core::reply::Reason;
use playlock_core::signed;
use playlock_core::step::Request;
use playlock_core::target::Target;

use super::token::look_at_session_token;
use super::{End, Mark, Trace, body, located, player, whose};

/// What the filter would check of a request for a key.
pub fn follow_key(
    trace: &mut Trace,
    policies: &Policies,
    request: &Request<'_>,
    target: &Target<'_>,
    readable: bool,
) -> Result<(), End> {
    trace.say("endpoint", Mark::Note, "this is where keys are given out");
    let sent = trace.ask("parameter", one(target.values(SIGNED_PARAMETER)), "at most one")?;
    let claimed =
        sent.and_then(signed::claimed_policy).and_then(|name| policies.serving_keys(&target.path, &name, request.now));
    if !readable {
        return match gate::admit(policies, request, &mut || [0; 16]) {
            Ok(_) => {
                trace.say("cors", Mark::Good, "a preflight request, answered by the filter whoever asks");
                Ok(())
            }
            Err(refused) => {
                let check = if refused.reason == Reason::Body { "body" } else { "method" };
                trace.ask(check, Err(refused.reason), "")
            }
        };
    }
    body(trace, request)?;
    let claimed = sent.zip(claimed).ok_or(Reason::Parameter);
    let (sent, (_, policy)) = trace.ask("policy", claimed, "the URL names one that gives out keys here")?;
    trace.detail(format!("\"{}\"", policy.name));
    located(trace, policies, policy, request)?;
    look_at_session_token(trace, policy, request, target, None);
    let session = trace.ask("session", owner(policy, request, target), "it goes on")?;
    trace.detail(session.id_text());
    player(trace, policy, request, session.payload.as_deref())?;
    let keyring = policy.keyrings.get(session.keyring).ok_or(Reason::Parameter);
    let asked = keyring.and_then(|keyring| signed::open_key(keyring, &target.path, sent).ok_or(Reason::Parameter));
    let asked = trace.ask("parameter", asked, &format!("{SIGNED_PARAMETER} is signed for this key"))?;
    trace.detail(format!("key period {}", asked.period));
    let same = if asked.session == session.id_text() { Ok(()) } else { Err(Reason::Session) };
    trace.ask("owner", same, "the key was given out to this session")?;
    let scope = asked.shared.unwrap_or(KeyScope::Session(session.id));
    trace.say("key", Mark::Good, whose(&scope));
    let authorizer = policy.encryption.as_ref().and_then(|encryption| encryption.authorizer());
    match authorizer {
        Some(_) => trace.say("authorizer", Mark::Note, "an upstream is asked first, which only Envoy can do"),
        None => trace.say("origin", Mark::Good, "is not asked: the filter answers itself"),
    }
    Ok(())
}
