//! Checks that content and key requests share.

use super::check::{Flow, Observer};
use super::visit::Visit;
use crate::http::incoming::Incoming;
use crate::http::reply::Reason;
use crate::policy::players::Players;
use crate::policy::targeting::ClientOrigin;

/// Verifies that the request ends with its headers. An origin that ignores bodies would treat one as the next request
/// on its connection, which has passed no check (request smuggling, "CL.0").
///
/// # Errors
/// [`Reason::Body`]
pub fn bodiless(incoming: &Incoming<'_>) -> Result<(), Reason> {
    if incoming.head.bodiless { Ok(()) } else { Err(Reason::Body) }
}

/// Checks the client's address, location, proxy and Referer.
pub fn targeting(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    let Some(targeting) = &visit.policy.targeting else { return Flow::Skip };
    let origin = ClientOrigin::new(visit.incoming.head, &visit.policies.geo_headers);
    targeting.check(&origin).map_or_else(Flow::Refuse, |()| Flow::Next)
}

/// Checks the player. Skipped for content without a session if the session identifies the player.
pub fn player(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    let Some(players) = &visit.policy.players else { return Flow::Skip };
    if visit.session.is_none() && Players::are_named_by_session(players) && !visit.policy.is_open() {
        return Flow::Skip;
    }
    let head = visit.incoming.head;
    Flow::of(players.check(head.headers, visit.payload(), head.now))
}
