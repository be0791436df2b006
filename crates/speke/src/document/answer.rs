//! The answer to a document: keys, DRM data and encrypted keys, as edits of the request.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use playlock_drm::delivery::certificate::{self, CertificateFault};
use playlock_drm::delivery::{Delivery, Prefix, Prefixes};
use playlock_drm::{Content, Kid, Scheme, Settings, signal};
use zeroize::Zeroizing;

use super::check;
use super::fill;
use super::model::{Attribute, ContentKey, DeliveryData, DrmSystem, KnownPrefixes, Model, Place};
use super::node::PSKC;
use super::splice::Splice;
use crate::content::ContentId;
use crate::error::SpekeError;
use crate::version::Version;

/// Supplies content keys. The same content and key ID give the same key and IV at all times, on every node.
pub trait Keys {
    /// The content key of a content and a key ID.
    fn key(&self, content: &ContentId, kid: &Kid) -> Zeroizing<[u8; 16]>;

    /// The IV for a key whose request names none.
    fn iv(&self, content: &ContentId, kid: &Kid) -> [u8; 16];
}

/// All that an answer needs beside the document.
#[derive(Clone, Copy)]
pub struct Supply<'a> {
    /// The content keys.
    pub keys: &'a dyn Keys,
    /// The URLs and forms of DRM data.
    pub settings: &'a Settings,
    /// The scheme that the request's target names, for documents of 1.0 that name none.
    pub scheme: Option<Scheme>,
    /// 32 random bytes, new for each answer; used only if [`Document::is_encrypted`](super::Document::is_encrypted).
    pub seed: &'a [u8; 32],
}

/// AWS's own examples have IVs with stray bits behind the last byte.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// A key with its IV.
struct Keyed<'m> {
    request: &'m ContentKey,
    key: Zeroizing<[u8; 16]>,
    iv: [u8; 16],
}

pub(super) fn splice(
    model: &Model,
    version: Version,
    content_id: &ContentId,
    supply: &Supply<'_>,
) -> Result<Splice, SpekeError> {
    let mut splice = Splice::default();
    if version != Version::V1 {
        model.root.id.iter().for_each(|id| splice.remove(id.span.clone()));
        model.leftovers.iter().for_each(|range| splice.remove(range.clone()));
    }
    let mut delivery = None;
    if !model.deliveries.is_empty() {
        let keys = delivery.insert(Delivery::new(supply.seed));
        for recipient in &model.deliveries {
            deliver(&mut splice, recipient, keys)?;
        }
    }
    let mut keys = Vec::with_capacity(model.keys.len());
    for request in &model.keys {
        let iv = match request.explicit_iv.as_ref().filter(|iv| !iv.value.is_empty()) {
            Some(iv) => read_iv(&iv.value)?,
            None => supply.keys.iv(content_id, &request.kid),
        };
        let keyed = Keyed { request, key: supply.keys.key(content_id, &request.kid), iv };
        content_key(&mut splice, &keyed, delivery.as_mut());
        keys.push(keyed);
    }
    for system in &model.systems {
        let keyed = keys.iter().find(|keyed| keyed.request.kid == system.kid);
        let Keyed { request, key, iv } = keyed.ok_or(SpekeError::UnknownKey { place: "DRMSystem" })?;
        let scheme = check::scheme(request, system, version, supply.scheme)?;
        let content = Content { id: content_id.as_str(), kid: &request.kid, key, iv, scheme };
        drm_system(&mut splice, system, version, &content, supply.settings)?;
    }
    Ok(splice.without_inner())
}

/// Document key and MAC key for a recipient, behind its `DeliveryKey`.
fn deliver(splice: &mut Splice, recipient: &DeliveryData, keys: &mut Delivery) -> Result<(), SpekeError> {
    const PLACE: &str = "DeliveryData//X509Certificate";
    let text = recipient.certificate.as_deref().ok_or(SpekeError::Missing(PLACE))?;
    let invalid = SpekeError::Invalid { place: PLACE, expected: "a certificate of an RSA key of 2048 to 4096 bits" };
    let key = certificate::read_base64(text).map_err(|fault| match fault {
        CertificateFault::Encoding => SpekeError::Encoding(PLACE),
        _ => invalid.clone(),
    })?;
    let elements = keys.recipient_elements(&key, &prefixes(&recipient.place, &recipient.prefixes)).ok_or(invalid)?;
    fill::append(splice, &recipient.place, elements);
    Ok(())
}

/// `Data` with the key, and `explicitIV`.
fn content_key(splice: &mut Splice, keyed: &Keyed<'_>, delivery: Option<&mut Delivery>) {
    let Keyed { request, key, iv } = keyed;
    let prefixes = prefixes(&request.place, &request.prefixes);
    let secret = Zeroizing::new(match delivery {
        Some(delivery) => delivery.secret_element(key, &prefixes),
        None => plain_secret(key, prefixes.pskc),
    });
    let data = fill::element(&fill::sibling(&request.place, "Data"), "", &secret);
    match &request.explicit_iv {
        Some(Attribute { value, value_span, .. }) if value.is_empty() => {
            splice.replace(value_span.clone(), STANDARD.encode(iv));
        }
        Some(_) => {}
        None => fill::attribute(splice, &request.place, [" explicitIV=\"", &STANDARD.encode(iv), "\""].concat()),
    }
    match &request.data {
        Some(range) => splice.replace(range.clone(), data),
        None => fill::prepend(splice, &request.place, data),
    }
}

/// `Secret` with a `PlainValue`. The prefix is never the empty one: AWS's suite looks for some prefix.
fn plain_secret(key: &[u8; 16], prefix: Prefix<'_>) -> String {
    let (prefix, declared) = match prefix {
        Prefix::InScope(prefix) => (prefix, true),
        Prefix::Declare(prefix) => (prefix, false),
        Prefix::Default => ("pskc", false),
    };
    let declaration = [" xmlns:", prefix, "=\"", PSKC, "\""].concat();
    let key = Zeroizing::new(STANDARD.encode(key));
    let value = Zeroizing::new(fill::element(&[prefix, ":PlainValue"].concat(), "", &key));
    fill::element(&[prefix, ":Secret"].concat(), if declared { "" } else { &declaration }, &value)
}

fn prefixes<'m>(place: &'m Place, known: &'m KnownPrefixes) -> Prefixes<'m> {
    let or_declare = |known: &'m Option<String>, own| known.as_deref().map_or(Prefix::Declare(own), Prefix::InScope);
    let cpix = place.name.split_once(':').map_or(Prefix::Default, |(prefix, _)| Prefix::InScope(prefix));
    let (pskc, enc) = (or_declare(&known.pskc, "pskc"), or_declare(&known.enc, "enc"));
    Prefixes { cpix, pskc, enc }
}

fn drm_system(
    splice: &mut Splice,
    system: &DrmSystem,
    version: Version,
    content: &Content<'_>,
    settings: &Settings,
) -> Result<(), SpekeError> {
    let too_long = SpekeError::Invalid { place: "CPIX@contentId", expected: "one that fits into the DRM data" };
    let signals = signal(system.system, content, settings).map_err(|_| too_long)?;
    let mut filled = false;
    for (gap, place) in &system.gaps {
        if gap.is_of_v1() && version != Version::V1 {
            fill::remove(splice, place);
            continue;
        }
        filled = true;
        match fill::value(*gap, &signals) {
            Some(value) => fill::content(splice, place, value),
            None if fill::needs_url(*gap, system.system) => {
                return Err(SpekeError::Unconfigured { system: system.system_text.clone() });
            }
            None => fill::remove(splice, place),
        }
    }
    if filled {
        return Ok(());
    }
    let all = fill::everything(system, version, &signals);
    if all.is_empty() {
        return Err(SpekeError::Unconfigured { system: system.system_text.clone() });
    }
    fill::prepend(splice, &system.place, all);
    Ok(())
}

/// 16 bytes of Base64.
fn read_iv(text: &str) -> Result<[u8; 16], SpekeError> {
    let bytes = LENIENT.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(SpekeError::Invalid { place: "ContentKey@explicitIV", expected: "Base64 of 16 bytes" })
}
