//! EdgeGrid, the request signatures of Akamai's APIs (`EG1-HMAC-SHA256`): verified, made, and refused a second time. Pure:
//! the time and random bytes come in as values.
//!
//! A server takes these steps, in this order:
//!
//! 1. [`Authorization::parse`] reads the header. A request with two `Authorization` headers is the caller's to refuse.
//! 2. [`Window::check`] compares the timestamp with the server's clock.
//! 3. The caller looks up the client token, and compares the access token with the one that it gave this client
//!    ([`Refusal::Client`]).
//! 4. [`verify`] computes the signature.
//! 5. [`NonceMemory::check_and_remember`] refuses the second use. Only valid signatures get that far, so nobody without a
//!    secret fills the memory. Several servers share a table of [`NonceKey`]s in a database instead.
//!
//! The body of a PUT or PATCH request is not signed, nor is a POST body beyond the first 131,072 bytes ([`MAX_BODY`]):
//! TLS protects it. Sources: Akamai's documentation, "Authenticate with EdgeGrid", and Akamai's clients for Python,
//! Node.js, Go, Java, Ruby, Perl and PHP.
#![forbid(unsafe_code)]

mod authorization;
mod content;
mod credentials;
mod edgerc;
mod nonce;
mod refusal;
mod request;
mod signature;
mod timestamp;
mod window;

pub use authorization::{Authorization, MAX_HEADER, ParseError};
pub use content::MAX_BODY;
pub use credentials::{ClientSecret, Credentials, CredentialsFault, RANDOM_BYTES};
pub use edgerc::{EdgercSection, HostFault};
pub use nonce::{NonceKey, NonceMemory, new_nonce};
pub use refusal::Refusal;
pub use request::{Part, SignedRequest};
pub use signature::{SignFault, Signer, verify};
pub use window::{Window, WindowFault};
