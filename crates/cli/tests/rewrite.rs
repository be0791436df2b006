//! `playlock rewrite` as a user runs it: what comes out, what is said, and with which exit status.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::{env, fs, process, thread};

const PASSWORD: &str = "52a152a152a152a152a152a152a152a1";
/// For that password, made with PyPI's `akamai-edgeauth`.
const ACCESS: &str =
    "st=1700000000~exp=1700003600~acl=/*~hmac=c422a632243136e9d7c5a75a024ba64e19956643e859eb56f0c158a7dc5b6721";
const NOW: &str = "1700000000";
const URL: &str = "https://edge.example/vod/720p.m3u8?x=1";
const VOD: &str =
    "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n#EXTINF:4,\nb.ts\n#EXT-X-ENDLIST\n";
const CONFIG: &str = r#"{
  "policies": [{"policyName": "vod",
    "tokenAuth": {"enabled": true, "password": {"env": "PASSWORD"}},
    "mediaEncryption": {"enabled": true, "secret": {"env": "SECRET"}}}],
  "assignments": [{"policyName": "vod", "path": "/vod/..."}]
}"#;

/// A configuration in a file of its own, removed when the test is over.
struct Config(PathBuf);

impl Config {
    fn new(name: &str, text: &str) -> Self {
        let path = env::temp_dir().join(format!("playlock-cli-{}-{name}.json", process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Runs the command with `arguments` after its usual ones, while the tokens here are good.
fn rewrite(config: &Config, url: &str, arguments: &[&str], input: &[u8]) -> Output {
    rewrite_at(NOW, config, url, arguments, input)
}

fn rewrite_at(now: &str, config: &Config, url: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_playlock"))
        .args(["rewrite", "--now", now, "--url", url, "--config"])
        .arg(&config.0)
        .args(arguments)
        .env("PASSWORD", PASSWORD)
        .env("SECRET", "000102030405060708090a0b0c0d0e0f")
        .env("KEY", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Whoever is refused does not read.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The usual configuration with other members of `mediaEncryption`, and perhaps of `tokenAuth`, too.
fn changed(name: &str, token_auth: &str, media_encryption: &str) -> Config {
    let auth = CONFIG.replacen("\"enabled\": true", &format!("\"enabled\": true{token_auth}"), 1);
    let (before, after) = auth.rsplit_once("\"enabled\": true").unwrap();
    Config::new(name, &format!("{before}\"enabled\": true{media_encryption}{after}"))
}

/// Exit status, and what standard error says.
fn verdict(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), text(&output.stderr))
}

/// The session token in a rewritten playlist.
fn session(playlist: &str) -> String {
    let token = playlist.split("hdntl=").nth(1).unwrap();
    token.split(|c: char| c.is_whitespace() || c == '"').next().unwrap().to_owned()
}

#[test]
fn an_access_token_opens_a_session_that_goes_on_byte_for_byte() {
    let config = Config::new("session", CONFIG);
    let opened = rewrite(&config, URL, &["--access-token", ACCESS], VOD.as_bytes());
    assert_eq!(verdict(&opened), (Some(0), String::new()));
    let opened = text(&opened.stdout);
    let token = session(&opened);
    let lines: Vec<&str> = opened.lines().collect();
    assert_eq!(lines[..3], ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:4"]);
    assert!(lines[3].starts_with("#EXT-X-KEY:METHOD=AES-128,URI=\"/serve.key?plk=key~"), "{}", lines[3]);
    assert_eq!(lines[5], format!("a.ts?hdntl={token}"));
    assert_eq!(lines[8], "#EXT-X-ENDLIST");

    for (url, arguments) in [
        (URL.to_owned(), vec!["--session-token", token.as_str()]),
        (format!("{URL}&hdntl={token}"), vec![]),
        (format!("{URL}&hdntl={}", token.replace('I', "%49")), vec![]),
    ] {
        let reloaded = rewrite(&config, &url, &arguments, VOD.as_bytes());
        assert_eq!((verdict(&reloaded), text(&reloaded.stdout)), ((Some(0), String::new()), opened.clone()), "{url}");
    }
    let other = rewrite(&config, URL, &["--access-token", ACCESS], VOD.as_bytes());
    assert_ne!(session(&text(&other.stdout)), token, "two sessions");
}

#[test]
fn a_live_playlist_is_entered_by_a_master_playlist() {
    let config = Config::new(
        "live",
        &CONFIG.replace("\"enabled\": true, \"pass", "\"enabled\": true, \"wrapLivePlaylists\": true, \"pass"),
    );
    let live = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n";
    let entry = text(&rewrite(&config, URL, &["--access-token", ACCESS], live.as_bytes()).stdout);
    assert!(entry.starts_with("#EXTM3U\n#EXT-X-STREAM-INF:"), "{entry}");
    let within = rewrite(&config, URL, &["--session-token", &session(&entry)], live.as_bytes());
    assert!(text(&within.stdout).ends_with(&format!("\na.ts?hdntl={}\n", session(&entry))));
}

#[test]
fn a_cookie_carries_the_session_where_the_policy_says_so() {
    let config = Config::new(
        "cookie",
        &CONFIG.replace("\"enabled\": true, \"pass", "\"enabled\": true, \"sessionTokenTransport\": \"both\", \"pass"),
    );
    let opened = text(&rewrite(&config, URL, &["--access-token", ACCESS], VOD.as_bytes()).stdout);
    let cookies = Config::new("cookies", &fs::read_to_string(&config.0).unwrap().replace("\"both\"", "\"cookie\""));
    let reloaded = rewrite(&cookies, URL, &["--session-token", &session(&opened)], VOD.as_bytes());
    assert_eq!(verdict(&reloaded), (Some(0), String::new()));
    let token = session(&opened);
    let reference = token.get(8..16).unwrap();
    let end = format!("#EXTINF:4,\na.ts?hdntl={reference}\n#EXTINF:4,\nb.ts?hdntl={reference}\n#EXT-X-ENDLIST\n");
    assert!(text(&reloaded.stdout).ends_with(&end), "{}", text(&reloaded.stdout));
}

#[test]
fn uris_that_nobody_will_get_are_named() {
    let config = Config::new("unservable", CONFIG);
    let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfilm%20a.ts\n#EXTINF:4,\nf%FCr.ts\n#EXTINF:4,\na%23b.ts\n#EXT-X-ENDLIST\n";
    let rewritten = rewrite(&config, URL, &["--access-token", ACCESS], playlist.as_bytes());
    let (status, error) = verdict(&rewritten);
    assert_eq!(status, Some(0), "the playlist goes out: {error}");
    assert!(error.contains("warning: 2 of the playlist's URIs") && error.contains("first \"f%FCr.ts\""), "{error}");
}

#[test]
fn a_refusal_is_exit_1_with_its_word_and_nothing_on_standard_output() {
    let config = Config::new("refusal", CONFIG);
    let forged = &ACCESS.replace("c422", "c423");
    for (now, url, arguments, says) in [
        (NOW, URL, vec![], "missing: "),
        (NOW, URL, vec!["--access-token", forged], "signature: "),
        ("1800000000", URL, vec!["--access-token", ACCESS], "expired: The token has expired"),
        (NOW, URL, vec!["--session-token", ACCESS], "swapped: "),
        (NOW, "https://edge.example/live/a.m3u8", vec!["--access-token", ACCESS], "unassigned: "),
        (NOW, "https://edge.example/vod/../a.m3u8", vec!["--access-token", ACCESS], "target: "),
    ] {
        let output = rewrite_at(now, &config, url, &arguments, VOD.as_bytes());
        let (status, error) = verdict(&output);
        assert_eq!(status, Some(1), "{arguments:?}: {error}");
        assert!(error.starts_with(&format!("playlock: {says}")) && error.lines().count() == 1, "{error}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_broken_playlist_is_exit_1_however_far_it_came() {
    for held in ["", "\"holdHeaders\": true,"] {
        let config = Config::new(&format!("broken{}", held.len()), &CONFIG.replacen('{', &format!("{{{held}"), 1));
        let session = session(&text(&rewrite(&config, URL, &["--access-token", ACCESS], VOD.as_bytes()).stdout));
        for (input, says) in [
            (String::new(), "playlist: "),
            ("<html>".to_owned(), "playlist: "),
            ("#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:4,\na.ts\n".to_owned(), "encrypted: "),
            (
                format!("{VOD}{}#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\"\n", "#EXTINF:4,\nc.ts\n".repeat(20_000)),
                "encrypted: ",
            ),
            (format!("{VOD}#{}", "x".repeat(1 << 20)), "line: "),
        ] {
            let output = rewrite(&config, URL, &["--session-token", &session], input.as_bytes());
            let (status, error) = verdict(&output);
            assert_eq!(status, Some(1), "{error}");
            assert!(error.starts_with(&format!("playlock: {says}")), "{error}");
        }
    }
}

#[test]
fn a_playlist_of_any_size_streams_through() {
    let config = Config::new("large", CONFIG);
    let segments: String = (0..100_000).map(|number| format!("#EXTINF:4,\nsegment-{number}.ts\n")).collect();
    let input = format!("#EXTM3U\n#EXT-X-VERSION:3\n{segments}#EXT-X-ENDLIST\n");
    let output = rewrite(&config, URL, &["--access-token", ACCESS], input.as_bytes());
    assert_eq!(verdict(&output), (Some(0), String::new()));
    let out = text(&output.stdout);
    let without: String = out
        .lines()
        .filter(|line| !line.starts_with("#EXT-X-KEY"))
        .map(|line| format!("{}\n", line.split("?hdntl=").next().unwrap()))
        .collect();
    assert!(without == input, "bytes that are not ours changed");
    assert_eq!(out.matches("hdntl=").count(), 100_001);
}

#[test]
fn the_viewers_address_counts_where_the_token_names_one() {
    let config = Config::new("address", CONFIG);
    // Made with PyPI's `akamai-edgeauth` too.
    let token = "ip=203.0.113.7~st=1700000000~exp=1700003600~acl=/*~hmac=b811515e85c16a7a2dfd5b53773ee2f5d643d1cf06e8089edc803af9798619a9";
    let from = |address| rewrite(&config, URL, &["--access-token", token, "--client-ip", address], VOD.as_bytes());
    assert_eq!(verdict(&from("203.0.113.7")), (Some(0), String::new()));
    let (status, error) = verdict(&from("203.0.113.8"));
    assert!(status == Some(1) && error.starts_with("playlock: ip: "), "{error}");
}

#[test]
fn what_is_wrong_with_the_command_is_exit_2() {
    let good = Config::new("good", CONFIG);
    let unknown =
        Config::new("unknown", &CONFIG.replace("\"enabled\": true, \"secret\"", "\"enable\": true, \"secret\""));
    let unset = Config::new("unset", &CONFIG.replace("\"SECRET\"", "\"NOT_SET_ANYWHERE\""));
    let missing = Config(PathBuf::from("/nonexistent/policies.json"));
    for (config, url, arguments, says) in [
        (&unknown, URL, vec![], "policies[0].mediaEncryption"),
        (&unset, URL, vec![], "policies[0].mediaEncryption.secret: the environment variable NOT_SET_ANYWHERE"),
        (&missing, URL, vec![], "/nonexistent/policies.json: "),
        (&good, "/vod/a.m3u8", vec![], "--url"),
        (&good, URL, vec!["--access-token", "a", "--session-token", "b"], "cannot be used with"),
        (&good, URL, vec!["--client-ip", "nowhere"], "--client-ip"),
    ] {
        let output = rewrite(config, url, &arguments, VOD.as_bytes());
        let (status, error) = verdict(&output);
        assert_eq!(status, Some(2), "{error}");
        assert!(error.contains(says), "{error}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn help_has_an_example() {
    let help = Command::new(env!("CARGO_BIN_EXE_playlock")).args(["rewrite", "--help"]).output().unwrap();
    assert!(help.status.success());
    assert!(text(&help.stdout).contains("playlock rewrite --config policies.json"));
}

#[test]
fn keys_of_every_mode_are_named() {
    let url = format!("{URL}&hdnts={ACCESS}");
    for (name, token_auth, media_encryption, key, segment) in [
        ("stream", "", r#", "keyScope": "stream""#, "URI=\"/serve.key?plk=key~dm9k~", "a.ts?plk=media~sL3ZvZC8~"),
        ("application", "", r#", "keyScope": "application""#, "URI=\"/serve.key?plk=key~dm9k~", "a.ts?plk=media~a~"),
        (
            "free",
            r#", "enforceOnContentRequest": false"#,
            "",
            "URI=\"/serve.key?plk=key~dm9k~",
            "a.ts?plk=media~sL3ZvZC8~",
        ),
        (
            "external",
            "",
            r#", "keyUrl": "https://keys.example/k{stream}?p={period}", "keyScope": "stream""#,
            "URI=\"https://keys.example/k/vod/?p=0\",IV=0x",
            "a.ts?plk=media~sL3ZvZC8~",
        ),
        (
            "configured",
            "",
            r#", "keyUrl": "https://keys.example/36.key", "key": {"env": "KEY"}"#,
            "URI=\"https://keys.example/36.key\",IV=0x",
            "a.ts?plk=media~c~",
        ),
        (
            "authorizer",
            "",
            r#", "keyAuthorizer": {"cluster": "may", "path": "/"}"#,
            "URI=\"/serve.key?plk=key~dm9k~",
            "a.ts?hdntl=",
        ),
    ] {
        let config = changed(name, token_auth, media_encryption);
        let output = rewrite(&config, &url, &[], VOD.as_bytes());
        assert_eq!(verdict(&output), (Some(0), String::new()), "{name}");
        let playlist = text(&output.stdout);
        assert!(playlist.contains(key), "{name}: {playlist}");
        assert!(playlist.lines().any(|line| line.starts_with(segment)), "{name}: {playlist}");
    }
}

#[test]
fn a_key_is_no_playlist_whoever_is_asked_for_it() {
    for (handling, expected, words) in [("deny", 1, "unanswered"), ("allow", 2, "expected the URL of a playlist")] {
        let authorizer =
            format!(r#", "keyAuthorizer": {{"cluster": "may", "path": "/", "onUnavailable": "{handling}"}}"#);
        let config = changed(&format!("asking-{handling}"), "", &authorizer);
        let output = rewrite(&config, &format!("{URL}&hdnts={ACCESS}"), &[], VOD.as_bytes());
        let playlist = text(&output.stdout);
        let key = playlist.split("URI=\"").nth(1).unwrap().split('"').next().unwrap();
        let output = rewrite(&config, &format!("https://edge.example{key}"), &[], b"");
        let (status, said) = verdict(&output);
        assert_eq!(status, Some(expected), "{said}");
        assert!(said.contains(words) && output.stdout.is_empty(), "{said}");
    }
}
