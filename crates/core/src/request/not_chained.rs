//! Stands in for chaining in builds without URI Signing: no policy renews tokens.

use super::chained_request::ChainedRequest;
use super::check::Observer;
use super::visit::Visit;
use crate::http::reply::Reason;

/// Always `None`: the policy does not renew tokens.
///
/// # Errors
/// None.
pub fn verify(_: &Visit<'_>, _: &mut dyn Observer) -> Option<Result<ChainedRequest, Reason>> {
    None
}
