//! URI templates: text with placeholders that is parsed with the configuration and filled in for each key.
//!
//! | placeholder | becomes |
//! |---|---|
//! | `{contentId}` | the content ID, percent-encoded as one path segment |
//! | `{contentId:base64}`, `{contentId:base64url}` | the bytes of the content ID |
//! | `{kid}`, `{kid:upper}` | the key ID's UUID, in lower or upper case |
//! | `{kid:hex}`, `{kid:HEX}`, `{kid:base64}`, `{kid:base64url}` | its 16 bytes |
//! | `{iv}`, `{iv:HEX}`, `{iv:base64}`, `{iv:base64url}` | the 16 bytes of the IV; `{iv}` in lower-case digits |
//! | `{json:base64}`, `{json:base64url}` | a JSON object with `ContentId`, `KeyId` and `IV`, as AWS shows FairPlay |
//!
//! The part behind `skd://` is between player and license server. Known forms: AWS `skd://{json:base64}`,
//! PallyCon and Shaka Packager `skd://{kid:base64}`, Axinom `skd://{kid}:{iv:HEX}`.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::kid::Kid;
use crate::text::{base64, base64url, escape_json, hex, percent_encode};

/// Most bytes of a template: what it becomes stands in every playlist.
pub const MAX_LENGTH: usize = 1024;

/// Most placeholders of a template.
pub const MAX_PLACEHOLDERS: usize = 8;

/// A text that is not a template. Positions are in bytes from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateFault {
    /// The text does not start with `skd://`, or with `https://` or `http://` for URLs of HTTP, or with `/` where a path
    /// is allowed.
    Scheme,
    /// Longer than [`MAX_LENGTH`].
    Length,
    /// More than [`MAX_PLACEHOLDERS`].
    Placeholders,
    /// A character that no URI has (RFC 3986, section 2), or a brace without its partner.
    Character {
        /// Its position.
        at: usize,
    },
    /// A placeholder that is none of the table's.
    Unknown {
        /// The position of its brace.
        at: usize,
    },
}

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Placeholder(Value, Form),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    ContentId,
    Kid,
    Iv,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Percent-encoded text, or a UUID.
    Plain,
    /// A UUID in upper case.
    Upper,
    HexLower,
    HexUpper,
    Base64,
    Base64Url,
}

impl Template {
    /// Parses a template of FairPlay, which starts with `skd://`.
    ///
    /// # Errors
    /// [`TemplateFault`].
    pub fn fairplay(text: &str) -> Result<Self, TemplateFault> {
        Self::parse(text, &["skd://"])
    }

    /// Parses a template of a URL of HTTP or HTTPS.
    ///
    /// # Errors
    /// [`TemplateFault`].
    pub fn url(text: &str) -> Result<Self, TemplateFault> {
        Self::parse(text, &["https://", "http://"])
    }

    /// Parses a template of such a URL, or of a path.
    ///
    /// # Errors
    /// [`TemplateFault`].
    pub fn reference(text: &str) -> Result<Self, TemplateFault> {
        Self::parse(text, &["https://", "http://", "/"])
    }

    fn parse(text: &str, schemes: &[&str]) -> Result<Self, TemplateFault> {
        if text.len() > MAX_LENGTH {
            return Err(TemplateFault::Length);
        }
        if !schemes.iter().any(|scheme| text.starts_with(scheme)) {
            return Err(TemplateFault::Scheme);
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        let at = |rest: &str| text.len().saturating_sub(rest.len());
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('{') {
                let (name, after) = inner.split_once('}').ok_or(TemplateFault::Character { at: at(rest) })?;
                pieces.push(placeholder(name).ok_or(TemplateFault::Unknown { at: at(rest) })?);
                rest = after;
            } else {
                let (literal, after) =
                    rest.split_at_checked(rest.find('{').unwrap_or(rest.len())).unwrap_or((rest, ""));
                if let Some(wrong) = literal.find(|character| !is_of_uri(character)) {
                    return Err(TemplateFault::Character { at: at(rest).saturating_add(wrong) });
                }
                pieces.push(Piece::Literal(literal.to_owned()));
                rest = after;
            }
        }
        let placeholders = pieces.iter().filter(|piece| matches!(piece, Piece::Placeholder(..))).count();
        if placeholders > MAX_PLACEHOLDERS {
            return Err(TemplateFault::Placeholders);
        }
        Ok(Self(pieces))
    }

    /// Fills the placeholders in. The result has only characters of a URI, so it can stand in a quoted string of HLS.
    pub fn fill(&self, content_id: &str, kid: &Kid, iv: &[u8; 16]) -> String {
        let mut uri = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => uri.push_str(literal),
                Piece::Placeholder(Value::ContentId, Form::Plain) => uri.push_str(&percent_encode(content_id)),
                Piece::Placeholder(Value::ContentId, form) => uri.push_str(&form.encode(content_id.as_bytes())),
                Piece::Placeholder(Value::Kid, Form::Plain) => uri.push_str(&kid.to_string()),
                Piece::Placeholder(Value::Kid, Form::Upper) => uri.push_str(&kid.to_string().to_ascii_uppercase()),
                Piece::Placeholder(Value::Kid, form) => uri.push_str(&form.encode(kid.bytes())),
                Piece::Placeholder(Value::Iv, form) => uri.push_str(&form.encode(iv)),
                Piece::Placeholder(Value::Json, form) => {
                    uri.push_str(&form.encode(json(content_id, kid, iv).as_bytes()))
                }
            }
        }
        uri
    }
}

impl Form {
    fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Plain | Self::HexLower => hex(bytes),
            Self::Upper | Self::HexUpper => hex(bytes).to_ascii_uppercase(),
            Self::Base64 => base64(bytes),
            Self::Base64Url => base64url(bytes),
        }
    }
}

/// The values of the CPIX document: content ID, key ID and explicit IV, the latter in base64 as it is there.
fn json(content_id: &str, kid: &Kid, iv: &[u8; 16]) -> String {
    format!(r#"{{"ContentId":"{}","KeyId":"{kid}","IV":"{}"}}"#, escape_json(content_id), base64(iv))
}

fn placeholder(name: &str) -> Option<Piece> {
    let (value, form) = match name {
        "contentId" => (Value::ContentId, Form::Plain),
        "contentId:base64" => (Value::ContentId, Form::Base64),
        "contentId:base64url" => (Value::ContentId, Form::Base64Url),
        "kid" => (Value::Kid, Form::Plain),
        "kid:upper" => (Value::Kid, Form::Upper),
        "kid:hex" => (Value::Kid, Form::HexLower),
        "kid:HEX" => (Value::Kid, Form::HexUpper),
        "kid:base64" => (Value::Kid, Form::Base64),
        "kid:base64url" => (Value::Kid, Form::Base64Url),
        "iv" => (Value::Iv, Form::HexLower),
        "iv:HEX" => (Value::Iv, Form::HexUpper),
        "iv:base64" => (Value::Iv, Form::Base64),
        "iv:base64url" => (Value::Iv, Form::Base64Url),
        "json:base64" => (Value::Json, Form::Base64),
        "json:base64url" => (Value::Json, Form::Base64Url),
        _ => return None,
    };
    Some(Piece::Placeholder(value, form))
}

/// Whether the character is reserved, unreserved or the percent sign (RFC 3986, section 2).
fn is_of_uri(character: char) -> bool {
    // All that is printable but for these.
    character.is_ascii_graphic() && !matches!(character, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
}
