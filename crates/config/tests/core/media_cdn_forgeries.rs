//! Forgeries of Media CDN's tokens: every mutation of valid ones, compared with `tests/forgery/media-cdn.tsv`.

use std::collections::{BTreeMap, BTreeSet};

use super::media_cdn::{ASKED, Asked, PUBLIC, SHARED, policies, signed_with, verify};

/// Tokens of Google's tests: each scope, each algorithm, every field.
const ORIGINALS: [&str; 6] = [
    "URLPrefix=aHR0cDovLzEwLjIwLjMwLjQwLw~Expires=1663070400~Signature=OQLXEjnApFGJaGZ_jvp2R7VY5q3ic-HT3igFpi9iPsJRXtQuvPF4cxZUT-rtCqzteXx3vSRhk09FxgDQauO_DA",
    "FullPath~Expires=1663070400~Signature=X74OTNjtseIUmsab-YiOTZ8jyX_KG7v4YQWwcFpfFmjhzaX8NdweMc9Wglj8wxEsEW85g3_MBG3T9jzLZFQDCw",
    "PathGlobs=/*~Starts=1663027200~Expires=1663070400~SessionID=test-id~Data=test-data~Headers=Foo,BAZ~IPRanges=MjAzLjAuMTEzLjAvMjQsMjAwMTpkYjg6NGE3ZjphNzMyLzY0~Signature=A7u67hveGxGvP8KBWZlUuH0IsqhS4a2lcsXwy3uc4X3zaVuw7LY-2FQT1ZF8UxkSFAsDS3_0LYnXwXB2XdepDg",
    "URLPrefix=aHR0cDovLzEwLjIwLjMwLjQwLw~Expires=1663070400~hmac=409722313cf6d987da44bb360e60dccc3d79764520fc5e3b57654e1d4d2c862e",
    "FullPath~Expires=1663070400~hmac=365b41fd77297371d890fc9a56e4e3d3baa4c7afbd230a0e9a81c8e1bcab9420",
    "PathGlobs=/*~Starts=1663027200~Expires=1663070400~SessionID=test-id~Data=test-data~Headers=Foo,BAZ~IPRanges=MjAzLjAuMTEzLjAvMjQsMjAwMTpkYjg6NGE3ZjphNzMyLzY0~hmac=dda9c3d6f3b2e867a09fbb76209ea138dd81f8512210f970d1e92f90927bef4b",
];

/// Calls `take` with each mutation of a token and its class.
fn mutations(token: &str, take: &mut dyn FnMut(&str, String)) {
    let bytes = token.as_bytes();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    for at in 0..bytes.len() {
        for with in [b'0', b'A', b'~', b'=', b'/', b'*', b'_'].into_iter().filter(|with| *with != bytes[at]) {
            take("replace a byte", text([&bytes[..at], &[with], &bytes[at + 1..]].concat()));
            take("insert a byte", text([&bytes[..at], &[with], &bytes[at..]].concat()));
        }
        take("remove a byte", text([&bytes[..at], &bytes[at + 1..]].concat()));
        take("cut", text(bytes[..at].to_vec()));
        take("cut the front", text(bytes[at + 1..].to_vec()));
        let other = if bytes[at].is_ascii_lowercase() {
            bytes[at].to_ascii_uppercase()
        } else {
            bytes[at].to_ascii_lowercase()
        };
        if other != bytes[at] {
            take("other case", text([&bytes[..at], &[other], &bytes[at + 1..]].concat()));
        }
        let (front, back) = token.split_at(at);
        let escaped = format!("{front}%{:02x}", bytes[at]);
        take("escape one", escaped + &back.chars().skip(1).collect::<String>());
    }
    take("escape all", bytes.iter().map(|byte| format!("%{byte:02X}")).collect());
    take("escape twice", bytes.iter().map(|byte| format!("%25{byte:02X}")).collect());
    let fields: Vec<&str> = token.split('~').collect();
    let (tail, own) = fields.split_last().unwrap();
    for (index, field) in fields.iter().enumerate() {
        let with = |new: &[&str]| [&fields[..index], new, &fields[index + 1..]].concat().join("~");
        take("remove a field", with(&[]));
        take("repeat a field", with(&[field, field]));
        take("repeat a field at the end", format!("{token}~{field}"));
        take("repeat a field at the front", format!("{field}~{token}"));
        for later in index + 1..fields.len() {
            let mut swapped = fields.clone();
            swapped.swap(index, later);
            take("swap fields", swapped.join("~"));
        }
        for extra in
            ["Data=x", "SessionID=x", "PathGlobs=/*", "FullPath", "Expires=9999999999", "IPRanges=MDo6LzA", "x=y", ""]
        {
            take("add a field", with(&[extra, field]));
        }
        for (name, aliases) in [
            ("PathGlobs=", &["paths=", "acl="][..]),
            ("Expires=", &["exp="]),
            ("Starts=", &["st="]),
            ("SessionID=", &["id="]),
            ("Data=", &["data=", "payload="]),
        ] {
            for alias in aliases.iter().filter(|_| field.starts_with(name)) {
                take("alias of a field", with(&[&field.replacen(name, alias, 1)]));
            }
        }
        if let Some(names) = field.strip_prefix("Headers=") {
            take("fewer headers", with(&[&format!("Headers={}", names.split(',').next().unwrap())]));
            take("reordered headers", with(&["Headers=BAZ,Foo"]));
            take("header in another case", with(&["Headers=foo,BAZ"]));
            take("header with its value", with(&["Headers=Foo=bar,BAZ=quux"]));
            take("other headers", with(&["Headers=x-none"]));
        }
        if *field == "FullPath" {
            take("path in the token", with(&["FullPath=/example.m3u8"]));
            take("another scope", with(&["PathGlobs=/*"]));
        }
        if field.starts_with("URLPrefix=") {
            take("padded prefix", with(&[&format!("{field}=")]));
            take("shorter prefix", with(&["URLPrefix=aHR0cDovLzEwLjIwLjMwLjQw"]));
        }
    }
    let own = own.join("~");
    for tail in [format!("hmac={}", "0".repeat(64)), format!("Signature={}", "A".repeat(86))] {
        take("zeros", format!("{own}~{tail}"));
    }
    take("no signature", own.clone());
    take("two signatures", format!("{token}~{tail}"));
    take("signature in front", format!("{tail}~{own}"));
    for name in ["hmac", "Signature"] {
        take("empty signature", format!("{own}~{name}="));
        take("signature of another length", format!("{own}~{name}=00"));
    }
    take("SHA-1", format!("{own}~hmac={}", "0".repeat(40)));
    take("MD5", format!("{own}~hmac={}", "0".repeat(32)));
    let text = own.replace("FullPath", "FullPath=/example.m3u8").replace("Headers=Foo,BAZ", "Headers=Foo=bar,BAZ=quux");
    take("HMAC with the public key", signed_with(PUBLIC, &own, &text));
    take("HMAC of other fields", signed_with(SHARED, &own, &format!("{text}~Data=x")));
    if tail.starts_with("Signature=") {
        take("padded signature", format!("{token}=="));
        take("signature with other last bits", token.split_at(token.len() - 1).0.to_owned() + "B");
    }
    take("spaces around it", format!(" {token} "));
    take("in quotes", format!("\"{token}\""));
    take("a line feed", format!("{token}\n"));
    take("overlong", format!("{own}~Data={}~{tail}", "x".repeat(3000)));
    take("a null byte", format!("{token}\0"));
}

#[test]
fn every_forgery_is_denied_for_its_reason() {
    let both = policies(&["ed25519", "hmac-sha256"]);
    let mut seen: BTreeMap<String, (usize, BTreeSet<String>)> = BTreeMap::new();
    for original in ORIGINALS {
        let own = verify(&both, original, &ASKED).unwrap();
        let mut judge = |class: &str, token: &str, asked: &Asked<'_>| {
            let verdict = match verify(&both, token, asked) {
                Ok(grant) if grant == own => "same".to_string(),
                Ok(grant) => panic!("{class}: {token} grants {grant:?}"),
                Err(reason) => reason.word().to_string(),
            };
            let (count, verdicts) = seen.entry(class.to_string()).or_default();
            *count += 1;
            verdicts.insert(verdict);
        };
        mutations(original, &mut |class, token| judge(class, &token, &ASKED));
        judge("another path", original, &Asked { target: "/other.m3u8", ..ASKED });
        judge("another host", original, &Asked { host: "10.20.30.41", ..ASKED });
        judge("another scheme", original, &Asked { scheme: "https", ..ASKED });
        judge("another address", original, &Asked { client: "203.0.114.7:1", ..ASKED });
        judge("no headers", original, &Asked { headers: &[], ..ASKED });
        judge("another header", original, &Asked { headers: &[("foo", "bar"), ("baz", "Quux")], ..ASKED });
        judge(
            "a header twice",
            original,
            &Asked { headers: &[("foo", "bar"), ("foo", "bar"), ("baz", "quux")], ..ASKED },
        );
        judge("a second too late", original, &Asked { now: 1_663_070_401, ..ASKED });
        judge("a second too early", original, &Asked { now: 1_663_027_199, ..ASKED });
        let stranger = verify(&policies(&["hmac-sha1"]), original, &ASKED).unwrap_err();
        assert_eq!(stranger.word(), "algorithm");
    }
    let found: String = seen
        .iter()
        .map(|(class, (count, verdicts))| {
            let verdicts: Vec<&str> = verdicts.iter().map(String::as_str).collect();
            format!("{class}\t{count}\t{}\n", verdicts.join(" "))
        })
        .collect();
    let table = include_str!("../../../../tests/forgery/media-cdn.tsv");
    let expected: String =
        table.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    assert!(found == expected, "expected\n{expected}found\n{found}");
}
