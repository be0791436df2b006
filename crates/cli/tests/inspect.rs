//! `playlock inspect`: tokens, URLs and playlists in words, and whether they hold.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::collections::BTreeMap;

use common::{NOW, Ran, playlock, run, vod};

fn inspected(what: &str, more: &[&str]) -> Ran {
    playlock(&[&["inspect", what, "--now", NOW], more].concat())
}

fn token(more: &[&str]) -> String {
    let config = vod(&format!("inspect-token-{}.json", more.len()));
    let ran = playlock(&[&["token", "--config", config.path(), "--now", NOW], more].concat());
    assert_eq!(ran.status, 0, "{ran:?}");
    ran.text().trim().to_owned()
}

#[test]
fn an_access_token_with_a_configuration_and_without() {
    let config = vod("inspect.json");
    let acl = token(&["--acl", "/vod/*", "--ip", "203.0.113.7", "--payload", "user=42"]);
    let bare = inspected(&acl, &[]);
    assert_eq!(bare.status, 0, "{bare:?}");
    for part in [
        "access token\n",
        "only for this address",
        "everything below /vod/",
        "payload: user=42",
        "HMAC-SHA-256",
        "2023-11-14 22:18:20 +00:00, in 5 min",
    ] {
        assert!(bare.text().contains(part), "{part}: {bare:?}");
    }
    let good = inspected(&acl, &["--config", config.path()]);
    assert!(
        good.status == 0 && good.text().contains("valid under the policy \"vod\"; paths are not checked"),
        "{good:?}"
    );
    for (what, more, reason) in [
        (acl.clone(), &["--config", config.path(), "--ip", "203.0.113.8"][..], "ip"),
        (acl.clone(), &["--config", config.path(), "--now", "+1h"], "expired"),
        (acl.clone(), &["--now", "+1h"], "expired"),
        (acl.replace("42", "43"), &["--config", config.path()], "signature"),
        (acl.replace("exp=", "exp=x"), &[], "malformed"),
        (acl.clone(), &["--config", config.path(), "--url", "https://h/live/a.m3u8"], "path"),
        (token(&["--acl", "/*", "--start", "+1h", "--duration", "1h"]), &[], "early"),
    ] {
        // The last --now counts, as it does everywhere.
        let arguments: Vec<&str> = ["inspect", &what, "--json"].into_iter().chain(more.iter().copied()).collect();
        let ran = match more.contains(&"--now") {
            true => playlock(&arguments),
            false => playlock(&[&arguments[..], &["--now", NOW]].concat()),
        };
        assert_eq!((ran.status, ran.json()["findings"][0]["reason"].as_str()), (1, Some(reason)), "{ran:?}");
    }
}

#[test]
fn a_url_token_needs_its_url() {
    let config = vod("inspect-url.json");
    let url = token(&["--url", "https://edge.example/vod/master.m3u8"]);
    let whole = inspected(&url, &["--config", config.path(), "--json"]);
    assert_eq!((whole.status, whole.json()["findings"][1]["valid"].as_bool()), (0, Some(true)), "{whole:?}");
    let alone = inspected(url.split("hdnts=").nth(1).unwrap(), &["--config", config.path()]);
    assert!(
        alone.status == 1 && alone.text().contains("signed for one URL; expected that URL with --url"),
        "{alone:?}"
    );
    let other = inspected(&url.replace("master", "other"), &["--config", config.path()]);
    assert!(other.status == 1 && other.text().contains("signature: "), "{other:?}");
}

/// A playlist as the filter hands it out.
fn rewritten(config: &str) -> (String, String) {
    let url = token(&["--url", "https://edge.example/vod/v/low.m3u8"]);
    let plain = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:4,\ns0.m4s\n#EXTINF:4,\n#EXT-X-BYTERANGE:10@5\ns1.m4s\n#EXT-X-ENDLIST\n";
    let ran = run(&["rewrite", "--config", config, "--url", &url, "--now", NOW], plain, &BTreeMap::new());
    assert_eq!(ran.status, 0, "{ran:?}");
    (url, ran.text().to_owned())
}

#[test]
fn a_playlist_of_the_filters() {
    let config = vod("inspect-playlist.json");
    let (url, text) = rewritten(config.path());
    let arguments = ["inspect", "--now", NOW, "--config", config.path(), "--url", &url];
    let good = run(&arguments, text.as_bytes(), &BTreeMap::new());
    assert_eq!(good.status, 0, "{good:?}");
    for part in [
        "media playlist\n",
        "2 of 8.0 s, from number 0",
        "AES-128, key at /serve.key, IV ",
        "session token in 4 of 4 URIs",
        "valid under the policy \"vod\"",
        "10 bytes from byte 5 of the origin's file",
        "served in clear, such as an init section",
        "signed for this resource under the policy \"vod\"",
        "key request",
    ] {
        assert!(good.text().contains(part), "{part}: {good:?}");
    }
    let altered = run(&arguments, text.replace("r10@5", "r10@6").as_bytes(), &BTreeMap::new());
    assert!(altered.status == 1 && altered.text().contains("parameter: "), "{altered:?}");
    let token = text.split_once("hdntl=").unwrap().1.split(['"', '&', '\n']).next().unwrap();
    let digit = if token.ends_with('A') { "B" } else { "A" };
    let changed = format!("{}{digit}{}", &token[..9], &token[10..]);
    let forged = run(&arguments, text.replace(token, &changed).as_bytes(), &BTreeMap::new());
    assert!(forged.status == 1 && forged.text().contains("signature: "), "{forged:?}");
    let broken = run(&arguments, b"#EXTM3U\ns.ts\n", &BTreeMap::new());
    assert_eq!(
        (broken.status, broken.errors.as_str()),
        (1, "playlock: playlist: line 2: \"s.ts\" has no EXTINF; expected one before each segment\n")
    );
}

#[test]
fn nothing_foreign_reaches_the_terminal() {
    let ran = inspected("https://h/a\u{1b}[2J?x=\u{9b}", &[]);
    assert!(!ran.text().contains(['\u{1b}', '\u{9b}']), "{ran:?}");
    assert_eq!(inspected("no token at all", &[]).status, 1);
}
