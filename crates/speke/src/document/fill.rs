//! Gaps: the value of each, and the edits that put it into its element.

use alloc::string::String;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use playlock_drm::{HlsKey, Signals, System};

use super::model::{DrmSystem, Gap, Place};
use super::splice::Splice;
use crate::version::Version;

/// The Base64 of a gap's value; `None` for data that the system does not have.
pub(super) fn value(gap: Gap, signals: &Signals) -> Option<String> {
    let hls = signals.hls.as_ref();
    Some(match gap {
        Gap::Pssh => STANDARD.encode(signals.pssh.as_ref()?),
        Gap::ContentProtectionData => STANDARD.encode(signals.content_protection.as_ref()?),
        Gap::HlsMedia => STANDARD.encode(hls?.media()),
        Gap::HlsMaster => STANDARD.encode(hls?.master()),
        Gap::SmoothHeader | Gap::ProtectionHeader => STANDARD.encode(signals.smooth.as_ref()?),
        Gap::UriExtXKey => STANDARD.encode(hls?.uri()),
        Gap::KeyFormat => STANDARD.encode(hls?.key_format()),
        Gap::KeyFormatVersions => {
            hls?;
            STANDARD.encode(HlsKey::KEY_FORMAT_VERSIONS)
        }
    })
}

/// Whether the data is absent only for want of a URL in the configuration.
pub(super) const fn needs_url(gap: Gap, system: System) -> bool {
    let hls = matches!(gap, Gap::HlsMedia | Gap::HlsMaster | Gap::UriExtXKey | Gap::KeyFormat | Gap::KeyFormatVersions);
    hls && matches!(
        system,
        System::FairPlay | System::HlsAes128V1 | System::HlsAes128 | System::HlsSampleAes | System::ClearKey
    )
}

/// Every element that fits a `DRMSystem`, in the order of the schema; those of SPEKE 1.0 last.
pub(super) fn everything(system: &DrmSystem, version: Version, signals: &Signals) -> String {
    let mut elements = String::new();
    let mut add = |name: &str, attributes: &str, gap: Gap| {
        if let Some(value) = value(gap, signals) {
            elements += &element(name, attributes, &value);
        }
    };
    let place = &system.place;
    add(&sibling(place, "PSSH"), "", Gap::Pssh);
    add(&sibling(place, "ContentProtectionData"), "", Gap::ContentProtectionData);
    let speke = system.prefixes.speke.as_deref().filter(|_| version == Version::V1);
    let is_key_url = !matches!(system.system, System::Widevine | System::PlayReady | System::ClearKey);
    if version == Version::V1 && is_key_url {
        add(&sibling(place, "URIExtXKey"), "", Gap::UriExtXKey);
    }
    add(&sibling(place, "HLSSignalingData"), r#" playlist="media""#, Gap::HlsMedia);
    add(&sibling(place, "HLSSignalingData"), r#" playlist="master""#, Gap::HlsMaster);
    add(&sibling(place, "SmoothStreamingProtectionHeaderData"), "", Gap::SmoothHeader);
    if let Some(speke) = speke {
        add(&[speke, ":ProtectionHeader"].concat(), "", Gap::ProtectionHeader);
        if is_key_url {
            add(&[speke, ":KeyFormat"].concat(), "", Gap::KeyFormat);
            add(&[speke, ":KeyFormatVersions"].concat(), "", Gap::KeyFormatVersions);
        }
    }
    elements
}

/// The name of an element of the same namespace as the one at a place.
pub(super) fn sibling(place: &Place, local: &str) -> String {
    match place.name.split_once(':') {
        Some((prefix, _)) => [prefix, ":", local].concat(),
        None => local.into(),
    }
}

/// An element with attributes, a space before each, and content.
pub(super) fn element(name: &str, attributes: &str, content: &str) -> String {
    ["<", name, attributes, ">", content, "</", name, ">"].concat()
}

/// Replaces the content of an element.
pub(super) fn content(splice: &mut Splice, place: &Place, text: String) {
    match &place.end {
        Some(end) => splice.replace(place.start.end..end.start, text),
        None => open_empty(splice, place, &text),
    }
}

/// Puts text at the beginning of an element's content.
pub(super) fn prepend(splice: &mut Splice, place: &Place, text: String) {
    match &place.end {
        Some(_) => splice.replace(place.start.end..place.start.end, text),
        None => open_empty(splice, place, &text),
    }
}

/// Puts text at the end of an element's content.
pub(super) fn append(splice: &mut Splice, place: &Place, text: String) {
    match &place.end {
        Some(end) => splice.replace(end.start..end.start, text),
        None => open_empty(splice, place, &text),
    }
}

/// Puts an attribute, with a space before it, behind the element's name: before the attributes that it has.
pub(super) fn attribute(splice: &mut Splice, place: &Place, text: String) {
    let behind_name = place.start.start + 1 + place.name.len();
    splice.replace(behind_name..behind_name, text);
}

/// Takes an element out.
pub(super) fn remove(splice: &mut Splice, place: &Place) {
    splice.remove(place.start.start..place.end.as_ref().map_or(place.start.end, |end| end.end));
}

/// Makes `<name … />` an element with content.
fn open_empty(splice: &mut Splice, place: &Place, text: &str) {
    let slash = place.start.end.saturating_sub(2);
    splice.replace(slash..place.start.end, [">", text, "</", &place.name, ">"].concat());
}
