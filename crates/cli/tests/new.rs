//! `playlock new` writes what `check` finds good, with secrets of its own each time; and completions for shells.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::{fs, path::Path};

use common::{Scratch, playlock, run};

const MPD: &str = r#"<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet mimeType="video/mp4">
<SegmentTemplate media="$Number$.m4s" initialization="i.mp4" duration="4"/><Representation id="v" bandwidth="1"/>
</AdaptationSet></Period></MPD>"#;

/// The variables of a file for shells.
fn variables(path: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap()).collect()
}

#[test]
fn what_is_new_is_good_and_never_the_same() {
    // A name that is free, below which a directory can be.
    let place = Scratch::new("new", "");
    let directory = format!("{}.d/edge", place.path());
    let made = playlock(&["new", &directory, "--name", "films", "--path", "/films", "--host", "tv.example"]);
    assert_eq!((made.status, made.text().lines().count()), (0, 3), "{made:?}");
    let directory = Path::new(&directory);
    let config = directory.join("policies.json");
    let config = config.to_str().unwrap();
    let env = variables(&directory.join(".env"));
    assert!(env.values().all(|value| value.len() == 64) && env.len() == 2, "{env:?}");
    let mode = fs::metadata(directory.join(".env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let check = run(&["check", "--config", config], &[], &env);
    assert_eq!((check.status, check.text()), (0, "good: 1 policy, 1 assignment, 0 warnings\n"));
    let url = run(&["token", "--config", config, "--url", "https://tv.example/films/a/master.m3u8"], &[], &env);
    let why = run(&["why", url.text().trim(), "--config", config], &[], &env);
    assert_eq!((why.status, why.text().lines().next()), (0, Some("passes, as playlist")));
    // MPDs are encrypted, too.
    let mpd = run(&["token", "--config", config, "--url", "https://tv.example/films/a/manifest.mpd"], &[], &env);
    let mpd = run(&["rewrite", "--config", config, "--url", mpd.text().trim()], MPD.as_bytes(), &env);
    assert!(mpd.status == 0 && mpd.text().contains("value=\"cbcs\"") && mpd.text().contains("/license?"), "{mpd:?}");
    let page = fs::read_to_string(directory.join("policies.md")).unwrap();
    assert!(page.contains("https://tv.example/films/master.m3u8") && !env.values().any(|value| page.contains(value)));

    let again = playlock(&["new", directory.to_str().unwrap()]);
    assert!(again.status == 2 && again.errors.contains("policies.json: exists already"), "{again:?}");
    assert_eq!(variables(&directory.join(".env")), env);
    let other = directory.join("other");
    assert_eq!(playlock(&["new", other.to_str().unwrap()]).status, 0);
    let others = variables(&other.join(".env"));
    assert!(env.iter().all(|(name, value)| others[name] != *value));
    for wrong in [["--path", "films"], ["--name", ""], ["--host", "a/b"]] {
        let ran = playlock(&[&["new", directory.join("wrong").to_str().unwrap()], &wrong[..]].concat());
        assert_eq!(ran.status, 2, "{wrong:?}");
        assert!(ran.errors.starts_with(&format!("playlock: {}: ", wrong[0])), "{ran:?}");
        assert!(!directory.join("wrong").exists());
    }
    fs::remove_dir_all(directory.parent().unwrap()).unwrap();
}

#[test]
fn every_shell_completes_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = playlock(&["completions", shell]);
        assert_eq!(ran.status, 0);
        for command in
            ["check", "decrypt", "ecds", "inspect", "key", "new", "rewrite", "schema", "speke", "token", "watch", "why"]
        {
            assert!(ran.text().contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn every_command_helps_with_examples() {
    let help = playlock(&["--help"]);
    let commands = help.text().split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap().lines();
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() >= 12, "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        let help = playlock(&[command, "--help"]);
        assert!(
            help.status == 0
                && help.text().contains("Example")
                && help.text().contains(&format!("playlock {command} ")),
            "{help:?}"
        );
    }
}
