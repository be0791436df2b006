//! The grammar: which element an element is, by its parent, its namespace and its name. Order does not matter: AWS's
//! and PallyCon's clients do not keep the schema's.

use core::ops::Range;

use super::model::{Gap, List};

/// CPIX.
pub const CPIX: &str = "urn:dashif:org:cpix";
/// Portable symmetric keys (RFC 6030).
pub const PSKC: &str = "urn:ietf:params:xml:ns:keyprov:pskc";
/// XML signatures, and certificates.
pub const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XML encryption.
pub const ENC: &str = "http://www.w3.org/2001/04/xmlenc#";
/// SPEKE 1.0.
pub const SPEKE: &str = "urn:aws:amazon:com:speke";

/// An open element.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Cpix,
    List(List),
    DeliveryData,
    DeliveryKey,
    X509Data,
    Certificate,
    ContentKey,
    /// `ContentKey/Data`, from its first byte.
    Data {
        start: usize,
    },
    DrmSystem,
    Gap(Gap),
    Period,
    Rule,
    KeyPeriodFilter,
    VideoFilter,
    AudioFilter,
    LabelFilter,
    Signature,
    /// An element of SPEKE 1.0's namespace at an unknown place.
    Leftover {
        tag: Range<usize>,
    },
    /// An element of CPIX for data that an answer does not have, or has already.
    Foreign,
    /// Anything else: it stays as it is.
    Other,
}

/// Names the element in a parent; `None` is the parent of the root. `tag` is the span of its start tag.
pub(super) fn name(parent: Option<&Node>, namespace: &str, local: &str, tag: &Range<usize>) -> Node {
    let Some(parent) = parent else {
        return if namespace == CPIX && local == "CPIX" { Node::Cpix } else { Node::Other };
    };
    match (parent, namespace, local) {
        (Node::DrmSystem, SPEKE, "ProtectionHeader") => Node::Gap(Gap::ProtectionHeader),
        (Node::DrmSystem, SPEKE, "KeyFormat") => Node::Gap(Gap::KeyFormat),
        (Node::DrmSystem, SPEKE, "KeyFormatVersions") => Node::Gap(Gap::KeyFormatVersions),
        (_, SPEKE, _) => Node::Leftover { tag: tag.clone() },
        (_, DS, "Signature") => Node::Signature,
        (Node::DeliveryKey, DS, "X509Data") => Node::X509Data,
        (Node::X509Data, DS, "X509Certificate") => Node::Certificate,
        (parent, CPIX, local) => cpix(parent, local, tag),
        _ => Node::Other,
    }
}

fn cpix(parent: &Node, local: &str, tag: &Range<usize>) -> Node {
    match (parent, local) {
        (Node::Cpix, "DeliveryDataList") => Node::List(List::DeliveryData),
        (Node::Cpix, "ContentKeyList") => Node::List(List::ContentKeys),
        (Node::Cpix, "DRMSystemList") => Node::List(List::DrmSystems),
        (Node::Cpix, "ContentKeyPeriodList") => Node::List(List::Periods),
        (Node::Cpix, "ContentKeyUsageRuleList") => Node::List(List::Rules),
        (Node::List(List::DeliveryData), "DeliveryData") => Node::DeliveryData,
        (Node::DeliveryData, "DeliveryKey") => Node::DeliveryKey,
        // Of answers: they would be there twice.
        (Node::DeliveryData, "DocumentKey" | "MACMethod") => Node::Foreign,
        (Node::List(List::ContentKeys), "ContentKey") => Node::ContentKey,
        (Node::ContentKey, "Data") => Node::Data { start: tag.start },
        (Node::List(List::DrmSystems), "DRMSystem") => Node::DrmSystem,
        (Node::DrmSystem, "PSSH") => Node::Gap(Gap::Pssh),
        (Node::DrmSystem, "ContentProtectionData") => Node::Gap(Gap::ContentProtectionData),
        // Which of the two is in its attribute.
        (Node::DrmSystem, "HLSSignalingData") => Node::Gap(Gap::HlsMedia),
        (Node::DrmSystem, "SmoothStreamingProtectionHeaderData") => Node::Gap(Gap::SmoothHeader),
        (Node::DrmSystem, "URIExtXKey") => Node::Gap(Gap::UriExtXKey),
        (Node::DrmSystem, _) => Node::Foreign,
        (Node::List(List::Periods), "ContentKeyPeriod") => Node::Period,
        (Node::List(List::Rules), "ContentKeyUsageRule") => Node::Rule,
        (Node::Rule, "KeyPeriodFilter") => Node::KeyPeriodFilter,
        (Node::Rule, "VideoFilter") => Node::VideoFilter,
        (Node::Rule, "AudioFilter") => Node::AudioFilter,
        (Node::Rule, "LabelFilter") => Node::LabelFilter,
        _ => Node::Other,
    }
}
