//! Reads a response: the keys of the request and the data of its DRM systems.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use playlock_drm::{Kid, System};
use roxmltree::{Document, Node};

use super::answer::{Answer, AnswerKey, Delivery, Encrypted, SystemData};
use super::asked::{Asked, Gap, gaps, system_name};
use super::document::{CPIX, ENC, PSKC, SPEKE};
use super::verify::Problems;
use crate::terminal::shown;

/// Algorithms of encrypted keys (DASH-IF CPIX, section 6).
const CONTENT_KEY: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
const RECIPIENT: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const MAC: &str = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512";

/// Reads the keys; a missing or malformed value is a problem.
pub fn read(document: &Document<'_>, asked: &Asked, problems: &mut Problems) -> Answer {
    let root = document.root_element();
    if !root.has_tag_name((CPIX, "CPIX")) {
        problems.add(format!("root element: found {}, expected CPIX of {CPIX}", shown(root.tag_name().name())));
        return Answer::default();
    }
    let found = listed(root, "ContentKeyList", "ContentKey", problems);
    let systems = listed(root, "DRMSystemList", "DRMSystem", problems);
    let nodes = assign(&found, asked, problems);
    let keys: Vec<AnswerKey> =
        nodes.into_iter().map(|(index, kid, node)| read_key(node, index, kid, problems)).collect();
    let keys: Vec<AnswerKey> = keys.into_iter().map(|key| with_systems(key, &systems, asked, problems)).collect();
    for node in &systems {
        let is_asked = kid_of(*node).is_some_and(|kid| keys.iter().any(|key| key.kid == kid))
            && system_of(*node).is_some_and(|system| asked.systems.contains(&system));
        if !is_asked {
            let attribute = |name| shown(node.attribute(name).unwrap_or_default());
            problems.add(format!(
                "DRMSystem {} of key {}: not in the request; expected none",
                attribute("systemId"),
                attribute("kid")
            ));
        }
    }
    let delivery = asked.certificate.as_ref().and_then(|_| read_delivery(root, problems));
    Answer { keys, delivery }
}

/// Finds the element of each key of the request. A server may replace key IDs, then the order decides.
fn assign<'a, 'i>(found: &[Node<'a, 'i>], asked: &Asked, problems: &mut Problems) -> Vec<(usize, Kid, Node<'a, 'i>)> {
    let mut assigned = Vec::new();
    let is_asked = |kid: Kid| asked.keys.iter().any(|key| key.kid == kid);
    let replaced = found.len() == asked.keys.len()
        && !asked.fixed_kids
        && found.iter().all(|node| kid_of(*node).is_some_and(|kid| !is_asked(kid)));
    for (index, key) in asked.keys.iter().enumerate() {
        let kid = key.kid;
        if let (true, Some(node)) = (replaced, found.get(index)) {
            let Some(other) = kid_of(*node) else { continue };
            problems.warn(format!("key {kid}: the server has replaced the key ID by {other}"));
            assigned.push((index, other, *node));
            continue;
        }
        let mut own = found.iter().filter(|node| kid_of(**node) == Some(kid));
        match (own.next(), own.next()) {
            (Some(node), None) => assigned.push((index, kid, *node)),
            (Some(_), Some(_)) => problems.add(format!("key {kid}: twice in the response; expected once")),
            (None, _) => problems.add(format!("key {kid}: not in the response; expected a ContentKey")),
        }
    }
    if !replaced {
        for node in found.iter().filter(|node| !kid_of(**node).is_some_and(is_asked)) {
            let kid = shown(node.attribute("kid").unwrap_or_default());
            problems.add(format!("key {kid}: not in the request; expected none"));
        }
    }
    assigned
}

fn read_key(node: Node<'_, '_>, asked: usize, kid: Kid, problems: &mut Problems) -> AnswerKey {
    let place = format!("key {kid}");
    let secret = only(node, (CPIX, "Data"), problems).and_then(|data| only(data, (PSKC, "Secret"), problems));
    let plain = secret.and_then(|secret| only(secret, (PSKC, "PlainValue"), problems));
    let key = plain.and_then(|plain| bytes(&format!("{place}: PlainValue"), &text(plain), problems));
    let key = key.and_then(|bytes| sized(&format!("{place}: PlainValue"), bytes, problems));
    let encrypted = secret.and_then(|secret| {
        let value = only(secret, (PSKC, "EncryptedValue"), problems)?;
        algorithm(&place, value, CONTENT_KEY, problems);
        let cipher = cipher(&place, value, problems)?;
        let mac = only(secret, (PSKC, "ValueMAC"), problems);
        let mac = mac.and_then(|mac| bytes(&format!("{place}: ValueMAC"), &text(mac), problems)).unwrap_or_default();
        Some(Encrypted { cipher, mac })
    });
    match (plain.is_some(), encrypted.is_some()) {
        (false, false) => {
            problems.add(format!("{place}: no value; expected Data/Secret/PlainValue or EncryptedValue"));
        }
        (true, true) => problems.add(format!("{place}: PlainValue and EncryptedValue; expected one of them")),
        _ => {}
    }
    let iv = node.attribute("explicitIV").and_then(|iv| {
        let place = format!("{place}: explicitIV");
        let iv = bytes(&place, iv, problems)?;
        sized(&place, iv, problems)
    });
    let scheme = node.attribute("commonEncryptionScheme").map(str::to_owned);
    AnswerKey { asked, kid, key, encrypted, iv, scheme, systems: Vec::new() }
}

fn with_systems(mut key: AnswerKey, nodes: &[Node<'_, '_>], asked: &Asked, problems: &mut Problems) -> AnswerKey {
    for system in &asked.systems {
        let place = format!("{} of key {}", system_name(*system), key.kid);
        let mut own = nodes.iter().filter(|node| kid_of(**node) == Some(key.kid) && system_of(**node) == Some(*system));
        match (own.next(), own.next()) {
            (Some(node), None) => key.systems.push(read_system(*node, *system, &place, asked, problems)),
            (Some(_), Some(_)) => problems.add(format!("{place}: twice in the response; expected one DRMSystem")),
            (None, _) => problems.add(format!("{place}: not in the response; expected a DRMSystem")),
        }
    }
    key
}

fn read_system(node: Node<'_, '_>, system: System, place: &str, asked: &Asked, problems: &mut Problems) -> SystemData {
    let mut data = Vec::new();
    for gap in Gap::ALL {
        let (name, is_speke) = gap.element();
        let namespace = if is_speke { SPEKE } else { CPIX };
        let mut own = node.children().filter(|child| {
            child.has_tag_name((namespace, name))
                && (gap.playlist().is_none() || child.attribute("playlist") == gap.playlist())
        });
        let place = format!("{place}: {}", gap.label());
        match (own.next(), own.next()) {
            (Some(child), None) => match bytes(&place, &text(child), problems) {
                Some(bytes) if bytes.is_empty() => problems.add(format!("{place}: empty; expected data")),
                Some(bytes) => data.push((gap, bytes)),
                None => {}
            },
            (Some(_), Some(_)) => problems.add(format!("{place}: twice; expected once")),
            (None, _) if gaps(system, asked.version).contains(&gap) => {
                problems.add(format!("{place}: missing; the request asks for it"));
            }
            (None, _) => {}
        }
    }
    SystemData { system, data }
}

/// Document key and MAC key of the only recipient.
fn read_delivery(root: Node<'_, '_>, problems: &mut Problems) -> Option<Delivery> {
    let recipients = listed(root, "DeliveryDataList", "DeliveryData", problems);
    let [recipient] = recipients.as_slice() else {
        problems.add(format!("DeliveryDataList: {} recipients; expected one", recipients.len()));
        return None;
    };
    let mut key = |name: &str, expected: &str| {
        let Some(node) = only(*recipient, (CPIX, name), problems) else {
            problems.add(format!("DeliveryData: no {name}; expected an encrypted key"));
            return None;
        };
        if node.attribute("Algorithm") != Some(expected) {
            let found = shown(node.attribute("Algorithm").unwrap_or_default());
            problems.add(format!("{name}: Algorithm: found \"{found}\", expected {expected}"));
        }
        algorithm(name, node, RECIPIENT, problems);
        cipher(name, node, problems)
    };
    let (document_key, mac_key) = (key("DocumentKey", CONTENT_KEY), key("MACMethod", MAC));
    Some(Delivery { document_key: document_key?, mac_key: mac_key? })
}

/// Checks the `EncryptionMethod` within an element.
fn algorithm(place: &str, node: Node<'_, '_>, expected: &str, problems: &mut Problems) {
    let method = node.descendants().find(|node| node.has_tag_name((ENC, "EncryptionMethod")));
    let found = method.and_then(|method| method.attribute("Algorithm")).unwrap_or_default();
    if found != expected {
        problems.add(format!("{place}: EncryptionMethod: found \"{}\", expected {expected}", shown(found)));
    }
}

/// The only `CipherValue` within an element.
fn cipher(place: &str, node: Node<'_, '_>, problems: &mut Problems) -> Option<Vec<u8>> {
    let mut values = node.descendants().filter(|node| node.has_tag_name((ENC, "CipherValue")));
    match (values.next(), values.next()) {
        (Some(value), None) => bytes(&format!("{place}: CipherValue"), &text(value), problems),
        _ => {
            problems.add(format!("{place}: none or several of CipherValue; expected one"));
            None
        }
    }
}

/// The elements of a list, which is there at most once.
fn listed<'a, 'i>(root: Node<'a, 'i>, list: &str, element: &str, problems: &mut Problems) -> Vec<Node<'a, 'i>> {
    let list = only(root, (CPIX, list), problems);
    list.iter().flat_map(Node::children).filter(|child| child.has_tag_name((CPIX, element))).collect()
}

/// The only child with a name; several are a problem.
fn only<'a, 'i>(parent: Node<'a, 'i>, name: (&str, &str), problems: &mut Problems) -> Option<Node<'a, 'i>> {
    let mut children = parent.children().filter(|child| child.has_tag_name(name));
    let child = children.next();
    if children.next().is_some() {
        problems.add(format!("{}: twice in {}; expected once", name.1, shown(parent.tag_name().name())));
    }
    child
}

/// The text of an element, without blanks.
fn text(node: Node<'_, '_>) -> String {
    let text = node.children().filter(Node::is_text).filter_map(|child| child.text());
    text.flat_map(str::chars).filter(|char| !char.is_ascii_whitespace()).collect()
}

fn bytes(place: &str, text: &str, problems: &mut Problems) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text).ok();
    if bytes.is_none() {
        problems.add(format!("{place}: not base64; expected base64 with padding"));
    }
    bytes
}

fn sized<const N: usize>(place: &str, bytes: Vec<u8>, problems: &mut Problems) -> Option<[u8; N]> {
    let length = bytes.len();
    let sized = bytes.try_into().ok();
    if sized.is_none() {
        problems.add(format!("{place}: {length} bytes; expected {N}"));
    }
    sized
}

fn kid_of(node: Node<'_, '_>) -> Option<Kid> {
    node.attribute("kid").and_then(Kid::parse)
}

fn system_of(node: Node<'_, '_>) -> Option<System> {
    node.attribute("systemId").and_then(System::parse)
}
