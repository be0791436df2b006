//! Forgeries of a session token's bytes, each with its class.

use playlock_core::session::token::Encoded;
use playlock_core::token::derive::{Keyring, Secret};
use playlock_host::edge_auth::Token;

use crate::cross::shop;
use crate::fixture::{NOW, POLICIES};
use crate::mutate::Take;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// All forgeries of a session token of the policy.
pub fn all(policy: &str, token: &[u8], take: Take<'_>) {
    let bytes = decoded(token);
    flips(&bytes, take);
    lengths(&bytes, take);
    head(&bytes, take);
    moved(&bytes, take);
    spellings(token, take);
    signatures(policy, token, take);
    // The form that session tokens had, signed as well as a site can sign it.
    let old = Token {
        st: Some(NOW),
        exp: Some(NOW + 3600),
        acl: Some(format!("/{}/*", shop(policy).folder)),
        id: Some("AAAAAAAAAAAAAAAAAAAAAA,sess-1".into()),
        data: Some("hdntl,user=42".into()),
        salt: shop(policy).salt.map(Into::into),
        ..Token::default()
    };
    take("EdgeAuth session signed by a site", old.sign("sha256", shop(policy).password).unwrap().into_bytes());
    take("EdgeAuth session signed by a stranger", old.sign("sha256", "00").unwrap().into_bytes());
}

/// Each bit, by the field that it belongs to.
fn flips(bytes: &[u8], take: Take<'_>) {
    let mac = bytes.len() - 16;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let class = match at {
                0 if bit < 5 => "bit of the flags",
                0 => "bit of the version",
                1 => "bit of the hint",
                2..6 => "bit of the start",
                6..22 => "bit of the id",
                _ if at < mac => "bit of another field",
                _ => "bit of the MAC",
            };
            let mut changed = bytes.to_vec();
            changed[at] ^= 1 << bit;
            take(class, encoded(&changed));
        }
    }
}

/// Fewer and more bytes.
fn lengths(bytes: &[u8], take: Take<'_>) {
    for length in 0..bytes.len() {
        take("cut behind a byte", encoded(&bytes[..length]));
        take("cut before a byte", encoded(&bytes[length + 1..]));
        take("without a byte", encoded(&[&bytes[..length], &bytes[length + 1..]].concat()));
        for added in [0, b'*', 0xff] {
            take("with another byte", encoded(&[&bytes[..length], &[added], &bytes[length..]].concat()));
        }
    }
    for length in [1, 3, 16, 300, 3000] {
        take("with bytes at the end", encoded(&[bytes, &vec![0; length]].concat()));
    }
    // A MAC of 256 bits, as HMAC-SHA256 gives it, and none.
    take("with a longer MAC", encoded(&[bytes, &bytes[bytes.len() - 16..]].concat()));
    take("without a MAC", encoded(&bytes[..bytes.len() - 16]));
    take("with a MAC of zeros", encoded(&[&bytes[..bytes.len() - 16], &[0; 16]].concat()));
}

/// Other versions, and flags that are set without their fields or the other way round.
fn head(bytes: &[u8], take: Take<'_>) {
    for first in (0..=u8::MAX).filter(|first| *first != bytes[0]) {
        let mut changed = bytes.to_vec();
        changed[0] = first;
        let flags = first & 0x18 == 0x18;
        let class = match first >> 5 {
            1 if flags => "both kinds of network",
            1 => "other flags",
            _ => "another version",
        };
        take(class, encoded(&changed));
    }
}

/// Pieces in each other's places.
fn moved(bytes: &[u8], take: Take<'_>) {
    let mac = bytes.len() - 16;
    let cuts = [1, 2, 6, 22, 25, mac - 10, mac, bytes.len()];
    for (index, pair) in cuts.windows(2).enumerate() {
        for other in cuts[index + 1..].windows(2) {
            let pieces =
                [&bytes[..pair[0]], &bytes[other[0]..other[1]], &bytes[pair[1]..other[0]], &bytes[pair[0]..pair[1]]];
            take("fields in each other's places", encoded(&[&pieces.concat(), &bytes[other[1]..]].concat()));
        }
    }
}

/// Other base64 of the same bytes.
fn spellings(token: &[u8], take: Take<'_>) {
    let padding = [&b""[..], b"===", b"==", b"="][token.len() % 4];
    for padding in [padding, b"=", b"==", b"===="] {
        if !padding.is_empty() {
            take("padded base64", [token, padding].concat());
        }
    }
    let standard: Vec<u8> = token
        .iter()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => *byte,
        })
        .collect();
    if standard != token {
        take("base64 with + and /", standard);
    }
    // Bits behind the last byte.
    let (last, unused) = (token.len() - 1, [1, 1, 16, 4][token.len() % 4]);
    let value = ALPHABET.iter().position(|byte| *byte == token[last]).unwrap();
    for other in value..value + unused {
        let mut changed = token.to_vec();
        changed[last] = ALPHABET[other];
        if other != value {
            take("bits behind the last byte", changed);
        }
    }
}

/// The same fields, signed under other keys.
fn signatures(policy: &str, token: &[u8], take: Take<'_>) {
    let document: serde_json::Value = serde_json::from_str(POLICIES).unwrap();
    let own = document["policies"].as_array().unwrap().iter().find(|it| it["policyName"] == policy).unwrap();
    let secret = own["mediaEncryption"]["secret"].as_str().unwrap();
    let secret = (0..secret.len()).step_by(2).map(|at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap());
    let secret: Vec<u8> = secret.collect();
    let keyring = |secret: &[u8], policy: &str| Keyring::new(&Secret::new(secret.to_vec()).unwrap(), policy);
    let binary = Encoded::read(std::str::from_utf8(token).unwrap()).unwrap();
    let parsed = binary.parse().unwrap();
    let sign = |keyring: &Keyring| parsed.fields.sign(keyring).unwrap().into_bytes();
    assert_eq!(sign(&keyring(&secret, policy)), token, "the key is the policy's");
    let others = (0..2000_u16).map(|number| [&secret[..], &number.to_be_bytes()].concat());
    let others = others.map(|secret| keyring(&secret, policy));
    let same = |keyring: &Keyring| keyring.secret_id()[0] == parsed.hint;
    take("another secret", sign(&others.clone().find(|keyring| !same(keyring)).unwrap()));
    take("another secret with the same hint", sign(&others.clone().find(same).unwrap()));
    let policies = (0..2000).map(|number| keyring(&secret, &format!("{policy}{number}")));
    take("another policy", sign(&policies.clone().find(|keyring| !same(keyring)).unwrap()));
    take("another policy with the same hint", sign(&policies.clone().find(same).unwrap()));
}

fn encoded(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0, |group, byte| group << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        text.extend((0..=chunk.len()).map(|digit| ALPHABET[group >> (18 - 6 * digit) & 63]));
    }
    text
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let (mut bytes, mut group, mut bits) = (Vec::new(), 0_usize, 0);
    for digit in text {
        group = group << 6 | ALPHABET.iter().position(|byte| byte == digit).unwrap();
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((group >> bits & 0xff).try_into().unwrap());
        }
    }
    assert_eq!(encoded(&bytes), text);
    bytes
}
