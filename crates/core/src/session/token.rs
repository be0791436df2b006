//! Wire format of session tokens: binary fields and their MAC, in base64url without padding (RFC 4648 section 5).
//!
//! | bytes | field |
//! |---|---|
//! | 1 | version (3 bits, 1), then flags: IPv4 network, IPv6 network, header tag, access token id, payload |
//! | 1 | hint: first byte of the secret's id, which selects the keyrings that can have signed the token |
//! | 4 | start of the session, in seconds since the epoch |
//! | 16 | id |
//! | 1 to 5 | lifetime in seconds, a varint |
//! | 2 to 17 | if flagged: the network's prefix length in bits, then the bytes that contain these bits |
//! | 8 | if flagged: MAC of the header's value |
//! | 2 or more | if flagged: id of the access token, its length in bytes before it, a varint |
//! | 2 or more | if flagged: payload of the access token, in the same form |
//! | 1 or more | ACL, up to the MAC |
//! | 16 | HMAC-SHA256 over everything before, cut to 128 bits, under the policy's key for session tokens |
//!
//! Numbers of fixed size are big-endian. A varint has 7 bits in each byte, the lowest first, and the highest bit set in
//! all bytes but the last (LEB128). The id begins at character 8 of the text, so that its first 21 characters, as in the
//! access log, can be searched for in URLs.
//!
//! Each token has one spelling: a longer varint than needed, bits outside the prefix, an empty field, padding, and bits
//! behind the last byte are refused.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac;
use ipnet::IpNet;

use crate::policy::binding::Bound;
use crate::token::acl;
use crate::token::derive::Keyring;

/// Longest session token in characters. Some players reject lines of 4096 bytes.
pub const MAX_TOKEN: usize = 1023;

/// Length of the MAC in bytes.
const MAC: usize = 16;

const VERSION: u8 = 1 << 5;
const IPV4: u8 = 1 << 4;
const IPV6: u8 = 1 << 3;
const HEADER: u8 = 1 << 2;
const ACCESS_TOKEN: u8 = 1 << 1;
const PAYLOAD: u8 = 1;

/// The fields of a session token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields<'a> {
    /// Start of the session, in seconds since the epoch.
    pub opened: u32,
    /// The session's id.
    pub id: [u8; 16],
    /// Lifetime in seconds, from the start.
    pub lifetime: u32,
    /// Network and header value that the session is bound to.
    pub bound: Bound,
    /// Id of the access token that opened the session; not empty.
    pub access_token: Option<&'a str>,
    /// Payload of that access token; not empty.
    pub payload: Option<&'a str>,
    /// Path patterns joined with `!`, in printable ASCII.
    pub acl: &'a str,
}

impl Fields<'_> {
    /// The token with these fields, signed by `keyring`; `None` if it is longer than [`MAX_TOKEN`].
    pub fn sign(&self, keyring: &Keyring) -> Option<String> {
        let Self { opened, id, lifetime, bound, access_token, payload, acl } = self;
        let mut flags = 0;
        let mut rest = Vec::with_capacity(64);
        push_varint(&mut rest, *lifetime);
        if let Some(network) = bound.network {
            flags |= if network.addr().is_ipv4() { IPV4 } else { IPV6 };
            rest.push(network.prefix_len());
            let bytes = significant(network.prefix_len());
            match network.addr() {
                IpAddr::V4(address) => rest.extend(address.octets().into_iter().take(bytes)),
                IpAddr::V6(address) => rest.extend(address.octets().into_iter().take(bytes)),
            }
        }
        if let Some(tag) = bound.tag {
            flags |= HEADER;
            rest.extend(tag);
        }
        for (flag, text) in [(ACCESS_TOKEN, access_token), (PAYLOAD, payload)] {
            if let Some(text) = text {
                flags |= flag;
                push_varint(&mut rest, u32::try_from(text.len()).ok()?);
                rest.extend(text.as_bytes());
            }
        }
        rest.extend(acl.as_bytes());
        let mut token = Vec::with_capacity(rest.len() + 38);
        token.extend([VERSION | flags, hint(keyring)]);
        token.extend(opened.to_be_bytes());
        token.extend(id);
        token.extend(rest);
        let mut mac = keyring.session_token();
        mac.update(&token);
        token.extend(mac.finalize().into_bytes().into_iter().take(MAC));
        Some(URL_SAFE_NO_PAD.encode(token)).filter(|token| token.len() <= MAX_TOKEN)
    }
}

/// A session token in binary, not verified.
#[derive(Debug)]
pub struct Encoded(Vec<u8>);

impl Encoded {
    /// Decodes a token as sent; `None` if it is longer than [`MAX_TOKEN`] or not canonical base64url without padding.
    pub fn read(sent: &str) -> Option<Self> {
        let fits = sent.len() <= MAX_TOKEN;
        if fits { URL_SAFE_NO_PAD.decode(sent).ok().map(Self) } else { None }
    }

    /// Parses the fields; `None` if the token is not exactly what [`Fields::sign`] makes of any fields.
    pub fn parse(&self) -> Option<Parsed<'_>> {
        let (signed, mac) = self.0.split_last_chunk::<MAC>()?;
        let mut reader = Reader(signed);
        let [first, hint] = reader.array()?;
        if first & 0xe0 != VERSION || first & (IPV4 | IPV6) == IPV4 | IPV6 {
            return None;
        }
        let has = |flag| first & flag != 0;
        let opened = u32::from_be_bytes(reader.array()?);
        let id = reader.array()?;
        let lifetime = reader.varint()?;
        let network = match (has(IPV4), has(IPV6)) {
            (true, _) => Some(reader.network::<4>()?),
            (_, true) => Some(reader.network::<16>()?),
            _ => None,
        };
        let tag = if has(HEADER) { Some(reader.array()?) } else { None };
        let access_token = if has(ACCESS_TOKEN) { Some(reader.text()?) } else { None };
        let payload = if has(PAYLOAD) { Some(reader.text()?) } else { None };
        let acl = core::str::from_utf8(reader.0).ok()?;
        if !acl::is_valid(acl) || !acl.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let bound = Bound { network, tag };
        let fields = Fields { opened, id, lifetime, bound, access_token, payload, acl };
        Some(Parsed { fields, hint, signed, mac })
    }
}

/// A parsed session token, not verified.
#[derive(Debug)]
pub struct Parsed<'a> {
    /// The fields.
    pub fields: Fields<'a>,
    /// First byte of the secret's id.
    pub hint: u8,
    signed: &'a [u8],
    mac: &'a [u8; MAC],
}

impl Parsed<'_> {
    /// Whether `keyring` signed the token. Compares in constant time. The MAC is computed only if the hint, which is
    /// not secret, is the keyring's.
    pub fn is_signed_by(&self, keyring: &Keyring) -> bool {
        if self.hint != hint(keyring) {
            return false;
        }
        let mut mac = keyring.session_token();
        mac.update(self.signed);
        mac.verify_truncated_left(self.mac).is_ok()
    }
}

/// The first characters of the session's id in a token that is not verified; `None` if it is too short.
pub fn claimed_reference(token: &str, length: usize) -> Option<&str> {
    token.get(8..)?.get(..length)
}

/// The hint at a keyring: the first byte of its secret's id.
fn hint(keyring: &Keyring) -> u8 {
    let [hint, ..] = keyring.secret_id();
    hint
}

/// Number of bytes with the first `bits` bits.
fn significant(bits: u8) -> usize {
    usize::from(bits).div_ceil(8)
}

fn push_varint(out: &mut Vec<u8>, mut value: u32) {
    while value > 0x7f {
        out.extend((value | 0x80).to_le_bytes().first());
        value >>= 7;
    }
    out.extend(value.to_le_bytes().first());
}

/// The bytes that are still to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    /// A number of up to 32 bits in as few bytes as possible.
    fn varint(&mut self) -> Option<u32> {
        let mut value: u64 = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let shortest = byte != 0 || shift == 0;
                return u32::try_from(value).ok().filter(|_| shortest);
            }
        }
        None
    }

    /// A network of addresses of `N` bytes, without bits outside its prefix.
    fn network<const N: usize>(&mut self) -> Option<IpNet>
    where
        IpAddr: From<[u8; N]>,
    {
        let [length] = self.array()?;
        let mut address = [0; N];
        let bytes = self.take(significant(length))?;
        address.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let network = IpNet::new(address.into(), length).ok()?;
        (length > 0 && network.trunc() == network).then_some(network)
    }

    /// Text that is not empty, with its length before it.
    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.varint()?).ok()?;
        core::str::from_utf8(self.take(length)?).ok().filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests;
