//! Reader of `keyAuthorizer.leases`.

use alloc::format;
use core::ops::RangeInclusive;

use super::around::Around;
use super::text::{check_name, text};
use crate::document::{self, KeyRotation, LeaseViewer};
use crate::error::ConfigError;
use playlock_core::policy::leases::{Stated, Terms, ViewerName};
use playlock_core::policy::text::FieldName;

const DAY: u64 = 86_400;
/// Default time in seconds that a lease outlasts its last key period.
const DEFAULT_GRACE: u64 = 30;
/// Seconds of content whose keys a session may have in advance by default.
const DEFAULT_AHEAD: u64 = 600;
/// Most sessions of a viewer, and most key periods in advance.
const MOST: u64 = 1000;

/// Reads the member at the JSON path `path`; `rotation`: that of the policy's keys.
///
/// # Errors
/// The first invalid member, or what leases need and the policy does not have.
pub fn read(
    path: &str,
    leases: &document::Leases,
    around: &Around<'_>,
    rotation: Option<KeyRotation>,
) -> Result<Stated, ConfigError> {
    let fault = |message: &str| Err(ConfigError::new(path, message));
    if !around.by_token {
        return fault(
            "found where sessions open without an access token, which names the viewer; expected tokenAuth.enabled and enforceOnInitialRequest true",
        );
    }
    let Some(rotation) = rotation else {
        return fault("found without keyRotation: a session would ask for its key once; expected keyRotation, too");
    };
    let field = |member: &str, name: &Option<_>| -> Result<Option<FieldName>, ConfigError> {
        name.as_deref().map(|name| text(&format!("{path}.{member}"), name)).transpose()
    };
    let viewer_field = field("viewerField", &leases.viewer_field)?;
    let viewer = match leases.viewer {
        LeaseViewer::Payload => ViewerName::Payload(viewer_field),
        LeaseViewer::Id if viewer_field.is_some() => {
            return Err(ConfigError::new(
                format!("{path}.viewerField"),
                "found beside viewer \"id\", which has no fields; expected viewer \"payload\"",
            ));
        }
        LeaseViewer::Id => ViewerName::Id,
    };
    let group = leases.group.as_deref().unwrap_or(around.name);
    check_name(path, "group", group)?;
    let period = match (leases.period, rotation) {
        (Some(period), _) | (None, KeyRotation::Time(period)) => period.0,
        (None, KeyRotation::Segments(_)) => {
            return Err(ConfigError::new(
                format!("{path}.period"),
                "missing, expected the duration of keyRotation.segments",
            ));
        }
    };
    let within = |member: &str, found: u64, unit: &str, range: RangeInclusive<u64>| match range.contains(&found) {
        true => Ok(found),
        false => Err(ConfigError::new(
            format!("{path}.{member}"),
            format!("found {found}{unit}, expected {}{unit} to {}{unit}", range.start(), range.end()),
        )),
    };
    let period = within("period", period, "s", 1..=DAY)?;
    let default_ahead = DEFAULT_AHEAD.div_ceil(period.max(1)).max(2);
    let terms = Terms {
        group,
        limit: within("limit", leases.limit, "", 1..=MOST)?,
        on_limit: leases.on_limit,
        viewer,
        limit_field: field("limitField", &leases.limit_field)?,
        period,
        grace: within("grace", leases.grace.map_or(DEFAULT_GRACE, |grace| grace.0), "s", 1..=3600)?,
        keys_ahead: within("keysAhead", leases.keys_ahead.unwrap_or(default_ahead), "", 1..=MOST)?,
        session: around.session.ttl,
    };
    Ok(terms.state())
}
