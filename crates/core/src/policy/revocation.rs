//! Sessions that end before their time: lists in the configuration, which hold for playlists, keys and segments alike.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::config::{ConfigError, document, time};
use crate::reply::Reason;
use crate::session::{Session, carried};

/// `revocation` of a policy.
#[derive(Debug, Default)]
pub struct Revocation {
    sessions: BTreeSet<[u8; 16]>,
    /// As session tokens carry them.
    access_tokens: BTreeSet<String>,
    opened_before: u64,
}

impl Revocation {
    /// Builds it from its document at the JSON path `path`.
    ///
    /// # Errors
    /// The first entry that cannot be.
    pub fn build(path: &str, revocation: &document::Revocation) -> Result<Self, ConfigError> {
        let mut built = Self::default();
        for (index, text) in revocation.session_ids.iter().enumerate() {
            let id = URL_SAFE_NO_PAD.decode(text).ok().and_then(|id| id.try_into().ok());
            built.sessions.insert(id.ok_or_else(|| {
                ConfigError::new(
                    format!("{path}.sessionIds[{index}]"),
                    format!("found \"{}\", expected the 22 characters that the access log says", text.escape_default()),
                )
            })?);
        }
        built.access_tokens = revocation.access_token_ids.iter().map(|id| carried(id)).collect();
        if let Some(text) = &revocation.sessions_opened_before {
            built.opened_before = time::parse(text).ok_or_else(|| {
                ConfigError::new(
                    format!("{path}.sessionsOpenedBefore"),
                    format!("found \"{}\", expected a time such as \"2018-01-05T11:00:00Z\"", text.escape_default()),
                )
            })?;
        }
        Ok(built)
    }

    /// Checks a session.
    ///
    /// # Errors
    /// [`Reason::Revoked`].
    pub fn check(&self, session: &Session) -> Result<(), Reason> {
        let named = session.access_token.as_ref().is_some_and(|id| self.access_tokens.contains(id));
        let revoked = session.opened < self.opened_before || named || self.sessions.contains(&session.id);
        if revoked { Err(Reason::Revoked) } else { Ok(()) }
    }
}
