//! Encrypted keys, against the documents of tests/vectors/delivery.py, which Python decrypts; and hostile certificates.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test")]

mod common;

use playlock_drm::delivery::certificate::{self, CertificateFault, MAX_LENGTH};
use playlock_drm::delivery::{Delivery, Prefix, Prefixes};
use playlock_drm::text::base64;
use playlock_rsa::{KeyFault, PublicKey};
use serde_json::Value;

use common::{Random, block, items, text, unbase64, unhex};

const IN_SCOPE: Prefixes<'_> =
    Prefixes { cpix: Prefix::InScope("cpix"), pskc: Prefix::InScope("pskc"), enc: Prefix::InScope("enc") };

/// The certificate with this name.
fn der(name: &str) -> Vec<u8> {
    let file = vectors!("delivery");
    unbase64(text(&items(&file["certificates"]).iter().find(|it| it["name"] == name).unwrap()["der"]))
}

fn recipients(file: &Value) -> Vec<PublicKey> {
    let with_key = items(&file["certificates"]).iter().filter(|it| it["private"].is_string());
    with_key.map(|it| certificate::read(&unbase64(text(&it["der"]))).unwrap()).collect()
}

#[test]
fn documents_are_those_that_python_decrypts() {
    let file = vectors!("delivery");
    for document in items(&file["documents"]) {
        let mut delivery = Delivery::new(&unhex(text(&document["seed"])).try_into().unwrap());
        for (recipient, expected) in recipients(&file).iter().zip(items(&document["recipients"])) {
            assert_eq!(delivery.recipient_elements(recipient, &IN_SCOPE).unwrap(), text(expected));
        }
        for (key, expected) in items(&file["contentKeys"]).iter().zip(items(&document["secrets"])) {
            assert_eq!(delivery.secret_element(&block(text(key)), &IN_SCOPE), text(expected));
        }
    }
}

#[test]
fn certificates_have_the_keys_that_python_reads() {
    let file = vectors!("delivery");
    let mut lengths = Vec::new();
    for certificate in items(&file["certificates"]).iter().filter(|it| it["private"].is_string()) {
        let key = certificate::read(&unbase64(text(&certificate["der"]))).unwrap();
        let modulus = unhex(text(&certificate["modulus"]));
        let exponent: &[u8] = if certificate["exponent"] == 3 { &[3] } else { &[1, 0, 1] };
        let expected = PublicKey::new(&modulus, exponent).unwrap();
        let mut message = vec![3; modulus.len()];
        message[0] = 0;
        assert_eq!(key.power(&message), expected.power(&message));
        lengths.push(key.size() * 8);
    }
    assert_eq!(lengths, [2048, 2048, 3072, 4096]);
}

#[test]
fn values_of_a_document_share_no_random_bytes() {
    let recipient = certificate::read(&der("RSA 2048")).unwrap();
    let mut delivery = Delivery::new(&[5; 32]);
    let mut other = Delivery::new(&[6; 32]);
    let key = [9; 16];
    let mut values = vec![delivery.seal(&key), delivery.seal(&key), other.seal(&key)];
    for _ in 0..2 {
        values.extend([delivery.document_key(&recipient).unwrap(), delivery.mac_key(&recipient).unwrap()]);
    }
    for (index, value) in values.iter().enumerate() {
        for other in &values[..index] {
            assert_ne!(value.cipher[..16], other.cipher[..16]);
            assert_ne!(value.mac, other.mac);
        }
    }
    assert_eq!(values[0].cipher.len(), 48);
    assert_eq!(values[3].cipher.len(), 256);
}

#[test]
fn elements_have_the_prefixes_of_the_document() {
    let recipient = certificate::read(&der("RSA 2048")).unwrap();
    let elements = |prefixes: &Prefixes<'_>| {
        let mut delivery = Delivery::new(&[1; 32]);
        (delivery.recipient_elements(&recipient, prefixes).unwrap(), delivery.secret_element(&[2; 16], prefixes))
    };
    let (recipient, secret) = elements(&IN_SCOPE);
    let without =
        |text: &str, prefix: &str| text.replace(&format!("<{prefix}:"), "<").replace(&format!("</{prefix}:"), "</");
    let default = Prefixes { cpix: Prefix::Default, ..IN_SCOPE };
    assert_eq!(elements(&default), (without(&recipient, "cpix"), secret.clone()));
    let declared = Prefixes { cpix: Prefix::InScope("a"), pskc: Prefix::InScope("pksc"), enc: Prefix::Declare("e") };
    let (recipient, secret) = elements(&declared);
    let enc = r#"xmlns:e="http://www.w3.org/2001/04/xmlenc#""#;
    assert!(recipient.starts_with(&format!("<a:DocumentKey {enc} Algorithm=")), "{recipient}");
    assert!(recipient.contains(&format!("</a:DocumentKey><a:MACMethod {enc} Algorithm=")), "{recipient}");
    assert!(secret.starts_with(&format!("<pksc:Secret {enc}><pksc:EncryptedValue><e:EncryptionMethod ")), "{secret}");
}

#[test]
fn certificates_are_read_from_base64_in_lines() {
    let text = base64(&der("RSA 2048"));
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let size = |text: &str| certificate::read_base64(text).map(|key| key.size());
    assert_eq!(size(&text), Ok(256));
    assert_eq!(size(&format!("\n  {}\r\n\t", lines.join("\n  "))), Ok(256));
    for wrong in ["=", "AAA", "-----BEGIN CERTIFICATE-----", &text[1..], &(text.clone() + "A"), &text.replace('M', "-")]
    {
        assert_eq!(size(wrong), Err(CertificateFault::Encoding), "{wrong}");
    }
    assert_eq!(size(""), Err(CertificateFault::Structure));
    assert_eq!(size(&"A".repeat(MAX_LENGTH * 4 / 3 + 8)), Err(CertificateFault::Length));
}

#[test]
fn other_keys_are_refused_by_name() {
    for (name, fault) in [
        ("RSA 1024", CertificateFault::Key(KeyFault::Modulus)),
        ("P-256", CertificateFault::Algorithm),
        ("RSASSA-PSS", CertificateFault::Algorithm),
    ] {
        assert_eq!(certificate::read(&der(name)).err(), Some(fault), "{name}");
    }
}

#[test]
fn hostile_keys_are_refused() {
    let der = der("RSA 2048");
    // The end of RSAPublicKey: the modulus's INTEGER of 257 bytes, and the exponent's.
    let exponent = der.windows(5).position(|bytes| bytes == [2, 3, 1, 0, 1]).unwrap();
    let modulus = exponent - 256;
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut der = der.clone();
        change(&mut der);
        certificate::read(&der).err()
    };
    let even = changed(&|der| der[exponent - 1] &= 0xfe);
    assert_eq!(even, Some(CertificateFault::Key(KeyFault::Modulus)));
    for wrong in [[0, 0, 0], [1, 0, 0], [0x80, 0, 1], [0, 0, 3], [0, 0, 1]] {
        let fault = changed(&|der| der[exponent + 2..][..3].copy_from_slice(&wrong));
        let number =
            if wrong == [1, 0, 0] { CertificateFault::Key(KeyFault::Exponent) } else { CertificateFault::Structure };
        assert_eq!(fault, Some(number), "{wrong:?}");
    }
    // Negative, and with a needless zero.
    assert_eq!(changed(&|der| der[modulus - 1] = 0x80), Some(CertificateFault::Structure));
    assert_eq!(changed(&|der| der[modulus] = 1), Some(CertificateFault::Structure));
    assert_eq!(changed(&|der| der[modulus..exponent].fill(0)), Some(CertificateFault::Structure));
    assert_eq!(certificate::read(&vec![0x30; MAX_LENGTH + 1]).err(), Some(CertificateFault::Length));
}

#[test]
fn hostile_lengths_are_refused() {
    let der = der("RSA 2048");
    assert_eq!(der[..2], [0x30, 0x82]);
    for start in [
        &[0x30, 0x80][..],
        &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        &[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x30, 0x83, 0, der[2], der[3]],
        &[0x30, 0x82, 0xff, 0xff],
        &[0x30, 0x82, 0, 1],
        &[0x30, 0x81, 0x7f],
        &[0x30, 0xff],
        &[0x31, 0x82, der[2], der[3]],
    ] {
        assert_eq!(
            certificate::read(&[start, &der[4..]].concat()).err(),
            Some(CertificateFault::Structure),
            "{start:x?}"
        );
    }
    for length in 0..der.len() {
        assert_eq!(certificate::read(&der[..length]).err(), Some(CertificateFault::Structure), "{length}");
    }
    assert_eq!(certificate::read(&[&der[..], &[0]].concat()).err(), Some(CertificateFault::Structure));
    // As deep as the limit allows, and a certificate of empty sequences.
    let deep: Vec<u8> = (0..MAX_LENGTH / 4).flat_map(|_| [0x30, 0x82, 0x3f, 0xff]).collect();
    assert_eq!(certificate::read(&deep).err(), Some(CertificateFault::Structure));
    assert_eq!(certificate::read(&[0x30, 2, 0x30, 0]).err(), Some(CertificateFault::Structure));
}

/// Bytes that are changed at random lead to an error, or to a key that encrypts. Never to a panic.
#[test]
fn changed_certificates_are_read_or_refused() {
    let mut random = Random(11);
    let mut read = 0;
    for name in ["RSA 2048", "RSA 2048, e = 3, version 1", "P-256"] {
        let original = der(name);
        for _ in 0..1500 {
            let mut der = original.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(der.len());
                der[at] = random.bytes::<1>()[0];
            }
            if let Ok(key) = certificate::read(&der) {
                read += 1;
                assert!((256..=512).contains(&key.size()));
                if read % 50 == 0 {
                    assert!(Delivery::new(&random.bytes()).recipient_elements(&key, &IN_SCOPE).is_some());
                }
            }
        }
    }
    assert!(read > 500, "{read}");
}
