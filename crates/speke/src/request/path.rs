//! Paths below the server's prefix.
//!
//! | path | clients |
//! |---|---|
//! | nothing, `copyProtection` | AWS |
//! | `cpix/getKey`, `cpix/pallycon/getKey` | PallyCon |
//! | `heartbeat`, `cpix/getKey/heartbeat` | both |
//!
//! A version (`v1`, `v2.0`) may come before, and the requester's token after: `v2/cpix/pallycon/getKey/TOKEN`. The
//! version in the path has no effect: the header decides.

use alloc::string::String;
use alloc::vec::Vec;

use super::Endpoint;
use super::query::percent_decode;
use crate::error::SpekeError;

pub(super) struct Path {
    pub(super) endpoint: Endpoint,
    pub(super) token: Option<String>,
}

impl Path {
    pub(super) fn read(path: &str) -> Result<Self, SpekeError> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let mut segments: Vec<&str> = path.split('/').take(8).collect();
        // One slash at the end, or nothing at all.
        segments.pop_if(|last| last.is_empty() && !path.starts_with('/'));
        if segments.contains(&"") {
            return Err(SpekeError::UnknownPath);
        }
        let rest = match segments.as_slice() {
            [version, rest @ ..] if is_version(version) => rest,
            rest => rest,
        };
        let rest = match rest {
            ["copyProtection", rest @ ..]
            | ["cpix", "getKey", rest @ ..]
            | ["cpix", "pallycon" | "doverunner", "getKey", rest @ ..] => rest,
            rest => rest,
        };
        match rest {
            [] => Ok(Self { endpoint: Endpoint::Document, token: None }),
            ["heartbeat"] => Ok(Self { endpoint: Endpoint::Heartbeat, token: None }),
            [word] if is_version(word) || is_word(word) => Err(SpekeError::UnknownPath),
            [token] => Ok(Self { endpoint: Endpoint::Document, token: Some(percent_decode(token, "path")?) }),
            _ => Err(SpekeError::UnknownPath),
        }
    }
}

fn is_version(segment: &str) -> bool {
    matches!(segment, "v1" | "v1.0" | "v2" | "v2.0" | "v2.1")
}

/// Words that are no tokens: with one of them at the end, the path is a part of a known one.
fn is_word(segment: &str) -> bool {
    matches!(segment, "copyProtection" | "cpix" | "getKey" | "pallycon" | "doverunner")
}
