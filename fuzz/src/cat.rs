//! Property of Common Access Tokens: without a signature nothing opens a session; with one, any claims at all are read
//! without a fault, a token that is valid covers the path that it was sent for, no other bytes are the same token, and a
//! token that replaces another is valid, too.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use playlock_core::http::incoming::{Incoming, RequestHead};
use playlock_core::http::reply::{Header, Reason};
use playlock_core::step::{Known, Request};
use playlock_core::token::acl;
use playlock_core::token::cat::{LocationHeaders, Renewer, Verifier, fields};
use playlock_core::token::grant::Grant;
use playlock_core::token::key_set::{Key, KeySet};
use sha2::Sha256;

use crate::site::NOW;
use crate::source::Source;

const SECRET: [u8; 32] = [7; 32];
const EDGE: [u8; 32] = [8; 32];
const RESERVED: [&str; 3] = ["plk", "hdntl", "cat"];

fn verifier(located: bool, audience: bool) -> Verifier {
    let key = |secret: &[u8], kid: &str| Key::hs256(secret).expect("a key").with(Some(kid.into()), None);
    Verifier {
        keys: KeySet::new(vec![key(&SECRET, "site"), key(&EDGE, "edge")]).expect("two keys"),
        audience: if audience { vec!["edge".into()] } else { Vec::new() },
        location: located.then(|| LocationHeaders {
            country: "x-geo-country".into(),
            region: "x-geo-region".into(),
            asn: "x-geo-asn".into(),
        }),
        renewer: Some(Box::new(Renewer { key: key(&EDGE, "edge"), issuer: "edge".into() })),
        skew: 10,
    }
}

/// The head of a byte string (RFC 8949 section 3.1).
fn head(length: usize) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(length) if length < 24 => vec![0x40 | length],
        Ok(length) => vec![0x58, length],
        Err(_) => [&[0x59][..], &u16::try_from(length).expect("short").to_be_bytes()].concat(),
    }
}

/// A token of these claims, signed anew: `[h'a10105', {4: 'site'}, claims, tag]`.
fn signed(claims: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).expect("any length");
    let claims = [head(claims.len()).as_slice(), claims].concat();
    mac.update(&[b"\x84\x64MAC0\x43\xa1\x01\x05\x40", claims.as_slice()].concat());
    let tag = mac.finalize().into_bytes();
    [b"\xd8\x3d\xd1\x84\x43\xa1\x01\x05\xa1\x04\x44site", claims.as_slice(), b"\x58\x20", &tag[..]].concat()
}

fn verified(verifier: &Verifier, token: &[u8], target: &[u8]) -> Result<Grant, Reason> {
    let header = |name: &str, value: &[u8]| -> Header { (name.into(), value.to_vec()) };
    let headers = [
        header(":method", b"GET"),
        header(":scheme", b"https"),
        header(":authority", b"tv.example"),
        header(":path", target),
        header("x-device", b"tv"),
        header("x-geo-country", b"DE"),
        header("x-geo-asn", b"64496"),
    ];
    let attributes = Known { protocol: Some(b"HTTP/2".to_vec()), ..Known::client("203.0.113.7:4711") };
    let head =
        RequestHead::read(&Request { headers: &headers, attributes: &attributes, now: NOW, end_of_stream: true });
    let Ok(incoming) = Incoming::parse(&head) else { return Err(Reason::Target) };
    let sent = URL_SAFE_NO_PAD.encode(token);
    let _ = fields(&sent).map(Iterator::count);
    let result = verifier.verify(&sent, &incoming, &RESERVED);
    let examined = verifier.examine(&sent, &incoming, &RESERVED);
    assert_eq!(result.as_ref().err(), examined.as_ref().err().map(|refusal| &refusal.reason));
    if let Ok(Grant { acl: Some(acl), .. }) = &result {
        assert!(acl::is_valid(acl) && acl::allows(acl, &incoming.target.path), "{acl} for {}", incoming.target.path);
    }
    result
}

/// Input: settings, a byte and its place to change, the path up to a line feed, and the claims.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let settings = source.byte();
    let (at, change) = (usize::from(source.byte()), source.byte());
    let path: Vec<u8> = [b"/", source.until(b'\n')].concat();
    let claims = source.rest();
    let verifier = verifier(settings & 1 == 1, settings & 2 == 2);
    assert!(verified(&verifier, claims, &path).is_err(), "a token without a signature");
    if claims.len() > 1400 {
        return;
    }
    let token = signed(claims);
    let result = verified(&verifier, &token, &path);
    assert!(!matches!(result, Err(Reason::Signature | Reason::Algorithm)), "the signature is good");
    // Behind the kid, which no signature covers.
    let mut forged = token.clone();
    let at = 15 + at % (forged.len() - 15);
    forged[at] ^= change;
    assert!(forged == token || verified(&verifier, &forged, &path).is_err(), "changed at {at}");
    if let Ok(Grant { renewed: Some(renewed), .. }) = result {
        let renewed = URL_SAFE_NO_PAD.decode(renewed.token).expect("base64url");
        match verified(&verifier, &renewed, &path) {
            Ok(_) => {}
            // An `or` of times may have ended, never a signature.
            Err(reason) => panic!("the new token is refused: {reason:?}"),
        }
    }
}
