//! `playlock token` makes what the public libraries make, and what the filter takes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::fs;

use common::{NOW, PASSWORD, Scratch, playlock, run, vod};
use serde_json::Value;

/// The options that make a vector's token; `None` for dialects that escape early, which is not offered.
fn options(vector: &Value) -> Option<Vec<String>> {
    let token = vector["token"].as_str().unwrap();
    if vector["about"].as_str().unwrap().contains("escape_early") {
        return None;
    }
    let mut options = vec!["token".to_owned(), format!("--key={PASSWORD}"), format!("--now={NOW}")];
    options.extend(vector["algorithm"].as_str().map(|hash| format!("--algorithm={hash}")));
    options.extend(vector["salt"].as_str().map(|salt| format!("--salt={salt}")));
    for field in token.split('~') {
        let (name, value) = field.split_once('=').unwrap();
        options.extend(match name {
            "st" => Some(format!("--start={value}")),
            "exp" => Some(format!("--expires={value}")),
            "hmac" => None,
            _ => Some(format!("--{name}={value}")),
        });
    }
    if !token.contains("~acl=") {
        options.push(format!("--url=https://edge.example{}", vector["target"].as_str().unwrap()));
    }
    Some(options)
}

#[test]
fn as_the_public_libraries_make_them() {
    let text = include_str!("../../../tests/vectors/edge-auth.json");
    let vectors: Value = serde_json::from_str(text).unwrap();
    let made: Vec<_> =
        vectors["vectors"].as_array().unwrap().iter().filter_map(|it| Some((it, options(it)?))).collect();
    assert_eq!(made.len(), 5);
    for (vector, options) in made {
        let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
        options.push("--json");
        let ran = playlock(&options);
        assert_eq!(ran.status, 0, "{ran:?}");
        assert_eq!(ran.json()["token"], vector["token"], "{vector:#}");
    }
}

#[test]
fn a_url_comes_out_whole_and_the_filter_takes_it() {
    let config = vod("token-url.json");
    for (more, target) in [
        (&[][..], "/vod/a b/master.m3u8?x=1&hdnts=old"),
        (&["--acl", "/vod/*", "--acl", "/live/*"], "/vod/master.m3u8"),
        (&["--payload", "ü %7e & 100%", "--id", "nobody"], "/vod/master.m3u8"),
        (&["--ip", "2001:db8::1"], "/vod/master.m3u8"),
    ] {
        let url = format!("https://edge.example{}", target.replace(' ', "%20"));
        let arguments = [&["token", "--config", config.path(), "--now", NOW, "--url", &url], more].concat();
        let made = playlock(&arguments);
        assert_eq!((made.status, made.errors.as_str()), (0, ""), "{made:?}");
        let url = made.text().trim();
        assert!(url.starts_with("https://edge.example/vod/") && !url.contains("old"), "{url}");
        let ip = more.iter().find(|text| text.contains("db8")).copied().unwrap_or("203.0.113.7");
        let why = playlock(&["why", url, "--config", config.path(), "--now", NOW, "--ip", ip]);
        assert_eq!(why.status, 0, "{}", why.text());
    }
}

#[test]
fn what_the_filter_would_refuse_is_warned_of() {
    let config = vod("token-warn.json");
    let url = "https://edge.example/vod/master.m3u8";
    for (more, word) in [
        (&["--expires", "-1h"][..], "expired"),
        (&["--start", "+1h"], "early"),
        (&["--acl", "/live/*"], "path"),
        (&["--algorithm", "md5"], "algorithm"),
    ] {
        let ran = playlock(&[&["token", "--config", config.path(), "--url", url], more].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        assert!(ran.errors.contains(&format!("would refuse this now: {word}: ")), "{ran:?}");
    }
}

/// The mistakes that docs/tokens.md lists: made all the same, since other servers may mean it so.
#[test]
fn patterns_that_are_hardly_meant_so_are_warned_of() {
    for (acl, part) in [
        ("vod/*", "\"vod/*\" does not begin with /"),
        ("https://edge.example/vod/*", "does not begin with /"),
        ("/a/*,/b/*", "\"/a/*,/b/*\" is one pattern with a comma; expected ! between patterns"),
        ("/a/*!/vod/film/", "\"/vod/film/\" matches the directory, but nothing in it"),
    ] {
        let ran = playlock(&["token", "--key", PASSWORD, "--acl", acl]);
        assert!(ran.status == 0 && ran.text().contains(&format!("~acl={acl}~hmac=")), "{ran:?}");
        assert!(ran.errors.starts_with("playlock: warning: --acl: ") && ran.errors.contains(part), "{ran:?}");
        assert_eq!(ran.errors.lines().count(), 1, "{ran:?}");
    }
    for acl in ["/vod/*", "/a,b/*!/c.m3u8", "*", "*/film/*"] {
        assert_eq!(playlock(&["token", "--key", PASSWORD, "--acl", acl]).errors, "", "{acl}");
    }
}

/// A key that is not among the arguments, where every user of the machine sees it.
#[test]
fn the_key_comes_from_a_file_or_standard_input() {
    let make = |options: &[&str], input: &[u8]| {
        let fixed = ["token", "--acl", "/*", "--expires", "1800000000"];
        run(&[&fixed[..], options].concat(), input, &Default::default())
    };
    let expected = make(&["--key", PASSWORD], b"");
    assert_eq!(expected.status, 0, "{expected:?}");
    let file = Scratch::new("key.hex", format!("{PASSWORD}\n"));
    assert_eq!(make(&["--key-file", file.path()], b"").text(), expected.text());
    assert_eq!(make(&["--key-file", "-"], format!("{PASSWORD}\r\n").as_bytes()).text(), expected.text());
    let wrong = make(&["--key-file", "-"], b"c0ffee?");
    assert_eq!((wrong.status, wrong.text()), (2, ""), "{wrong:?}");
    assert_eq!(
        wrong.errors,
        "playlock: --key-file: not a key in hex; expected an even number of hex digits, and nothing else\n"
    );
    assert!(make(&["--key-file", "/nowhere/key.hex"], b"").errors.contains("--key-file /nowhere/key.hex: "));
    assert_eq!(make(&["--key-file", "-", "--key", PASSWORD], b"").status, 2);
}

#[test]
fn what_cannot_be_is_refused() {
    let config = vod("token-wrong.json");
    let narrow = fs::read_to_string(config.path()).unwrap().replace("/...", "/vod");
    let narrow = Scratch::new("token-narrow.json", narrow);
    let key = ["--key", PASSWORD];
    for (arguments, part) in [
        (&["--key", "xyz", "--acl", "/*"][..], "--key: not a key in hex; expected"),
        (&[&key[..], &["--acl", "/*", "--payload", "a~exp=9"]].concat(), "--payload"),
        (&[&key[..], &["--acl", "/a!!b"]].concat(), "--acl"),
        (&[&key[..], &["--acl", "/*", "--id", ""]].concat(), "--id"),
        (&[&key[..], &["--acl", "/*", "--payload", "a\nb"]].concat(), "--payload"),
        (&[&key[..], &["--acl", "/*", "--expires", "soon"]].concat(), "2026-12-24T18:00:00Z"),
        (&["--config", narrow.path(), "--url", "https://h/elsewhere/a.m3u8"], "no policy is assigned"),
        (&["--config", config.path(), "--policy", "none", "--acl", "/*"], "no policy is named \"none\""),
        (&["--config", config.path()], "required"),
    ] {
        let ran = playlock(&[&["token"], arguments].concat());
        assert_eq!((ran.status, ran.text()), (2, ""), "{ran:?}");
        assert!(ran.errors.contains(part), "{part}: {ran:?}");
    }
}
