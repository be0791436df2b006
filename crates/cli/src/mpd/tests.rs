//! MPDs as the commands read them.

use super::*;

const URL: &str = "https://edge.example/vod/a/x.mpd?t=1";

fn parsed(text: &str) -> Mpd {
    Mpd::parse(text, &URL.parse().unwrap(), 1_700_000_100).unwrap()
}

fn uris(representation: &Representation) -> Vec<&str> {
    representation.segments.iter().map(|segment| segment.uri.strip_prefix("https://edge.example").unwrap()).collect()
}

#[test]
fn numbers_times_lists_and_files() {
    let mpd = parsed(
        r#"<MPD type="static" mediaPresentationDuration="PT9S"><BaseURL>b/</BaseURL><Period>
        <AdaptationSet contentType="video"><SegmentTemplate timescale="10" media="$RepresentationID$/$Number%03d$.m4s?s=T" initialization="$Bandwidth$.mp4" duration="40"/>
        <Representation id="v" bandwidth="7"/><Representation id="w" bandwidth="8"><SegmentTemplate startNumber="5"/></Representation></AdaptationSet>
        <AdaptationSet mimeType="audio/mp4"><SegmentTemplate media="$Time$$$.m4s"><SegmentTimeline><S t="3" d="2" r="1"/><S d="5"/></SegmentTimeline></SegmentTemplate><Representation id="a"/></AdaptationSet>
        <AdaptationSet mimeType="audio/mp4"><Representation id="l"><SegmentList duration="4"><Initialization sourceURL="i.mp4" range="0-9"/><SegmentURL media="1.m4s"/><SegmentURL mediaRange="10-19"/></SegmentList></Representation></AdaptationSet>
        <AdaptationSet mimeType="audio/mp4"><Representation id="f"><BaseURL>/f.mp4?s=T</BaseURL><SegmentBase indexRange="1-2"/></Representation></AdaptationSet>
        </Period></MPD>"#,
    );
    assert_eq!((mpd.dynamic, mpd.periods, mpd.location.is_none()), (false, 1, true));
    let [v, w, a, l, f] = mpd.representations.as_slice() else { panic!("{mpd:?}") };
    assert_eq!(uris(v), ["/vod/a/b/v/001.m4s?s=T", "/vod/a/b/v/002.m4s?s=T", "/vod/a/b/v/003.m4s?s=T"]);
    assert_eq!(v.segments[0].map.as_ref().unwrap().uri, "https://edge.example/vod/a/b/7.mp4");
    assert_eq!((v.kind.as_str(), a.kind.as_str(), v.segments[0].duration), ("video", "audio", 4.0));
    assert_eq!(uris(w)[0], "/vod/a/b/w/005.m4s?s=T");
    assert_eq!(uris(a), ["/vod/a/b/3$.m4s", "/vod/a/b/5$.m4s", "/vod/a/b/7$.m4s"]);
    assert_eq!(uris(l), ["/vod/a/b/1.m4s", "/vod/a/b/"]);
    assert_eq!((l.segments[1].range, l.segments[0].map.as_ref().unwrap().range), (Some((10, 10)), Some((10, 0))));
    assert_eq!(uris(f), ["/f.mp4?s=T"]);
    let urls: Vec<String> = mpd.urls.iter().map(ToString::to_string).collect();
    assert!(urls.contains(&"https://edge.example/vod/a/b/$Time$$$.m4s".to_owned()), "{urls:?}");
}

#[test]
fn a_live_mpd_has_segments_up_to_now() {
    let mpd = parsed(
        r#"<MPD type="dynamic" availabilityStartTime="2023-11-14T22:13:20Z" minimumUpdatePeriod="PT2S"><Location>/vod/a/x.mpd?s=T</Location><Period start="PT10S">
        <AdaptationSet contentType="video"><SegmentTemplate media="$Number$" duration="4"/><Representation id="v"/></AdaptationSet></Period></MPD>"#,
    );
    // 90 seconds of the Period are over.
    assert_eq!(uris(&mpd.representations[0])[8..], ["/vod/a/21", "/vod/a/22"]);
    assert_eq!((mpd.dynamic, mpd.update), (true, Some(2.0)));
    assert_eq!(mpd.location.unwrap().to_string(), "https://edge.example/vod/a/x.mpd?s=T");
}

#[test]
fn what_is_none_is_said() {
    for (text, part) in [
        ("<html/>", "root element is html"),
        ("<MPD", "root node"),
        ("<!DOCTYPE x []><MPD/>", "DTD"),
        ("<MPD xmlns:x='http://www.w3.org/1999/xlink'><Period x:href='a'/></MPD>", "xlink"),
        (
            "<MPD><Period><AdaptationSet><Representation><SegmentTemplate media='a'/></Representation></AdaptationSet></Period></MPD>",
            "duration",
        ),
        (
            "<MPD><Period><AdaptationSet><SegmentTemplate duration='1'/><Representation/></AdaptationSet></Period></MPD>",
            "media",
        ),
        (
            "<MPD mediaPresentationDuration='PT9999999S'><Period><AdaptationSet><SegmentTemplate media='a' duration='1'/><Representation/></AdaptationSet></Period></MPD>",
            "more than",
        ),
        (
            "<MPD><Period><AdaptationSet><SegmentTemplate media='a'><SegmentTimeline><S d='1' r='99999999'/></SegmentTimeline></SegmentTemplate><Representation/></AdaptationSet></Period></MPD>",
            "more than",
        ),
    ] {
        let error = Mpd::parse(text, &URL.parse().unwrap(), 0).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}
