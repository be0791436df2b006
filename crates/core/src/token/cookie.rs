//! The names of the cookies that session tokens travel in: `NAME-REFERENCE`.

use alloc::format;
use alloc::string::String;

use crate::bytes::percent;

/// Characters of a reference: 48 bits of the session's id, which is no secret.
const REFERENCE: usize = 8;

/// The reference of the session with this id, as its token writes it.
pub fn reference(id: &str) -> &str {
    id.get(..REFERENCE).unwrap_or(id)
}

/// The name of the cookie for a session token, by the id that it claims; of no session if it is none.
pub fn cookie_name_for(name: &str, token: &str) -> String {
    let decoded = percent::decode_str(token).unwrap_or_default();
    let id = decoded.split('~').find_map(|field| field.strip_prefix("id=")).map(reference);
    cookie_name(name, id.filter(|id| is_reference(id)).unwrap_or("AAAAAAAA"))
}

/// The name of the cookie of the session with this reference.
pub fn cookie_name(name: &str, reference: &str) -> String {
    format!("{name}-{reference}")
}

/// Whether a cookie is of sessions whose token has this name. The name alone, without a reference, is that of no cookie of
/// ours, but other vendors' tokens have it: the origin does not see those either.
pub fn is_of_session(name: &str, cookie: &[u8]) -> bool {
    cookie == name.as_bytes() || reference_in(name, cookie).is_some()
}

/// The reference of the session whose token, of this name, a cookie holds.
pub fn reference_in<'a>(name: &str, cookie: &'a [u8]) -> Option<&'a str> {
    let reference = core::str::from_utf8(cookie.strip_prefix(name.as_bytes())?.strip_prefix(b"-")?).ok()?;
    is_reference(reference).then_some(reference)
}

/// Whether a text could be a reference.
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
