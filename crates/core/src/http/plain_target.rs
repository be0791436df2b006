//! The target of a request without the tokens in its path: what every check, the origin and the logs see.

use alloc::borrow::Cow;
use alloc::string::String;

use super::path_parameter::{self, PathParameter};
use super::path_token;
use super::reply::Reason;
use super::target::{BadTarget, MAX_TARGET};

/// A target without the tokens in its path.
#[derive(Debug)]
pub struct PlainTarget<'a> {
    token: Result<Option<Cow<'a, str>>, Reason>,
    /// The access token in a path parameter; [`Reason::Duplicate`] if there are several.
    pub parameter: Result<Option<PathParameter<'a>>, Reason>,
    target: Cow<'a, [u8]>,
    changed: bool,
}

impl<'a> PlainTarget<'a> {
    /// Takes the tokens out of a target. `marker` precedes a token in the first segment; `None` if no policy
    /// has tokens there. `parameters` are the names of path parameters that carry tokens.
    ///
    /// # Errors
    /// [`BadTarget`] if there is no target, if it is too long, or if nothing follows the first segment.
    pub fn of(raw: Option<&'a [u8]>, marker: Option<&str>, parameters: &'a [String]) -> Result<Self, BadTarget> {
        let raw = raw.filter(|raw| raw.len() <= MAX_TARGET).ok_or(BadTarget)?;
        let split = marker.map(|marker| path_token::split(raw, marker)).transpose()?.flatten();
        let rest = split.as_ref().map_or(raw, |split| split.plain);
        let cut = path_parameter::cut(Some(rest), parameters);
        let changed = split.is_some() || cut.is_some();
        let token = match split {
            Some(split) if split.repeated => Err(Reason::Duplicate),
            split => Ok(split.map(|split| split.sent)),
        };
        let (target, parameter) = match cut {
            Some(cut) => (Cow::Owned(cut.target.into_bytes()), cut.parameter.map(Some)),
            None => (Cow::Borrowed(rest), Ok(None)),
        };
        Ok(Self { token, parameter, target, changed })
    }

    /// The token in the first segment; [`Reason::Duplicate`] if there are two.
    pub fn token(&self) -> Result<Option<&str>, Reason> {
        self.token.as_ref().map(Option::as_deref).map_err(|reason| *reason)
    }

    /// The target.
    pub fn bytes(&self) -> &[u8] {
        &self.target
    }

    /// The target as text, if tokens were taken out; `/` for one that is not UTF-8, which is refused.
    pub fn changed(&self) -> Option<&str> {
        self.changed.then(|| core::str::from_utf8(&self.target).unwrap_or("/"))
    }
}
