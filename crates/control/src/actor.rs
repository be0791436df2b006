//! The people and programs that use the API, and their roles.

/// A permission. None includes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Read everything but secrets.
    Read,
    /// Write to staging, and configurations.
    Edit,
    /// Change production.
    Promote,
    /// Read secrets in clear.
    Secrets,
    /// Manage clients and tokens.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Read, Self::Edit, Self::Promote, Self::Secrets, Self::Admin];

    /// The name in documents and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Edit => "edit",
            Self::Promote => "promote",
            Self::Secrets => "secrets",
            Self::Admin => "admin",
        }
    }

    /// The role with this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// An authenticated user of the API, named in the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The name of the client, token or login.
    pub name: String,
    /// The roles, sorted, each once.
    pub roles: Vec<Role>,
}

impl Actor {
    /// Whether the actor has the role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}
