//! Playlists before and after, whole and cut into chunks of every size.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::http::authority::Scheme;
use crate::http::base::Base;
use crate::policy::encryption::Rotation;
use crate::policy::encryption::{IvMode, OnEncryptedOrigin};
use crate::token::acl::Acl;
use crate::token::derive::{KeyScope, Keyring, Secret};

pub(super) const KEY: &str = "#EXT-X-KEY:METHOD=AES-128,URI=\"/k\",IV=0x00";

pub(super) fn marks(encrypt: bool, token: bool) -> UriRewriter {
    UriRewriter {
        base: Base::new(Scheme::Https, "h", "/v/m.m3u8", &["cdn".into()]),
        token: token.then(|| SessionLink::Parameter("s=TOKEN".into())),
        content: None,
        token_on_content: true,
        acl: Acl::parse("*"),
        session: Some([0; 16]),
        ours: alloc::rc::Rc::new(["plk".into(), "s".into()]),
        keyring: Keyring::new(&Secret::new(alloc::vec![1; 16]).unwrap(), "p"),
        encryption: encrypt.then(|| Encryption {
            scope: KeyScope::Session([0; 16]),
            source: KeySource::Endpoint { path: "/k".into(), policy: "p".into(), session: "i".into() },
            rotation: Rotation::Never,
            iv_mode: IvMode::Explicit,
            on_encrypted_origin: OnEncryptedOrigin::Deny,
            samples: None,
            packaged: None,
        }),
        variables: Variables::default(),
        unservable: Rc::default(),
    }
}

/// Rewrites whole and in chunks of several sizes; the result must not depend on them.
pub(super) fn rewrite(marks: &dyn Fn() -> UriRewriter, input: &[u8]) -> Result<Vec<u8>, Reason> {
    let mut results = Vec::new();
    for size in [input.len().max(1), 1, 7, 16] {
        let mut rewriter = Rewriter::new(marks());
        let mut out = Vec::new();
        let outcome = input
            .chunks(size)
            .try_for_each(|chunk| {
                let mut ready = Vec::new();
                rewriter.push(chunk, &mut ready)?;
                out.append(&mut ready);
                Ok(())
            })
            .and_then(|()| rewriter.finish(&mut out));
        results.push(outcome.map(|()| out));
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "depends on the chunks: {results:?}");
    results.remove(0).map(|out| with_short_key(&marks(), &out))
}

/// Writes the EXT-X-KEY of the only period as [`KEY`].
fn with_short_key(marks: &UriRewriter, out: &[u8]) -> Vec<u8> {
    let explicit = |encryption: &&Encryption| encryption.iv_mode == IvMode::Explicit;
    let Some(encryption) = marks.encryption.as_ref().filter(explicit) else { return out.to_vec() };
    let line = key_line("AES-128", &marks.key_uri(encryption, 0), Some(marks.keyring.iv(&encryption.scope, 0)));
    let short = |text: &[u8]| match text.strip_suffix(b"\r").unwrap_or(text) == line.as_bytes() {
        true => [KEY.as_bytes(), &text[line.len()..]].concat(),
        false => text.to_vec(),
    };
    out.split(|byte| *byte == b'\n').map(short).collect::<Vec<_>>().join(&b'\n')
}

fn rewrite_with(marks: &dyn Fn() -> UriRewriter, input: &[u8]) -> Result<String, Reason> {
    // The signed parameter's MAC is checked where it is read.
    rewrite(marks, input).map(|out| hide_macs(&String::from_utf8_lossy(&out).replace("s=TOKEN", "s=T")))
}

/// Takes the MAC, the last field, out of every signed parameter.
pub(super) fn hide_macs(text: &str) -> String {
    let mut pieces = text.split("plk=");
    let mut out = pieces.next().unwrap_or_default().to_string();
    for piece in pieces {
        let (value, rest) = piece.split_once('&').unwrap();
        out += &alloc::format!("plk={}&{rest}", value.rsplit_once('~').unwrap().0);
    }
    out
}

fn encrypted(input: &str) -> Result<String, Reason> {
    rewrite_with(&|| marks(true, true), input.as_bytes())
}

#[test]
fn the_key_stands_before_the_first_segment() {
    assert_eq!(
        encrypted(
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n#EXTINF:4,\nb.ts\n#EXT-X-ENDLIST\n"
        )
        .unwrap(),
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n".to_string()
            + KEY
            + "\n#EXTINF:4,\na.ts?s=T\n#EXTINF:4,\nb.ts?s=T\n#EXT-X-ENDLIST\n"
    );
}

#[test]
fn line_ends_and_a_missing_last_one_stay_and_a_bom_goes() {
    assert_eq!(
        encrypted("\u{feff}#EXTM3U\r\n#EXT-X-VERSION:3\r\n#EXTINF:4,\r\n a.ts \t\r\n\r\n#EXTINF:4,\r\nb.ts").unwrap(),
        "#EXTM3U\r\n#EXT-X-VERSION:3\r\n".to_string()
            + KEY
            + "\r\n#EXTINF:4,\r\n a.ts?s=T \t\r\n\r\n#EXTINF:4,\r\nb.ts?s=T"
    );
}

#[test]
fn an_init_section_is_clear_and_out_of_the_keys_scope() {
    assert_eq!(
        encrypted(
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:4,\na.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"j.mp4\"\n#EXTINF:4,\nb.m4s\n"
        )
        .unwrap(),
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-MAP:URI=\"i.mp4?plk=clear&s=T\"\n".to_string()
            + KEY
            + "\n#EXTINF:4,\na.m4s?s=T\n#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-MAP:URI=\"j.mp4?plk=clear&s=T\"\n"
            + KEY
            + "\n#EXTINF:4,\nb.m4s?s=T\n"
    );
}

#[test]
fn segments_of_other_hosts_are_out_of_the_keys_scope() {
    assert_eq!(
        encrypted(
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:4,\na.ts\n#EXTINF:4,\n#EXT-X-GAP\nhttps://ads/x.ts?y\n#EXTINF:4,\nhttps://CDN:443/b.ts#f\n"
        )
        .unwrap(),
        "#EXTM3U\n#EXT-X-VERSION:3\n".to_string()
            + KEY
            + "\n#EXTINF:4,\na.ts?s=T\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\n#EXT-X-GAP\nhttps://ads/x.ts?y\n"
            + KEY
            + "\n#EXTINF:4,\nhttps://CDN:443/b.ts?s=T#f\n"
    );
}

#[test]
fn master_playlists_get_tokens_and_no_key() {
    let input = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"a,URI=b\",URI=\"a.m3u8\"\n#EXT-X-I-FRAME-STREAM-INF:URI=\"i.m3u8?x=1\",BANDWIDTH=1\n\
        #EXT-X-SESSION-DATA:DATA-ID=\"d\",URI=\"/d.json\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\n# comment\nv.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhttps://other/v.m3u8\n\
        #EXT-X-CONTENT-STEERING:SERVER-URI=\"/steer\",PATHWAY-ID=\"p\"\n";
    assert_eq!(
        encrypted(input).unwrap(),
        "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"a,URI=b\",URI=\"a.m3u8?s=T\"\n#EXT-X-I-FRAME-STREAM-INF:URI=\"i.m3u8?x=1&s=T\",BANDWIDTH=1\n\
        #EXT-X-SESSION-DATA:DATA-ID=\"d\",URI=\"/d.json?plk=clear&s=T\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\n# comment\nv.m3u8?s=T\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhttps://other/v.m3u8\n\
        #EXT-X-CONTENT-STEERING:SERVER-URI=\"/steer?plk=document&s=T\",PATHWAY-ID=\"p\"\n"
    );
}

#[test]
fn low_latency_tags_are_covered() {
    assert_eq!(
        encrypted(
            "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXTINF:4,\na.m4s\n#EXT-X-PART:DURATION=1,URI=\"p.m4s\"\n\
             #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"q.m4s\"\n#EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"n.mp4\"\n#EXT-X-RENDITION-REPORT:URI=\"../w/m.m3u8\",LAST-MSN=1\n"
        )
        .unwrap(),
        "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n".to_string()
            + KEY
            + "\n#EXTINF:4,\na.m4s?s=T\n#EXT-X-PART:DURATION=1,URI=\"p.m4s?s=T\"\n\
             #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"q.m4s?s=T\"\n#EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"n.mp4?plk=clear&s=T\"\n#EXT-X-RENDITION-REPORT:URI=\"../w/m.m3u8?s=T\",LAST-MSN=1\n"
    );
}

#[test]
fn the_version_is_raised_in_place_or_inserted_once() {
    let body = "#EXTINF:4,\na.ts\n";
    assert!(
        encrypted(&("#EXTM3U\n#EXT-X-VERSION:1\n".to_string() + body))
            .unwrap()
            .contains("#EXT-X-VERSION:2\n#EXT-X-KEY")
    );
    let inserted = encrypted(&("#EXTM3U\n".to_string() + body + "#EXT-X-VERSION:1\n")).unwrap();
    assert_eq!(inserted.matches("#EXT-X-VERSION").count(), 1);
    assert!(inserted.starts_with("#EXTM3U\n#EXT-X-VERSION:2\n#EXT-X-KEY"));
}

#[test]
fn the_origins_clear_segments_are_encrypted_and_its_encrypted_ones_refused() {
    let plain = encrypted("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\na.ts\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\nb.ts\n").unwrap();
    assert!(!plain.contains("NONE") && plain.matches("#EXT-X-KEY").count() == 1);
    for (tag, reason) in [
        ("#EXT-X-KEY:METHOD=AES-128,URI=\"k\"", Reason::Encrypted),
        ("#EXT-X-KEY:URI=\"k\"", Reason::Encrypted),
        (" #EXT-X-KEY: METHOD=SAMPLE-AES,URI=\"k\"", Reason::Encrypted),
        ("#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\"", Reason::Encrypted),
        ("#EXT-X-BYTERANGE:0@0\n#EXTINF:1,\na.ts", Reason::Byterange),
        ("#EXT-X-BYTERANGE:1\n#EXTINF:1,\na.ts", Reason::Byterange),
        ("#EXT-X-MAP:URI=\"i\",BYTERANGE=\"x@0\"", Reason::Byterange),
        ("#EXT-X-PART:URI=\"i\",BYTERANGE=\"1\"", Reason::Byterange),
        ("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"i\",BYTERANGE-START=1,BYTERANGE-LENGTH=x", Reason::Byterange),
    ] {
        assert_eq!(encrypted(&("#EXTM3U\n".to_string() + tag + "\n")), Err(reason), "{tag}");
    }
}

#[test]
fn byte_ranges_become_resources_of_their_own() {
    let output = encrypted(
        "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-MAP:URI=\"all.mp4\",BYTERANGE=\"720@0\"\n#EXTINF:4,\n#EXT-X-BYTERANGE:100@720\nall.mp4\n\
         #EXT-X-BYTERANGE:50\n#EXTINF:4,\nall.mp4\n#EXTINF:4,\n#EXT-X-BYTERANGE:9@1\nhttps://ads/x.mp4\n#EXT-X-PART:DURATION=1,URI=\"p.mp4\",BYTERANGE=\"10@0\"\n\
         #EXT-X-PART:BYTERANGE=\"20\",DURATION=1,URI=\"p.mp4\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p.mp4\",BYTERANGE-START=30,BYTERANGE-LENGTH=40\n\
         #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p.mp4\",BYTERANGE-START=70\n",
    )
    .unwrap();
    assert_eq!(
        output,
        "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-MAP:URI=\"all.mp4?plk=clear~r720@0&s=T\"\n".to_string()
            + KEY
            + "\n#EXTINF:4,\nall.mp4?plk=media~r100@720&s=T\n#EXTINF:4,\nall.mp4?plk=media~r50@820&s=T\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\n#EXT-X-BYTERANGE:9@1\nhttps://ads/x.mp4\n"
            + KEY
            + "\n#EXT-X-PART:DURATION=1,URI=\"p.mp4?plk=media~r10@0&s=T\"\n#EXT-X-PART:DURATION=1,URI=\"p.mp4?plk=media~r20@10&s=T\"\n\
               #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p.mp4?plk=media~r40@30&s=T\"\n"
    );
}

#[test]
fn without_encryption_only_tokens_go_in() {
    let input = "#EXTM3U\n#EXT-X-VERSION:1\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-MAP:URI=\"i.mp4\",BYTERANGE=\"1@0\"\n#EXT-X-BYTERANGE:1@0\n#EXTINF:4,\na.ts\n";
    assert_eq!(
        rewrite_with(&|| marks(false, true), input.as_bytes()).unwrap(),
        input.replace("\"k\"", "\"k?s=T\"").replace("i.mp4", "i.mp4?s=T").replace("a.ts", "a.ts?s=T")
    );
    assert_eq!(rewrite_with(&|| marks(false, false), input.as_bytes()).unwrap(), input);
}

#[test]
fn what_is_no_playlist_is_refused() {
    for input in ["", "\n#EXTM3U\n", "#EXTM3", "#EXTM3U8\n", "<html>", "#EXTINF:4,\na.ts\n"] {
        assert_eq!(encrypted(input), Err(Reason::Playlist), "{input:?}");
    }
    let endless = "#EXTM3U\n".to_string() + &"a".repeat(line::MAX_LINE + 1);
    assert_eq!(rewrite_with(&|| marks(true, true), endless.as_bytes()), Err(Reason::Line));
    let many = "#EXTM3U\n#EXTINF:4,\n".to_string() + &"# comment\n".repeat(line::MAX_LINE / 10);
    assert_eq!(rewrite_with(&|| marks(true, true), many.as_bytes()), Err(Reason::Line));
}

#[test]
fn the_first_bytes_tell_as_soon_as_they_can() {
    for (bytes, expected) in [
        (&b""[..], None),
        (b"\xef\xbb", None),
        (b"\xef\xbb\xbf", None),
        (b"#EXTM3", None),
        (b"#EXTM3U", None),
        (b"#EXTM3U\n", Some(true)),
        (b"\xef\xbb\xbf \t#EXTM3U x-tvg-url=1", Some(true)),
        (b"#EXTM3U8", Some(false)),
        (b"<html>", Some(false)),
        (b"\xef\xbbx", Some(false)),
        (&[b' '; 2000], Some(false)),
    ] {
        assert_eq!(is_playlist(bytes), expected, "{bytes:?}");
    }
    assert_eq!(encrypted("#EXTM3U x-tvg-url=1\n").unwrap(), "#EXTM3U x-tvg-url=1\n");
}

#[test]
fn bytes_that_are_not_ours_stay() {
    let mut input = b"#EXTM3U\n#EXT-X-UNKNOWN:URI=\"x\"\n#EXT-X-MEDIA:NAME=\"Fran\xe7ais\",URI=\"f.m3u8\"\n#EXT-X-DATERANGE:ID=\"x\",X-OTHER=\"\xff\"\n".to_vec();
    input.extend_from_slice(b"#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n");
    let out = rewrite(&|| marks(true, true), &input).unwrap();
    let expected = b"#EXTM3U\n#EXT-X-UNKNOWN:URI=\"x\"\n#EXT-X-MEDIA:NAME=\"Fran\xe7ais\",URI=\"f.m3u8?s=TOKEN\"\n#EXT-X-DATERANGE:ID=\"x\",X-OTHER=\"\xff\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8?s=TOKEN\n";
    assert_eq!(out, expected);
}

#[test]
fn uris_that_nobody_will_get_are_counted() {
    for (uri, count) in [
        ("a.ts", 0),
        ("a%20b.ts", 0),
        ("%C3%BC.ts", 0),
        ("%FC.ts", 1),
        ("a%2520.ts", 1),
        ("a%23.ts?x=1", 1),
        ("/v/a%3F.ts", 1),
        ("https://h/a%5C.ts", 1),
        ("https://elsewhere/a%5C.ts", 0),
        ("a%09.ts", 1),
    ] {
        let marks = marks(true, true);
        let unservable = Rc::clone(&marks.unservable);
        let mut rewriter = Rewriter::new(marks);
        let mut out = Vec::new();
        let text =
            format!("#EXTM3U\n#EXTINF:4,\nfirst.ts\n#EXTINF:4,\n{uri}\n#EXTINF:4,\nlast-of-all.ts\n#EXT-X-ENDLIST\n");
        rewriter.push(text.as_bytes(), &mut out).unwrap();
        assert_eq!(unservable.count(), count, "{uri}");
        assert_eq!(unservable.first(), if count == 1 { uri } else { "" });
        assert!(out.windows(uri.len()).any(|window| window == uri.as_bytes()) || uri.contains('?'), "it goes out");
    }
}
