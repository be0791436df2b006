//! Signatures by published vectors, and the choice of the keys that are tried.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::*;

fn decode(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

fn coordinate(value: &Value) -> [u8; 32] {
    decode(value).try_into().unwrap()
}

fn key(jwk: &Value) -> Result<Key, KeyFault> {
    match jwk["kty"].as_str().unwrap() {
        "oct" => Ok(Key::hs256(&decode(&jwk["k"])).unwrap()),
        "EC" => Key::es256(&coordinate(&jwk["x"]), &coordinate(&jwk["y"]), None),
        "OKP" => Key::ed25519(&coordinate(&jwk["x"]), None),
        _ => Key::rs256(&decode(&jwk["n"]), &decode(&jwk["e"])),
    }
}

macro_rules! vectors {
    ($file:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../../../../tests/vectors/", $file))).unwrap()
    };
}

fn jose() -> Vec<(Key, String, Vec<u8>)> {
    let file = vectors!("jose.json");
    let vectors = file["vectors"].as_array().unwrap().iter();
    let vectors = vectors.map(|vector| {
        let (message, signature) = vector["token"].as_str().unwrap().rsplit_once('.').unwrap();
        (key(&vector["key"]).unwrap(), message.into(), URL_SAFE_NO_PAD.decode(signature).unwrap())
    });
    vectors.collect()
}

#[test]
fn the_rfcs_signatures_verify() {
    let mut algorithms = Vec::new();
    for (key, message, signature) in jose() {
        algorithms.push(key.algorithm().word());
        let (header, payload) = message.split_once('.').unwrap();
        assert!(key.verifies(&[message.as_bytes()], &signature));
        assert!(key.verifies(&[header.as_bytes(), b".", payload.as_bytes()], &signature), "in pieces");
        assert!(!key.verifies(&[header.as_bytes(), payload.as_bytes()], &signature), "another message");
        for bit in 0..8 * signature.len() {
            if signature.len() > 64 && bit % 31 != 0 {
                continue;
            }
            let mut broken = signature.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verifies(&[message.as_bytes()], &broken), "{key:?}: bit {bit}");
        }
        let longer = [&signature[..], &[0]].concat();
        let shifted = [&[0], &signature[..]].concat();
        for broken in [&[][..], &signature[1..], &signature[..signature.len() - 1], &longer, &shifted] {
            assert!(!key.verifies(&[message.as_bytes()], broken), "{key:?}: {} bytes", broken.len());
        }
    }
    assert_eq!(algorithms, ["HS256", "RS256", "ES256", "EdDSA"]);
}

#[test]
fn wycheproof() {
    let file = vectors!("wycheproof.json");
    let mut counts = [0; 2];
    for group in file["groups"].as_array().unwrap() {
        let key = key(&group["key"]).unwrap();
        assert_eq!(key.algorithm().word(), group["algorithm"]);
        for test in group["tests"].as_array().unwrap() {
            let verifies = key.verifies(&[&decode(&test[2])], &decode(&test[3]));
            // "Acceptable" is the DigestInfo without NULL, which RFC 8017 does not permit in signatures.
            let expected = test[0] == "valid";
            assert_eq!(verifies, expected, "{key:?}: {}", test[1]);
            counts[usize::from(expected)] += 1;
        }
    }
    assert!(counts[0] > 400 && counts[1] > 270, "{counts:?}");
}

#[test]
fn private_keys_sign_deterministically() {
    // RFC 6979, appendix A.2.5, and RFC 8037, appendix A.4.
    let hex = |text: &str| -> [u8; 32] { base16ct::lower::decode_vec(text).unwrap().try_into().unwrap() };
    let private = hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    let x = hex("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6");
    let y = hex("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
    let key = Key::es256(&x, &y, Some(&private)).unwrap();
    let signature = base16ct::lower::encode_string(&key.sign(&[b"sam", b"ple"]).unwrap());
    assert_eq!(
        signature,
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
    );
    assert_eq!(Key::es256(&x, &y, Some(&[1; 32])).err(), Some(KeyFault::Pair));
    assert_eq!(Key::es256(&x, &y, Some(&[0; 32])).err(), Some(KeyFault::Private));
    assert_eq!(Key::es256(&x, &y, Some(&[255; 32])).err(), Some(KeyFault::Private));
    assert_eq!(Key::es256(&y, &x, None).err(), Some(KeyFault::Point));
    assert_eq!(Key::es256(&[0; 32], &[0; 32], None).err(), Some(KeyFault::Point));

    let file = vectors!("jose.json");
    let vector = &file["vectors"][3];
    let x = coordinate(&vector["key"]["x"]);
    let key = Key::ed25519(&x, Some(&coordinate(&vector["private"]))).unwrap();
    let (message, signature) = vector["token"].as_str().unwrap().rsplit_once('.').unwrap();
    assert_eq!(URL_SAFE_NO_PAD.encode(key.sign(&[message.as_bytes()]).unwrap()), signature);
    assert_eq!(Key::ed25519(&x, Some(&[1; 32])).err(), Some(KeyFault::Pair));

    for (key, ..) in jose() {
        let is_secret = key.algorithm() == Algorithm::Hs256;
        assert_eq!((key.can_sign(), key.sign(&[b"x"]).is_some()), (is_secret, is_secret), "{key:?}");
    }
}

#[test]
fn weak_public_keys_are_none() {
    // Points of small order: the neutral element, the one of order two, and one of order eight.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut two = [255; 32];
    (two[0], two[31]) = (0xec, 0x7f);
    let eight =
        base16ct::lower::decode_vec("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a").unwrap();
    for point in [[0; 32], neutral, two, eight.try_into().unwrap()] {
        assert_eq!(Key::ed25519(&point, None).err(), Some(KeyFault::Point));
    }
    let odd = |bytes: usize| {
        let mut modulus = alloc::vec![0xff; bytes];
        modulus[0] = 0x80;
        modulus
    };
    let even = [&odd(255)[..], &[0xfe]].concat();
    let short = [&[0x7f], &odd(256)[1..]].concat();
    let padded = [&[0], &odd(256)[..]].concat();
    for modulus in [&[][..], &[0], &[3], &odd(128), &odd(255), &short, &even, &padded, &odd(513), &odd(8192)] {
        assert_eq!(Key::rs256(modulus, &[1, 0, 1]).err(), Some(KeyFault::Modulus), "{} bytes", modulus.len());
    }
    assert!(Key::rs256(&odd(512), &[1, 0, 1]).is_ok() && Key::rs256(&odd(256), &[3]).is_ok());
    for exponent in [&[][..], &[0], &[1], &[2], &[5], &[17], &[0, 3], &[1, 0, 0], &[1, 0, 2], &[1, 0, 0, 0, 1]] {
        assert_eq!(Key::rs256(&odd(256), exponent).err(), Some(KeyFault::Exponent), "{exponent:?}");
    }
}

#[test]
fn an_algorithm_has_keys_of_its_own() {
    let signed = jose();
    let set = KeySet::new(signed.iter().map(|(key, ..)| key.clone()).collect()).unwrap();
    for (key, message, signature) in &signed {
        for algorithm in [Algorithm::Hs256, Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
            let found = set.verify(algorithm, None, &[message.as_bytes()], signature);
            assert_eq!(found.is_ok(), algorithm == key.algorithm(), "{key:?} as {algorithm:?}");
            assert_eq!(Algorithm::named(algorithm.word()), Some(algorithm));
        }
    }
    for word in ["none", "None", "", "hs256", "HS384", "RS512", "PS256", "ES256K"] {
        assert_eq!(Algorithm::named(word), None, "{word}");
    }
}

#[test]
fn a_kid_chooses_the_keys() {
    let secret = |index: u8, kid: Option<&str>| Key::hs256(&[index; 32]).unwrap().with(kid.map(String::from), None);
    let tag = |index: u8| secret(index, None).sign(&[b"m"]).unwrap();
    let set = |keys: &[(u8, Option<&str>)]| KeySet::new(keys.iter().map(|(index, kid)| secret(*index, *kid)).collect());
    let verify = |set: &KeySet, kid: Option<&str>, index| {
        let found = set.verify(Algorithm::Hs256, kid.map(str::as_bytes), &[b"m"], &tag(index));
        found.map(|key| key.kid().map(String::from))
    };
    let named = |kid: &str| Ok(Some(String::from(kid)));
    let mixed = set(&[(1, Some("a")), (2, Some("b")), (3, None)]).unwrap();
    for (kid, index, expected) in [
        (Some("a"), 1, named("a")),
        (Some("a"), 2, Err(KeyError::Signature)),
        (Some("a"), 3, Err(KeyError::Signature)),
        (Some("b"), 2, named("b")),
        (Some("c"), 3, Ok(None)),
        (Some("c"), 1, Err(KeyError::Signature)),
        (None, 1, named("a")),
        (None, 3, Ok(None)),
        (None, 4, Err(KeyError::Signature)),
    ] {
        assert_eq!(verify(&mixed, kid, index), expected, "{kid:?} with key {index}");
    }
    let strict = set(&[(1, Some("a"))]).unwrap();
    assert_eq!(verify(&strict, Some("c"), 1), Err(KeyError::NoKey));
    let found = mixed.verify(Algorithm::Es256, None, &[b"m"], &tag(1));
    assert_eq!(found.err(), Some(KeyError::NoKey));
    let names: Vec<String> = (0..65).map(|index| format!("{index}")).collect();
    let many: Vec<(u8, Option<&str>)> = (0..65).zip(&names).map(|(index, name)| (index, Some(&**name))).collect();
    assert!(set(&[]).is_none() && set(&many).is_none() && set(&[(1, None); 9]).is_none());
    let (nine, eight) = (set(&many[..9]).unwrap(), set(&many[..8]).unwrap());
    assert_eq!(verify(&eight, None, 7), named("7"));
    assert_eq!((verify(&nine, None, 7), verify(&nine, Some("8"), 8)), (Err(KeyError::NoKey), named("8")));
}

#[test]
fn debug_output_has_no_secrets() {
    let key = Key::hs256(b"swordfish").unwrap().with(Some("k".into()), None);
    let shown = format!("{:?}", KeySet::new(alloc::vec![key]).unwrap());
    assert_eq!(shown, "KeySet { keys: [Key(HS256, [redacted])] }");
}
