//! The claims of a JSON Web Token (RFC 7519, section 4), and the names by which the configuration refers to others.

use alloc::string::String;
use alloc::vec::Vec;

use crate::http::reply::Reason;
use crate::token::jws::{Members, WrongType};

/// The name of a claim, perhaps nested: the members that lead to it, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimName(Vec<String>);

impl ClaimName {
    /// Reads a name. A dot leads to a member of the claim before it (`realm_access.paths`), but for names that are URLs
    /// (`https://example.com/paths`). `None` if a part is empty or contains control characters.
    pub fn parse(name: &str) -> Option<Self> {
        let parts: Vec<String> = match name.contains("://") {
            true => alloc::vec![name.into()],
            false => name.split('.').map(String::from).collect(),
        };
        let is_good = |part: &String| !part.is_empty() && !part.chars().any(char::is_control);
        parts.iter().all(is_good).then_some(Self(parts))
    }

    /// The members that lead to the claim.
    pub fn parts(&self) -> &[String] {
        &self.0
    }
}

/// Registered claims, and all members.
#[derive(Debug)]
pub struct Claims {
    /// Issuer.
    pub iss: Option<String>,
    /// Audiences; empty if there is no such claim.
    pub aud: Vec<String>,
    exp: Option<u64>,
    nbf: Option<u64>,
    iat: Option<u64>,
    members: Members,
}

impl Claims {
    /// Decodes the payload of a token.
    ///
    /// # Errors
    /// [`Reason::Malformed`] if it is not an object, repeats a claim, or a registered claim has another type.
    pub fn decode(payload: &str) -> Result<Self, Reason> {
        Members::decode(payload).and_then(|members| Self::read(members).ok()).ok_or(Reason::Malformed)
    }

    fn read(members: Members) -> Result<Self, WrongType> {
        let whole = |(whole, _): (u64, bool)| whole;
        // Rounded towards the shorter validity.
        let rounded_up = |(whole, broken): (u64, bool)| whole.saturating_add(u64::from(broken));
        Ok(Self {
            iss: members.get("iss")?,
            aud: members.texts("aud")?,
            exp: members.seconds("exp")?.map(whole),
            nbf: members.seconds("nbf")?.map(rounded_up),
            iat: members.seconds("iat")?.map(whole),
            members,
        })
    }

    /// Checks `exp`, `nbf` and `iat` at `now`, with `skew` seconds of tolerance. A token that was issued in the future is
    /// not valid yet. With `max_age`, `iat` is required and `exp` is not.
    ///
    /// # Errors
    /// [`Reason::Malformed`] if a required time is missing; [`Reason::Early`], [`Reason::Expired`].
    pub fn check_times(&self, now: u64, skew: u64, max_age: Option<u64>) -> Result<(), Reason> {
        let by_age = match max_age {
            Some(age) => Some(self.iat.ok_or(Reason::Malformed)?.saturating_add(age)),
            None => None,
        };
        let end = [self.exp, by_age].into_iter().flatten().min().ok_or(Reason::Malformed)?;
        let begins = [self.nbf, self.iat].into_iter().flatten().max();
        if begins.is_some_and(|begin| now.saturating_add(skew) < begin) {
            return Err(Reason::Early);
        }
        if now >= end.saturating_add(skew) { Err(Reason::Expired) } else { Ok(()) }
    }

    /// Reads the claim `name` with `read`; `None` if it, or a member that leads to it, is missing.
    ///
    /// # Errors
    /// [`Reason::Malformed`] if it has another type, or a member that leads to it is not an object.
    pub fn find<T>(
        &self,
        name: &ClaimName,
        read: fn(&Members, &str) -> Result<Option<T>, WrongType>,
    ) -> Result<Option<T>, Reason> {
        let Some((last, objects)) = name.parts().split_last() else { return Ok(None) };
        let mut nested = None;
        for object in objects {
            let members = nested.as_ref().unwrap_or(&self.members);
            let Some(raw) = members.raw(object) else { return Ok(None) };
            nested = Some(Members::parse(raw.as_bytes()).ok_or(Reason::Malformed)?);
        }
        read(nested.as_ref().unwrap_or(&self.members), last).map_err(|_| Reason::Malformed)
    }

    /// A text that is not empty.
    ///
    /// # Errors
    /// If it has another type, or is empty.
    pub fn text(members: &Members, name: &str) -> Result<Option<String>, WrongType> {
        let text: Option<String> = members.get(name)?;
        if text.as_deref() == Some("") { Err(WrongType) } else { Ok(text) }
    }

    /// A text, or several.
    ///
    /// # Errors
    /// If it has another type.
    pub fn texts(members: &Members, name: &str) -> Result<Option<Vec<String>>, WrongType> {
        let texts = members.texts(name)?;
        Ok((!texts.is_empty()).then_some(texts))
    }
}
