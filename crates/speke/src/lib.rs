//! SPEKE as bytes: CPIX documents read and answered, requests for them, and the XML parser below both. No input and
//! no output here: a server reads a body, calls [`document`], and sends the answer.
//!
//! Sources: AWS "Secure Packager and Encoder Key Exchange" 1.0, 2.0 and 2.1; DASH-IF CPIX 2.0, 2.3 and 2.4.
//!
//! | module | subject |
//! |---|---|
//! | [`xml`] | XML 1.0 as a stream: tokens that add up to the input, well-formedness, namespaces |
//! | [`document`] | the request document, its rules, and the answer |
//! | [`request`] | target, token and headers of an HTTP request |
//! | [`drm`] | the traits that supply keys and DRM data |
//! | [`error`] | every refusal, with its status and words |
//!
//! Everything fails closed: input that this crate does not understand is refused, never passed by.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod xml;
