//! The envelope of a token (RFC 9052, RFC 8392): COSE_Mac0 or COSE_Sign1, with or without its tag and the tag of CWT.

use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cbor::{self, Entry, Value};
use crate::http::reply::Reason;
use crate::token::key_set::Algorithm;
use crate::token::readings;

/// The tag of a CWT (RFC 8392 section 6).
const CWT: u64 = 61;
/// Labels of header parameters (RFC 9052 section 3.1).
const ALG: i64 = 1;
const CRIT: i64 = 2;
const KID: i64 = 4;

/// The readings of a token as sent, decoded.
pub fn decoded(sent: &str) -> Vec<Vec<u8>> {
    readings(sent).iter().filter_map(|reading| URL_SAFE_NO_PAD.decode(reading.as_bytes()).ok()).collect()
}

/// A structure of COSE: what it is called and tagged, and its algorithm (RFC 9053).
struct Structure {
    tag: u64,
    context: &'static str,
    number: i64,
    algorithm: Algorithm,
}

const STRUCTURES: [Structure; 2] = [
    Structure { tag: 17, context: "MAC0", number: 5, algorithm: Algorithm::Hs256 },
    Structure { tag: 18, context: "Signature1", number: -7, algorithm: Algorithm::Es256 },
];

/// A token's envelope, not verified.
pub struct Envelope<'a> {
    /// Algorithm of the signature.
    pub algorithm: Algorithm,
    /// Identifier of the key.
    pub kid: Option<&'a [u8]>,
    /// The claims, encoded.
    pub payload: &'a [u8],
    /// The tag of the MAC, or the signature.
    pub signature: &'a [u8],
    context: &'static str,
    protected: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Parses a token.
    ///
    /// # Errors
    /// [`Reason::Malformed`]; [`Reason::Algorithm`] if the algorithm is neither HS256 nor ES256.
    pub fn parse(token: &'a [u8]) -> Result<Self, Reason> {
        let mut value = cbor::read(token).ok_or(Reason::Malformed)?;
        if let Value::Tag(CWT, inner) = value {
            value = *inner;
        }
        let mut tag = None;
        if let Value::Tag(number, inner) = value {
            tag = Some(number);
            value = *inner;
        }
        let Value::Array(parts) = value else { return Err(Reason::Malformed) };
        let [Value::Bytes(protected), Value::Map(unprotected), Value::Bytes(payload), Value::Bytes(signature)] =
            parts.as_slice()
        else {
            return Err(Reason::Malformed);
        };
        let header = cbor::read(protected).ok_or(Reason::Malformed)?;
        let header = header.map().ok_or(Reason::Malformed)?;
        // A parameter must not be in both (RFC 9052 section 3), and only the signed one names the algorithm.
        let kids = [cbor::get(header, KID), cbor::get(unprotected, KID)];
        if cbor::get(unprotected, ALG).is_some() || is_critical(header) || is_critical(unprotected) {
            return Err(Reason::Malformed);
        }
        let kid = match kids {
            [None, None] => None,
            [Some(kid), None] | [None, Some(kid)] => {
                Some(kid.bytes().or(kid.text().map(str::as_bytes)).ok_or(Reason::Malformed)?)
            }
            [Some(_), Some(_)] => return Err(Reason::Malformed),
        };
        let number = cbor::get(header, ALG).ok_or(Reason::Malformed)?;
        let mut structures = STRUCTURES.iter();
        let structure = structures.find(|it| number.integer() == Some(it.number)).ok_or(Reason::Algorithm)?;
        if tag.is_some_and(|tag| tag != structure.tag) {
            return Err(Reason::Malformed);
        }
        let Structure { algorithm, context, .. } = *structure;
        Ok(Self { algorithm, kid, payload, signature, context, protected })
    }

    /// The signed bytes but for the payload, which follows them (RFC 9052 sections 4.4 and 6.3).
    pub fn signed_head(&self) -> Vec<u8> {
        signed_head(self.context, self.protected, self.payload)
    }
}

/// Whether a header has parameters that must be understood. None is, beyond those read here, which need no `crit`.
fn is_critical(header: &[Entry<'_>]) -> bool {
    cbor::get(header, CRIT).is_some()
}

fn signed_head(context: &str, protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::with_capacity(protected.len() + 24);
    cbor::push_head(&mut head, 4, 4);
    cbor::push_text(&mut head, context);
    cbor::push_bytes(&mut head, protected);
    cbor::push_bytes(&mut head, &[]);
    cbor::push_head(&mut head, 2, payload.len() as u64);
    head
}

/// Writes a token with `payload`, tagged, its key identifier in the unprotected header. `sign` signs the concatenation
/// of the pieces; `None` if it fails, or if the algorithm is not one of tokens.
pub fn write(
    algorithm: Algorithm,
    kid: Option<&str>,
    payload: &[u8],
    sign: impl FnOnce(&[&[u8]]) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let structure = STRUCTURES.iter().find(|it| it.algorithm == algorithm)?;
    let mut protected = Vec::with_capacity(4);
    cbor::push_head(&mut protected, 5, 1);
    cbor::push_head(&mut protected, 0, 1);
    match u64::try_from(structure.number) {
        Ok(number) => cbor::push_head(&mut protected, 0, number),
        Err(_) => cbor::push_head(&mut protected, 1, (-1 - structure.number).unsigned_abs()),
    }
    let signature = sign(&[&signed_head(structure.context, &protected, payload), payload])?;
    let mut token = Vec::with_capacity(payload.len() + signature.len() + 64);
    cbor::push_head(&mut token, 6, CWT);
    cbor::push_head(&mut token, 6, structure.tag);
    cbor::push_head(&mut token, 4, 4);
    cbor::push_bytes(&mut token, &protected);
    cbor::push_head(&mut token, 5, u64::from(kid.is_some()));
    if let Some(kid) = kid {
        cbor::push_head(&mut token, 0, 4);
        cbor::push_bytes(&mut token, kid.as_bytes());
    }
    cbor::push_bytes(&mut token, payload);
    cbor::push_bytes(&mut token, &signature);
    Some(token)
}
