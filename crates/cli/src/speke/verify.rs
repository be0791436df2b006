//! Checks of a response against the request: content, version, keys and the encryption contract.

use playlock_drm::Kid;
use roxmltree::{Document, Node};

use super::answer::Answer;
use super::asked::{Asked, Gap, Version};
use super::document::{CPIX, SPEKE};
use crate::failure::Failure;
use crate::terminal::shown;

/// Maximum number of problems and of warnings: a hostile response could have any number.
const MOST: usize = 50;
/// Maximum nesting of the lists that are compared; a request has three levels.
const DEPTH: usize = 8;

/// Problems and warnings, in the order in which they are found. They never have a key in them.
#[derive(Default)]
pub struct Problems {
    found: Vec<String>,
    warnings: Vec<String>,
}

impl Problems {
    /// Adds a problem: place, value found, value expected.
    pub fn add(&mut self, problem: String) {
        if self.found.len() < MOST && !self.found.contains(&problem) {
            self.found.push(problem);
        }
    }

    /// Adds a warning.
    pub fn warn(&mut self, warning: String) {
        if self.warnings.len() < MOST {
            self.warnings.push(warning);
        }
    }

    /// Takes the warnings.
    pub fn warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// The failure with all problems.
    ///
    /// # Errors
    /// If there is any.
    pub fn into_result(self) -> Result<(), Failure> {
        if self.found.is_empty() { Ok(()) } else { Err(Failure::Negative(self.found.join("\nplaylock: "))) }
    }
}

/// Checks all but the data of the DRM systems.
pub fn document(sent: &Document<'_>, received: &Document<'_>, asked: &Asked, answer: &Answer, problems: &mut Problems) {
    let (sent, root) = (sent.root_element(), received.root_element());
    for name in [asked.version.content_id(), "version"] {
        let (expected, found) = (sent.attribute(name), root.attribute(name));
        if expected.is_some() && expected != found {
            let found = shown(found.unwrap_or_default());
            let expected = shown(expected.unwrap_or_default());
            problems.add(format!("CPIX@{name}: found \"{found}\", expected \"{expected}\""));
        }
    }
    if asked.version != Version::V1 {
        leftovers(root, problems);
    }
    keys(asked, answer, problems);
    let same = |kid: Kid| Some(kid);
    let asked_kid = |kid: Kid| {
        let key = answer.keys.iter().find(|key| key.kid == kid)?;
        asked.keys.get(key.asked).map(|key| key.kid)
    };
    for list in ["ContentKeyPeriodList", "ContentKeyUsageRuleList"] {
        let own = |root: Node<'_, '_>, kids: &dyn Fn(Kid) -> Option<Kid>| -> Vec<String> {
            root.children()
                .filter(|node| node.has_tag_name((CPIX, list)))
                .map(|node| canonical(node, kids, DEPTH))
                .collect()
        };
        if own(sent, &same) != own(root, &asked_kid) {
            problems.add(format!("{list}: changed; expected the one of the request"));
        }
    }
}

/// Elements, attributes and namespaces of SPEKE 1.0, which packagers of 2.0 reject.
fn leftovers(root: Node<'_, '_>, problems: &mut Problems) {
    if root.has_attribute("id") {
        problems.add("CPIX@id: an attribute of SPEKE 1.0; expected contentId alone".into());
    }
    for node in root.descendants().filter(Node::is_element) {
        let name = node.tag_name();
        let is_of_v1 = name.namespace() == Some(SPEKE)
            || Gap::ALL.into_iter().any(|gap| gap.is_of_v1() && gap.element().0 == name.name());
        if is_of_v1 {
            problems.add(format!("{}: an element of SPEKE 1.0; expected none", shown(name.name())));
        }
        if node.namespaces().any(|namespace| namespace.uri() == SPEKE) {
            problems.add(format!("{SPEKE}: the namespace of SPEKE 1.0; expected no declaration of it"));
        }
    }
}

fn keys(asked: &Asked, answer: &Answer, problems: &mut Problems) {
    let scheme = asked.scheme.map(super::asked::SchemeName::name);
    for (index, key) in answer.keys.iter().enumerate() {
        let kid = key.kid;
        if scheme.is_some() && key.scheme.as_deref() != scheme {
            let (found, expected) = (shown(key.scheme.as_deref().unwrap_or_default()), scheme.unwrap_or_default());
            problems.add(format!("key {kid}: commonEncryptionScheme: found \"{found}\", expected {expected}"));
        }
        match (&asked.certificate, &key.encrypted) {
            (Some(_), None) if key.key.is_some() => {
                problems.add(format!("key {kid}: in clear; expected one encrypted for the certificate"));
            }
            (None, Some(_)) => {
                problems.add(format!("key {kid}: encrypted, but the request has no certificate; expected PlainValue"));
            }
            _ => {}
        }
        let mut before = answer.keys.iter().take(index);
        if key.key.is_some() && before.any(|other| other.key == key.key) {
            problems.warn(format!("key {kid}: the same key as under another key ID"));
        }
    }
}

/// An element with all in it to a depth, regardless of prefixes, blanks, and the order of attributes and children.
fn canonical(node: Node<'_, '_>, kids: &dyn Fn(Kid) -> Option<Kid>, depth: usize) -> String {
    let Some(below) = depth.checked_sub(1) else { return "too deep".into() };
    let value = |name: &str, value: &str| {
        let kid = if name == "kid" { Kid::parse(value).and_then(kids) } else { None };
        kid.map_or_else(|| value.to_owned(), |kid| kid.to_string())
    };
    let mut attributes: Vec<_> =
        node.attributes().map(|it| format!(" {}={:?}", it.name(), value(it.name(), it.value()))).collect();
    attributes.sort();
    let mut children: Vec<_> =
        node.children().filter(Node::is_element).map(|child| canonical(child, kids, below)).collect();
    children.sort();
    format!("<{}{}>{}</>", node.tag_name().name(), attributes.concat(), children.concat())
}
