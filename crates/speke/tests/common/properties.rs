//! The properties of every document that is answered, by a foreign parser. A fuzzer may call [`check`].

use std::ops::Range;

use playlock_speke::document::{CPIX, PSKC, SPEKE};
use playlock_speke::{Document, Supply, Version};
use roxmltree::{Document as Tree, Node};

use super::answers::{Computed, answer, settings};

fn is(node: Node<'_, '_>, local: &str) -> bool {
    node.is_element() && node.tag_name().namespace() == Some(CPIX) && node.tag_name().name() == local
}

/// Whether an element is where the reader looks for it: in a list of the root.
fn is_in_list(node: Node<'_, '_>, list: &str) -> bool {
    let parent = node.parent().filter(|parent| is(*parent, list));
    parent.and_then(|parent| parent.parent()).is_some_and(|root| is(root, "CPIX") && root.parent_element().is_none())
}

/// The ranges where an answer may differ, by roxmltree.
fn gaps(tree: &Tree<'_>, version: Version) -> Vec<Range<usize>> {
    let mut gaps = Vec::new();
    for node in tree.descendants() {
        if ["ContentKey", "DRMSystem", "DeliveryData"].iter().any(|name| is(node, name)) {
            gaps.push(node.range());
        }
        if version == Version::V1 {
            continue;
        }
        if node.tag_name().namespace() == Some(SPEKE) {
            gaps.push(node.range());
        }
        for attribute in node.attributes() {
            let leftover = attribute.namespace() == Some(SPEKE);
            if leftover || (node == tree.root_element() && attribute.name() == "id" && attribute.namespace().is_none())
            {
                // The white space before an attribute goes with it.
                let source = &tree.input_text()[..attribute.range().start];
                gaps.push(source.trim_end().len()..attribute.range().end);
            }
        }
    }
    gaps
}

/// Checks one document; returns whether it was answered.
pub fn check(source: &str, version: Version) -> bool {
    let Ok(document) = Document::read(source.as_bytes(), version) else { return false };
    let settings = settings();
    let supply = Supply { keys: &Computed, settings: &settings, scheme: None, seed: &[7; 32] };
    let Ok(splice) = document.splice(&supply) else { return false };
    let tree = Tree::parse(source).unwrap_or_else(|error| panic!("{error}: {source}"));
    let gaps = gaps(&tree, version);
    let mut at = 0;
    for edit in splice.edits() {
        assert!(edit.range.start >= at, "edits overlap: {source}");
        at = edit.range.end;
        let within = |gap: &Range<usize>| gap.start <= edit.range.start && edit.range.end <= gap.end;
        let declaration = version != Version::V1 && edit.text.is_empty() && source[edit.range.clone()].contains(SPEKE);
        assert!(declaration || gaps.iter().any(within), "an edit outside the gaps, at {:?}: {source}", edit.range);
    }
    let answer = answer(&document, None).unwrap();
    let answered = Tree::parse(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
    check_content(&answered, version);
    if !document.is_encrypted() {
        let again = Document::read(answer.as_bytes(), version).unwrap_or_else(|error| panic!("{error:?}: {answer}"));
        assert!(self::answer_of(&again) == answer, "the answer to the answer differs: {answer}");
    }
    true
}

fn answer_of(document: &Document<'_>) -> String {
    answer(document, None).unwrap()
}

/// No gap is left, and version 2 has nothing of version 1.
fn check_content(tree: &Tree<'_>, version: Version) {
    for node in tree.descendants().filter(Node::is_element) {
        if is(node, "ContentKey") && is_in_list(node, "ContentKeyList") {
            assert!(node.attribute("explicitIV").is_some_and(|iv| iv.len() == 24));
            let data: Vec<_> = node.children().filter(|child| is(*child, "Data")).collect();
            let [data] = data[..] else { panic!("{} elements Data", data.len()) };
            let secret = data
                .children()
                .find(|child| child.has_tag_name((PSKC, "Secret")))
                .unwrap_or_else(|| panic!("no Secret"));
            let value = |name: &'static str| secret.children().find(|child| child.has_tag_name((PSKC, name)));
            assert!(value("PlainValue").or_else(|| value("EncryptedValue")).is_some(), "no value");
        }
        if is(node, "DRMSystem") && is_in_list(node, "DRMSystemList") {
            for child in node.children().filter(|child| child.tag_name().namespace() == Some(CPIX)) {
                assert!(child.text().is_some_and(|text| !text.trim().is_empty()), "an empty {:?}", child.tag_name());
            }
        }
        if version != Version::V1 {
            assert!(!tree.root_element().has_attribute("id"));
            assert_ne!(node.tag_name().namespace(), Some(SPEKE));
            assert!(node.namespaces().all(|namespace| namespace.uri() != SPEKE));
            assert!(
                !is(node, "URIExtXKey") || !node.parent().is_some_and(|parent| is_in_list(parent, "DRMSystemList"))
            );
        }
    }
}
