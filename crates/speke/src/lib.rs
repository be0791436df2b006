//! SPEKE as bytes: CPIX documents read and answered, and requests for them. No input and no output here: a server reads a request, collects its body, and sends the answer.
//!
//! Sources: AWS, "Secure Packager and Encoder Key Exchange API Specification" 1.0, 2.0 and 2.1; DASH-IF CPIX 2.0, 2.3
//! and 2.4.
//!
//! | module | subject |
//! |---|---|
//! | [`document`] | the request document, its rules, and the answer |
//! | [`request`] | target, token and headers of an HTTP request |
//! | [`error`] | every refusal, with its status and words |
//!
//! ```
//! use playlock_drm::{Kid, Settings};
//! use playlock_speke::{ContentId, Document, Keys, Request, SpekeError, Supply};
//! use zeroize::Zeroizing;
//!
//! struct Fixed;
//!
//! impl Keys for Fixed {
//!     fn key(&self, _: &ContentId, kid: &Kid) -> Zeroizing<[u8; 16]> {
//!         Zeroizing::new(*kid.bytes()) // A server derives it from a secret, the content and the key ID.
//!     }
//!
//!     fn iv(&self, _: &ContentId, _: &Kid) -> [u8; 16] {
//!         [7; 16]
//!     }
//! }
//!
//! fn respond(target: (&str, Option<&str>), body: &[u8], seed: &[u8; 32]) -> Result<String, SpekeError> {
//!     let request = Request::read("POST", target.0, target.1, [])?;
//!     let document = Document::read(body, request.version)?;
//!     // Here the server compares request.token with its requesters' and document.content_id() with their contents.
//!     let settings = Settings::default();
//!     document.answer(&Supply { keys: &Fixed, settings: &settings, scheme: request.scheme, seed })
//! }
//!
//! let body = br#"<c:CPIX xmlns:c="urn:dashif:org:cpix" id="film"><c:ContentKeyList>
//!   <c:ContentKey kid="0f083e4e-b831-4a3d-917e-ce78076e54aa"/></c:ContentKeyList></c:CPIX>"#;
//! let answer = respond(("/cpix/getKey", Some("enc-token=secret")), body, &[1; 32])?;
//! assert!(answer.contains(":PlainValue>Dwg+TrgxSj2Rfs54B25Uqg==</"));
//! # Ok::<(), SpekeError>(())
//! ```
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

pub use content::ContentId;
pub use document::{Document, Keys, Supply};
pub use error::SpekeError;
pub use request::Request;
pub use version::Version;
