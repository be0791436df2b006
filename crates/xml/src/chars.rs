//! The characters that XML 1.0 allows in documents and in names.

/// The white space of section 2.3: space, tab, line feed, carriage return.
pub const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether text consists of white space only.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.bytes().all(is_space)
}

/// Whether each character may be in a document (section 2.2, `Char`). Surrogates are no `char` anyway.
pub fn are_allowed(text: &str) -> bool {
    let bytes = text.as_bytes();
    // All bytes, without an exit: many are compared at once.
    let plain = |byte: u8| (byte >= b' ' || is_space(byte)) && byte != 0xEF;
    if bytes.iter().fold(true, |all, byte| all & plain(*byte)) {
        return true;
    }
    // U+FFFE and U+FFFF are the only characters of more than one byte that are forbidden: EF BF BE and EF BF BF.
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        0xEF => !matches!(bytes.get(at..), Some([_, 0xBF, 0xBE | 0xBF, ..])),
        byte => *byte >= b' ' || is_space(*byte),
    })
}

/// Whether one character may be in a document, for character references.
pub const fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The length in bytes of the name that text begins with (section 2.3, `Name`, without the colon of prefixes).
pub fn name_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let others = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let length = bytes.iter().position(|byte| !others(*byte)).unwrap_or(bytes.len());
    let ascii = bytes.get(length).is_none_or(u8::is_ascii);
    if ascii && bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
        return length;
    }
    let mut first = true;
    text.find(|character| {
        let allowed = if first { is_name_start(character) } else { is_name(character) };
        first = false;
        !allowed
    })
    .unwrap_or(text.len())
}

const fn is_name_start(character: char) -> bool {
    matches!(character,
        'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

const fn is_name(character: char) -> bool {
    is_name_start(character)
        || matches!(character, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}
