//! The limits of signatures in playlists: nothing beyond the session's paths, and nothing in clear that a viewer chose.

use alloc::format;
use alloc::string::String;

use super::tests::{hide_macs, marks, rewrite};
use super::*;
use crate::policy::encryption::Rotation;
use crate::token::acl::Acl;
use crate::token::signed::Variable;

fn rewritten(marks: &dyn Fn() -> UriRewriter, input: &str) -> Result<String, Reason> {
    let out = String::from_utf8(rewrite(marks, input.as_bytes())?).unwrap();
    Ok(hide_macs(&(out.replace("s=TOKEN", "s=T") + "\n")).trim_end().replace(super::tests::KEY, "#KEY"))
}

#[test]
fn nothing_is_signed_beyond_the_sessions_paths() {
    let within = || UriRewriter { acl: Acl::parse("/v/*"), ..marks(true, true) };
    let input = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-MAP:URI=\"/w/i.mp4\"\n#EXT-X-BYTERANGE:5@6\n#EXTINF:4,\n/w/1.mp4\n\
        #EXT-X-SESSION-DATA:URI=\"../w/d\"\n#EXT-X-CONTENT-STEERING:SERVER-URI=\"/w/s\"\n#EXT-X-DATERANGE:X-ASSET-LIST=\"/w/l\"\n\
        #EXT-X-DEFINE:NAME=\"n\",VALUE=\"v\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/w/m.m3u8\n#EXT-X-IMAGES-ONLY\n#EXTINF:4,\n/w/1.jpg\n";
    let out = rewritten(&within, input).unwrap();
    assert!(!out.replace("/k?plk=key", "").contains("plk="), "{out}");
    let everywhere = rewritten(&|| marks(true, true), input).unwrap();
    for value in ["clear&", "media~r5@6&", "document&", "variables~"] {
        assert!(everywhere.contains(value), "{value} in {everywhere}");
    }
}

#[test]
fn a_viewers_value_never_says_what_goes_out_in_clear() {
    let input = |define: &str, line: &str| format!("#EXTM3U\n#EXT-X-DEFINE:{define}\n{line}\n#EXTINF:4,\n1.mp4\n");
    let play = |encrypt: bool, text: &str| {
        let import = Variable { name: "q".into(), value: "x".into(), chosen: true };
        let variables = || Variables::new(Some("q=x".into()), alloc::vec![import.clone()]);
        rewritten(&|| UriRewriter { variables: variables(), ..marks(encrypt, true) }, text)
    };
    for define in [
        "QUERYPARAM=\"q\"",
        "IMPORT=\"q\"",
        "QUERYPARAM=\"q\"\n#EXT-X-DEFINE:NAME=\"r\",VALUE=\"{$q}\"\n#EXT-X-DEFINE:NAME=\"q2\",VALUE=\"{$r}\"",
    ] {
        let name = if define.contains("q2") { "q2" } else { "q" };
        for line in [
            "#EXT-X-MAP:URI=\"{$}/i.mp4\"",
            "#EXT-X-MAP:URI=\"i.mp4?f={$}\"",
            "#EXT-X-MAP:URI=\"i.mp4\",BYTERANGE=\"{$}@0\"",
            "#EXT-X-SESSION-DATA:DATA-ID=\"d\",URI=\"{$}\"",
            "#EXT-X-CONTENT-STEERING:SERVER-URI=\"{$}\"",
            "#EXT-X-DATERANGE:ID=\"d\",X-ASSET-LIST=\"{$}\"",
            "#EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"{$}\"",
            "#EXT-X-IMAGES-ONLY\n#EXTINF:4,\n{$}.jpg",
            "#EXT-X-IMAGES-ONLY\n#EXT-X-PART:DURATION=1,URI=\"{$}.jpg\"",
        ] {
            let text = input(define, &line.replace("{$}", &format!("{{${name}}}")));
            assert_eq!(play(true, &text), Err(Reason::Variable), "{text}");
            // Without encryption, everything is served in clear.
            assert!(play(false, &text).is_ok(), "{text}");
        }
        for line in [
            "#EXTINF:4,\n{$}.mp4",
            "#EXT-X-PART:DURATION=1,URI=\"{$}.mp4\"",
            "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{$}.mp4\"",
            "#EXT-X-MEDIA:TYPE=AUDIO,URI=\"{$}.m3u8\"",
            "#EXT-X-DATERANGE:ID=\"d\",X-ASSET-URI=\"{$}.m3u8\"",
        ] {
            let text = input(define, &line.replace("{$}", &format!("{{${name}}}")));
            assert!(play(true, &text).is_ok(), "{text}");
        }
    }
    // Nor does it decide on the key period: at the beginning of the playlist, every segment would be of the first one.
    let rotating = |text: &str| {
        let make = || {
            let mut marks =
                UriRewriter { variables: Variables::new(Some("q=x".into()), Vec::new()), ..marks(true, true) };
            marks.encryption.as_mut().unwrap().rotation = Rotation::Segments(2.try_into().unwrap());
            marks
        };
        rewritten(&make, text)
    };
    for line in [
        "#EXTINF:4,\n{$q}.mp4",
        "#EXTINF:4,\n0.mp4?f={$q}",
        "#EXT-X-PART:DURATION=1,URI=\"{$q}.mp4\"",
        "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{$q}.mp4\"",
    ] {
        assert_eq!(rotating(&input("QUERYPARAM=\"q\"", line)), Err(Reason::Variable), "{line}");
    }
    assert!(rotating(&input("QUERYPARAM=\"q\"", "#EXT-X-STREAM-INF:BANDWIDTH=1\n{$q}.m3u8")).is_ok());
    let own = input("NAME=\"q\",VALUE=\"x\"", "#EXT-X-MAP:URI=\"{$q}/i.mp4\"");
    assert!(play(true, &own).unwrap().contains("x/i.mp4?plk=clear&"));
    // The signed variables mark values that the viewer chose.
    let master = input("QUERYPARAM=\"q\"", "#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8");
    assert!(play(true, &master).unwrap().contains("v.m3u8?plk=variables~P3EAeAA&"), "{:?}", play(true, &master));
}
