//! `keyAuthorizer.leases` as written.

use alloc::string::String;

use serde::Deserialize;

use super::value::Duration;
use playlock_core::policy::leases::OnLimit;
#[cfg(feature = "schema")]
use playlock_core::policy::text::FieldName;

/// Limit the sessions of a viewer. The authorizer counts them: a lease is a session's right to keys, which lasts a key
/// period plus `grace`. Each question to it has these terms, in the header `x-playlock-leases`. Requires `keyRotation`, and
/// access tokens for all sessions (`tokenAuth` with `enforceOnInitialRequest`), which have the viewers' names.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Leases {
    /// The number of sessions that one viewer may have at once.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000), extend("examples" = [2])))]
    pub limit: u64,
    /// The session that yields if a viewer opens one more.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "refuse-new")))]
    pub on_limit: OnLimit,
    /// The name of the viewer. Without it, `id`.
    #[serde(default)]
    pub viewer: LeaseViewer,
    /// The field of the payload that names the viewer, with `viewer` `payload`. Without it, the whole payload. Fields are
    /// the members of a JSON object, or `name=value` pairs with `;`, `&` or `,` between them.
    #[cfg_attr(feature = "schema", schemars(with = "Option<FieldName>", extend("examples" = ["user"])))]
    pub viewer_field: Option<String>,
    /// The field of the payload that overrides `limit` if the payload has it: 1 to 1000.
    #[cfg_attr(feature = "schema", schemars(with = "Option<FieldName>", extend("examples" = ["screens"])))]
    pub limit_field: Option<String>,
    /// A name for policies whose sessions count together. Without it, the `policyName`.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 128), extend("examples" = ["subscribers"])))]
    pub group: Option<String>,
    /// The length of a key period, one second to one day. Without it, `keyRotation.time`; required with
    /// `keyRotation.segments`. No shorter than the periods of the content, or leases end too early.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "[1-9]", "examples" = ["1m"])))]
    pub period: Option<Duration>,
    /// How long a lease outlasts its last key period: one second to one hour.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "30s", "pattern" = "[1-9]", "examples" = ["1m"])))]
    pub grace: Option<Duration>,
    /// The number of key periods that a session may have keys of in advance. Without it, as many as ten minutes have, at
    /// least 2.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000), extend("examples" = [10])))]
    pub keys_ahead: Option<u64>,
}

/// The source of a viewer's name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum LeaseViewer {
    /// The access token's id (`id`).
    #[default]
    Id,
    /// The access token's payload (`data`), or a field of it.
    Payload,
}
