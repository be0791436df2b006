//! MPDs in `rewrite`, `inspect` and `why`. That they play is shown by `watch` in `tests/watch.rs` and by
//! `tests/envoy/test_dash.py`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use std::collections::BTreeMap;

use common::{NOW, Ran, Scratch, playlock, run, vod};

const MPD: &str = r#"<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic">
<Period><AdaptationSet contentType="video"><SegmentTemplate media="$Number$.m4s" duration="4"/><Representation id="v" bandwidth="800000"/></AdaptationSet></Period>
</MPD>
"#;

/// The cases' configuration without encryption.
fn tokens_only() -> Scratch {
    let text = std::fs::read_to_string(vod("dash-base.json").path()).unwrap();
    let open = text.replace("\"mediaEncryption\": {\"enabled\": true", "\"mediaEncryption\": {\"enabled\": false");
    assert_ne!(open, text);
    Scratch::new("dash.json", open)
}

/// The URL of an MPD with an access token.
fn url(config: &Scratch) -> String {
    let url = "https://edge.example/vod/a/live.mpd";
    let ran = playlock(&["token", "--config", config.path(), "--now", NOW, "--url", url]);
    assert_eq!(ran.status, 0, "{ran:?}");
    ran.text().trim().to_owned()
}

fn rewrite(config: &Scratch, input: &str) -> Ran {
    let url = url(config);
    let arguments = ["rewrite", "--config", config.path(), "--url", &url, "--now", NOW];
    run(&arguments, input.as_bytes(), &BTreeMap::new())
}

#[test]
fn an_mpd_is_printed_rewritten() {
    let ran = rewrite(&tokens_only(), MPD);
    assert_eq!(ran.status, 0, "{ran:?}");
    let token = ran.text().split("m4s?hdntl=").nth(1).unwrap().split('"').next().unwrap();
    let expected = MPD.replace("$.m4s", &format!("$.m4s?hdntl={token}"));
    let without = |text: &str| match (text.find("<Location>"), text.find("</Location>")) {
        (Some(from), Some(to)) => text.get(..from).unwrap().to_owned() + text.get(to + "</Location>".len()..).unwrap(),
        _ => text.to_owned(),
    };
    assert!(ran.text().contains(&format!("<Location>/vod/a/live.mpd?hdntl={token}</Location>")), "{ran:?}");
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(squeezed(&without(ran.text())), squeezed(&expected));
}

#[test]
fn a_refused_mpd_names_what_is_wrong() {
    let config = tokens_only();
    for (input, part) in [
        ("<html/>", "mpd: The origin's MPD is not an MPD, or has something that is not served: the root element"),
        ("", "mpd: "),
        ("<!DOCTYPE MPD><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"/>", "mpd: "),
        (&MPD.replace("<Period>", "<Period xlink:href=\"x\" xmlns:xlink=\"http://www.w3.org/1999/xlink\">"), "xlink"),
        (&MPD.replace("</MPD>", ""), "mpd: "),
    ] {
        let ran = rewrite(&config, input);
        assert_eq!(ran.status, 1, "{input}: {ran:?}");
        assert!(ran.errors.contains("\nplaylock: mpd: ") && ran.errors.contains(part), "{input}: {ran:?}");
    }
    let encrypting = rewrite(&vod("dash-encrypting.json"), MPD);
    assert!(encrypting.status == 1 && encrypting.errors.contains("\nplaylock: dash: "), "{encrypting:?}");
}

#[test]
fn the_tokens_of_an_mpd_are_inspected() {
    let config = tokens_only();
    let text = rewrite(&config, MPD);
    let arguments =
        ["inspect", "--now", NOW, "--config", config.path(), "--url", "https://edge.example/vod/a/live.mpd"];
    let good = run(&arguments, text.output.as_slice(), &BTreeMap::new());
    assert_eq!(good.status, 0, "{good:?}");
    for part in ["MPD\n", "live (dynamic)", "representation v", "video, 800 kbit/s", "session token in 2 of 2 URIs"] {
        assert!(good.text().contains(part), "{part}: {good:?}");
    }
    let wrong = run(&arguments, b"<html/>", &BTreeMap::new());
    assert!(wrong.status == 1 && wrong.errors.contains("root element is html"), "{wrong:?}");
}

#[test]
fn why_knows_an_mpd_by_its_path() {
    let config = tokens_only();
    let ran = playlock(&["why", "--config", config.path(), "--now", NOW, &url(&config)]);
    assert!(ran.status == 0 && ran.text().contains("as playlist"), "{ran:?}");
    let config = vod("dash-why.json");
    let ran = playlock(&["why", "--config", config.path(), "--now", NOW, &url(&config)]);
    assert!(ran.text().contains("refused (dash)"), "{ran:?}");
}
