//! License requests of the key system ClearKey (W3C, Encrypted Media Extensions, section 9.1.4): the body that is collected,
//! and the license.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playlock_drm::Kid;
use playlock_speke::ContentId;

use super::key_reply::question;
use crate::bytes::bug;
use crate::http::message::Call;
use crate::http::reply::{Reason, Reply, header};
use crate::playlist::json::Object;
use crate::policy::authorizer::AskedKeys;
use crate::policy::encryption::Encryption;
use crate::policy::{Policies, PolicyIndex};
use crate::session::Session;

/// Longest body in bytes.
pub const LONGEST: usize = 16 * 1024;
/// Most key IDs of a request.
const MOST: usize = 64;

/// An admitted license request whose body is awaited.
#[derive(Debug)]
pub struct LicenseRequest {
    /// Index of the policy.
    pub policy: PolicyIndex,
    /// Session that requests the license.
    pub session: Session,
    /// The content whose keys are asked for.
    pub content: ContentId,
    /// The identifier of the secret that they are derived from.
    pub secret: [u8; 4],
    /// The client's address, if known.
    pub client: Option<IpAddr>,
    /// The body so far.
    pub body: Vec<u8>,
}

/// A license, and the call to the authorizer, which must succeed before the license is sent.
pub type Licensed = (Reply, Option<Call>);

impl LicenseRequest {
    /// See the field of this name.
    pub fn policy(&self) -> PolicyIndex {
        self.policy
    }

    /// See the field of this name.
    pub fn session(&self) -> &Session {
        &self.session
    }

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
        let kids = read(&self.body).ok_or(Reason::License)?;
        let policy = policies.get(self.policy).ok_or_else(|| bug::instead(Reason::Unassigned))?;
        let encryption = policy.encryption.as_ref().ok_or_else(|| bug::instead(Reason::Unassigned))?;
        let keys = encryption.speke.as_ref().and_then(|speke| speke.keys_under(self.secret)).ok_or(Reason::Key)?;
        let mut body = String::from("{\"keys\":[");
        for (index, kid) in kids.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let key = keys.key(self.content.as_str(), kid.bytes());
            let (kid, key) = (URL_SAFE_NO_PAD.encode(kid.bytes()), URL_SAFE_NO_PAD.encode(key.as_slice()));
            body.push_str(&format!("{comma}{{\"kty\":\"oct\",\"kid\":\"{kid}\",\"k\":\"{key}\"}}"));
        }
        body.push_str("],\"type\":\"temporary\"}");
        let headers =
            alloc::vec![header("content-type", "application/json"), header("cache-control", "private, no-store")];
        let ask = Encryption::authorizer(encryption).map(|authorizer| {
            let kids = kids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            let asked = AskedKeys::Packaged { content: self.content.as_str(), kids: &kids };
            authorizer.call(&question(policy, &self.session, asked, self.client))
        });
        Ok((Reply { status: 200, headers, body: body.into_bytes(), reason: None }, ask))
    }
}

/// The key IDs of a request: 1 to [`MOST`]. Members other than `kids` have no effect: a license is for the session that
/// asks, and for the time that the page is open.
fn read(body: &[u8]) -> Option<Vec<Kid>> {
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
