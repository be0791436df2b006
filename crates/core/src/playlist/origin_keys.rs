//! The origin's own keys in a playlist that is encrypted otherwise: of content that was packaged with keys from here, or
//! of others.

use super::encryption::Encryption;
use super::line::Line;
use super::tag::CLEAR;
use super::uri::LinkTarget;
use super::{Body, ClearReason, OriginKeys, attribute};
use crate::bytes::bug;
use crate::http::reply::Reason;
use crate::http::target;
use crate::policy::encryption::OnEncryptedOrigin;

use alloc::vec::Vec;

impl Body {
    /// Rewrites an EXT-X-KEY of the origin.
    pub(super) fn origin_key(
        &mut self,
        line: Line<'_>,
        list: &[u8],
        end: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Reason> {
        if attribute::value(list, b"METHOD") == Some(b"NONE") {
            self.origin_keys = OriginKeys::None;
            return match self.spared {
                Some(ClearReason::Encrypted) => {
                    self.spared = None;
                    self.scope.pass(line, out)
                }
                // The filter's key stays in force: it encrypts media that the origin serves in clear.
                _ => Ok(()),
            };
        }
        let target = self.origin_key_target(list)?;
        self.scope.require_none(end, out);
        self.spared = Some(ClearReason::Encrypted);
        self.uris(line, &[(b"URI", target)], out)
    }

    /// Rewrites an EXT-X-SESSION-KEY of the origin. Media playlists have the same keys, and are judged by them.
    pub(super) fn origin_session_key(&mut self, line: Line<'_>, list: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        let target = self.origin_key_target(list)?;
        self.uris(line, &[(b"URI", target)], out)
    }

    /// A delta update omits the origin's keys, too: the media that follows could already be encrypted.
    ///
    /// # Errors
    /// [`Reason::Encrypted`] if such media passes.
    pub(super) fn refuse_if_encrypted_passes(&self) -> Result<(), Reason> {
        let encryption = self.encryption()?;
        let passes = encryption.on_encrypted_origin == OnEncryptedOrigin::Passthrough || encryption.packaged.is_some();
        if passes { Err(Reason::Encrypted) } else { Ok(()) }
    }

    /// The target of the URI of a key of the origin.
    ///
    /// # Errors
    /// [`Reason::Encrypted`] if media under it cannot be served.
    fn origin_key_target(&mut self, list: &[u8]) -> Result<LinkTarget, Reason> {
        let encryption = self.encryption()?;
        let is_ours = self.is_ours(encryption, list);
        match (encryption.on_encrypted_origin, &encryption.packaged) {
            (OnEncryptedOrigin::Passthrough | OnEncryptedOrigin::Expect, _) => self.origin_keys = OriginKeys::Admitted,
            (OnEncryptedOrigin::Deny, _) if is_ours => self.origin_keys = OriginKeys::Admitted,
            // Another DRM system's, perhaps: the next segment shows whether ours is among them.
            (OnEncryptedOrigin::Deny, Some(_)) if self.origin_keys == OriginKeys::Admitted => {}
            (OnEncryptedOrigin::Deny, Some(_)) => self.origin_keys = OriginKeys::Foreign,
            (OnEncryptedOrigin::Deny, None) => return Err(Reason::Encrypted),
        }
        Ok(if is_ours { LinkTarget::Key } else { CLEAR })
    }

    /// Whether the URI of a key leads to the keys of packaged contents. A viewer's value must not decide that: the media
    /// after it is served in clear.
    fn is_ours(&self, encryption: &Encryption, list: &[u8]) -> bool {
        let Some(speke) = encryption.packaged.as_ref().filter(|_| !self.chosen) else { return false };
        let uri = attribute::value(list, b"URI").and_then(|uri| core::str::from_utf8(uri).ok());
        let path = uri.filter(|uri| !uri.is_empty()).and_then(|uri| self.marks.base.own_path(uri));
        path.is_some_and(|path| target::normal_path(&path).is_ok_and(|path| speke.is_viewer_path(&path)))
    }

    fn encryption(&self) -> Result<&Encryption, Reason> {
        self.marks.encryption.as_ref().ok_or_else(|| bug::instead(Reason::Encrypted))
    }
}
