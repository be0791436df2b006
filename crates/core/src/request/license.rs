//! License requests of the key system ClearKey (W3C, Encrypted Media Extensions, section 9.1.4): the body that is collected,
//! and the license.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
#[cfg(feature = "speke")]
use playlock_speke::ContentId;

use super::key_reply::question;
use crate::bytes::bug;
use crate::http::headers;
use crate::http::incoming::{Method, RequestHead};
use crate::http::reply::{Reason, Reply, header};
use crate::policy::authorizer::{AskedKeys, Inquiry};
use crate::policy::{Policies, Policy, PolicyIndex};
use crate::session::Session;
use crate::token::derive::KeyScope;

/// Longest body in bytes.
pub const LONGEST: usize = 16 * 1024;

/// An admitted license request whose body is awaited.
#[derive(Debug)]
pub struct LicenseRequest {
    /// Index of the policy.
    pub policy: PolicyIndex,
    /// Session that requests the license.
    pub session: Session,
    /// The keys that it may have.
    pub keys: LicensedKeys,
    /// The client's address, if known.
    pub client: Option<IpAddr>,
    /// The body so far.
    pub body: Vec<u8>,
}

/// The keys of a license.
#[derive(Debug)]
pub enum LicensedKeys {
    /// The key of samples that are encrypted here, whichever the body asks for.
    Samples {
        /// Its scope.
        scope: KeyScope,
    },
    /// Keys of content that was packaged elsewhere: those that the body asks for.
    #[cfg(feature = "speke")]
    Packaged {
        /// The content.
        content: ContentId,
        /// The identifier of the secret that they are derived from.
        secret: [u8; 4],
    },
}

/// A license, and the call to the authorizer, which must succeed before the license is sent.
pub type Licensed = (Reply, Option<Inquiry>);

/// Checks the method of a request for a license, or for a key.
///
/// # Errors
/// [`Reason::License`], [`Reason::Method`]
pub fn check_method(head: &RequestHead<'_>, is_license: bool) -> Result<(), Reason> {
    match is_license {
        true if head.method == Method::Post => Ok(()),
        true => Err(Reason::License),
        false if head.method.reads() => Ok(()),
        false => Err(Reason::Method),
    }
}

/// The methods of a license server, or of a key endpoint, for pages of other sites.
pub fn methods(is_license: bool) -> &'static str {
    if is_license { "POST" } else { "GET, HEAD" }
}

/// Checks that a license request has a body, which is not announced to be too long.
///
/// # Errors
/// [`Reason::License`]
pub fn check_body(head: &RequestHead<'_>) -> Result<(), Reason> {
    let length = headers::content_length(head.headers);
    let is_short = length.is_ok_and(|length| length.is_none_or(|length| length <= LONGEST as u64));
    // A proxy turns local replies to gRPC requests into headers: no place for keys.
    if is_short && !head.bodiless && !head.grpc { Ok(()) } else { Err(Reason::License) }
}

impl LicenseRequest {
    /// Takes the next bytes of the body, and returns the license if they are the last.
    ///
    /// # Errors
    /// [`Reason::License`] if the body is too long or not a license request; [`Reason::Key`] if the secret is unknown.
    pub fn push(&mut self, chunk: &[u8], end_of_stream: bool, policies: &Policies) -> Result<Option<Licensed>, Reason> {
        if chunk.len() > LONGEST.saturating_sub(self.body.len()) {
            return Err(Reason::License);
        }
        self.body.extend_from_slice(chunk);
        if end_of_stream { self.license(policies).map(Some) } else { Ok(None) }
    }

    fn license(&self, policies: &Policies) -> Result<Licensed, Reason> {
        let policy = policies.get(self.policy).ok_or_else(|| bug::instead(Reason::Unassigned))?;
        match &self.keys {
            LicensedKeys::Samples { scope } => {
                let keyring = policy.keyring(self.session.keyring).ok_or_else(|| bug::instead(Reason::Session))?;
                let keys = key(&keyring.sample_kid(scope), &keyring.sample_key(scope));
                Ok(self.with(policy, &keys, AskedKeys::Derived { scope, period: 0 }))
            }
            #[cfg(feature = "speke")]
            LicensedKeys::Packaged { content, secret } => {
                let speke = policy.encryption.as_ref().and_then(|encryption| encryption.speke.as_ref());
                let source = speke.and_then(|speke| speke.keys_under(*secret)).ok_or(Reason::Key)?;
                let kids = packaged::read(&self.body).ok_or(Reason::License)?;
                let content = content.as_str();
                let keys: Vec<_> = kids.iter().map(|kid| key(kid.bytes(), &source.key(content, kid.bytes()))).collect();
                let kids: Vec<_> = kids.iter().map(alloc::string::ToString::to_string).collect();
                Ok(self.with(policy, &keys.join(","), AskedKeys::Packaged { content, kids: &kids.join(",") }))
            }
        }
    }

    fn with(&self, policy: &Policy, keys: &str, asked: AskedKeys<'_>) -> Licensed {
        let body = format!("{{\"keys\":[{keys}],\"type\":\"temporary\"}}").into_bytes();
        let headers =
            alloc::vec![header("content-type", "application/json"), header("cache-control", "private, no-store")];
        let authorizer = policy.encryption.as_ref().and_then(|encryption| encryption.authorizer());
        let ask = authorizer.map(|it| it.inquire(&question(policy, &self.session, asked, self.client)));
        (Reply { status: 200, headers, body, reason: None }, ask)
    }
}

/// A key of a license: a JSON Web Key (RFC 7517).
fn key(kid: &[u8; 16], key: &[u8; 16]) -> String {
    let (kid, key) = (URL_SAFE_NO_PAD.encode(kid), URL_SAFE_NO_PAD.encode(key));
    format!("{{\"kty\":\"oct\",\"kid\":\"{kid}\",\"k\":\"{key}\"}}")
}

/// The body of a license request.
#[cfg(feature = "speke")]
mod packaged {
    use alloc::string::String;
    use alloc::vec::Vec;

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use playlock_drm::Kid;

    use crate::playlist::json::Object;

    /// Most key IDs of a request.
    const MOST: usize = 64;

    /// The key IDs of a request: 1 to [`MOST`]. Members other than `kids` have no effect: a license is for the session that
    /// asks, and for the time that the page is open.
    pub fn read(body: &[u8]) -> Option<Vec<Kid>> {
        let members = serde_json::from_slice::<Object<'_>>(body).ok()?;
        let texts = serde_json::from_str::<Vec<String>>(members.get("kids")?.get()).ok()?;
        if !(1..=MOST).contains(&texts.len()) {
            return None;
        }
        let kid = |text: &String| {
            let mut bytes = [0; 16];
            (URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()? == 16).then_some(Kid::new(bytes))
        };
        texts.iter().map(kid).collect()
    }

    #[cfg(test)]
    mod tests {
        use alloc::format;

        use super::*;

        /// A body and the number of key IDs in it; `None` for what is no license request.
        #[test]
        fn requests_are_read_as_browsers_write_them() {
            let kid = "DwhOTrgxSj2Rfs54B25Uqg";
            let many = |count: usize| format!("{{\"kids\":[{}]}}", alloc::vec![format!("\"{kid}\""); count].join(","));
            for (body, kids) in [
                (format!("{{\"kids\":[\"{kid}\"],\"type\":\"temporary\"}}"), Some(1)),
                (format!(" {{\"other\":{{}},\"kids\":[\"{kid}\",\"{kid}\"]}}\n"), Some(2)),
                (many(MOST), Some(MOST)),
                (many(MOST + 1), None),
                (many(0), None),
                (format!("{{\"kids\":[\"{kid}==\"]}}"), None),
                (format!("{{\"kids\":[\"{kid}A\"]}}"), None),
                ("{\"kids\":[\"DwhOTrgxSj2Rfs54B25Uq-\"]}".into(), None),
                ("{\"kids\":[\"\"]}".into(), None),
                ("{\"kids\":\"DwhOTrgxSj2Rfs54B25Uqg\"}".into(), None),
                ("{\"kids\":[1]}".into(), None),
                ("{}".into(), None),
                ("[]".into(), None),
                ("".into(), None),
            ] {
                assert_eq!(read(body.as_bytes()).map(|kids| kids.len()), kids, "{body}");
            }
        }
    }
}
