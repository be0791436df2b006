//! Text and attribute values: references resolved, and characters escaped.

use alloc::borrow::Cow;
use alloc::string::String;

use memchr::memchr;

use crate::chars;
use crate::error::Fault;

/// The longest reference that is read, `&` and `;` included. Leading zeros beyond it serve nobody.
pub(crate) const LONGEST_REFERENCE: usize = 16;

/// The value of an attribute: references resolved, tabs and line ends as spaces (section 3.3.3 of XML 1.0).
///
/// # Errors
/// [`Fault::Reference`]
pub fn attribute_value(raw: &str) -> Result<Cow<'_, str>, Fault> {
    if !raw.bytes().any(|byte| matches!(byte, b'&' | b'\t' | b'\n' | b'\r')) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut spaced = String::with_capacity(raw.len());
    let mut last = ' ';
    for character in raw.chars() {
        match character {
            '\n' if last == '\r' => {}
            '\t' | '\n' | '\r' => spaced.push(' '),
            other => spaced.push(other),
        }
        last = character;
    }
    unescape(&spaced).map(|value| Cow::Owned(value.into_owned()))
}

/// Text with its references resolved. Line ends stay as they are.
///
/// # Errors
/// [`Fault::Reference`]
pub fn unescape(raw: &str) -> Result<Cow<'_, str>, Fault> {
    let Some(_) = memchr(b'&', raw.as_bytes()) else { return Ok(Cow::Borrowed(raw)) };
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        let (reference, behind) = after.split_once(';').ok_or(Fault::Reference)?;
        value.push_str(before);
        value.push(resolve(reference)?);
        rest = behind;
    }
    value.push_str(rest);
    Ok(Cow::Owned(value))
}

/// The character of a reference, given without `&` and `;`: one of the five entities, or a character's number.
pub(crate) fn resolve(reference: &str) -> Result<char, Fault> {
    Ok(match reference {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => {
            let number = reference.strip_prefix('#').ok_or(Fault::Reference)?;
            let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
            let plain = digits.len() <= LONGEST_REFERENCE && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let code = u32::from_str_radix(if plain { digits } else { "" }, radix).map_err(|_| Fault::Reference)?;
            char::from_u32(code).filter(|character| chars::is_allowed(*character)).ok_or(Fault::Reference)?
        }
    })
}

/// Appends text with `&`, `<`, `>` and both quotes escaped: fit for text and for attribute values.
pub fn push_escaped(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
}
