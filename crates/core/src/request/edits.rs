//! Changes to a request before it is forwarded to the origin.

use alloc::borrow::Cow;
use alloc::format;

use crate::http::headers;
use crate::http::incoming::Incoming;
use crate::http::message::HeaderEdits;
use crate::http::target::{self, is_named};
use crate::policy::Policy;
use crate::policy::encryption::Encryption;
use crate::session::jar;

/// Query parameter that requests a delta update from the origin (RFC 8216bis section 6.2.5.2).
const DELTA: &str = "_HLS_skip";

/// Removes tokens and the signed parameter from the request. `whole` also removes conditional and Range headers: the
/// origin must then send the complete resource without content coding.
pub fn request_edits(policy: &Policy, incoming: &Incoming<'_>, whole: bool) -> HeaderEdits {
    let mut edits = HeaderEdits::default();
    let (head, target) = (incoming.head, &incoming.target);
    // A delta update may start within media that the origin encrypts, without the EXT-X-KEY that applies to it.
    let no_delta = policy.encryption.as_ref().is_some_and(Encryption::admits_encrypted);
    let is_dropped = |name: &str| {
        policy.reserved_parameters().iter().any(|reserved| is_named(name, reserved))
            || no_delta && is_named(name, DELTA)
    };
    let path = match target.query.map(|query| target::without(query, is_dropped)) {
        None | Some(Some(Cow::Borrowed(_))) => incoming.plain_target.map(Into::into),
        Some(Some(Cow::Owned(query))) => Some(format!("{}?{query}", target.raw_path)),
        Some(None) => Some(target.raw_path.into()),
    };
    edits.set.extend(path.map(|path| (":path".into(), path.into_bytes())));
    let formats = policy.access_token.as_ref().map(|access| access.formats.as_slice()).unwrap_or_default();
    let token_headers = formats.iter().filter_map(|format| Some((format, format.header.as_ref()?)));
    let sent = token_headers
        .filter(|(format, name)| headers::all(head.headers, name).any(|value| format.in_header(value).is_some()));
    edits.remove.extend(sent.map(|(_, name)| name.as_str().into()));
    let is_ours = |cookie: &[u8]| {
        !policy.is_chained() && jar::is_cookie(&policy.session.name, cookie)
            || formats.iter().any(|it| it.is_cookie(cookie))
    };
    if let Some(kept) = headers::cookies_without(head.headers, is_ours) {
        edits.remove.push("cookie".into());
        if !kept.is_empty() {
            edits.set.push(("cookie".into(), kept));
        }
    }
    if whole {
        edits.remove.extend(head.conditional.iter().map(|name| (*name).into()));
    }
    edits
}
