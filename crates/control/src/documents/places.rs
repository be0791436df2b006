//! The places that policies may name. Shapes only: ISO 3166-1's codes for private use name no country.

/// Whether this is a country's code; not case-sensitive.
pub fn is_country(code: &str) -> bool {
    let code = code.to_ascii_uppercase();
    let private = matches!(code.as_str(), "AA" | "ZZ") || ("QM"..="QZ").contains(&&*code) || code.starts_with('X');
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) && !private
}

/// Whether a country has a region with this code; not case-sensitive.
pub fn is_region(_country: &str, code: &str) -> bool {
    (1..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
