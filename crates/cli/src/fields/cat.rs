//! The claims of Common Access Tokens (CTA-5007).

use super::TokenFields;

/// Whether `text` is such a token, by its first bytes.
pub fn is_one(_text: &str) -> bool {
    false
}

/// Parses a token; `None` if it is none.
pub fn read(_text: &str, _now: u64) -> Option<TokenFields> {
    None
}
