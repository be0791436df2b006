//! Sealing of the secrets in a document, so that Envoys' configuration dumps hold ciphertext.

use hmac::{Hmac, KeyInit, Mac};
use playlock_config::sealed::{self, SealKey};
use serde_json::{Value, json};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::compile;
use super::mask::SECRETS;

/// The bytes of a nonce of AES-256-GCM.
const NONCE: usize = 12;

/// The key under which a network's secrets are sealed; its Envoys have it in their environment.
pub struct Sealer {
    key: SealKey,
    text: Zeroizing<String>,
}

impl Sealer {
    /// Takes the value of `PLAYLOCK_SEAL_KEY`: 32 bytes, in hex or base64. `None` for another text.
    pub fn new(text: Zeroizing<String>) -> Option<Self> {
        Some(Self { key: SealKey::parse(&text)?, text })
    }

    /// Seals every inline secret of a network's document, which compiles. Equal secrets become equal texts, so that the
    /// document is the same on every server. `None` if a secret cannot be sealed, or the filter would not open the result.
    pub fn seal(&self, document: &str) -> Option<String> {
        let mut whole: Value = serde_json::from_str(document).ok()?;
        self.seal_within(whole.get_mut("policies")?)?;
        let text = whole.to_string();
        compile::opens(&text, &self.text).then_some(text)
    }

    fn seal_within(&self, value: &mut Value) -> Option<()> {
        match value {
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    match member.as_str() {
                        Some(secret) if SECRETS.contains(&name.as_str()) => {
                            *member = json!({"sealed": sealed::seal(&self.key, self.nonce(secret)?, secret)?});
                        }
                        _ => self.seal_within(member)?,
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.seal_within(item)?;
                }
            }
            _ => {}
        }
        Some(())
    }

    /// A nonce that no other secret has under this key: a MAC of the secret.
    fn nonce(&self, secret: &str) -> Option<[u8; NONCE]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.text.as_bytes()).ok()?;
        mac.update(b"playlock/seal-nonce/1\0");
        mac.update(secret.as_bytes());
        mac.finalize().into_bytes().first_chunk().copied()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
    const PASSWORD: &str = "c319f970fd89b9f8c3d48e25548c793d";

    fn document(secret: &Value) -> String {
        json!({
            "policies": [{
                "policyName": "vod",
                "tokenAuth": {"enabled": true, "password": PASSWORD, "transitionPassword": {"env": "NEXT"}},
                "mediaEncryption": {"enabled": true, "secret": secret},
            }],
            "assignments": [{"policyName": "vod", "path": "/..."}],
        })
        .to_string()
    }

    fn sealer(key: &str) -> Sealer {
        Sealer::new(Zeroizing::new(key.to_owned())).unwrap()
    }

    #[test]
    fn no_secret_is_left_in_clear_and_variables_stay() {
        let secret = "52a152a152a152a152a152a152a152a1";
        let sealed = sealer(KEY).seal(&document(&json!(secret))).unwrap();
        assert!(!sealed.contains(PASSWORD) && !sealed.contains(secret), "{sealed}");
        assert!(sealed.contains(r#"{"env":"NEXT"}"#) && sealed.contains(r#""path":"/...""#), "{sealed}");
        assert_eq!(sealed.matches(r#"{"sealed":"1."#).count(), 2);
    }

    #[test]
    fn the_same_document_becomes_the_same_text_under_one_key_alone() {
        let text = document(&json!("52a152a152a152a152a152a152a152a1"));
        assert_eq!(sealer(KEY).seal(&text), sealer(KEY).seal(&text));
        assert_ne!(sealer(KEY).seal(&text), sealer(&KEY.replace('0', "1")).seal(&text));
    }

    /// A policy may bring texts that its author has sealed, but only under the key that the Envoys have.
    #[test]
    fn a_secret_under_another_key_is_found_before_an_envoy_refuses_it() {
        let secret = "52a152a152a152a152a152a152a152a1";
        let under =
            |key: &str| json!({"sealed": sealed::seal(&SealKey::parse(key).unwrap(), [7; NONCE], secret).unwrap()});
        assert!(sealer(KEY).seal(&document(&under(KEY))).is_some());
        assert!(sealer(KEY).seal(&document(&under(&KEY.replace('0', "1")))).is_none());
    }

    #[test]
    fn other_texts_are_no_keys() {
        assert!(Sealer::new(Zeroizing::new("0f1e".to_owned())).is_none());
    }
}
