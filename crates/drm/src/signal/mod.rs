//! The data of a `DRMSystem` element, for one system and one content key.

mod hls;

pub use hls::HlsKey;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::kid::Kid;
use crate::pssh::{self, playready, widevine};
use crate::scheme::Scheme;
use crate::system::System;
use crate::template::Template;
use crate::text::{base64, escape_xml};

/// A content key, by the document that asks for it.
#[derive(Clone, Copy)]
pub struct Content<'a> {
    /// `CPIX@contentId`, or `CPIX@id` in SPEKE 1.0, unescaped.
    pub id: &'a str,
    /// The key ID.
    pub kid: &'a Kid,
    /// The content key.
    pub key: &'a [u8; 16],
    /// The explicit IV.
    pub iv: &'a [u8; 16],
    /// The scheme; where a document of SPEKE 1.0 names none, the caller's default, `cenc` or `cbcs`.
    pub scheme: Scheme,
}

/// The parts of the signalling that are configured. The default has none, and PlayReady's header 4.0 for `cenc`.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// URI for FairPlay. Without it there is no signalling of FairPlay.
    pub fairplay: Option<Template>,
    /// URL of the 16 bytes of a key, for AES-128 and SAMPLE-AES. Without it there is no signalling of these.
    pub key_url: Option<Template>,
    /// URL of a license server for W3C ClearKey.
    pub license_url: Option<Template>,
    /// Widevine's name of the content provider. With it, the box has the content ID, too.
    pub widevine_provider: Option<String>,
    /// URL of a license server for PlayReady; clients usually configure theirs.
    pub playready_url: Option<Template>,
    /// Write PlayReady's header 4.2 for `cenc`, instead of 4.0.
    pub playready_list: bool,
}

/// Data for the elements of a `DRMSystem`. An element whose data is `None` does not fit the system: it is left out of the
/// answer, since an empty one would not decode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signals {
    /// `PSSH`: a whole `pssh` box.
    pub pssh: Option<Vec<u8>>,
    /// `ContentProtectionData`: the children of a `ContentProtection` element of DASH, with the same box.
    pub content_protection: Option<String>,
    /// `SmoothStreamingProtectionHeaderData`, and `speke:ProtectionHeader` of SPEKE 1.0: a PlayReady Object.
    pub smooth: Option<Vec<u8>>,
    /// `HLSSignalingData`, and `URIExtXKey`, `speke:KeyFormat` and `speke:KeyFormatVersions` of SPEKE 1.0.
    pub hls: Option<HlsKey>,
}

/// A URL that makes a PlayReady Object longer than its 15 KB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// The data of `system` for `content`. Whether they fit is the caller's question ([`System::supports`]).
///
/// # Errors
/// [`TooLong`], only if [`Settings::playready_url`] has the content ID and that is thousands of characters long.
pub fn signal(system: System, content: &Content<'_>, settings: &Settings) -> Result<Signals, TooLong> {
    let fill = |template: &Template| template.fill(content.id, content.kid, content.iv);
    Ok(match system {
        System::Widevine => widevine(content, settings)?,
        System::PlayReady => playready(content, settings)?,
        System::FairPlay => of_hls(settings.fairplay.as_ref().map(|it| HlsKey::fairplay(fill(it)))),
        System::HlsAes128V1 | System::HlsAes128 => {
            of_hls(settings.key_url.as_ref().map(|it| HlsKey::aes_128(fill(it))))
        }
        System::HlsSampleAes => {
            of_hls(settings.key_url.as_ref().map(|it| HlsKey::sample_aes(content.scheme, fill(it))))
        }
        System::ClearKey => clear_key(content, settings.license_url.as_ref().map(fill))?,
        System::Common => {
            let pssh = pssh::common(&[*content.kid]).ok_or(TooLong)?;
            Signals { content_protection: Some(pssh_element(&pssh)), pssh: Some(pssh), ..Signals::default() }
        }
    })
}

fn of_hls(hls: Option<HlsKey>) -> Signals {
    Signals { hls, ..Signals::default() }
}

fn widevine(content: &Content<'_>, settings: &Settings) -> Result<Signals, TooLong> {
    let message = widevine::Message {
        kids: &[*content.kid],
        provider: settings.widevine_provider.as_deref(),
        content_id: settings.widevine_provider.as_ref().map(|_| content.id.as_bytes()),
        scheme: Some(content.scheme),
    };
    let pssh = pssh::version_0(System::Widevine, &message.encode()).ok_or(TooLong)?;
    Ok(Signals {
        content_protection: Some(pssh_element(&pssh)),
        hls: Some(HlsKey::widevine(content.scheme, content.kid, &pssh)),
        pssh: Some(pssh),
        smooth: None,
    })
}

fn playready(content: &Content<'_>, settings: &Settings) -> Result<Signals, TooLong> {
    let version = match (content.scheme.is_counter_mode(), settings.playready_list) {
        (true, false) => playready::Version::V4_0,
        (true, true) => playready::Version::V4_2,
        (false, _) => playready::Version::V4_3,
    };
    let url = settings.playready_url.as_ref().map(|it| it.fill(content.id, content.kid, content.iv));
    let keys = [playready::Key { kid: content.kid, key: content.key }];
    let header = playready::header(version, &keys, url.as_deref()).ok_or(TooLong)?;
    let object = playready::object(&header).ok_or(TooLong)?;
    let pssh = pssh::version_0(System::PlayReady, &object).ok_or(TooLong)?;
    let pro = format!(r#"<pro xmlns="urn:microsoft:playready">{}</pro>"#, base64(&object));
    Ok(Signals {
        content_protection: Some(pssh_element(&pssh) + &pro),
        hls: Some(HlsKey::playready(content.scheme, &object)),
        pssh: Some(pssh),
        smooth: Some(object),
    })
}

/// DASH-IF ClearKey has no box of its own: the W3C's common one is what browsers read. Media3 compares the prefix of
/// `dashif:Laurl` literally.
fn clear_key(content: &Content<'_>, license_url: Option<String>) -> Result<Signals, TooLong> {
    let pssh = pssh::common(&[*content.kid]).ok_or(TooLong)?;
    let mut fragment = pssh_element(&pssh);
    if let Some(url) = &license_url {
        fragment +=
            &format!(r#"<dashif:Laurl xmlns:dashif="https://dashif.org/CPS">{}</dashif:Laurl>"#, escape_xml(url));
    }
    let hls = license_url.map(|url| HlsKey::clear_key(content.scheme, content.kid, url));
    Ok(Signals { content_protection: Some(fragment), pssh: Some(pssh), hls, smooth: None })
}

/// The box in an element of DASH. The namespace is the default one: some readers forbid prefixes.
fn pssh_element(pssh: &[u8]) -> String {
    format!(r#"<pssh xmlns="urn:mpeg:cenc:2013">{}</pssh>"#, base64(pssh))
}
