//! Bounds of a document's parts, so that a stream holds a bounded state. The length of the document is not limited.

use playlock_xml::Limits;

/// The text of a URL with the white space around it, in bytes.
pub(crate) const URL: usize = 8 * 1024;
/// Base URLs that the player may choose from: the product of the alternatives at each level. Each reference is looked
/// at under each of them.
pub(crate) const BASES: usize = 16;
/// References that may get further bases: those of a Period or set from its descendants, those of MPD from its
/// locations. Each further base is looked at for each of them.
pub(crate) const PENDING: usize = 16;
/// The length of all of these, in bytes.
pub(crate) const PENDING_BYTES: usize = 32 * 1024;
/// The beginning of a document in which the root element must appear, in bytes.
pub(crate) const PROLOG: usize = 8 * 1024;
/// Events carry XML of other schemas, hence the depth.
pub(crate) const XML: Limits = Limits { tag: 16 * 1024, depth: 32, attributes: 64, namespaces: 64 };
