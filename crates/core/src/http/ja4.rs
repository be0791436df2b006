//! JA4 fingerprints of TLS clients (FoxIO, `technical_details/JA4.md`).

use alloc::string::String;

/// Fingerprint of a TLS client, such as `t13d1516h2_8daaf6152771_02713d6af862`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ja4 {
    text: String,
    client: String,
}

impl Ja4 {
    /// Parses the three parts: 10 characters that describe the ClientHello, and two hashes of 12 hex digits.
    pub fn parse(sent: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(sent).ok()?;
        let (hello, hashes) = text.split_once('_')?;
        let (ciphers, extensions) = hashes.split_once('_')?;
        let is_hash = |hash: &str| hash.len() == 12 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let hello_is = hello.len() == 10 && hello.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !(hello_is && is_hash(ciphers) && is_hash(extensions)) {
            return None;
        }
        let client = [hello.get(..3)?, hello.get(4..6)?, "_", ciphers].concat();
        Some(Self { text: text.into(), client })
    }

    /// The whole fingerprint, 36 characters. It differs between connections of one client: a resumed TLS session has one
    /// more extension, and the application protocol depends on the request.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parts that all connections of a client share: transport, TLS version, and the number and hash of its cipher
    /// suites.
    pub fn client(&self) -> &str {
        &self.client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fingerprints that Envoy reported of one client each.
    #[test]
    fn connections_of_a_client_have_the_same_parts() {
        for (client, fingerprints) in [
            // curl: HTTP/1.1, HTTP/2.
            ("t1331_e8f1e7e78f70", ["t13i3111h1_e8f1e7e78f70_b26ce05bbdd6", "t13i3111h2_e8f1e7e78f70_b26ce05bbdd6"]),
            // Python and Node.js: a new and a resumed TLS session.
            ("t1318_85036bcba153", ["t13d181100_85036bcba153_d41ae481755e", "t13d181100_85036bcba153_dbd39dd1d406"]),
            ("t1359_a33745022dd6", ["t13d591000_a33745022dd6_1f22a2ca17c4", "t13d591100_a33745022dd6_dbd39dd1d406"]),
        ] {
            for text in fingerprints {
                let ja4 = Ja4::parse(text.as_bytes()).unwrap();
                assert_eq!((ja4.as_str(), ja4.client()), (text, client));
            }
        }
    }

    #[test]
    fn other_texts_are_no_fingerprints() {
        for text in [
            "",
            "-",
            "t13d1516h2_8daaf6152771",
            "t13d1516h2_8daaf6152771_02713d6af86",
            "t13d1516h2_8daaf6152771_02713d6af862_",
            "t13d1516h_8daaf6152771_02713d6af862",
            "t13d1516h2_8DAAF6152771_02713d6af862",
            "t13d1516h2_8daaf6152771_02713d6af862, t13d1516h2_8daaf6152771_02713d6af862",
            "t13d15\u{e9}h2_8daaf6152771_02713d6af862",
        ] {
            assert_eq!(Ja4::parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(Ja4::parse(b"t13d1516h\xff_8daaf6152771_02713d6af862"), None);
    }
}
