//! Encryption schemes of content keys.

/// A value of `ContentKey@commonEncryptionScheme`: a Common Encryption scheme (ISO/IEC 23001-7, section 4.2) or, from
/// CPIX 2.4 and SPEKE 2.1 on, an encryption method of HLS (RFC 8216, section 4.3.2.4, and its successor's draft).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// AES-CTR of samples, with subsamples of video.
    Cenc,
    /// AES-CTR of a pattern of blocks. No system of this crate takes it.
    Cens,
    /// AES-CBC of samples. SPEKE 2.0 names AES-128 of HLS so.
    Cbc1,
    /// AES-CBC of a pattern of blocks.
    Cbcs,
    /// HLS: AES-128 of whole segments.
    Aes128,
    /// HLS: AES-CBC of samples; in fragmented MP4 that is `cbcs`.
    SampleAes,
    /// HLS: AES-CTR of samples in fragmented MP4, `cenc`.
    SampleAesCtr,
}

impl Scheme {
    /// The scheme with this name, letter case included; `None` of other names.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "cenc" => Some(Self::Cenc),
            "cens" => Some(Self::Cens),
            "cbc1" => Some(Self::Cbc1),
            "cbcs" => Some(Self::Cbcs),
            "AES-128" => Some(Self::Aes128),
            "SAMPLE-AES" => Some(Self::SampleAes),
            "SAMPLE-AES-CTR" => Some(Self::SampleAesCtr),
            _ => None,
        }
    }

    /// Whether it is a method of HLS, which SPEKE 2.0 does not know.
    pub fn is_hls_method(self) -> bool {
        matches!(self, Self::Aes128 | Self::SampleAes | Self::SampleAesCtr)
    }

    /// Whether samples are encrypted with AES-CTR.
    pub(crate) fn is_counter_mode(self) -> bool {
        matches!(self, Self::Cenc | Self::Cens | Self::SampleAesCtr)
    }

    /// The four letters that are in the media for this scheme; `None` for AES-128, which encrypts whole segments.
    pub(crate) fn four_letters(self) -> Option<[u8; 4]> {
        match self {
            Self::Cenc | Self::SampleAesCtr => Some(*b"cenc"),
            Self::Cens => Some(*b"cens"),
            Self::Cbc1 => Some(*b"cbc1"),
            Self::Cbcs | Self::SampleAes => Some(*b"cbcs"),
            Self::Aes128 => None,
        }
    }
}
