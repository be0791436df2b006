//! The keys and DRM systems that a request asks for.

use std::fmt;

use clap::ValueEnum;
use playlock_drm::{Kid, Scheme, System};

/// A version of SPEKE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Version {
    /// Elements of CPIX 2.0 and of AWS's namespace.
    #[value(name = "1.0")]
    V1,
    /// CPIX 2.3.
    #[value(name = "2.0")]
    V2_0,
    /// CPIX 2.4.
    #[value(name = "2.1")]
    V2_1,
}

impl Version {
    /// `X-Speke-Version`, which 1.0 does not have.
    pub fn header(self) -> Option<&'static str> {
        match self {
            Self::V1 => None,
            Self::V2_0 => Some("2.0"),
            Self::V2_1 => Some("2.1"),
        }
    }

    /// `CPIX@version`, which 1.0 does not have.
    pub fn of_cpix(self) -> Option<&'static str> {
        match self {
            Self::V1 => None,
            Self::V2_0 => Some("2.3"),
            Self::V2_1 => Some("2.4"),
        }
    }

    /// The root element's attribute with the content ID.
    pub fn content_id(self) -> &'static str {
        if self == Self::V1 { "id" } else { "contentId" }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.header().unwrap_or("1.0"))
    }
}

/// A DRM system by its name in arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SystemName {
    /// Google Widevine.
    Widevine,
    /// Microsoft PlayReady.
    Playready,
    /// Apple FairPlay Streaming.
    Fairplay,
    /// AES-128 of HLS.
    Hls,
    /// SAMPLE-AES of HLS with a key in clear.
    HlsSampleAes,
    /// DASH-IF ClearKey.
    Clearkey,
    /// The W3C's common pssh box.
    Common,
}

impl SystemName {
    /// The system; the ID of AES-128 depends on the version.
    pub fn system(self, version: Version) -> System {
        match self {
            Self::Widevine => System::Widevine,
            Self::Playready => System::PlayReady,
            Self::Fairplay => System::FairPlay,
            Self::Hls if version == Version::V1 => System::HlsAes128V1,
            Self::Hls => System::HlsAes128,
            Self::HlsSampleAes => System::HlsSampleAes,
            Self::Clearkey => System::ClearKey,
            Self::Common => System::Common,
        }
    }
}

/// The name of a system in arguments and output.
pub fn system_name(system: System) -> &'static str {
    match system {
        System::Widevine => "widevine",
        System::PlayReady => "playready",
        System::FairPlay => "fairplay",
        System::HlsAes128V1 | System::HlsAes128 => "hls",
        System::HlsSampleAes => "hls-sample-aes",
        System::ClearKey => "clearkey",
        System::Common => "common",
    }
}

/// Elements of a `DRMSystem` that a server fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    Pssh,
    ContentProtectionData,
    HlsMedia,
    HlsMaster,
    SmoothHeader,
    /// SPEKE 1.0: the PlayReady Object.
    ProtectionHeader,
    UriExtXKey,
    KeyFormat,
    KeyFormatVersions,
}

impl Gap {
    pub const ALL: [Self; 9] = [
        Self::Pssh,
        Self::ContentProtectionData,
        Self::HlsMedia,
        Self::HlsMaster,
        Self::SmoothHeader,
        Self::ProtectionHeader,
        Self::UriExtXKey,
        Self::KeyFormat,
        Self::KeyFormatVersions,
    ];

    /// The element's name, and whether it is in AWS's namespace.
    pub fn element(self) -> (&'static str, bool) {
        match self {
            Self::Pssh => ("PSSH", false),
            Self::ContentProtectionData => ("ContentProtectionData", false),
            Self::HlsMedia | Self::HlsMaster => ("HLSSignalingData", false),
            Self::SmoothHeader => ("SmoothStreamingProtectionHeaderData", false),
            Self::ProtectionHeader => ("ProtectionHeader", true),
            Self::UriExtXKey => ("URIExtXKey", false),
            Self::KeyFormat => ("KeyFormat", true),
            Self::KeyFormatVersions => ("KeyFormatVersions", true),
        }
    }

    /// `HLSSignalingData@playlist`.
    pub fn playlist(self) -> Option<&'static str> {
        match self {
            Self::HlsMedia => Some("media"),
            Self::HlsMaster => Some("master"),
            _ => None,
        }
    }

    /// The name in messages and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Self::HlsMedia => "HLSSignalingData[media]",
            Self::HlsMaster => "HLSSignalingData[master]",
            _ => self.element().0,
        }
    }

    /// Whether SPEKE 2.0 and later do not have it.
    pub fn is_of_v1(self) -> bool {
        matches!(self, Self::ProtectionHeader | Self::UriExtXKey | Self::KeyFormat | Self::KeyFormatVersions)
    }
}

/// The elements that fit a system, in the order of the schema.
pub fn gaps(system: System, version: Version) -> &'static [Gap] {
    use Gap::{
        ContentProtectionData, HlsMaster, HlsMedia, KeyFormat, KeyFormatVersions, ProtectionHeader, Pssh, SmoothHeader,
        UriExtXKey,
    };
    match (system, version == Version::V1) {
        (System::Widevine, false) => &[Pssh, ContentProtectionData, HlsMedia, HlsMaster],
        (System::PlayReady, false) => &[Pssh, ContentProtectionData, HlsMedia, HlsMaster, SmoothHeader],
        (System::Widevine, true) => &[Pssh],
        (System::PlayReady, true) => &[Pssh, ProtectionHeader],
        (System::Common, _) => &[Pssh, ContentProtectionData],
        (System::ClearKey, _) => &[ContentProtectionData],
        (_, false) => &[HlsMedia, HlsMaster],
        (_, true) => &[UriExtXKey, KeyFormat, KeyFormatVersions],
    }
}

/// A key of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedKey {
    pub kid: Kid,
    /// `intendedTrackType`.
    pub track: String,
    /// Index of the key rotation period.
    pub period: Option<u32>,
}

/// A request.
#[derive(Debug)]
pub struct Asked {
    pub version: Version,
    pub content_id: String,
    /// Requests of SPEKE 1.0 may have none.
    pub scheme: Option<SchemeName>,
    pub systems: Vec<System>,
    pub periods: Vec<u32>,
    pub keys: Vec<AskedKey>,
    /// Whether the key IDs are arguments, so that the server must not replace them.
    pub fixed_kids: bool,
    /// The packager's certificate: DER in base64.
    pub certificate: Option<String>,
}

/// `commonEncryptionScheme`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemeName {
    /// AES-CTR of samples.
    Cenc,
    /// AES-CBC of a pattern of blocks.
    Cbcs,
    /// AES-128 of HLS in SPEKE 2.0.
    Cbc1,
    /// AES-128 of HLS in SPEKE 2.1.
    #[value(name = "AES-128")]
    Aes128,
    /// HLS's name of cbcs in SPEKE 2.1.
    #[value(name = "SAMPLE-AES")]
    SampleAes,
    /// HLS's name of cenc in SPEKE 2.1.
    #[value(name = "SAMPLE-AES-CTR")]
    SampleAesCtr,
}

impl SchemeName {
    /// As [`playlock_drm`] has it.
    pub fn scheme(self) -> Scheme {
        match self {
            Self::Cenc => Scheme::Cenc,
            Self::Cbcs => Scheme::Cbcs,
            Self::Cbc1 => Scheme::Cbc1,
            Self::Aes128 => Scheme::Aes128,
            Self::SampleAes => Scheme::SampleAes,
            Self::SampleAesCtr => Scheme::SampleAesCtr,
        }
    }

    /// The value of the attribute.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cenc => "cenc",
            Self::Cbcs => "cbcs",
            Self::Cbc1 => "cbc1",
            Self::Aes128 => "AES-128",
            Self::SampleAes => "SAMPLE-AES",
            Self::SampleAesCtr => "SAMPLE-AES-CTR",
        }
    }

    /// Whether samples are encrypted with AES-CTR; `None` for whole segments.
    pub fn is_counter_mode(self) -> Option<bool> {
        match self {
            Self::Cenc | Self::SampleAesCtr => Some(true),
            Self::Cbcs | Self::SampleAes => Some(false),
            Self::Cbc1 | Self::Aes128 => None,
        }
    }
}
