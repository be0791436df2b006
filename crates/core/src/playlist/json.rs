//! JSON documents that playlists name and that contain URIs: steering manifests (RFC 8216bis section 7.2, `RELOAD-URI`)
//! and asset lists (appendix D.2, `ASSETS` of `URI`). Their URIs are rewritten like those of playlists; every other
//! byte is kept.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use serde_json::value::RawValue;

use crate::bytes::bug;
use crate::http::reply::Reason;
use crate::playlist::{LinkTarget, UriRewriter};
use crate::token::signed::{Resource, Treatment};

/// Longest document in bytes. Documents are buffered as a whole.
pub const MAX_DOCUMENT: usize = 256 * 1024;

/// The members of an object, with their values as written.
pub type Object<'a> = BTreeMap<String, &'a RawValue>;

/// Adds the session token to the URIs in `document`.
///
/// # Errors
/// [`Reason::Document`] if it is not a JSON object. Documents are served in clear, and media must not pass as one.
pub fn rewrite(marks: &UriRewriter, document: &[u8]) -> Result<Vec<u8>, Reason> {
    let mut out = Vec::with_capacity(document.len() + 1024);
    let mut copied = 0;
    for (place, uri, lead) in uris(document)? {
        let mut marked = Vec::with_capacity(uri.len() + 1024);
        marks.push(&mut marked, uri.as_bytes(), lead);
        // Both are text: the URI was, and what we put in is.
        let marked = core::str::from_utf8(&marked).map_err(|_| bug::instead(Reason::Document))?;
        let quoted = serde_json::to_vec(marked).map_err(|_| bug::instead(Reason::Document))?;
        out.extend_from_slice(bug::part(document, copied..place.start, Reason::Document)?);
        out.extend_from_slice(&quoted);
        copied = place.end;
    }
    out.extend_from_slice(bug::part(document, copied.., Reason::Document)?);
    Ok(out)
}

/// The URIs in the document, in order: the position with the quotes, the URI, and its target.
fn uris(document: &[u8]) -> Result<Vec<(Range<usize>, String, LinkTarget)>, Reason> {
    let members = serde_json::from_slice::<Object<'_>>(document).map_err(|_| Reason::Document)?;
    let mut found = Vec::new();
    let mut add = |raw: &RawValue, lead| {
        let Ok(uri) = serde_json::from_str::<String>(raw.get()) else { return };
        // A raw value borrows from the document, so the pointers' difference is its offset.
        let start = (raw.get().as_ptr() as usize).saturating_sub(document.as_ptr() as usize);
        found.push((start..start + raw.get().len(), uri, lead));
    };
    if let Some(raw) = members.get("RELOAD-URI") {
        add(raw, LinkTarget::Resource(Resource { form: Treatment::Document, ..Resource::default() }));
    }
    let assets =
        members.get("ASSETS").map(|raw| serde_json::from_str::<Vec<Object<'_>>>(raw.get()).unwrap_or_default());
    for asset in assets.iter().flatten() {
        if let Some(raw) = asset.get("URI") {
            add(raw, LinkTarget::Either);
        }
    }
    found.sort_by_key(|(place, _, _)| place.start);
    Ok(found)
}
