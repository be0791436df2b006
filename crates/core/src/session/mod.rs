//! Sessions and session tokens.
//!
//! A session token is an EdgeAuth token under a key of its own:
//! `[ip=NETWORK~]st=…~exp=…~acl=…~id=SID[.TAG][,ID]~data=hdntl[,PAYLOAD]~hmac=…`. `SID` is the session's 16 random
//! bytes in base64url, `ID` and `PAYLOAD` are those of the access token, and `NETWORK` and `TAG` bind the session. `st`
//! is the time at which the session was opened. It is not enforced: a node whose clock is behind must not refuse a
//! session that another node has just opened.

pub mod jar;

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac;

use crate::bytes::percent;
use crate::http::incoming::RequestHead;
use crate::http::reply::Reason;
use crate::http::target;
use crate::policy::binding::Bound;
use crate::policy::{KeyringIndex, Policy};
use crate::token::edge_auth::Claims;
use crate::token::grant::Grant;
use crate::token::{acl, carried};

/// Longest session token in bytes, as the value of a query parameter. Some players reject lines of 4096 bytes.
pub const MAX_TOKEN: usize = 1023;

/// Prefix of every session token's payload, as in Akamai's tokens.
const MARK: &str = "hdntl";

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
    /// The id of the access token that opened the session, escaped as in the session token.
    pub access_token: Option<String>,
    /// The payload of that access token, escaped in the same way.
    pub payload: Option<String>,
    /// The token, passed on byte for byte.
    pub token: String,
    acl: String,
}

impl Session {
    /// Opens a session for the viewer of the request `head` for the playlist at `path` (normalised).
    ///
    /// `grant` is the verified access token; `None` if the policy does not require one.
    ///
    /// # Errors
    /// [`Reason::Oversize`] if the token would be longer than [`MAX_TOKEN`]; [`Reason::Revoked`]; [`Reason::Ip`] and
    /// [`Reason::Header`] if the value that binds the session is unknown.
    pub fn open(
        policy: &Policy,
        grant: Option<&Grant>,
        path: &str,
        head: &RequestHead<'_>,
        id: [u8; 16],
    ) -> Result<Self, Reason> {
        let (now, keyring) = (head.now, policy.keyrings.first().ok_or(Reason::Signature)?);
        let expires = now.saturating_add(policy.session.ttl);
        let acl = scope(policy, grant, path);
        let bound = policy.session.binding.bind(keyring, head)?;
        let mut token = match &bound.network {
            Some(network) => format!("ip={network}~"),
            None => String::new(),
        };
        // Writing to a String cannot fail.
        let _ = write!(token, "st={now}~exp={expires}~acl={acl}~id={}", URL_SAFE_NO_PAD.encode(id));
        if let Some(tag) = &bound.tag {
            token.push('.');
            token.push_str(tag);
        }
        let access_token = grant.and_then(|grant| grant.id.as_deref()).map(carried);
        if let Some(id) = &access_token {
            token.push(',');
            token.push_str(id);
        }
        token.push_str("~data=");
        token.push_str(MARK);
        let payload = grant.and_then(|grant| grant.payload.as_deref()).map(carried);
        if let Some(payload) = &payload {
            token.push(',');
            token.push_str(payload);
        }
        let mut mac = keyring.session_token();
        mac.update(token.as_bytes());
        token.push_str("~hmac=");
        token.push_str(&base16ct::lower::encode_string(&mac.finalize().into_bytes()));
        let session =
            Self { id, expires, keyring: KeyringIndex::default(), opened: now, access_token, payload, token, acl };
        policy.revocation.check(&session.id, session.opened, session.access_token.as_deref())?;
        if session.query_value().len() > MAX_TOKEN { Err(Reason::Oversize) } else { Ok(session) }
    }

    /// Verifies a session token as sent with `head`. [`Session::covers`] checks the path.
    ///
    /// # Errors
    /// [`Reason::Malformed`], [`Reason::Signature`], [`Reason::Expired`], [`Reason::Ip`], [`Reason::Header`],
    /// [`Reason::Revoked`].
    pub fn verify(policy: &Policy, sent: &str, head: &RequestHead<'_>) -> Result<Self, Reason> {
        let mut failure = Reason::Malformed;
        for reading in crate::token::readings(sent) {
            match Self::verify_as_it_stands(policy, &reading, head) {
                Err(Reason::Malformed) => {}
                Err(Reason::Signature) => failure = Reason::Signature,
                verified => return verified,
            }
        }
        Err(failure)
    }

    /// [`Session::verify`] for a token that no client has percent-encoded.
    ///
    /// # Errors
    /// As [`Session::verify`].
    pub fn verify_as_it_stands(policy: &Policy, token: &str, head: &RequestHead<'_>) -> Result<Self, Reason> {
        let claims = Claims::parse(token)?;
        let mut keyrings = policy.keyrings();
        let signer = keyrings.find(|(_, keyring)| claims.is_signed_with(keyring.session_token()));
        let keyring = signer.map(|(index, _)| index);
        Self::from_claims(policy, &claims, token, keyring.ok_or(Reason::Signature)?, head)
    }

    /// Whether `sent` looks like a session token. It is not verified.
    pub fn is_likely(sent: &str) -> bool {
        sent.contains(MARK)
    }

    fn from_claims(
        policy: &Policy,
        claims: &Claims<'_>,
        token: &str,
        keyring: KeyringIndex,
        head: &RequestHead<'_>,
    ) -> Result<Self, Reason> {
        if head.now > claims.exp.saturating_add(policy.session.skew) {
            return Err(Reason::Expired);
        }
        let of = |field: &str| field.split_once(',').map(|(_, rest)| String::from(rest));
        let id = claims.id.ok_or(Reason::Malformed)?;
        let access_token = of(id);
        let id = id.split_once(',').map_or(id, |(id, _)| id);
        let (id, tag) = id.split_once('.').map_or((id, None), |(id, tag)| (id, Some(tag.into())));
        let bound = Bound { network: claims.ip.map(Into::into), tag };
        policy.session.binding.check(policy.keyring(keyring).ok_or(Reason::Signature)?, &bound, head)?;
        let id = URL_SAFE_NO_PAD.decode(id).ok().and_then(|id| id.try_into().ok()).ok_or(Reason::Malformed)?;
        let acl = claims.acl.ok_or(Reason::Malformed)?;
        let session = Self {
            id,
            expires: claims.exp,
            keyring,
            opened: claims.st.ok_or(Reason::Malformed)?,
            access_token,
            payload: claims.data.and_then(of),
            token: token.into(),
            acl: acl.into(),
        };
        policy.revocation.check(&session.id, session.opened, session.access_token.as_deref())?;
        Ok(session)
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

    /// The session's id as in the token: 22 characters of base64url.
    pub fn id_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.id)
    }

    /// The token, escaped as the value of a query parameter.
    pub fn query_value(&self) -> String {
        let mut value = String::with_capacity(self.token.len() + 16);
        percent::encode_into(&mut value, self.token.as_bytes(), |byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'!' | b'*' | b'/' | b':' | b'@' | b'=' | b',')
        });
        value
    }
}

/// The session's ACL: the policy's, else the access token's, else everything below the playlist's directory.
///
/// The last also applies if the access token's ACL names playlists only, because a playlist is useless without its
/// segments.
fn scope(policy: &Policy, grant: Option<&Grant>, path: &str) -> String {
    if let Some(acl) = &policy.session.acl {
        return acl.clone();
    }
    match grant.and_then(|grant| grant.acl.as_deref()) {
        Some(acl) if !acl::names_playlists_only(acl) => carried(acl),
        _ => acl::below(target::directory(path)),
    }
}
