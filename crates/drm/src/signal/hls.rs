//! Key tags of HLS (RFC 8216, sections 4.3.2.4 and 4.3.4.5).

use alloc::format;
use alloc::string::String;

use crate::kid::Kid;
use crate::scheme::Scheme;
use crate::system::System;
use crate::text::base64;

/// The attributes of a key tag. Media and multivariant playlists have the same ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HlsKey {
    method: &'static str,
    key_format: KeyFormat,
    uri: String,
    /// For systems whose players look for it: `KEYID`.
    kid: Option<Kid>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyFormat {
    Widevine,
    PlayReady,
    FairPlay,
    Identity,
    ClearKey,
}

impl HlsKey {
    /// `KEYFORMATVERSIONS` of every system, and the content of `speke:KeyFormatVersions` before its base64.
    pub const KEY_FORMAT_VERSIONS: &'static str = "1";

    pub(super) fn widevine(scheme: Scheme, kid: &Kid, pssh: &[u8]) -> Self {
        let uri = format!("data:text/plain;base64,{}", base64(pssh));
        Self { method: sample_method(scheme), key_format: KeyFormat::Widevine, uri, kid: Some(*kid) }
    }

    pub(super) fn playready(scheme: Scheme, object: &[u8]) -> Self {
        let uri = format!("data:text/plain;charset=UTF-16;base64,{}", base64(object));
        Self { method: sample_method(scheme), key_format: KeyFormat::PlayReady, uri, kid: None }
    }

    /// FairPlay brings the IV with the key, so there is no attribute for it.
    pub(super) fn fairplay(uri: String) -> Self {
        Self { method: "SAMPLE-AES", key_format: KeyFormat::FairPlay, uri, kid: None }
    }

    pub(super) fn aes_128(uri: String) -> Self {
        Self { method: "AES-128", key_format: KeyFormat::Identity, uri, kid: None }
    }

    pub(super) fn sample_aes(scheme: Scheme, uri: String) -> Self {
        Self { method: sample_method(scheme), key_format: KeyFormat::Identity, uri, kid: None }
    }

    /// hls.js takes the URI for its license server, unless it is a `data:` one.
    pub(super) fn clear_key(scheme: Scheme, kid: &Kid, uri: String) -> Self {
        Self { method: sample_method(scheme), key_format: KeyFormat::ClearKey, uri, kid: Some(*kid) }
    }

    /// The tag for media playlists: the content of `HLSSignalingData` with `playlist="media"`, before its base64.
    pub fn media(&self) -> String {
        format!("#EXT-X-KEY:{}", self.attributes())
    }

    /// The tag for multivariant playlists: the content of `HLSSignalingData` with `playlist="master"`.
    pub fn master(&self) -> String {
        format!("#EXT-X-SESSION-KEY:{}", self.attributes())
    }

    /// `URI`, and the content of `URIExtXKey` before its base64.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// `KEYFORMAT`, and the content of `speke:KeyFormat` before its base64.
    pub fn key_format(&self) -> String {
        match self.key_format {
            KeyFormat::Widevine => format!("urn:uuid:{}", System::Widevine.id()),
            KeyFormat::PlayReady => "com.microsoft.playready".into(),
            KeyFormat::FairPlay => "com.apple.streamingkeydelivery".into(),
            KeyFormat::Identity => "identity".into(),
            KeyFormat::ClearKey => "org.w3.clearkey".into(),
        }
    }

    fn attributes(&self) -> String {
        let Self { method, uri, .. } = self;
        let (format, versions) = (self.key_format(), Self::KEY_FORMAT_VERSIONS);
        let key_id = self.kid.map(|kid| format!("KEYID=0x{},", kid.hex())).unwrap_or_default();
        match self.key_format {
            // Microsoft's order.
            KeyFormat::PlayReady => {
                format!(r#"METHOD={method},KEYFORMAT="{format}",KEYFORMATVERSIONS="{versions}",URI="{uri}""#)
            }
            _ => format!(r#"METHOD={method},URI="{uri}",{key_id}KEYFORMAT="{format}",KEYFORMATVERSIONS="{versions}""#),
        }
    }
}

/// The method for samples: AES-CTR for `cenc`, else AES-CBC.
fn sample_method(scheme: Scheme) -> &'static str {
    if scheme.is_counter_mode() { "SAMPLE-AES-CTR" } else { "SAMPLE-AES" }
}
