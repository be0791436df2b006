//! The namespace declarations in scope (Namespaces in XML 1.0).

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::Fault;
use crate::tag::Attribute;
use crate::text::attribute_value;

/// The namespace of the prefix `xml`, which nobody needs to declare.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of the prefix `xmlns`, which nobody may declare.
pub const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

#[derive(Debug)]
struct Declaration {
    /// Empty for the default namespace.
    prefix: String,
    /// Empty where the default namespace is undeclared.
    namespace: String,
    /// The depth of the element that declares it.
    depth: usize,
}

/// The declarations of the open elements, innermost last.
#[derive(Debug)]
pub struct Scopes {
    declarations: Vec<Declaration>,
    most: usize,
}

impl Scopes {
    pub(crate) const fn new(most: usize) -> Self {
        Self { declarations: Vec::new(), most }
    }

    /// Enters an element: takes its declarations in.
    pub(crate) fn enter(&mut self, depth: usize, attributes: &[Attribute<'_>]) -> Result<(), Fault> {
        for attribute in attributes {
            let Some(prefix) = declared_prefix(attribute) else { continue };
            let namespace = attribute_value(attribute.value)?;
            let reserved = namespace == XMLNS || prefix == "xmlns" || (prefix == "xml") != (namespace == XML);
            if reserved || (namespace.is_empty() && !prefix.is_empty()) {
                return Err(Fault::Namespace);
            }
            if self.declarations.len() >= self.most {
                return Err(Fault::TooMany);
            }
            self.declarations.push(Declaration { prefix: prefix.into(), namespace: namespace.into_owned(), depth });
        }
        Ok(())
    }

    /// Leaves an element of this depth.
    pub(crate) fn leave(&mut self, depth: usize) {
        while self.declarations.pop_if(|declaration| declaration.depth >= depth).is_some() {}
    }

    /// The namespace of a prefix; `None` for an undeclared one. The empty prefix is the default namespace, and "" is
    /// no namespace.
    #[must_use]
    pub fn namespace(&self, prefix: &str) -> Option<&str> {
        let declared = self.declarations.iter().rev().find(|declaration| declaration.prefix == prefix);
        match (declared, prefix) {
            (Some(declaration), _) => Some(&declaration.namespace),
            (None, "") => Some(""),
            (None, "xml") => Some(XML),
            (None, "xmlns") => Some(XMLNS),
            (None, _) => None,
        }
    }

    /// A prefix, not the empty one, that stands for the namespace here.
    #[must_use]
    pub fn prefix(&self, namespace: &str) -> Option<&str> {
        let prefixed = self.declarations.iter().rev().filter(|declaration| !declaration.prefix.is_empty());
        prefixed
            .filter(|declaration| declaration.namespace == namespace)
            .map(|declaration| declaration.prefix.as_str())
            .find(|prefix| self.namespace(prefix) == Some(namespace))
    }
}

/// The prefix that an attribute declares, empty for `xmlns` itself.
fn declared_prefix<'a>(attribute: &Attribute<'a>) -> Option<&'a str> {
    match (attribute.name.prefix, attribute.name.local) {
        ("xmlns", local) => Some(local),
        ("", "xmlns") => Some(""),
        _ => None,
    }
}
