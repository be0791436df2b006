//! Compiled policies, valid by type: their assignments and their checks. Independent of the configuration document and
//! of the handling of requests.

pub mod assignments;
pub mod authorizer;
pub mod binding;
pub mod cors;
pub mod encryption;
pub mod index;
pub mod key_url;
pub mod leases;
pub mod players;
mod policies;
#[expect(clippy::module_inception, reason = "one policy, beside the set of them")]
pub mod policy;
pub mod revocation;
#[cfg(not(feature = "speke"))]
#[path = "no_speke.rs"]
pub mod speke;
#[cfg(feature = "speke")]
pub mod speke;
pub mod targeting;
pub mod text;
mod timeline;
pub mod tokens;
#[cfg(feature = "speke")]
pub mod viewer_url;

pub use self::assignments::{Idle, NotHeld};
pub use self::index::{KeyringIndex, PolicyIndex};
pub use self::policies::{DefaultAction, Match, Policies};
pub use self::policy::{Opening, Policy};
pub use self::tokens::{AccessFormat, AccessToken, SessionRules};
