//! Powers by Python's integers, and values that are no keys and no messages.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use playlock_rsa::{KeyFault, PublicKey};
use serde_json::Value;

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap().as_bytes();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// A modulus, and an exponent in as few bytes as it needs.
fn key(modulus: &[u8], exponent: u32) -> Result<PublicKey, KeyFault> {
    let bytes = exponent.to_be_bytes();
    PublicKey::new(modulus, &bytes[usize::try_from(exponent.leading_zeros() / 8).unwrap().min(3)..])
}

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("vectors/power.json")).unwrap()
}

#[test]
fn powers_are_those_of_python() {
    let mut count = 0;
    for vector in vectors() {
        let modulus = hex(&vector["modulus"]);
        let key = key(&modulus, vector["exponent"].as_u64().unwrap().try_into().unwrap()).unwrap();
        assert_eq!(key.size(), modulus.len());
        for pair in vector["powers"].as_array().unwrap() {
            assert_eq!(*key.power(&hex(&pair[0])).unwrap(), hex(&pair[1]), "{key:?}");
            count += 1;
        }
        for small in [0, 1] {
            let mut message = vec![0; modulus.len()];
            message[modulus.len() - 1] = small;
            assert_eq!(*key.power(&message).unwrap(), message);
        }
    }
    assert_eq!(count, 60);
}

#[test]
fn messages_that_are_too_large_or_of_another_length_have_no_power() {
    for vector in vectors() {
        let modulus = hex(&vector["modulus"]);
        let key = key(&modulus, 65537).unwrap();
        assert_eq!(key.power(&modulus), None);
        assert_eq!(key.power(&vec![0xff; modulus.len()]), None);
        assert_eq!(key.power(&[]), None);
        assert_eq!(key.power(&modulus[1..]), None);
        assert_eq!(key.power(&[&[0], &modulus[..]].concat()), None);
    }
}

#[test]
fn keys_have_an_odd_modulus_of_2048_to_4096_bits_and_a_known_exponent() {
    let modulus = |bits: usize| {
        let mut bytes = vec![0x5a; bits.div_ceil(8)];
        bytes[0] = u8::try_from(1 << ((bits - 1) % 8)).unwrap();
        *bytes.last_mut().unwrap() |= 1;
        bytes
    };
    for bits in [2048, 2049, 3000, 4095, 4096] {
        assert!(key(&modulus(bits), 65537).is_ok(), "{bits}");
    }
    for bits in [1, 8, 512, 1024, 2040, 2047, 4097, 8192, 65536] {
        assert_eq!(key(&modulus(bits), 65537).err(), Some(KeyFault::Modulus), "{bits}");
    }
    let mut even = modulus(2048);
    *even.last_mut().unwrap() &= 0xfe;
    let padded = [&[0], &modulus(2048)[..]].concat();
    for wrong in [&[][..], &[0; 256], &even, &padded] {
        assert_eq!(key(wrong, 65537).err(), Some(KeyFault::Modulus));
    }
    for exponent in [3, 65537, 65539, u32::MAX] {
        assert!(key(&modulus(2048), exponent).is_ok(), "{exponent}");
    }
    for exponent in [0, 1, 2, 4, 5, 17, 65535, 65536, 65538] {
        assert_eq!(key(&modulus(2048), exponent).err(), Some(KeyFault::Exponent), "{exponent}");
    }
    for exponent in [&[][..], &[0, 3], &[0, 1, 0, 1], &[1, 0, 0, 0, 1]] {
        assert_eq!(PublicKey::new(&modulus(2048), exponent).err(), Some(KeyFault::Exponent), "{exponent:?}");
    }
}
