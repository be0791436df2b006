//! The verified statement of the signed parameter on content.

use alloc::vec::Vec;

use crate::http::query;
use crate::http::target::Target;
use crate::policy::{KeyringIndex, Policy};
use crate::session::Session;
use crate::token::derive::KeyScope;
use crate::token::signed::{self, Resource, Subject, Variable};

/// The filter's own statement about a resource, as a URL carries it.
#[derive(Debug, Default)]
pub struct SignedClaim {
    /// The index of the keyring that signed it.
    pub keyring: KeyringIndex,
    /// The resource.
    pub resource: Resource,
    /// The scope of its key, if that is not the session's own.
    pub shared: Option<KeyScope>,
    /// The variables that a playlist may import.
    pub imports: Vec<Variable>,
}

impl SignedClaim {
    /// Verifies the value `sent` with `target` in this session, under any of the policy's secrets: a request without a
    /// session does not tell which one. `None` if none of them signed it.
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
