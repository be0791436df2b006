//! DRM systems by their IDs.

use crate::kid::parse_uuid;
use crate::scheme::Scheme;

/// A DRM system that this crate makes data for, and the value of `DRMSystem@systemId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Google Widevine.
    Widevine,
    /// Microsoft PlayReady.
    PlayReady,
    /// Apple FairPlay Streaming.
    FairPlay,
    /// AES-128 of HLS under the ID of SPEKE 1.0 (and of NCG).
    HlsAes128V1,
    /// AES-128 of HLS under the ID of SPEKE 2.0.
    HlsAes128,
    /// SAMPLE-AES of HLS with a key that players fetch in clear (`identity`).
    HlsSampleAes,
    /// DASH-IF ClearKey: W3C ClearKey with the URL of a license server.
    ClearKey,
    /// The W3C's common `pssh` box, which holds key IDs alone.
    Common,
}

impl System {
    /// All systems.
    pub const ALL: [Self; 8] = [
        Self::Widevine,
        Self::PlayReady,
        Self::FairPlay,
        Self::HlsAes128V1,
        Self::HlsAes128,
        Self::HlsSampleAes,
        Self::ClearKey,
        Self::Common,
    ];

    /// Its ID, a UUID in lower case. Registered at DASH-IF, "Content Protection" identifiers; those of HLS are AWS's.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Widevine => "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",
            Self::PlayReady => "9a04f079-9840-4286-ab92-e65be0885f95",
            Self::FairPlay => "94ce86fb-07ff-4f43-adb8-93d2fa968ca2",
            Self::HlsAes128V1 => "81376844-f976-481e-a84e-cc25d39b0b33",
            Self::HlsAes128 => "3ea8778f-7742-4bf9-b18b-e834b2acbd47",
            Self::HlsSampleAes => "be58615b-19c4-4684-88b3-c8c57e99e957",
            Self::ClearKey => "e2719d58-a985-b3c9-781a-b030af78d30e",
            Self::Common => "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b",
        }
    }

    /// The 16 bytes of its ID in the order of the text, as a `pssh` box has them.
    pub fn id_bytes(self) -> [u8; 16] {
        // The IDs above are UUIDs: the default is never taken, and a test parses all of them.
        parse_uuid(self.id()).unwrap_or_default()
    }

    /// The system with this ID, in letters of either case; `None` of unknown ones.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.id().eq_ignore_ascii_case(id))
    }

    /// Whether SPEKE lets the system have a key with this scheme. Documents of SPEKE 1.0 name no scheme, so there is
    /// nothing to ask there; those of 2.0 may not name a method of HLS ([`Scheme::is_hls_method`]).
    pub fn supports(self, scheme: Scheme) -> bool {
        use Scheme::{Aes128, Cbc1, Cbcs, Cenc, SampleAes, SampleAesCtr};
        match self {
            Self::FairPlay => matches!(scheme, Cbcs | SampleAes),
            Self::HlsAes128V1 | Self::HlsAes128 => matches!(scheme, Cbc1 | Aes128),
            Self::Widevine | Self::PlayReady | Self::HlsSampleAes | Self::ClearKey | Self::Common => {
                matches!(scheme, Cenc | Cbcs | SampleAes | SampleAesCtr)
            }
        }
    }
}
