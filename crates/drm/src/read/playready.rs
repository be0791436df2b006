//! PlayReady Objects and the header in them (see [`crate::pssh::playready`]).

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use super::ReadFault;
use super::boxes::take;
use super::markup::Element;
use crate::kid::Kid;
use crate::pssh::playready::{NAMESPACE, checksum};

/// A PlayReady Header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// `4.0.0.0`, `4.1.0.0`, `4.2.0.0` or `4.3.0.0`.
    pub version: String,
    /// The keys, in their order. A header may have none.
    pub keys: Vec<HeaderKey>,
    /// `LA_URL`.
    pub license_url: Option<String>,
}

/// A key of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderKey {
    /// The key ID.
    pub kid: Kid,
    /// Whether the algorithm is AES-CTR; AES-CBC otherwise. `None` if the header names none.
    pub is_counter_mode: Option<bool>,
    /// The checksum over the content key.
    pub checksum: Option<[u8; 8]>,
}

impl HeaderKey {
    /// Whether the checksum is that of this content key; `None` without a checksum.
    pub fn verify(&self, key: &[u8; 16]) -> Option<bool> {
        self.checksum.map(|expected| checksum(&self.kid, key).ct_eq(&expected).into())
    }
}

impl Header {
    /// Reads the header of a PlayReady Object. Other records, such as embedded licenses, are skipped.
    ///
    /// # Errors
    /// [`ReadFault`], but for those of boxes and of Widevine.
    pub fn read(object: &[u8]) -> Result<Self, ReadFault> {
        let mut rest = object;
        let length = usize::try_from(u32::from_le_bytes(*take(&mut rest)?)).map_err(|_| ReadFault::Length)?;
        if length != object.len() {
            return Err(ReadFault::Length);
        }
        let mut header = None;
        for _ in 0..number(&mut rest)? {
            let kind = number(&mut rest)?;
            let length = number(&mut rest)?;
            let (record, after) = rest.split_at_checked(length.into()).ok_or(ReadFault::Length)?;
            rest = after;
            if kind == 1 && header.replace(record).is_some() {
                return Err(ReadFault::Records);
            }
        }
        if !rest.is_empty() {
            return Err(ReadFault::Length);
        }
        Self::parse(&decode(header.ok_or(ReadFault::Records)?)?)
    }

    /// Reads a header's XML.
    ///
    /// # Errors
    /// [`ReadFault::Markup`], [`ReadFault::KeyId`], [`ReadFault::Scheme`], [`ReadFault::Checksum`].
    pub fn parse(text: &str) -> Result<Self, ReadFault> {
        let root = Element::read(text)?;
        let version = root.attribute("version").unwrap_or_default();
        if root.name != "WRMHEADER" || root.attribute("xmlns") != Some(NAMESPACE) {
            return Err(ReadFault::Markup);
        }
        let data = root.child("DATA").ok_or(ReadFault::Markup)?;
        let keys = match version {
            "4.0.0.0" => single(data)?,
            // 4.1 has one KID without a list.
            "4.1.0.0" => data.child("PROTECTINFO").map_or(Ok(Vec::new()), listed)?,
            "4.2.0.0" | "4.3.0.0" => {
                let kids = data.child("PROTECTINFO").and_then(|info| info.child("KIDS"));
                kids.map_or(Ok(Vec::new()), listed)?
            }
            _ => return Err(ReadFault::Markup),
        };
        let license_url = data.child("LA_URL").map(|url| url.text.clone());
        Ok(Self { version: version.into(), keys, license_url })
    }
}

/// The key of version 4.0.
fn single(data: &Element) -> Result<Vec<HeaderKey>, ReadFault> {
    let Some(kid) = data.child("KID") else { return Ok(Vec::new()) };
    let algorithm = data.child("PROTECTINFO").and_then(|info| info.child("ALGID"));
    let checksum = data.child("CHECKSUM").map(|checksum| checksum.text.as_str());
    Ok(alloc::vec![key(&kid.text, algorithm.map(|algorithm| algorithm.text.as_str()), checksum)?])
}

/// The keys of the later versions.
fn listed(kids: &Element) -> Result<Vec<HeaderKey>, ReadFault> {
    let kids = kids.children.iter().filter(|child| child.name == "KID");
    let read = |kid: &Element| {
        let value = kid.attribute("VALUE").ok_or(ReadFault::Markup)?;
        key(value, kid.attribute("ALGID"), kid.attribute("CHECKSUM"))
    };
    kids.map(read).collect()
}

fn key(kid: &str, algorithm: Option<&str>, checksum: Option<&str>) -> Result<HeaderKey, ReadFault> {
    let is_counter_mode = match algorithm {
        None => None,
        Some("AESCTR") => Some(true),
        Some("AESCBC") => Some(false),
        // COCKTAIL among them, which no scheme of SPEKE has.
        Some(_) => return Err(ReadFault::Scheme),
    };
    let checksum = checksum.map(|text| decode_base64(text).ok_or(ReadFault::Checksum)).transpose()?;
    let kid = Kid::from_guid(decode_base64(kid).ok_or(ReadFault::KeyId)?);
    Ok(HeaderKey { kid, is_counter_mode, checksum })
}

fn decode_base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text.trim()).ok()?.try_into().ok()
}

/// UTF-16, little-endian.
fn decode(bytes: &[u8]) -> Result<String, ReadFault> {
    let (pairs, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(ReadFault::Encoding);
    }
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
    char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| ReadFault::Encoding)
}

/// Takes a little-endian number of 16 bits.
fn number(rest: &mut &[u8]) -> Result<u16, ReadFault> {
    take(rest).map(|bytes| u16::from_le_bytes(*bytes))
}
