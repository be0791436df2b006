//! Verified claim of the signed parameter on content.

use alloc::vec::Vec;

use crate::http::query;
use crate::http::target::Target;
use crate::policy::{KeyringIndex, Policy};
use crate::session::Session;
use crate::token::derive::KeyScope;
use crate::token::signed::{self, Resource, Subject, Variable};

/// Claim about a resource that playlock signed and wrote into its URL.
#[derive(Debug, Default)]
pub struct SignedClaim {
    /// Index of the keyring that signed it.
    pub keyring: KeyringIndex,
    /// Claimed resource.
    pub resource: Resource,
    /// Scope of its key, unless it is the session's own.
    pub shared: Option<KeyScope>,
    /// Variables for a playlist to import.
    pub imports: Vec<Variable>,
}

impl SignedClaim {
    /// Verifies the value `sent` for `target` and the session. Tries all secrets of the policy: a request without a
    /// session does not identify the secret. `None` if no secret matches.
    pub fn verify(policy: &Policy, target: &Target<'_>, session: Option<&Session>, sent: &str) -> Option<Self> {
        let query = query::of_origin(target.query, policy.reserved_parameters())?;
        let session = session.filter(|_| policy.session.on_content).map(|session| &session.id);
        let subject = Subject { path: &target.path, query: &query, session };
        policy.keyrings().find_map(|(keyring, signer)| {
            if signed::is_variables(sent) {
                let imports = signed::open_variables(signer, subject.path, sent)?;
                return Some(Self { imports, ..Self::default() });
            }
            let (resource, shared) = signed::open_resource(signer, subject, sent)?;
            Some(Self { keyring, resource, shared, imports: Vec::new() })
        })
    }
}
