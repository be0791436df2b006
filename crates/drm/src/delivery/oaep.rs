//! RSAES-OAEP encryption (RFC 8017, section 7.1.1) with MGF1, SHA-1 for both hashes, and the empty label: the algorithm
//! `rsa-oaep-mgf1p` of XML Encryption.

use alloc::vec::Vec;

use playlock_rsa::PublicKey;
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

/// Bytes of a SHA-1 hash.
const HASH: usize = 20;

/// Encrypts `message` with the given random seed. `None` if it is longer than the modulus less 42 bytes.
pub fn encrypt(recipient: &PublicKey, message: &[u8], seed: &[u8; HASH]) -> Option<Vec<u8>> {
    // The block: hash of the label, zeros, 1, message.
    let length = recipient.size().checked_sub(HASH)?.checked_sub(1)?;
    let zeros = length.checked_sub(HASH)?.checked_sub(1)?.checked_sub(message.len())?;
    let mut block = Zeroizing::new(Vec::with_capacity(length));
    block.extend_from_slice(&Sha1::digest([]));
    block.resize(HASH.checked_add(zeros)?, 0);
    block.push(1);
    block.extend_from_slice(message);
    mask(&mut block, seed);
    let mut seed = Zeroizing::new(*seed);
    mask(&mut *seed, &block);
    let mut encoded = Zeroizing::new(Vec::with_capacity(recipient.size()));
    encoded.push(0);
    encoded.extend_from_slice(&*seed);
    encoded.extend_from_slice(&block);
    recipient.power(&encoded).map(|cipher| cipher.to_vec())
}

/// Adds MGF1 of `seed` to `bytes` (RFC 8017, appendix B.2.1).
fn mask(bytes: &mut [u8], seed: &[u8]) {
    for (counter, chunk) in (0_u32..).zip(bytes.chunks_mut(HASH)) {
        let hash = Sha1::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize();
        chunk.iter_mut().zip(hash).for_each(|(byte, hash)| *byte ^= hash);
    }
}

#[cfg(test)]
mod tests {
    //! RSA Laboratories' vectors, and the lengths of messages.

    use alloc::vec::Vec;

    use serde_json::Value;

    use super::*;

    fn unhex(value: &Value) -> Vec<u8> {
        let digits: Vec<char> = value.as_str().unwrap().chars().collect();
        let digit = |digit: char| u8::try_from(digit.to_digit(16).unwrap()).unwrap();
        digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    }

    #[test]
    fn ciphertexts_are_those_of_rsa_laboratories() {
        let file: Value = serde_json::from_str(include_str!("../../tests/vectors/oaep.json")).unwrap();
        let key = PublicKey::new(&unhex(&file["modulus"]), &unhex(&file["exponent"])).unwrap();
        let cases = file["cases"].as_array().unwrap();
        for case in cases {
            let seed = unhex(&case["seed"]).try_into().unwrap();
            assert_eq!(encrypt(&key, &unhex(&case["message"]), &seed).unwrap(), unhex(&case["encryption"]));
        }
        assert_eq!(cases.len(), 6);
        assert!(encrypt(&key, &[], &[0; HASH]).is_some());
        assert!(encrypt(&key, &[1; 214], &[0; HASH]).is_some());
        assert!(encrypt(&key, &[1; 215], &[0; HASH]).is_none());
    }
}
