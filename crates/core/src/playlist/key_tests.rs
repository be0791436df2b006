//! Keys over a playlist: periods, IVs, media that is not ours to encrypt, and variables in URIs.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::tests::{hide_macs, marks, rewrite};
use super::*;
use crate::policy::encryption::Rotation;
use crate::policy::encryption::{IvMode, OnEncryptedOrigin};
use crate::token::signed::Variable;

/// Rewrites under a changed encryption. Keys are written as `#KEY` and their period, or as `#KEY` alone without an IV.
fn keyed(change: &dyn Fn(&mut Encryption), input: &str) -> Result<String, Reason> {
    rewritten(
        &|| {
            let mut marks = marks(true, true);
            marks.encryption.as_mut().map(change).unwrap();
            marks
        },
        input,
    )
}

fn rewritten(marks: &dyn Fn() -> UriRewriter, input: &str) -> Result<String, Reason> {
    let out = String::from_utf8(rewrite(marks, input.as_bytes())?).unwrap();
    let short = |line: &str| match line.strip_prefix("#EXT-X-KEY:METHOD=AES-128,URI=\"/k?plk=key~cA~i~") {
        Some(rest) => alloc::format!(
            "#KEY {}{}",
            rest.split(['~', '&']).next().unwrap(),
            if rest.contains(",IV=0x") { " iv" } else { "" }
        ),
        None if line == super::tests::KEY => "#KEY 0 iv".to_string(),
        None => line.to_string(),
    };
    let lines: Vec<_> = hide_macs(&out.replace("s=TOKEN", "s=T")).lines().map(short).collect();
    Ok(lines.join("\n"))
}

fn segments(count: usize) -> String {
    (0..count).map(|number| alloc::format!("#EXTINF:4,\n{number}.ts\n")).collect()
}

#[test]
fn the_key_changes_with_the_media_sequence_number() {
    let every_two = |encryption: &mut Encryption| encryption.rotation = Rotation::Segments(2.try_into().unwrap());
    let live = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-MEDIA-SEQUENCE:3\n".to_string() + &segments(4);
    assert_eq!(
        keyed(&every_two, &live).unwrap(),
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-MEDIA-SEQUENCE:3\n#KEY 1 iv\n#EXTINF:4,\n0.ts?plk=media~p1&s=T\n\
         #KEY 2 iv\n#EXTINF:4,\n1.ts?plk=media~p2&s=T\n#EXTINF:4,\n2.ts?plk=media~p2&s=T\n#KEY 3 iv\n#EXTINF:4,\n3.ts?plk=media~p3&s=T"
    );
    // 8 s of 4 s each are the same two.
    let every_8_s = |encryption: &mut Encryption| encryption.rotation = Rotation::Seconds(9);
    let timed = live.replace("#EXT-X-MEDIA", "#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA");
    assert_eq!(
        keyed(&every_8_s, &timed).unwrap().replace("#EXT-X-TARGETDURATION:4\n", ""),
        keyed(&every_two, &live).unwrap()
    );
    assert_eq!(keyed(&every_two, &live.replace(":3\n#EXTINF", ":x\n#EXTINF")), Err(Reason::Playlist));
    assert_eq!(keyed(&every_two, &(live + "#EXT-X-MEDIA-SEQUENCE:3\n")), Err(Reason::Playlist));
}

#[test]
fn parts_hints_and_skips_are_counted() {
    let every_two = |encryption: &mut Encryption| encryption.rotation = Rotation::Segments(2.try_into().unwrap());
    let input = "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n\
        #EXT-X-PART:DURATION=1,URI=\"13.0.mp4\"\n#EXT-X-PART:DURATION=1,URI=\"13.1.mp4\"\n#EXTINF:4,\n13.mp4\n#EXT-X-PART:DURATION=1,URI=\"14.0.mp4\"\n\
        #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"14.1.mp4\"\n";
    assert_eq!(
        keyed(&every_two, input).unwrap(),
        "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n\
        #KEY 6 iv\n#EXT-X-PART:DURATION=1,URI=\"13.0.mp4?plk=media~p6&s=T\"\n#EXT-X-PART:DURATION=1,URI=\"13.1.mp4?plk=media~p6&s=T\"\n#EXTINF:4,\n13.mp4?plk=media~p6&s=T\n\
        #KEY 7 iv\n#EXT-X-PART:DURATION=1,URI=\"14.0.mp4?plk=media~p7&s=T\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"14.1.mp4?plk=media~p7&s=T\""
    );
    // The hint of a period's first part already needs that period's key.
    let hint = "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:4,\n1.mp4\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"2.0.mp4\"\n";
    assert!(keyed(&every_two, hint).unwrap().ends_with(
        "1.mp4?plk=media~p0&s=T\n#KEY 1 iv\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"2.0.mp4?plk=media~p1&s=T\""
    ));
}

#[test]
fn the_media_sequence_number_can_be_the_iv() {
    let sequence = |encryption: &mut Encryption| encryption.iv_mode = IvMode::Sequence;
    let input = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:4,\na.mp4\n#EXT-X-BYTERANGE:5@6\n#EXTINF:4,\nb.mp4\n";
    assert_eq!(
        keyed(&sequence, input).unwrap(),
        "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MAP:URI=\"i.mp4?plk=clear&s=T\"\n#KEY 0\n\
         #EXTINF:4,\na.mp4?plk=media~n7&s=T\n#EXTINF:4,\nb.mp4?plk=media~r5@6~n8&s=T"
    );
}

#[test]
fn what_the_origin_encrypts_passes_with_its_keys() {
    let through = |encryption: &mut Encryption| encryption.on_encrypted_origin = OnEncryptedOrigin::Passthrough;
    let input = "#EXTM3U\n#EXT-X-VERSION:5\n#EXTINF:4,\na.ts\n#EXTINF:4,\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x01\nb.ts\n\
        #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://k\",KEYFORMAT=\"com.apple.streamingkeydelivery\"\n#EXT-X-MAP:URI=\"i.mp4\",BYTERANGE=\"9@0\"\n\
        #EXTINF:4,\n#EXT-X-BYTERANGE:5@9\nc.mp4\n#EXT-X-PART:DURATION=1,URI=\"c.mp4\",BYTERANGE=\"9@3\"\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\nd.ts\n";
    assert_eq!(
        keyed(&through, input).unwrap(),
        "#EXTM3U\n#EXT-X-VERSION:5\n#KEY 0 iv\n#EXTINF:4,\na.ts?s=T\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\n#EXT-X-KEY:METHOD=AES-128,URI=\"k?plk=clear&s=T\",IV=0x01\nb.ts?plk=clear&s=T\n\
        #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://k\",KEYFORMAT=\"com.apple.streamingkeydelivery\"\n#EXT-X-MAP:URI=\"i.mp4?plk=clear&s=T\",BYTERANGE=\"9@0\"\n\
        #EXTINF:4,\n#EXT-X-BYTERANGE:5@9\nc.mp4?plk=clear&s=T\n#EXT-X-PART:DURATION=1,URI=\"c.mp4?plk=clear&s=T\",BYTERANGE=\"9@3\"\n#EXT-X-KEY:METHOD=NONE\n#KEY 0 iv\n#EXTINF:4,\nd.ts?s=T"
    );
    let session_key = "#EXTM3U\n#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\"\n";
    assert_eq!(
        keyed(&through, session_key).unwrap(),
        "#EXTM3U\n#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k?plk=clear&s=T\""
    );
    // Which keys a delta update left out cannot be known.
    assert_eq!(keyed(&through, "#EXTM3U\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n"), Err(Reason::Encrypted));
}

#[test]
fn images_stay_clear() {
    let input = "#EXTM3U\n#EXT-X-IMAGES-ONLY\n#EXTINF:4,\na.jpg\n#EXT-X-BYTERANGE:5@9\n#EXTINF:4,\nb.jpg\n";
    assert_eq!(
        keyed(&|_| (), input).unwrap(),
        "#EXTM3U\n#EXT-X-IMAGES-ONLY\n#EXTINF:4,\na.jpg?plk=clear&s=T\n#EXT-X-BYTERANGE:5@9\n#EXTINF:4,\nb.jpg?plk=clear&s=T"
    );
}

fn with_variables(query: &str, imports: &[(&str, &str)], input: &str) -> Result<String, Reason> {
    let import =
        |(name, value): &(&str, &str)| Variable { name: name.to_string(), value: value.to_string(), chosen: false };
    let imports = imports.iter().map(import).collect::<Vec<_>>();
    rewritten(
        &|| UriRewriter { variables: Variables::new(Some(query.into()), imports.clone()), ..marks(true, true) },
        input,
    )
}

#[test]
fn variables_in_uris_get_their_values() {
    let input = "#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-DEFINE:NAME=\"dir\",VALUE=\"a/b\"\n#EXT-X-DEFINE:NAME=\"deep\",VALUE=\"{$dir}/c\"\n\
        #EXT-X-DEFINE:QUERYPARAM=\"q\"\n#EXT-X-DEFINE:IMPORT=\"host\"\n#EXT-X-MAP:URI=\"{$deep}/i.mp4\"\n#EXTINF:4,{$dir}\n{$host}/{$dir}/1.ts{$q}\n#EXTINF:4,\n{$deep}/{$/{$}2.ts\n";
    assert_eq!(
        with_variables("x=1&q=%3Fy%3D2", &[("host", "https://other")], input).unwrap(),
        "#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-DEFINE:NAME=\"dir\",VALUE=\"a/b\"\n#EXT-X-DEFINE:NAME=\"deep\",VALUE=\"{$dir}/c\"\n\
        #EXT-X-DEFINE:QUERYPARAM=\"q\"\n#EXT-X-DEFINE:IMPORT=\"host\"\n#EXT-X-MAP:URI=\"a/b/c/i.mp4?plk=clear&s=T\"\n#EXTINF:4,{$dir}\nhttps://other/a/b/1.ts?y=2\n\
        #KEY 0 iv\n#EXTINF:4,\na/b/c/{$/{$}2.ts?s=T"
    );
    for (query, line) in [
        ("", "QUERYPARAM=\"v\""),
        ("v=%22%0a", "QUERYPARAM=\"v\""),
        ("v", "IMPORT=\"v\""),
        ("", "NAME=\"w\",VALUE=\"x\""),
    ] {
        let input = alloc::format!("#EXTM3U\n#EXT-X-DEFINE:{line}\n#EXTINF:4,\n{{$v}}.ts\n");
        assert_eq!(with_variables(query, &[], &input), Err(Reason::Variable), "{line}");
    }
    // Without definitions it is just a name.
    assert!(with_variables("", &[], "#EXTM3U\n#EXTINF:4,\n{$v}.ts\n").unwrap().ends_with("\n{$v}.ts?s=T"));
}

#[test]
fn a_master_tells_its_media_playlists_what_they_may_import() {
    let input = "#EXTM3U\n#EXT-X-DEFINE:NAME=\"h\",VALUE=\"x\"\n#EXT-X-MEDIA:TYPE=AUDIO,URI=\"a.m3u8\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{$h}/v.m3u8\n";
    assert_eq!(
        with_variables("", &[], input).unwrap(),
        "#EXTM3U\n#EXT-X-DEFINE:NAME=\"h\",VALUE=\"x\"\n#EXT-X-MEDIA:TYPE=AUDIO,URI=\"a.m3u8?plk=variables~aAB4AA&s=T\"\n\
         #EXT-X-STREAM-INF:BANDWIDTH=1\nx/v.m3u8?plk=variables~aAB4AA&s=T"
    );
    // A report is written as the master writes its own entry.
    let report = "#EXTM3U\n#EXT-X-RENDITION-REPORT:URI=\"a.m3u8\",LAST-MSN=1\n";
    assert!(with_variables("", &[("h", "x")], report).unwrap().contains("a.m3u8?plk=variables~aAB4AA&s=T"));
}
