//! The reasons for which XML is refused, and their words.

use core::fmt;

/// XML that was refused, and the position of the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XmlError {
    /// Bytes from the beginning of the input to the token with the fault.
    pub at: u64,
    /// The reason.
    pub fault: Fault,
}

/// Reasons to refuse XML. Sections are of XML 1.0 (fifth edition), unless "Namespaces" is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes are not UTF-8, or the declaration names another encoding (section 4.3.3).
    NotUtf8,
    /// A character that no document may have, such as U+0000 (section 2.2).
    Character,
    /// `<!DOCTYPE`: entities and default attributes are not for strangers to define.
    Doctype,
    /// A processing instruction other than the declaration at the very beginning.
    Instruction,
    /// The declaration is not `<?xml version="1.0" …?>` (section 2.8).
    Declaration,
    /// `<` that begins no tag, comment or CDATA section; or a tag with something that is no attribute (section 3.1).
    Markup,
    /// A comment with `--` in it (section 2.5).
    Comment,
    /// `]]>` in text (section 2.4).
    SectionEnd,
    /// `&` that begins none of the five entities and no character reference (section 4.1).
    Reference,
    /// Two attributes of one name, or of one local name and namespace (section 3.1; Namespaces 6.3).
    DuplicateAttribute,
    /// A prefix that no `xmlns:` in scope declares (Namespaces 5).
    UnknownPrefix,
    /// A name with more than one colon, or a declaration that Namespaces 3 forbids.
    Namespace,
    /// An end tag that is not the one of the open element (section 3).
    Mismatched,
    /// The input ends inside a tag, a comment or an element, or has no element at all.
    Incomplete,
    /// Text, or a second element, outside the root (section 2.1).
    OutsideRoot,
    /// A tag that is longer than [`Limits::tag`](crate::Limits::tag).
    TagTooLong,
    /// More elements in each other than [`Limits::depth`](crate::Limits::depth).
    TooDeep,
    /// More attributes than [`Limits::attributes`](crate::Limits::attributes), or namespaces in scope than
    /// [`Limits::namespaces`](crate::Limits::namespaces).
    TooMany,
}

impl Fault {
    /// The reason in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not UTF-8",
            Self::Character => "a character that XML forbids",
            Self::Doctype => "DOCTYPE is not allowed",
            Self::Instruction => "processing instructions are not allowed",
            Self::Declaration => "not an XML 1.0 declaration",
            Self::Markup => "not a tag, a comment or a CDATA section",
            Self::Comment => "a comment with two hyphens",
            Self::SectionEnd => "]]> outside a CDATA section",
            Self::Reference => "an unknown entity or a malformed reference",
            Self::DuplicateAttribute => "a duplicate attribute",
            Self::UnknownPrefix => "an undeclared namespace prefix",
            Self::Namespace => "a malformed name or namespace declaration",
            Self::Mismatched => "an end tag without its start tag",
            Self::Incomplete => "the document is incomplete",
            Self::OutsideRoot => "content outside the root element",
            Self::TagTooLong => "a tag is too long",
            Self::TooDeep => "elements are nested too deeply",
            Self::TooMany => "too many attributes or namespaces",
        }
    }
}

impl XmlError {
    pub(crate) const fn new(at: u64, fault: Fault) -> Self {
        Self { at, fault }
    }
}

impl fmt::Display for XmlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "XML at byte {}: {}", self.at, self.fault.words())
    }
}

impl core::error::Error for XmlError {}
