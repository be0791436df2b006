//! Names of session cookies: `NAME-REFERENCE`.

use alloc::format;
use alloc::string::String;

/// Length of a reference in characters: 48 bits of the session's id, which is not secret.
pub const REFERENCE: usize = 8;

/// The reference of the session with this id, in base64url.
pub fn reference(id: &str) -> &str {
    id.get(..REFERENCE).unwrap_or(id)
}

/// The name of the cookie of the session with this reference.
pub fn cookie_name(name: &str, reference: &str) -> String {
    format!("{name}-{reference}")
}

/// Whether a cookie belongs to sessions whose token has this name.
///
/// True for the name without a reference, too: playlock sets no such cookie, but other vendors' tokens use it, and the
/// origin must not receive those either.
pub fn is_of_session(name: &str, cookie: &[u8]) -> bool {
    cookie == name.as_bytes() || reference_in(name, cookie).is_some()
}

/// The reference in the name of a session cookie; `None` if it is not one.
pub fn reference_in<'a>(name: &str, cookie: &'a [u8]) -> Option<&'a str> {
    let reference = core::str::from_utf8(cookie.strip_prefix(name.as_bytes())?.strip_prefix(b"-")?).ok()?;
    is_reference(reference).then_some(reference)
}

/// Whether `text` has the form of a reference.
pub fn is_reference(text: &str) -> bool {
    text.len() == REFERENCE && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_known_by_their_reference() {
        for (cookie, expected) in [
            ("hdntl", true),
            ("hdntl-AZaz09-_", true),
            ("hdntl-AAAAAAA", false),
            ("hdntl-AAAAAAAAA", false),
            ("hdntl-AAAA=AAA", false),
            ("hdntlAAAAAAAA", false),
            ("xhdntl-AAAAAAAA", false),
        ] {
            assert_eq!(is_of_session("hdntl", cookie.as_bytes()), expected, "{cookie}");
        }
    }
}
