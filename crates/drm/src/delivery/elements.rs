//! The XML of encrypted keys, in the form of AWS's examples.

use alloc::format;
use alloc::string::String;

use super::Sealed;
use crate::text::base64;

const CPIX: &str = "urn:dashif:org:cpix";
const PSKC: &str = "urn:ietf:params:xml:ns:keyprov:pskc";
const ENC: &str = "http://www.w3.org/2001/04/xmlenc#";

/// The algorithm of content keys: AES-256 in CBC mode.
pub const CONTENT_KEY: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
/// The algorithm of document and MAC keys: RSA-OAEP with MGF1 and SHA-1.
const RECIPIENT: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
/// The algorithm of MACs: HMAC-SHA512.
const MAC: &str = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512";

/// A namespace prefix of the client's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix<'a> {
    /// Declared around the place where the elements go.
    InScope(&'a str),
    /// Declared on each of the elements that need it.
    Declare(&'a str),
    /// The default namespace, in scope.
    Default,
}

/// The prefixes of the namespaces that the elements are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefixes<'a> {
    /// `urn:dashif:org:cpix`.
    pub cpix: Prefix<'a>,
    /// `urn:ietf:params:xml:ns:keyprov:pskc`.
    pub pskc: Prefix<'a>,
    /// `http://www.w3.org/2001/04/xmlenc#`.
    pub enc: Prefix<'a>,
}

impl Prefix<'_> {
    /// The qualified name of an element.
    fn name(self, local: &str) -> String {
        match self {
            Self::InScope(prefix) | Self::Declare(prefix) => format!("{prefix}:{local}"),
            Self::Default => local.into(),
        }
    }

    fn declaration(self, namespace: &str) -> String {
        match self {
            Self::Declare(prefix) => format!(r#" xmlns:{prefix}="{namespace}""#),
            Self::InScope(_) | Self::Default => String::new(),
        }
    }
}

/// `<pskc:Secret>`: an encrypted value and its MAC.
pub fn secret(prefixes: &Prefixes<'_>, sealed: &Sealed, algorithm: &str) -> String {
    let declarations = prefixes.pskc.declaration(PSKC) + &prefixes.enc.declaration(ENC);
    element(&prefixes.pskc.name("Secret"), &declarations, &value(prefixes, sealed, algorithm))
}

/// `<cpix:DocumentKey>` and `<cpix:MACMethod>`.
pub fn recipient(prefixes: &Prefixes<'_>, document_key: &Sealed, mac_key: &Sealed) -> String {
    let declarations =
        prefixes.cpix.declaration(CPIX) + &prefixes.pskc.declaration(PSKC) + &prefixes.enc.declaration(ENC);
    let algorithm = |name: &str| format!(r#"{declarations} Algorithm="{name}""#);
    let secret = element(&prefixes.pskc.name("Secret"), "", &value(prefixes, document_key, RECIPIENT));
    let data = element(&prefixes.cpix.name("Data"), "", &secret);
    let key = element(&prefixes.cpix.name("Key"), "", &value(prefixes, mac_key, RECIPIENT));
    element(&prefixes.cpix.name("DocumentKey"), &algorithm(CONTENT_KEY), &data)
        + &element(&prefixes.cpix.name("MACMethod"), &algorithm(MAC), &key)
}

/// `<pskc:EncryptedValue>` and `<pskc:ValueMAC>`.
fn value(prefixes: &Prefixes<'_>, sealed: &Sealed, algorithm: &str) -> String {
    let method = element(&prefixes.enc.name("EncryptionMethod"), &format!(r#" Algorithm="{algorithm}""#), "");
    let cipher = element(&prefixes.enc.name("CipherValue"), "", &base64(&sealed.cipher));
    let data = element(&prefixes.enc.name("CipherData"), "", &cipher);
    element(&prefixes.pskc.name("EncryptedValue"), "", &(method + &data))
        + &element(&prefixes.pskc.name("ValueMAC"), "", &base64(&sealed.mac))
}

fn element(name: &str, attributes: &str, content: &str) -> String {
    format!("<{name}{attributes}>{content}</{name}>")
}
