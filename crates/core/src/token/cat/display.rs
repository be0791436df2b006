//! The contents of a token as text, for people.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::cbor::{self, Value};
use super::claims;
use super::cose::{Envelope, decoded};

/// The name and text of each header parameter that matters (`alg`, `kid`) and of each claim of a token as sent, in
/// order; `None` if it is not a Common Access Token. Nothing is verified.
///
/// Nested values are in the diagnostic notation of CBOR (RFC 8949 section 8), with byte strings in hex and the parts and
/// match types of `catu` as their labels.
pub fn fields(sent: &str) -> Option<impl Iterator<Item = (String, String)>> {
    let tokens = decoded(sent);
    let fields = tokens.iter().find_map(|token| {
        let envelope = Envelope::parse(token).ok()?;
        let payload = cbor::read(envelope.payload)?;
        let mut fields: Vec<(String, String)> = Vec::with_capacity(8);
        fields.push(("alg".into(), envelope.algorithm.word().into()));
        fields.extend(envelope.kid.map(|kid| ("kid".into(), name(kid))));
        fields.extend(payload.map()?.iter().map(|entry| (claims::name(&entry.key), text(&entry.value))));
        Some(fields)
    });
    fields.map(Vec::into_iter)
}

/// An identifier: as it is if it is text, otherwise in hex.
fn name(bytes: &[u8]) -> String {
    match core::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) => text.into(),
        _ => base16ct::lower::encode_string(bytes),
    }
}

/// A claim's value; texts without quotes.
fn text(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => text.escape_debug().to_string(),
        Value::Bytes(bytes) => base16ct::lower::encode_string(bytes),
        _ => {
            let mut out = String::new();
            push(&mut out, value);
            out
        }
    }
}

fn push(out: &mut String, value: &Value<'_>) {
    match value {
        Value::Unsigned(number) => out.push_str(&number.to_string()),
        Value::Negative(number) => out.push_str(&(-1 - i128::from(*number)).to_string()),
        Value::Bytes(bytes) => out.push_str(&format!("h'{}'", base16ct::lower::encode_string(bytes))),
        Value::Text(text) => out.push_str(&format!("\"{}\"", text.escape_debug())),
        Value::Float(number) => out.push_str(&format!("{number:?}")),
        Value::Simple(number) => out.push_str(match number {
            20 => "false",
            21 => "true",
            22 => "null",
            _ => "undefined",
        }),
        Value::Tag(number, value) => {
            out.push_str(&format!("{number}("));
            push(out, value);
            out.push(')');
        }
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                push(out, value);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (index, entry) in entries.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                push(out, &entry.key);
                out.push_str(": ");
                push(out, &entry.value);
            }
            out.push('}');
        }
    }
}
