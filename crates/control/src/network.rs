//! The two networks that Envoys belong to.

use std::fmt;

/// A network of Envoys. A policy is written to staging and promoted to production.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Network {
    /// Where changes are tried.
    Staging,
    /// Where viewers are.
    Production,
}

impl Network {
    /// Both, in the order in which their rows are locked.
    pub const ALL: [Self; 2] = [Self::Staging, Self::Production];

    /// The name in URLs, documents and certificates: `staging` or `production`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// The network with this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|network| network.name() == name)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
