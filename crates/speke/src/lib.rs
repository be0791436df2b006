//! SPEKE as bytes: CPIX documents read and answered, requests for them, and the XML parser below both. No input and
//! no output here: a server reads a request, collects its body, and sends the answer.
//!
//! Sources: AWS, "Secure Packager and Encoder Key Exchange API Specification" 1.0, 2.0 and 2.1; DASH-IF CPIX 2.0, 2.3
//! and 2.4.
//!
//! | module | subject |
//! |---|---|
//! | [`xml`] | XML 1.0 as a stream: tokens that add up to the input, well-formedness, namespaces |
//! | [`document`] | the request document, its rules, and the answer |
//! | [`request`] | target, token and headers of an HTTP request |
//! | [`error`] | every refusal, with its status and words |
//!
//! Everything fails closed: input that this crate does not understand is refused, never passed by. What SPEKE ignores
//! (update histories, key hierarchies, filters by bitrate) stays in the document and has no effect.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod content;
pub mod document;
pub mod error;
pub mod request;
pub mod version;
pub mod xml;

pub use content::ContentId;
pub use document::{Document, Keys, Supply};
pub use error::SpekeError;
pub use request::Request;
pub use version::Version;
