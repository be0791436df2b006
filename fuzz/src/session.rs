//! Property of session tokens' wire format: fields survive it, nothing but their one encoding is accepted, and that is
//! the encoding of an independent implementation.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac;
use playlock_core::policy::Match;
use playlock_core::session::token::{Encoded, Fields, MAX_TOKEN};
use playlock_core::token::derive::Keyring;

use crate::site::{NOW, site};
use crate::source::Source;
use crate::text;
use crate::token::changed;

/// Bytes of the MAC.
const MAC: usize = 16;

/// Fields as the independent encoder takes them.
#[derive(Debug, Default)]
pub struct Plain<'a> {
    /// Seconds.
    pub opened: u32,
    /// Of the session.
    pub id: [u8; 16],
    /// Seconds.
    pub lifetime: u32,
    /// Address and number of bits.
    pub network: Option<(IpAddr, u8)>,
    /// Of a header.
    pub tag: Option<[u8; 8]>,
    /// The access token's id, if not empty.
    pub access_token: &'a str,
    /// Its payload, if not empty.
    pub payload: &'a str,
    /// Patterns.
    pub acl: &'a str,
}

/// The fields of a token, without its MAC: byte by byte, as the format's table has it.
pub fn encoded(hint: u8, plain: &Plain<'_>) -> Vec<u8> {
    let mut flags = 0;
    let mut rest = leb128(plain.lifetime as usize);
    if let Some((address, bits)) = plain.network {
        let mut bytes = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        flags += if bytes.len() == 4 { 16 } else { 8 };
        for bit in usize::from(bits)..bytes.len() * 8 {
            bytes[bit / 8] &= !(0x80 >> (bit % 8));
        }
        bytes.truncate(usize::from(bits).div_ceil(8));
        rest.push(bits);
        rest.extend(bytes);
    }
    if let Some(tag) = plain.tag {
        flags += 4;
        rest.extend(tag);
    }
    for (flag, text) in [(2, plain.access_token), (1, plain.payload)] {
        if !text.is_empty() {
            flags += flag;
            rest.extend(leb128(text.len()));
            rest.extend(text.bytes());
        }
    }
    rest.extend(plain.acl.bytes());
    [&[32 + flags, hint], &plain.opened.to_be_bytes()[..], &plain.id, &rest].concat()
}

/// The token of these bytes, signed.
pub fn signed(keyring: &Keyring, bytes: &[u8]) -> String {
    let mut mac = keyring.session_token();
    mac.update(bytes);
    URL_SAFE_NO_PAD.encode([bytes, &mac.finalize().into_bytes()[..MAC]].concat())
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number % 128) as u8;
        number /= 128;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low + 128);
    }
}

/// Input: the site; opened and lifetime, four bytes each; a byte of the id; flags; bits and address of the network;
/// changes to the token, four bytes each, behind their number; then, a line each, access token id, payload and ACL; the
/// rest are bytes that are signed as they stand.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let site = site(source.byte().into());
    let Match::Policy(_, policy) = site.policies.policy_for("tv.example", "/vod/", NOW) else { panic!("no policy") };
    let keyring = &policy.keyrings[0];
    let hint = keyring.secret_id()[0];
    let mut number = || u32::from_be_bytes([source.byte(), source.byte(), source.byte(), source.byte()]);
    let (opened, lifetime) = (number(), number());
    let id = [source.byte(); 16];
    let flags = source.byte();
    let bits = source.byte();
    let address: [u8; 16] = std::array::from_fn(|_| source.byte());
    let changes: Vec<[u8; 4]> =
        (0..source.below(6)).map(|_| [source.byte(), source.byte(), source.byte(), source.byte()]).collect();
    let [access_token, payload, acl] = [b'\n'; 3].map(|end| String::from_utf8_lossy(source.until(end)).into_owned());
    let rest = source.rest();

    let network = match flags % 3 {
        0 => None,
        1 => Some((IpAddr::from([address[0], address[1], address[2], address[3]]), bits % 32 + 1)),
        _ => Some((IpAddr::from(address), bits % 128 + 1)),
    };
    let tag = (flags & 0x80 != 0).then_some([flags; 8]);
    let plain = Plain { opened, id, lifetime, network, tag, access_token: &access_token, payload: &payload, acl: &acl };
    let token = signed(keyring, &encoded(hint, &plain));
    let fits = text::is_acl(&acl) && acl.bytes().all(|byte| byte.is_ascii_graphic()) && token.len() <= MAX_TOKEN;
    assert_eq!(accepted(keyring, &token), fits, "{plain:?}");
    if fits {
        let binary = Encoded::read(&token).expect("base64");
        let fields = binary.parse().expect("fields").fields;
        let same = |found: Option<&str>, given: &str| found.unwrap_or_default() == given;
        assert_eq!((fields.opened, fields.lifetime, fields.id, fields.acl), (opened, lifetime, id, &*acl));
        assert!(same(fields.access_token, &access_token) && same(fields.payload, &payload));
        assert_eq!(fields.bound.tag, tag);
        assert_eq!(fields.bound.network.map(|net| net.prefix_len()), network.map(|(_, bits)| bits));
        assert!(fields.bound.network.is_none_or(|net| network.is_some_and(|(address, _)| net.contains(&address))));
    }
    let other = changed(&token, &changes);
    assert!(other == token || !accepted(keyring, &other), "{other} is accepted, and so is {token}");
    // What is signed and not made of fields is no token.
    for bytes in [rest.to_vec(), [&[32 + (flags & 31), hint], rest].concat()] {
        accepted(keyring, &signed(keyring, &bytes));
    }
}

/// Whether this is a token, and if so, that its fields are encoded in no other way.
fn accepted(keyring: &Keyring, token: &str) -> bool {
    let Some(binary) = Encoded::read(token) else { return false };
    let Some(parsed) = binary.parse() else { return false };
    let good = parsed.is_signed_by(keyring);
    if good {
        let fields: Fields<'_> = parsed.fields;
        assert_eq!(fields.sign(keyring).as_deref(), Some(token), "{fields:?}");
        assert!(fields.bound.network.is_none_or(|network| network.trunc() == network), "{fields:?}");
    }
    good
}
