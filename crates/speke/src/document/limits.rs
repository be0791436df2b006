//! Bounds of a document, so that one request costs a bounded time and memory.

use playlock_xml::Limits;

/// Length of a request's body, in bytes. Eight keys under three systems are 10 KB.
pub const BODY: usize = 256 * 1024;
/// `ContentKey` elements.
pub const KEYS: usize = 64;
/// `DRMSystem` elements: each has at most one element of each kind.
pub const SYSTEMS: usize = 256;
/// `ContentKeyUsageRule` elements, and `ContentKeyPeriod` elements.
pub const RULES: usize = 256;
/// Filters of one usage rule.
pub const FILTERS: usize = 16;
/// Certificates of all `DeliveryData` elements: each costs two RSA operations.
pub const RECIPIENTS: usize = 4;
/// Tags, nesting, attributes.
pub const XML: Limits = Limits { tag: 16 * 1024, depth: 16, attributes: 32, namespaces: 64 };
