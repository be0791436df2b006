//! Requests: paths, tokens and versions by a table, and the headers of responses.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{read, table};
use playlock_speke::request::headers;
use playlock_speke::{Request, Version};

#[test]
fn requests_are_read_as_the_table_says() {
    let text = read("requests.txt");
    let mut count = 0;
    for (request, expected) in table(&text) {
        let (line, header_text) = request.split_once(" + ").unwrap_or((request, ""));
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        // A parameter of a header's value has no colon: "; charset=…" goes with the value.
        let mut list: Vec<String> = Vec::new();
        for part in header_text.split("; ").filter(|part| !part.is_empty()) {
            match list.last_mut() {
                Some(last) if !part.contains(": ") => *last += &format!("; {part}"),
                _ => list.push(part.into()),
            }
        }
        let pairs: Vec<_> = list.iter().map(|header| header.split_once(": ").unwrap()).collect();
        let pairs = pairs.iter().map(|(name, value)| (*name, value.as_bytes()));
        let found = match Request::read(method, path, query, pairs) {
            Ok(request) => {
                let token = request.token.unwrap_or_else(|| "-".into());
                let scheme = request.scheme.map_or_else(|| "-".into(), |scheme| format!("{scheme:?}"));
                format!("{:?} {:?} {token} {scheme}", request.endpoint, request.version)
            }
            Err(error) => format!("{} {}", error.status(), error.message()),
        };
        assert_eq!(found, expected, "{request}");
        count += 1;
    }
    assert!(count > 70);
}

#[test]
fn responses_name_the_provider_and_the_version_as_asked() {
    let v1 = headers(Version::V1, true);
    assert!(v1.contains(&("content-type", "application/xml")) && v1.contains(&("cache-control", "no-store")));
    assert!(v1.contains(&("speke-user-agent", "playlock")));
    assert!(!v1.iter().any(|(name, _)| name.starts_with("x-speke")));
    for (version, text) in [(Version::V2_0, "2.0"), (Version::V2_1, "2.1")] {
        let headers = headers(version, true);
        assert!(headers.contains(&("x-speke-user-agent", "playlock")));
        assert!(headers.contains(&("x-speke-version", text)));
    }
    assert!(headers(Version::V2_0, false).contains(&("content-type", "text/plain; charset=utf-8")));
}
