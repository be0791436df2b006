//! The rules of a version for a whole document, in the order in which they are reported.

use playlock_drm::{Scheme, System};

use super::contract;
use super::model::{ContentKey, DrmSystem, List, Model};
use crate::content::ContentId;
use crate::error::SpekeError;
use crate::version::Version;

/// The content ID of a document: `contentId`, or `id` in SPEKE 1.0.
pub(super) fn content_id(model: &Model, version: Version) -> Result<ContentId, SpekeError> {
    let (id, content_id) = (model.root.id.as_ref(), model.root.content_id.as_ref());
    let value = match (version, content_id, id) {
        (Version::V1, Some(content_id), Some(id)) if content_id.value != id.value => {
            return Err(SpekeError::Invalid { place: "CPIX@id", expected: "the value of CPIX@contentId, or none" });
        }
        (Version::V1, None, id) => id,
        (_, content_id, _) => content_id,
    };
    let value = value.map(|attribute| attribute.value.as_str()).filter(|value| !value.is_empty());
    ContentId::parse(value.ok_or(SpekeError::MissingContentId)?).map_err(SpekeError::ContentId)
}

/// Checks everything but the content ID.
pub(super) fn check(model: &Model, version: Version) -> Result<(), SpekeError> {
    if let Some(expected) = version.of_cpix() {
        match model.root.version.as_ref().map(|attribute| attribute.value.as_str()) {
            None | Some("") => return Err(SpekeError::MissingVersion),
            Some(found) if found != expected => return Err(SpekeError::UnsupportedVersion),
            Some(_) => {}
        }
    }
    if !model.lists.contains(&List::ContentKeys) || model.keys.is_empty() {
        return Err(SpekeError::Missing("ContentKeyList/ContentKey"));
    }
    if version != Version::V1 && model.systems.is_empty() {
        return Err(SpekeError::Missing("DRMSystemList/DRMSystem"));
    }
    if model.lists.contains(&List::DeliveryData) && model.deliveries.is_empty() {
        return Err(SpekeError::Missing("DeliveryDataList/DeliveryData"));
    }
    let mut orphans = model.systems.iter().filter(|system| key_of(model, system).is_none());
    if orphans.next().is_some() {
        return Err(SpekeError::UnknownKey { place: "DRMSystem" });
    }
    if version == Version::V1 {
        return Ok(());
    }
    check_schemes(model, version)?;
    contract::check(model, version)
}

/// Each key has a scheme, all have the same one, and each DRM system takes it.
fn check_schemes(model: &Model, version: Version) -> Result<(), SpekeError> {
    if let Some(key) = model.keys.iter().find(|key| key.scheme.is_none()) {
        return Err(SpekeError::MissingScheme { kid: key.kid_text.clone() });
    }
    let first = model.keys.first().map(|key| &key.scheme);
    if model.keys.iter().any(|key| Some(&key.scheme) != first) {
        return Err(SpekeError::MixedSchemes);
    }
    for system in &model.systems {
        let scheme = key_of(model, system).and_then(|key| key.scheme.as_deref()).and_then(Scheme::parse);
        let known = scheme.filter(|scheme| version == Version::V2_1 || !scheme.is_hls_method());
        if !known.is_some_and(|scheme| system.system.supports(scheme)) {
            return Err(SpekeError::IncompatibleScheme { system: system.system_text.clone() });
        }
    }
    Ok(())
}

/// The key of a DRM system.
pub(super) fn key_of<'m>(model: &'m Model, system: &DrmSystem) -> Option<&'m ContentKey> {
    model.keys.iter().find(|key| key.kid == system.kid)
}

/// The scheme of a key under a system. Documents of SPEKE 1.0 name none, or name one that is not for all their systems;
/// then the request's target decides (`asked`), and else the system.
pub(super) fn scheme(
    key: &ContentKey,
    system: &DrmSystem,
    version: Version,
    asked: Option<Scheme>,
) -> Result<Scheme, SpekeError> {
    let named = match key.scheme.as_deref() {
        None => None,
        Some(name) => Some(Scheme::parse(name).ok_or(SpekeError::Invalid {
            place: "ContentKey@commonEncryptionScheme",
            expected: "cenc, cbcs, cbc1 or cens",
        })?),
    };
    if named.is_some() && asked.is_some() && named != asked {
        return Err(SpekeError::Invalid {
            place: "scheme in the URL",
            expected: "the scheme of the document, or none",
        });
    }
    let scheme = named.or(asked).unwrap_or(Scheme::Cenc);
    if system.system.supports(scheme) {
        return Ok(scheme);
    }
    match system.system {
        System::FairPlay if version == Version::V1 => Ok(Scheme::Cbcs),
        System::HlsAes128V1 | System::HlsAes128 if version == Version::V1 => Ok(Scheme::Cbc1),
        _ => Err(SpekeError::IncompatibleScheme { system: system.system_text.clone() }),
    }
}
