//! `playlock watch` on streams that go wrong, and on live ones. That it plays what the filter protects is shown by
//! `tests/envoy/test_cli.py`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use common::{Ran, playlock};

/// The responses of each path, one after the other; the last again and again.
type Answers = BTreeMap<String, Vec<(u16, Vec<u8>)>>;

/// Serves `answers` until the test's process ends; the URL of `path`.
fn serve(answers: Answers, path: &str) -> String {
    serve_and_hear(answers, path).0
}

/// The same, and the lines of all requests' heads.
fn serve_and_hear(answers: Answers, path: &str) -> (String, Arc<Mutex<Vec<String>>>) {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hears = Arc::clone(&heard);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}{path}", listener.local_addr().unwrap());
    let answers = Arc::new(Mutex::new(answers));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answers) = (stream.unwrap(), Arc::clone(&answers));
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            let rest = lines.map(Result::unwrap).take_while(|line| !line.is_empty());
            hears.lock().unwrap().extend([first.clone()].into_iter().chain(rest));
            let path = first.split(' ').nth(1).unwrap().split('?').next().unwrap().to_owned();
            let mut answers = answers.lock().unwrap();
            let (status, body) = match answers.get_mut(&path) {
                None => (404, Vec::new()),
                Some(left) if left.len() > 1 => left.remove(0),
                Some(left) => left[0].clone(),
            };
            // The status 1 stands for half a body.
            let length = if status == 1 { body.len() * 2 } else { body.len() };
            let status = if status == 1 { 200 } else { status };
            // What answers 307 names where to.
            let location = if status == 307 { String::from_utf8(body.clone()).unwrap() } else { String::new() };
            let location = if location.is_empty() { location } else { format!("location: {location}\r\n") };
            let head =
                format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n{location}\r\n");
            // Whoever asked may have gone.
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    (url, heard)
}

/// Packets of a transport stream, counted on from `counter`.
fn segment(counter: u8) -> Vec<u8> {
    (0..7).flat_map(|packet| [&[0x47, 0x01, 0x00, 0x10 | ((counter + packet) & 15)][..], &[0; 184]].concat()).collect()
}

fn playlist(sequence: u64, count: u64, ended: bool) -> Vec<u8> {
    let segments: String = (sequence..sequence + count).map(|number| format!("#EXTINF:1,\ns{number}.ts\n")).collect();
    let end = if ended { "#EXT-X-ENDLIST\n" } else { "" };
    format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{sequence}\n{segments}{end}").into_bytes()
}

/// A stream of these playlists, one after the other, with all their segments.
fn stream(playlists: &[Vec<u8>]) -> Answers {
    let mut answers: Answers = (0..40).map(|number| (format!("/s{number}.ts"), vec![(200, segment(0))])).collect();
    answers.insert("/v.m3u8".into(), playlists.iter().map(|text| (200, text.clone())).collect());
    answers
}

fn watch(answers: Answers, more: &[&str]) -> Ran {
    let url = serve(answers, "/v.m3u8");
    playlock(&[&["watch", &url, "--json"], more].concat())
}

/// The sentences of the report's problems.
fn problems(ran: &Ran) -> Vec<String> {
    let report = ran.json();
    report["problems"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_live_stream_is_followed_from_its_edge_to_its_end() {
    let live = [playlist(0, 6, false), playlist(1, 6, false), playlist(3, 6, false), playlist(3, 7, true)];
    let ran = watch(stream(&live), &[]);
    assert_eq!((ran.status, ran.errors.as_str()), (0, ""), "{ran:?}");
    let report = ran.json();
    // 3, 4, 5 at first, then one, two and one more.
    assert_eq!((&report["segments"], &report["ended"], &report["encrypted"]), (&7.into(), &true.into(), &0.into()));
}

#[test]
fn a_live_stream_ends_with_the_time_for_it() {
    let live: Vec<Vec<u8>> = (0..30).map(|sequence| playlist(sequence, 4, false)).collect();
    let ran = watch(stream(&live), &["--duration", "2s"]);
    assert_eq!((ran.status, &ran.json()["ended"]), (0, &false.into()), "{ran:?}");
}

/// A low-latency playlist: `parts` of the segment that is still being made, and a hint at the next; those of the last
/// whole segment, too. None of the parts is there to be fetched.
fn low_latency(count: u64, parts: u64) -> Vec<u8> {
    let part = |segment: u64, part: u64| format!("#EXT-X-PART:DURATION=0.5,URI=\"s{segment}.{part}.ts\"\n");
    let last = format!("#EXTINF:1,\ns{}.ts\n", count - 1);
    let whole: String = (0..2).map(|number| part(count - 1, number)).collect();
    let open: String = (0..parts).map(|number| part(count, number)).collect();
    let text = String::from_utf8(playlist(0, count, false)).unwrap();
    let text = text.replace("#EXT-X-MEDIA-SEQUENCE", "#EXT-X-PART-INF:PART-TARGET=0.5\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6,PART-HOLD-BACK=1.5\n#EXT-X-MEDIA-SEQUENCE");
    let hint = format!(
        "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"s{count}.{parts}.ts\"\n#EXT-X-RENDITION-REPORT:URI=\"w.m3u8\",LAST-MSN={count}\n"
    );
    (text.replace(&last, &format!("{whole}{last}")) + &open + &hint).into_bytes()
}

#[test]
fn of_a_low_latency_stream_the_whole_segments_are_played() {
    let live = [low_latency(4, 0), low_latency(4, 1), low_latency(5, 0), low_latency(5, 1), playlist(0, 7, true)];
    let ran = watch(stream(&live), &[]);
    assert_eq!((ran.status, ran.errors.as_str()), (0, ""), "{ran:?}");
    let report = ran.json();
    assert_eq!((&report["segments"], &report["requests"]["segment"]["answers"]), (&6.into(), &6.into()));
    // Reloaded as any live playlist: a server that blocks reloads is not asked to.
    assert_eq!((&report["requests"]["playlist"]["answers"], &report["ended"]), (&5.into(), &true.into()), "{ran:?}");
}

#[test]
fn what_is_wrong_with_a_live_stream_is_said() {
    let renamed = String::from_utf8(playlist(0, 4, true)).unwrap().replace("s3.ts", "s9.ts").into_bytes();
    for (playlists, part) in [
        (vec![playlist(0, 3, false), playlist(5, 3, true)], "segments 3 to 4 are missing"),
        (vec![playlist(5, 3, false), playlist(0, 3, true)], "the media sequence went back"),
        (vec![playlist(0, 4, false), renamed], "segment 3 has another URI than before"),
        (vec![playlist(0, 4, false)], "no new segment for 3 target durations"),
    ] {
        let ran = watch(stream(&playlists), &["--duration", "5s"]);
        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(problems(&ran).iter().any(|problem| problem.contains(part)), "{part}: {ran:?}");
    }
}

#[test]
fn what_is_wrong_with_segments_is_said() {
    let good = || stream(&[playlist(0, 4, true)]);
    let missing = segment(0)[..188].to_vec();
    let torn = [missing.clone(), segment(5)].concat();
    for (path, answer, part) in [
        ("/s1.ts", (404, Vec::new()), "status 404, expected 200"),
        ("/s1.ts", (1, segment(0)), "the response was aborted"),
        ("/s1.ts", (200, segment(0)[..1000].to_vec()), "ends within packet"),
        ("/s1.ts", (200, torn), "are missing before packet 1"),
        ("/s1.ts", (200, b"WEBVTT\n".to_vec()), "WebVTT after MPEG-TS; expected EXT-X-DISCONTINUITY"),
        ("/v.m3u8", (200, b"<html>".to_vec()), "does not begin with #EXTM3U"),
        ("/v.m3u8", (403, br#"{"type":"expired","status":403}"#.to_vec()), "403: The token has expired"),
    ] {
        let mut answers = good();
        answers.insert(path.into(), vec![answer]);
        let ran = watch(answers, &[]);
        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(problems(&ran).iter().any(|problem| problem.contains(part)), "{part}: {ran:?}");
    }
    let clear = watch(good(), &["--encrypted"]);
    assert_eq!(
        (clear.status, problems(&clear)[0].as_str()),
        (1, "in clear; expected an encrypted segment (--encrypted)")
    );
    let mut empty = good();
    empty.insert("/v.m3u8".into(), vec![(200, playlist(0, 0, true))]);
    assert_eq!(watch(empty, &[]).errors, "playlock: the stream has no segment to play\n");
}

#[test]
fn redirections_are_followed_and_refusals_are_not() {
    let mut answers = stream(&[playlist(0, 2, true)]);
    let text = answers.remove("/v.m3u8").unwrap();
    answers.insert("/deep/er/v.m3u8".into(), text);
    answers.insert("/v.m3u8".into(), vec![(307, b"/deep/er/v.m3u8?x".to_vec())]);
    for number in 0..2 {
        answers.insert(format!("/deep/er/s{number}.ts"), vec![(200, segment(0))]);
    }
    answers.remove("/s0.ts");
    let ran = watch(answers.clone(), &[]);
    assert_eq!((ran.status, &ran.json()["segments"]), (0, &2.into()), "{ran:?}");
    answers.insert("/v.m3u8".into(), vec![(307, b"/v.m3u8".to_vec())]);
    assert_eq!(problems(&watch(answers, &[])), ["more than 8 redirects"]);
    // A denial that sends viewers elsewhere.
    let mut answers = stream(&[playlist(0, 2, true)]);
    answers.insert("/v.m3u8".into(), vec![(302, br#"{"type":"geo","status":302}"#.to_vec())]);
    let ran = watch(answers, &[]);
    assert_eq!((ran.status, ran.json()["problems"][0]["reason"].as_str()), (1, Some("geo")), "{ran:?}");
}

/// By redirect and by playlist: another host gets no credentials that were meant for the first.
#[test]
fn headers_go_to_the_host_of_the_url_alone() {
    let (elsewhere, there) = serve_and_hear(stream(&[playlist(0, 2, true)]), "");
    let segments = String::from_utf8(playlist(0, 2, true)).unwrap().replace("s0.ts", &format!("{elsewhere}/s0.ts"));
    let mut answers = stream(&[segments.into_bytes()]);
    answers.insert("/s1.ts".into(), vec![(307, format!("{elsewhere}/s1.ts").into_bytes())]);
    let (url, here) = serve_and_hear(answers, "/v.m3u8");
    let ran = playlock(&["watch", &url, "--header", "Authorization: Bearer mine"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let sent = |heard: &Mutex<Vec<String>>| {
        let heard = heard.lock().unwrap();
        let count = |text: &str| heard.iter().filter(|line| line.to_ascii_lowercase().contains(text)).count();
        (count("get /"), count("bearer mine"))
    };
    assert_eq!((sent(&here), sent(&there)), ((2, 2), (2, 0)));
}

/// A fragment of MP4 that is as long as it says.
fn fragment() -> Vec<u8> {
    [&16u32.to_be_bytes()[..], b"moof", &[0; 8], &16u32.to_be_bytes(), b"mdat", &[0; 8]].concat()
}

fn init() -> Vec<u8> {
    [&16u32.to_be_bytes()[..], b"ftyp", &[0; 8], &16u32.to_be_bytes(), b"moov", &[0; 8]].concat()
}

/// An MPD with a timeline of segments of a second, from number `from` to before `to`.
fn mpd(kind: &str, from: u64, to: u64) -> Vec<u8> {
    let segments: String = (from..to).map(|time| format!("<S t=\"{time}\" d=\"1\"/>")).collect();
    format!(
        "<?xml version=\"1.0\"?><MPD type=\"{kind}\" mediaPresentationDuration=\"PT{to}S\" minimumUpdatePeriod=\"PT1S\"><Period>\
         <AdaptationSet contentType=\"video\"><SegmentTemplate media=\"v/$RepresentationID$/$Time$.m4s\" initialization=\"i.mp4\"><SegmentTimeline>{segments}</SegmentTimeline></SegmentTemplate>\
         <Representation id=\"low\" bandwidth=\"1\"/><Representation id=\"high\" bandwidth=\"2\"/></AdaptationSet>\
         <AdaptationSet mimeType=\"audio/mp4\"><Representation id=\"a\"><BaseURL>a.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>"
    )
    .into_bytes()
}

fn presentation(mpds: &[Vec<u8>]) -> Answers {
    let segments = (0..20).map(|time| (format!("/v/high/{time}.m4s"), vec![(200, fragment())]));
    let mut answers: Answers = segments.collect();
    answers.insert("/i.mp4".into(), vec![(200, init())]);
    answers.insert("/a.mp4".into(), vec![(200, [init(), fragment()].concat())]);
    answers.insert("/v.mpd".into(), mpds.iter().map(|text| (200, text.clone())).collect());
    answers
}

#[test]
fn an_mpd_is_played() {
    let play = |answers: Answers| playlock(&["watch", &serve(answers, "/v.mpd"), "--json", "--variant", "best"]);
    let ran = play(presentation(&[mpd("static", 0, 4)]));
    let report = ran.json();
    // Four of video, and the file of audio.
    let found = (ran.status, &report["segments"], &report["tracks"], &report["ended"]);
    assert_eq!(found, (0, &5.into(), &2.into(), &true.into()), "{ran:?}");
    let mut missing = presentation(&[mpd("static", 0, 4)]);
    missing.remove("/v/high/2.m4s");
    let ran = play(missing);
    assert!(ran.status == 1 && problems(&ran)[0].contains("status 404"), "{ran:?}");
    let ran = play(presentation(&[b"<MPD><Period><AdaptationSet><Representation/></AdaptationSet>".to_vec()]));
    assert!(ran.status == 1 && problems(&ran)[0].contains("MPD: "), "{ran:?}");
}

#[test]
fn a_live_mpd_is_followed_from_its_edge() {
    let live = [mpd("dynamic", 0, 6), mpd("dynamic", 1, 7), mpd("dynamic", 2, 9), mpd("static", 2, 9)];
    let ran = playlock(&["watch", &serve(presentation(&live), "/v.mpd"), "--json", "--variant", "best"]);
    let report = ran.json();
    // 3, 4, 5 at first, then one and two; the file of audio.
    assert_eq!((ran.status, &report["segments"], &report["ended"]), (0, &7.into(), &true.into()), "{ran:?}");
}
