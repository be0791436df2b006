//! CPIX request documents: read once, checked against the rules of a version, and answered by a splice.
//!
//! Sources: SPEKE API v1, "Standard payload components"; SPEKE API v2 and v2.1, "Customizations and constraints",
//! "Standard payload components", "Encryption contract", "Content key encryption"; DASH-IF CPIX 2.3 and 2.4, section 6.
//!
//! An answer is the request with its gaps filled. Outside the gaps it is byte-identical: prefixes, order, comments,
//! white space, the letter case of key and system IDs. Gaps are
//!
//! - `ContentKey`: `Data` with the key, and `explicitIV` where it is absent;
//! - the elements of a `DRMSystem`, and a `DRMSystem` without elements, which gets all that fit;
//! - `DeliveryData` with a certificate: document key and MAC key; the content keys are encrypted then;
//! - from 2.0 on, leftovers of 1.0, which are taken out: root `id`, v1 elements, the namespace of SPEKE.

mod answer;
mod check;
mod contract;
mod fill;
pub mod limits;
mod model;
mod node;
mod read;
mod splice;

pub use answer::{Keys, Supply};
pub use node::{CPIX, DS, ENC, PSKC, SPEKE};
pub use splice::{Edit, Splice};

use alloc::string::String;

use crate::content::ContentId;
use crate::error::SpekeError;
use crate::version::Version;
use model::Model;

/// A request document that keeps the rules of its version.
pub struct Document<'s> {
    source: &'s str,
    model: Model,
    version: Version,
    content_id: ContentId,
}

impl<'s> Document<'s> {
    /// Reads a request's body.
    ///
    /// # Errors
    /// See [`SpekeError`]; the order of checks is fixed: size and XML, content ID, version, keys and systems, schemes,
    /// contract.
    pub fn read(body: &'s [u8], version: Version) -> Result<Self, SpekeError> {
        let model = read::read(body)?;
        let content_id = check::content_id(&model, version)?;
        check::check(&model, version)?;
        // The parser has read it as UTF-8.
        let source = core::str::from_utf8(body).unwrap_or_default();
        Ok(Self { source, model, version, content_id })
    }

    /// The content that the keys are for: a requester must have a right to it.
    #[must_use]
    pub const fn content_id(&self) -> &ContentId {
        &self.content_id
    }

    /// Number of content keys, 1 to [`limits::KEYS`].
    #[must_use]
    pub const fn keys(&self) -> usize {
        self.model.keys.len()
    }

    /// Whether the packager wants the keys encrypted: then [`Supply::seed`] is needed.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        !self.model.deliveries.is_empty()
    }

    /// The answer: the request with its gaps filled.
    ///
    /// # Errors
    /// A DRM system that is not configured, a scheme that it does not take, or a certificate that is not usable.
    pub fn answer(&self, supply: &Supply<'_>) -> Result<String, SpekeError> {
        Ok(self.splice(supply)?.apply(self.source))
    }

    /// The edits that make the answer.
    ///
    /// # Errors
    /// Those of [`Self::answer`].
    pub fn splice(&self, supply: &Supply<'_>) -> Result<Splice, SpekeError> {
        answer::splice(&self.model, self.version, &self.content_id, supply)
    }
}
