//! `playlock check` as a user runs it: what it says of good, odd and bad configurations, and with which exit status.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::{env, fs, process};

/// 2030-01-01.
const NOW: &str = "1893456000";

fn check(name: &str, text: &str) -> Output {
    check_with(name, text, &[])
}

fn check_with(name: &str, text: &str, options: &[&str]) -> Output {
    let path: PathBuf = env::temp_dir().join(format!("playlock-check-{}-{name}.json", process::id()));
    fs::write(&path, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_playlock"))
        .args(["check", "--now", NOW, "--config"])
        .arg(&path)
        .args(options)
        .env("PASSWORD", "52a152a152a152a152a152a152a152a1")
        .env_remove("UNSET")
        .output()
        .unwrap();
    fs::remove_file(path).unwrap();
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_good_one() {
    let output = check(
        "good",
        r#"{"policies": [{"policyName": "a", "tokenAuth": {"enabled": true, "password": {"env": "PASSWORD"}}}],
            "assignments": [{"policyName": "a", "path": "/..."}]}"#,
    );
    assert_eq!(text(&output.stdout), "good: 1 policy, 1 assignment, 0 warnings\n");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn what_is_hardly_meant_so_is_said_with_its_json_path() {
    let output = check(
        "odd",
        r#"{"policies": [
              {"policyName": "a", "tokenAuth": {"enabled": true, "password": "52a152a152a152a152a152a152a152a1"}},
              {"policyName": "b", "tokenAuth": {"enabled": true, "password": {"env": "UNSET"}},
               "contentTargeting": {"enabled": true, "denyAnonymousProxies": true,
                 "geoProtection": {"enabled": true, "mode": "DENY", "countries": [{"countryCode": "DE"}], "dmas": [{"dmaCode": "501"}]}}},
              {"policyName": "c"}],
            "assignments": [
              {"policyName": "a", "path": "/past", "endTime": "2029-12-31"},
              {"policyName": "a", "path": "/vod"},
              {"policyName": "b", "path": "/vod/...", "startTime": "2029-12-31"},
              {"policyName": "b", "path": "/vod", "startTime": "2031-01-01", "endTime": "2032-01-01"}]}"#,
    );
    let said = text(&output.stdout);
    let lines: Vec<&str> = said.lines().collect();
    for (line, part) in [
        (0, "warning: policies[0].tokenAuth.password: the secret stands in the configuration"),
        (1, "warning: the environment variable UNSET is not set here"),
        (2, "warning: geoHeaders: policies read x-geo-country, x-geo-dma, x-geo-anonymous-proxy, which only"),
        (3, "warning: assignments[0].endTime: has passed"),
        (4, "warning: assignments[1]: never applies"),
        (5, "warning: policies[2]: no assignment names the policy \"c\""),
        (6, "good: 3 policies, 4 assignments, 6 warnings"),
    ] {
        assert!(lines[line].starts_with(part), "{said}");
    }
    assert_eq!((lines.len(), output.status.code()), (7, Some(0)), "{said}");
    assert!(!said.contains("52a1"));
}

/// Where viewers get keys, and the assignments with which they get none.
#[test]
fn viewers_urls_that_no_assignment_reaches() {
    for (url, path, other, reached) in [
        ("/vod/{contentId}/keys", "/...", "/live/...", true),
        ("/vod/{contentId}/keys", "/vod", "/...", true),
        ("/vod/{contentId}/keys", "/vod/film/keys", "/...", true),
        ("/vod/{contentId}/keys", "/vod/film", "/vod", true),
        ("https://tv.example/{contentId}", "/vod", "/...", true),
        ("/vod/{contentId}/keys", "/films", "/...", false),
        ("/vod/{contentId}/keys", "/vodka", "/...", false),
        ("/vod/{contentId}/keys", "/...", "/vod", false),
    ] {
        let speke = format!(
            r#"{{"path": "/speke", "viewerUrl": "{url}", "requesters": [{{"name": "p", "token": {{"env": "UNSET"}}, "contentIds": ["*"]}}]}}"#
        );
        let config = |more: &str| {
            format!(
                r#"{{"holdHeaders": true, "policies": [
                  {{"policyName": "a", "mediaEncryption": {{"enabled": true, "secret": {{"env": "UNSET"}}, "speke": {speke}}}}},
                  {{"policyName": "b"}}],
                "assignments": [{{"policyName": "a", "path": "{path}"}}, {{"policyName": "b", "path": "{other}"}}]{more}}}"#
            )
        };
        let warned = |config: &str| {
            let output = check("viewers", config);
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
            text(&output.stdout)
                .contains("warning: policies[0].mediaEncryption.speke.viewerUrl: no assignment puts paths below")
        };
        assert_eq!(!warned(&config("")), reached, "{url} {path} {other}");
        assert!(!warned(&config(r#", "routePolicy": true"#)), "{url} {path} {other}");
    }
}

#[test]
fn as_json() {
    let run = |config: &str| {
        let path = env::temp_dir().join(format!("playlock-check-{}-as-json.json", process::id()));
        fs::write(&path, config).unwrap();
        let command = env!("CARGO_BIN_EXE_playlock");
        let output = Command::new(command).args(["check", "--json", "--config"]).arg(&path).output().unwrap();
        fs::remove_file(path).unwrap();
        (output.status.code(), serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap())
    };
    let (status, said) = run(r#"{"policies": [{"policyName": "a"}], "assignments": []}"#);
    assert_eq!((status, &said["good"], &said["errors"]), (Some(0), &true.into(), &serde_json::json!([])));
    assert_eq!(said["warnings"], serde_json::json!(["policies[0]: no assignment names the policy \"a\""]));
    let (status, said) = run(r#"{"policies": [], "assignments": [], "polices": 1}"#);
    assert_eq!((status, &said["good"]), (Some(2), &false.into()));
    assert!(said["errors"][0].as_str().unwrap().contains("polices: unknown field"));
}

/// By path and name, what follows, and never a value; values of variables count where they are set.
#[test]
fn weak_secrets_are_warned_of() {
    let config = |password: &str, secret: &str| {
        format!(
            r#"{{"policies": [{{"policyName": "films", "tokenAuth": {{"enabled": true, "password": {password}}},
            "mediaEncryption": {{"enabled": true, "secret": {secret}}}}}], "assignments": [{{"policyName": "films", "path": "/..."}}]}}"#
        )
    };
    let variable = r#"{"env": "PASSWORD"}"#;
    let unknown = r#"{"env": "UNSET"}"#;
    for (name, password, secret, expected) in [
        (
            "short",
            r#""c0ffee""#,
            variable,
            Some(
                "warning: policies[0].tokenAuth.password: 3 bytes in the policy \"films\": anyone with one access token finds the password offline in at most 2^24 guesses",
            ),
        ),
        (
            "same",
            variable,
            variable,
            Some(
                "warning: policies[0].mediaEncryption.secret: in the policy \"films\" this is the same as policies[0].tokenAuth.password: whoever signs access tokens could derive every content key",
            ),
        ),
        (
            "copied",
            r#""52A152A152A152A152A152A152A152A1""#,
            variable,
            Some("warning: policies[0].mediaEncryption.secret: in the policy \"films\" this is the same as"),
        ),
        (
            "both-unknown",
            unknown,
            unknown,
            Some("warning: policies[0].mediaEncryption.secret: in the policy \"films\" this is the same as"),
        ),
        ("unknown", unknown, variable, None),
    ] {
        let said = text(&check(name, &config(password, secret)).stdout);
        let found: Vec<&str> = said.lines().filter(|line| line.contains("in the policy")).collect();
        assert_eq!(found.len(), usize::from(expected.is_some()), "{name}: {said}");
        assert!(found.iter().zip(expected).all(|(line, expected)| line.starts_with(expected)), "{name}: {said}");
        assert!(!said.contains("c0ffee") && !said.contains("52a1") && !said.contains("52A1"), "{name}: {said}");
    }
}

#[test]
fn warnings_can_be_denied() {
    let weak = r#"{"policies": [{"policyName": "a", "tokenAuth": {"enabled": true, "password": "00"},
        "mediaEncryption": {"enabled": true, "secret": {"env": "PASSWORD"}}}], "assignments": [{"policyName": "a", "path": "/..."}]}"#;
    let good = weak.replace(r#""00""#, r#"{"env": "OTHER"}"#);
    assert_eq!(check("deny-not", weak).status.code(), Some(0));
    let output = check_with("deny", weak, &["--deny-warnings"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "playlock: 2 warnings, expected none (--deny-warnings)\n");
    assert!(text(&output.stdout).contains("warning: policies[0].tokenAuth.password: 1 byte in"), "{output:?}");
    let output = check_with("deny-json", weak, &["--deny-warnings", "--json"]);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &said["good"]), (Some(1), &false.into()), "{said}");
    assert_eq!(said["warnings"].as_array().map(Vec::len), Some(2), "{said}");
    let output = check_with("deny-none", &good.replace("OTHER", "HOME_OF_KEYS"), &["--deny-warnings"]);
    assert_eq!(output.status.code(), Some(1), "the variable is not set: {output:?}");
}

#[test]
fn a_variable_that_is_not_set_is_this_shells() {
    let config = r#"{"policies": [{"policyName": "a", "tokenAuth": {"enabled": true, "password": {"env": "UNSET"}}}], "assignments": []}"#;
    let path = env::temp_dir().join(format!("playlock-check-{}-unset.json", process::id()));
    fs::write(&path, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_playlock"));
    let output = command.args(["token", "--acl", "/*", "--config"]).arg(&path).env_remove("UNSET").output().unwrap();
    fs::remove_file(path).unwrap();
    let said = text(&output.stderr);
    let expected =
        "policies[0].tokenAuth.password: the environment variable UNSET is not set in this shell's environment\n";
    assert!(said.ends_with(expected), "{said}");
}

/// A line for each, and the same in JSON.
#[test]
fn all_errors_are_printed() {
    let config = r#"{"policies": [
        {"policyName": "a", "tokenAuth": {"enabled": true, "password": "xyzzy"}, "cors": {"allowOrigins": []}},
        {"policyName": "b", "tokenauth": {}}],
        "assignments": [{"policyName": "a", "path": "/a"}, {"policyName": "c", "path": "/..."}], "default": "allow"}"#;
    let starts = [
        "default: unknown variant `allow`",
        "policies[0].tokenAuth.password: found 5 characters that are not all hex digits",
        "policies[0].cors.allowOrigins: found none",
        "policies[1].tokenauth: unknown field `tokenauth`",
        "assignments[1].policyName: found \"c\"",
    ];
    let output = check("all", config);
    let said = text(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((lines.len(), output.status.code(), text(&output.stdout)), (5, Some(2), String::new()), "{said}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.split_once(".json: ").is_some_and(|(_, error)| error.starts_with(start)), "{line}");
    }
    assert!(!said.contains("xyzzy"));
    let output = check_with("all-json", config, &["--json"]);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors = said["errors"].as_array().unwrap();
    assert_eq!((errors.len(), output.status.code(), &said["good"]), (5, Some(2), &false.into()), "{said}");
    assert!(errors[4].as_str().unwrap().contains(".json: assignments[1].policyName: "), "{said}");
}

#[test]
fn a_bad_one() {
    for (name, config, path) in [
        ("json", "{", ".json: $: EOF"),
        ("member", r#"{"policies": [], "assignments": [], "polices": 1}"#, "polices: unknown field"),
        (
            "secret",
            r#"{"policies": [{"policyName": "a", "tokenAuth": {"enabled": true, "password": "xyzzy"}}], "assignments": []}"#,
            "policies[0].tokenAuth.password: found 5 characters that are not all hex digits",
        ),
    ] {
        let output = check(name, config);
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()), "{said}");
        assert!(said.contains(path) && !said.contains("xyzzy"), "{said}");
    }
}
