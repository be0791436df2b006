//! Tests of the wire format: lengths, round trips, and refusals.
#![allow(clippy::string_slice, reason = "tokens are ASCII")]

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::token::derive::Secret;

fn keyring(secret: u8) -> Keyring {
    Keyring::new(&Secret::new([secret; 16].into()).unwrap(), "vod")
}

const PLAIN: Fields<'_> = Fields {
    opened: 1_700_000_000,
    id: [7; 16],
    lifetime: 86_400,
    bound: Bound { network: None, tag: None },
    access_token: None,
    payload: None,
    acl: "/vod/films/12345678/*",
};

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok()
}

/// Fields of every kind.
fn samples() -> Vec<Fields<'static>> {
    let networks =
        ["203.0.113.0/24", "203.0.113.7/32", "128.0.0.0/1", "203.0.0.0/9", "2001:db8:1:200::/56", "::1/128", "::/1"];
    let mut samples = alloc::vec![
        PLAIN,
        Fields { acl: "*", lifetime: 0, opened: 0, id: [0; 16], ..PLAIN },
        Fields { lifetime: 0x7f, ..PLAIN },
        Fields { lifetime: 0x80, ..PLAIN },
        Fields { lifetime: u32::MAX, opened: u32::MAX, ..PLAIN },
        Fields { access_token: Some("order-17"), ..PLAIN },
        Fields { payload: Some("{\"name\": \"Zo\u{eb}\", \"n\": 1}\0"), ..PLAIN },
        Fields { bound: Bound { network: network("203.0.113.0/24"), tag: Some([9; 8]) }, ..PLAIN },
    ];
    samples.extend(networks.map(|text| Fields { bound: Bound { network: network(text), tag: None }, ..PLAIN }));
    samples.push(Fields {
        access_token: Some("a"),
        payload: Some("p"),
        acl: "/a/*!/b/%2a/??.m3u8",
        ..samples[7].clone()
    });
    samples
}

fn parses(token: &str) -> bool {
    Encoded::read(token).is_some_and(|encoded| encoded.parse().is_some())
}

/// Signs bytes that need not be a token.
fn signed(bytes: &[u8]) -> String {
    let mut mac = keyring(1).session_token();
    mac.update(bytes);
    URL_SAFE_NO_PAD.encode([bytes, &mac.finalize().into_bytes()[..MAC]].concat())
}

fn bytes(token: &str) -> Vec<u8> {
    let mut bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
    bytes.truncate(bytes.len() - MAC);
    bytes
}

#[test]
fn a_token_is_as_long_as_its_fields() {
    let length = |fields: Fields<'_>| fields.sign(&keyring(1)).unwrap().len();
    let twenty = Fields { acl: "/vod/films/1234567/*", ..PLAIN };
    assert_eq!((twenty.acl.len(), length(twenty.clone())), (20, 82));
    let bound = Bound { network: network("203.0.113.0/24"), tag: None };
    assert_eq!(length(Fields { bound, ..twenty.clone() }), 87);
    assert_eq!(length(Fields { bound: Bound { tag: Some([1; 8]), ..bound }, ..twenty.clone() }), 98);
    assert_eq!(length(Fields { payload: Some("user=1234567890abcde"), ..twenty.clone() }), 110);
    assert_eq!(length(Fields { access_token: Some("order-17"), ..twenty }), 94);
}

#[test]
fn fields_survive_and_have_one_spelling() {
    for fields in samples() {
        let token = fields.sign(&keyring(1)).unwrap();
        let encoded = Encoded::read(&token).unwrap();
        let parsed = encoded.parse().unwrap();
        assert_eq!(parsed.fields, fields);
        assert_eq!(parsed.fields.sign(&keyring(1)).as_deref(), Some(&*token));
        assert!(parsed.is_signed_by(&keyring(1)) && !parsed.is_signed_by(&keyring(2)));
        assert_eq!(signed(&bytes(&token)), token);
        let id = URL_SAFE_NO_PAD.encode(fields.id);
        assert_eq!(token.get(8..29), id.get(..21));
        assert_eq!(claimed_reference(&token, 8), id.get(..8));
    }
}

#[test]
fn a_changed_token_is_refused() {
    for fields in samples() {
        let token = fields.sign(&keyring(1)).unwrap();
        let good = |text: &str| {
            Encoded::read(text).is_some_and(|encoded| encoded.parse().is_some_and(|it| it.is_signed_by(&keyring(1))))
        };
        for at in 0..token.len() {
            for other in "AZaz09-_".chars().filter(|other| !token[at..].starts_with(*other)) {
                assert!(!good(&format!("{}{other}{}", &token[..at], &token[at + 1..])), "{token} with {other} at {at}");
            }
            assert!(!good(&token[..at]) && !good(&token[at + 1..]), "{token} cut at {at}");
            assert!(!good(&format!("{}%{:02X}{}", &token[..at], token.as_bytes()[at], &token[at + 1..])));
        }
        for added in ["A", "AA", "AAA", "AAAA", "=", "==", " ", "\n", "~", "."] {
            assert!(!good(&format!("{token}{added}")) && !good(&format!("{added}{token}")), "{token} and {added:?}");
        }
    }
}

#[test]
fn only_the_grammar_is_read() {
    let plain = bytes(&PLAIN.sign(&keyring(1)).unwrap());
    let (head, tail) = (&plain[..22], &plain[25..]);
    let with = |flags: u8, lifetime: &[u8], fields: &[u8], acl: &[u8]| {
        let mut bytes = [head, lifetime, fields, acl].concat();
        bytes[0] = VERSION | flags;
        signed(&bytes)
    };
    let day = &[0x80, 0xa3, 0x05][..];
    assert_eq!(with(0, day, b"", tail), PLAIN.sign(&keyring(1)).unwrap());
    for (what, token) in [
        ("a varint that is too long", with(0, &[0x80, 0xa3, 0x85, 0x00], b"", tail)),
        ("zero in two bytes", with(0, &[0x80, 0x00], b"", tail)),
        ("33 bits", with(0, &[0xff, 0xff, 0xff, 0xff, 0x1f], b"", tail)),
        ("six bytes", with(0, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x01], b"", tail)),
        ("both kinds of network", with(IPV4 | IPV6, day, &[8, 10, 8, 10], tail)),
        ("a prefix of no bits", with(IPV4, day, &[0], tail)),
        ("a prefix of 33 bits", with(IPV4, day, &[33, 203, 0, 113, 7, 0], tail)),
        ("a prefix of 129 bits", with(IPV6, day, &[[129].as_slice(), &[0; 17]].concat(), tail)),
        ("bits outside the prefix", with(IPV4, day, &[23, 203, 0, 113], tail)),
        ("an empty id", with(ACCESS_TOKEN, day, &[0], tail)),
        ("an empty payload", with(PAYLOAD, day, &[0], tail)),
        ("a length that is too long", with(PAYLOAD, day, &[0x81, 0x00, b'p'], tail)),
        ("a payload beyond the end", with(PAYLOAD, day, &[60, b'p'], tail)),
        ("a payload that is not UTF-8", with(PAYLOAD, day, &[1, 0xff], tail)),
        ("no ACL", with(0, day, b"", b"")),
        ("an empty pattern", with(0, day, b"", b"/a!")),
        ("an ACL with a bad escape", with(0, day, b"", b"/%zz")),
        ("an ACL with a space", with(0, day, b"", b"/a b")),
        ("an ACL that is not ASCII", with(0, day, b"", "/\u{eb}".as_bytes())),
    ] {
        assert!(!parses(&token), "{what}: {token}");
    }
    for version in [0, 2, 3, 7] {
        let mut other = plain.clone();
        other[0] = version << 5;
        assert!(!parses(&signed(&other)), "version {version}");
    }
    for length in 0..24 {
        assert!(!parses(&signed(&plain[..length])), "{length} bytes");
    }
    // A flag without its field takes the ACL for it: what is left of that may be an ACL, but not of this token.
    assert!(!parses(&with(ACCESS_TOKEN, day, b"", b"/*")));
    assert!(!parses(""));
}

#[test]
fn no_token_is_longer_than_players_accept() {
    let acl = "a".repeat(1024);
    // 767 bytes are 1,023 characters.
    let longest = 767 - MAC - 22 - 3;
    let of = |length: usize| Fields { acl: &acl[..length], ..PLAIN }.sign(&keyring(1));
    assert_eq!(of(longest).map(|token| token.len()), Some(MAX_TOKEN));
    assert_eq!(of(longest + 1), None);
    let mut long = bytes(&PLAIN.sign(&keyring(1)).unwrap());
    long.resize(768 - MAC, b'a');
    assert_eq!(signed(&long).len(), MAX_TOKEN + 1);
    assert!(!parses(&signed(&long)), "longer than any that is issued");
}
