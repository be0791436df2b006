//! ACLs of tokens in words.

use playlock_core::bytes::percent;

/// The paths that the patterns of an ACL cover.
pub fn describe(acl: &str) -> String {
    let patterns: Vec<String> = acl
        .split('!')
        .map(|pattern| {
            let plain = pattern.strip_suffix('*').unwrap_or(pattern);
            match (pattern.ends_with('*'), plain.contains(['*', '?'])) {
                (true, false) if plain.ends_with('/') => format!("everything below {}", decoded(plain)),
                (true, false) => format!("every path that begins with {}", decoded(plain)),
                (false, false) => format!("only {}", decoded(plain)),
                _ => format!("paths like {}", decoded(pattern)),
            }
        })
        .collect();
    patterns.join("; ")
}

/// Text without its percent-encoding; as it is if it has bad escapes.
pub fn decoded(text: &str) -> String {
    percent::decode_str(text).unwrap_or_else(|| text.to_owned())
}
