//! The RSA public key of an X.509 certificate (RFC 5280, section 4.1), by a walk over its DER (ITU-T X.690).
//!
//! The certificate only carries the key: who sent it is known by the token of the request. So neither its signature nor
//! its dates are looked at. All lengths are checked, only definite ones in their shortest form are accepted, and nothing
//! may follow a value that ends a sequence.

use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use playlock_rsa::{KeyFault, PublicKey};

/// Most bytes of a certificate. Usual ones have one or two kilobytes.
pub const MAX_LENGTH: usize = 16 * 1024;

/// The object identifier of RSA keys, 1.2.840.113549.1.1.1 (RFC 3279, section 2.3.1).
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Tags.
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// The version of the certificate, with an explicit tag.
const VERSION: u8 = 0xa0;

/// Bytes that are not a certificate with a usable key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFault {
    /// Not base64.
    Encoding,
    /// Longer than [`MAX_LENGTH`].
    Length,
    /// Not the DER of a certificate.
    Structure,
    /// The key is of another algorithm than RSA.
    Algorithm,
    /// The key is no RSA key of 2048 to 4096 bits with an exponent of 3, or from 65537 to 2^32 - 1.
    Key(KeyFault),
}

/// Reads the public key of the content of `X509Certificate`: DER in base64, with any blanks (XML Signature, section 4.5.4).
///
/// # Errors
/// [`CertificateFault`].
pub fn read_base64(text: &str) -> Result<PublicKey, CertificateFault> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if digits.len() / 4 > MAX_LENGTH / 3 {
        return Err(CertificateFault::Length);
    }
    read(&STANDARD.decode(digits).map_err(|_| CertificateFault::Encoding)?)
}

/// Reads the public key of a certificate in DER.
///
/// # Errors
/// [`CertificateFault`].
pub fn read(der: &[u8]) -> Result<PublicKey, CertificateFault> {
    if der.len() > MAX_LENGTH {
        return Err(CertificateFault::Length);
    }
    let (algorithm, key) = public_key_info(der).ok_or(CertificateFault::Structure)?;
    let mut algorithm = Reader(algorithm);
    let identifier = algorithm.value(OBJECT_IDENTIFIER).ok_or(CertificateFault::Structure)?;
    if identifier != RSA_ENCRYPTION {
        return Err(CertificateFault::Algorithm);
    }
    // The parameters are NULL (RFC 3279, section 2.3.1).
    if algorithm.value(NULL) != Some(&[]) || !algorithm.is_at_end() {
        return Err(CertificateFault::Structure);
    }
    let (modulus, exponent) = numbers(key).ok_or(CertificateFault::Structure)?;
    PublicKey::new(modulus, exponent).map_err(CertificateFault::Key)
}

/// Algorithm and key of `SubjectPublicKeyInfo`: the contents of its sequence and of its bit string.
fn public_key_info(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut outer = Reader(der);
    let mut certificate = Reader(outer.value(SEQUENCE)?);
    let mut body = Reader(certificate.value(SEQUENCE)?);
    // signatureAlgorithm and signatureValue.
    certificate.value(SEQUENCE)?;
    certificate.value(BIT_STRING)?;
    if !outer.is_at_end() || !certificate.is_at_end() {
        return None;
    }
    if body.0.first() == Some(&VERSION) {
        body.value(VERSION)?;
    }
    // serialNumber, then signature, issuer, validity and subject.
    body.value(INTEGER)?;
    for _ in 0..4 {
        body.value(SEQUENCE)?;
    }
    let mut info = Reader(body.value(SEQUENCE)?);
    let algorithm = info.value(SEQUENCE)?;
    let (unused, key) = info.value(BIT_STRING)?.split_first()?;
    // What follows in the body (identifiers and extensions) is of no concern.
    (*unused == 0 && info.is_at_end()).then_some((algorithm, key))
}

/// Modulus and exponent of `RSAPublicKey` (RFC 8017, appendix A.1.1).
fn numbers(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut outer = Reader(key);
    let mut key = Reader(outer.value(SEQUENCE)?);
    let numbers = (key.positive()?, key.positive()?);
    (key.is_at_end() && outer.is_at_end()).then_some(numbers)
}

/// The bytes that are left of a sequence.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Takes the value with this tag; `None` if another tag follows, or its length is not in DER's form or too long.
    fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_first()?;
        if *first != tag {
            return None;
        }
        let (length, rest) = length(rest)?;
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(value)
    }

    /// Takes a positive INTEGER, without the zero byte that a highest bit needs.
    fn positive(&mut self) -> Option<&'a [u8]> {
        match self.value(INTEGER)? {
            [0, rest @ ..] if rest.first() >= Some(&0x80) => Some(rest),
            value @ [1..=0x7f, ..] => Some(value),
            _ => None,
        }
    }

    fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}

/// A length and the bytes behind it (X.690, sections 8.1.3 and 10.1): one byte up to 127, else one or two bytes of length
/// behind their number, none of which could be left out. Three would be more than [`MAX_LENGTH`].
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [short @ 0..=0x7f, rest @ ..] => Some((usize::from(*short), rest)),
        [0x81, long @ 0x80..=0xff, rest @ ..] => Some((usize::from(*long), rest)),
        [0x82, high @ 1..=0xff, low, rest @ ..] => Some((usize::from(u16::from_be_bytes([*high, *low])), rest)),
        _ => None,
    }
}
