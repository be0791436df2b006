//! Sessions: opened for a verified access token, resumed by their session token.

pub mod jar;
pub mod token;

use alloc::string::String;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::bytes::percent;
use crate::http::incoming::RequestHead;
use crate::http::reply::Reason;
use crate::http::target;
use crate::policy::{KeyringIndex, Policy};
use crate::session::token::{Encoded, Fields};
use crate::token::grant::Grant;
use crate::token::{MAX_SENT, acl};

/// A session that was just opened or verified; there is no other way to create one.
#[derive(Debug)]
pub struct Session {
    /// The session's id: 128 random bits.
    pub id: [u8; 16],
    /// End of the session, in seconds since the epoch.
    pub expires: u64,
    /// Index of the policy's keyring that signed the token and derives the session's keys.
    pub keyring: KeyringIndex,
    /// Start of the session, in seconds since the epoch.
    pub opened: u64,
    /// The id of the access token that opened the session, as in that token: any text.
    pub access_token: Option<String>,
    /// The payload of that access token, as in that token: any text.
    pub payload: Option<String>,
    /// The token, in base64url: it needs no escapes in a query, a path or a cookie.
    pub token: String,
    acl: String,
}

impl Session {
    /// Opens a session for the viewer of the request `head` for the playlist at `path` (normalised).
    ///
    /// `grant` is the verified access token; `None` if the policy does not require one.
    ///
    /// # Errors
    /// [`Reason::Oversize`] if the token would be longer than [`token::MAX_TOKEN`] or cannot represent the time, after
    /// 2106; [`Reason::Revoked`]; [`Reason::Ip`] and [`Reason::Header`] if the value that binds the session is unknown.
    pub fn open(
        policy: &Policy,
        grant: Option<&Grant>,
        path: &str,
        head: &RequestHead<'_>,
        id: [u8; 16],
    ) -> Result<Self, Reason> {
        let keyring = policy.keyrings.first().ok_or(Reason::Signature)?;
        let acl = scope(policy, grant, path);
        let fields = Fields {
            opened: u32::try_from(head.now).map_err(|_| Reason::Oversize)?,
            id,
            lifetime: u32::try_from(policy.session.ttl).map_err(|_| Reason::Oversize)?,
            bound: policy.session.binding.bind(keyring, head)?,
            access_token: grant.and_then(|grant| grant.id.as_deref()).filter(|id| !id.is_empty()),
            payload: grant.and_then(|grant| grant.payload.as_deref()).filter(|payload| !payload.is_empty()),
            acl: &acl,
        };
        policy.revocation.check(&id, head.now, fields.access_token)?;
        let token = fields.sign(keyring).ok_or(Reason::Oversize)?;
        Ok(Self::of(&fields, token, KeyringIndex::default()))
    }

    /// Verifies a session token as sent in the query with `head`, where clients may have escaped it.
    /// [`Session::covers`] checks the path.
    ///
    /// # Errors
    /// As [`Session::verify_as_it_stands`].
    pub fn verify(policy: &Policy, sent: &str, head: &RequestHead<'_>) -> Result<Self, Reason> {
        if sent.contains('%') && sent.len() <= MAX_SENT {
            let token = percent::decode_str(sent).ok_or(Reason::Malformed)?;
            return Self::verify_as_it_stands(policy, &token, head);
        }
        Self::verify_as_it_stands(policy, sent, head)
    }

    /// Verifies a session token that no client has escaped.
    ///
    /// # Errors
    /// [`Reason::Malformed`], [`Reason::Signature`], [`Reason::Expired`], [`Reason::Ip`], [`Reason::Header`],
    /// [`Reason::Revoked`].
    pub fn verify_as_it_stands(policy: &Policy, token: &str, head: &RequestHead<'_>) -> Result<Self, Reason> {
        let encoded = Encoded::read(token).ok_or(Reason::Malformed)?;
        let parsed = encoded.parse().ok_or(Reason::Malformed)?;
        let signer = policy.keyrings().find(|(_, keyring)| parsed.is_signed_by(keyring));
        let (index, keyring) = signer.ok_or(Reason::Signature)?;
        let session = Self::of(&parsed.fields, token.into(), index);
        if head.now > session.expires.saturating_add(policy.session.skew) {
            return Err(Reason::Expired);
        }
        policy.session.binding.check(keyring, &parsed.fields.bound, head)?;
        policy.revocation.check(&session.id, session.opened, session.access_token.as_deref())?;
        Ok(session)
    }

    fn of(fields: &Fields<'_>, token: String, keyring: KeyringIndex) -> Self {
        let opened = u64::from(fields.opened);
        Self {
            id: fields.id,
            expires: opened.saturating_add(fields.lifetime.into()),
            keyring,
            opened,
            access_token: fields.access_token.map(String::from),
            payload: fields.payload.map(String::from),
            token,
            acl: fields.acl.into(),
        }
    }

    /// Checks that the session's ACL covers the normalised `path`.
    ///
    /// # Errors
    /// [`Reason::Path`] if it does not.
    pub fn covers(&self, path: &str) -> Result<(), Reason> {
        if acl::allows(&self.acl, path) { Ok(()) } else { Err(Reason::Path) }
    }

    /// The session's ACL: patterns joined with `!`.
    pub fn acl(&self) -> &str {
        &self.acl
    }

    /// The session's id: 22 characters of base64url, the first 21 of which are in the token.
    pub fn id_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.id)
    }
}

/// The session's ACL: the policy's, else the access token's, else everything below the playlist's directory.
///
/// The last also applies if the access token's ACL names playlists only, because a playlist is useless without its
/// segments. The start of a session is not enforced: a node whose clock is behind must not refuse a session that another
/// node has just opened.
fn scope(policy: &Policy, grant: Option<&Grant>, path: &str) -> String {
    if let Some(acl) = &policy.session.acl {
        return acl.clone();
    }
    match grant.and_then(|grant| grant.acl.as_deref()) {
        Some(acl) if !acl::names_playlists_only(acl) => percent::printable(acl),
        _ => acl::below(target::directory(path)),
    }
}
