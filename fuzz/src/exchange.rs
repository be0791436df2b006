//! Property of whole exchanges, several at a time on one worker, with events in any order: no origin media leaves in
//! clear, and nothing at all if the request was denied; a response that ends normally is complete; nothing follows a
//! reset.

use playlock_core::http::reply::Header;
use playlock_core::media::batch::Batch;

use crate::cipher::Key;
use crate::edge::{self, Asked, End, Flow, header};
use crate::origin;
use crate::site::{SITES, Site, site};
use crate::source::Source;
use crate::viewer::{self, MEDIA, Viewer, viewer};

/// The kind of resource, which decides what must come of the origin's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Segment,
    Part,
    Init,
    Playlist,
    Document,
    Unnamed,
    Foreign,
}

const WHATS: [What; 8] = [
    What::Segment,
    What::Segment,
    What::Part,
    What::Init,
    What::Playlist,
    What::Document,
    What::Unnamed,
    What::Foreign,
];

/// The end of the origin's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finish {
    /// With the last chunk.
    Chunk,
    /// In an empty chunk.
    Empty,
    /// With trailers.
    Trailers,
    /// With the headers.
    Headers,
    /// It is broken off.
    Abort,
}

const FINISHES: [Finish; 6] =
    [Finish::Chunk, Finish::Chunk, Finish::Empty, Finish::Trailers, Finish::Headers, Finish::Abort];

/// One stream.
struct Stream {
    what: What,
    head_only: bool,
    key: Option<Key>,
    flow: Flow,
    status: u16,
    playlist_type: bool,
    announced: Option<u64>,
    /// The origin says that these bytes are this part of the file.
    place: Option<usize>,
    body: Vec<u8>,
    sent: usize,
    finish: Finish,
    over: bool,
}

/// Input: the site, whether headers are held, whether chunks are encrypted together, how many streams; each stream, see
/// [`open`]; then events: whose, by the upper bits, and what.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let index = source.below(SITES);
    let site = site(index);
    let viewer = viewer(index);
    let hold = source.flag();
    let mut batch = Batch::new(source.flag());
    let mut streams = Vec::new();
    for _ in 0..1 + source.below(5) {
        if let Some(stream) = open(&site, &viewer, hold, &mut source) {
            streams.push(stream);
        }
    }
    while !source.is_empty() && !streams.is_empty() {
        let event = source.byte();
        let which = usize::from(event >> 4) % streams.len();
        match event & 15 {
            0 => batch.tick(),
            1 => drop(batch.stop()),
            2 => abort(&mut streams, which, &mut batch),
            3 => send(&mut streams, which, usize::MAX, &mut batch),
            4 => send(&mut streams, which, 0, &mut batch),
            5..=8 => send(&mut streams, which, usize::from(source.byte()), &mut batch),
            _ => send(&mut streams, which, source.number() * 4, &mut batch),
        }
        let running = (event & 15 >= 3).then_some(which as u32);
        deliver(&mut streams, &mut batch, running);
    }
    for which in 0..streams.len() {
        while !streams[which].over {
            send(&mut streams, which, usize::MAX, &mut batch);
            deliver(&mut streams, &mut batch, Some(which as u32));
        }
    }
    for stream in &streams {
        check(&site, stream);
    }
}

/// Asks for something and takes the origin's headers. Input: what, whether the session is there, the method, a Range; the
/// status, the type, sizes, lengths, codings, the end.
fn open(site: &Site, viewer: &Viewer, hold: bool, source: &mut Source<'_>) -> Option<Stream> {
    let what = source.pick(&WHATS);
    let denied = source.byte() == 1;
    let method = source.pick(&["GET", "GET", "GET", "HEAD"]);
    let (target, key) = match what {
        What::Segment => (viewer.segments[0].target.clone(), viewer.segments[0].key),
        What::Part => (viewer.part.target.clone(), viewer.part.key),
        What::Init => (viewer.init.target.clone(), None),
        What::Playlist => (viewer.playlist.clone(), None),
        What::Document => (viewer.document.target.clone(), None),
        What::Unnamed => (
            viewer::with_session(
                site,
                &format!("{}/vod/a/unnamed?", viewer::prefix(site, &viewer.token)),
                &viewer.token,
            ),
            None,
        ),
        What::Foreign => ("/elsewhere/1.ts".into(), None),
    };
    let mut target = target;
    if denied {
        // The last digits of the MAC, or of the signed parameter.
        let end = if site.in_path { viewer::prefix(site, &viewer.token).len() } else { target.len() };
        target.replace_range(end.saturating_sub(2)..end, "");
    }
    let mut headers = vec![
        header(":method", method),
        header(":path", target.clone()),
        header(":authority", "tv.example"),
        header(":scheme", "https"),
        header("x-request-id", "r-\"1\""),
    ];
    if !denied {
        headers.extend(viewer.cookies.iter().cloned());
    }
    if let Some(range) = source.pick(&[None, None, None, Some("bytes=5-70"), Some("bytes=0-"), Some("bytes=-9")]) {
        headers.push(header("range", range));
    }
    let policies = if hold { &site.holding } else { &site.policies };
    let (exchange, seen) = match edge::ask(policies, &headers, Some("[2001:db8::1]:443")) {
        Asked::Forwarded(exchange, seen) => (exchange, seen),
        Asked::Answered(mut exchange, reply) => {
            let free = !site.on_content && !matches!(what, What::Playlist | What::Document);
            assert!(denied || what == What::Foreign || free, "{}: {what:?} was refused", site.name);
            assert!(exchange.reason().is_some() && reply.reason == exchange.reason());
            assert!(
                origin::leak(&reply.body).is_none() && serde_json::from_slice::<serde_json::Value>(&reply.body).is_ok()
            );
            edge::quiet(&mut exchange, &reply);
            return None;
        }
    };
    assert!(what != What::Foreign);
    let (status, place, mut stream_headers) = status(source, edge::value(&seen, "range"));
    let playlist_type = source.byte() % 8 == 1 || what == What::Playlist;
    stream_headers.push(header("content-type", if playlist_type { "application/x-mpegurl" } else { "video/mp2t" }));
    let mut body = origin::body(source.size());
    if what == What::Playlist && source.byte() % 4 != 1 {
        body = MEDIA.into();
        if source.flag() {
            body.extend(origin::body(100));
        }
    } else if let Some(place) = place {
        body = origin::body((place + body.len()).min(origin::MOST)).split_off(place);
    }
    let finish = source.pick(&FINISHES);
    if finish == Finish::Headers {
        body.clear();
    }
    let announced = announce(source, body.len(), &mut stream_headers);
    for (chance, name, value) in
        [(8, "content-encoding", "gzip"), (4, "etag", "\"1\""), (4, "cache-control", "max-age=60, public")]
    {
        if source.byte() % chance == 1 {
            stream_headers.push(header(name, value));
        }
    }
    let mut flow = Flow::new(exchange);
    let head_only = method == "HEAD";
    let end = finish == Finish::Headers || head_only;
    if end {
        body.clear();
    }
    flow.head(&stream_headers, end, hold);
    let over = end || !flow.is_open();
    Some(Stream { what, head_only, key, flow, status, playlist_type, announced, place, body, sent: 0, finish, over })
}

/// The origin's status, the place of its bytes in the file, and what it says of that.
fn status(source: &mut Source<'_>, asked: Option<&str>) -> (u16, Option<usize>, Vec<Header>) {
    let statuses =
        [200, 200, 200, 206, 206, 200, 201, 203, 204, 205, 226, 301, 302, 304, 400, 404, 416, 500, 101, 100, 0];
    let status = source.pick(&statuses);
    let mut headers = vec![header(":status", status.to_string())];
    let mut place = None;
    if status == 206 {
        let asked = asked.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let (first, last) = asked.unwrap_or(("0", "99"));
        let said = match source.byte() % 5 {
            0 => format!("bytes 0-{}/*", source.byte()),
            1 => format!("bytes {first}-{last}/{}", source.number()),
            2 => format!("bytes {first}-{last}/*"),
            3 => "bytes garbage".to_owned(),
            _ => format!("bytes {}-{last}/5000", first.parse().unwrap_or(0) + 1),
        };
        place = Some(first.parse().unwrap_or(0));
        headers.push(header("content-range", said));
    }
    if (300..400).contains(&status) {
        headers.push(header("location", source.pick(&["/vod/b/2.ts", "https://other.example/x", "../c.m3u8?a=1"])));
    }
    (status, place, headers)
}

/// Adds the length that the origin announces for its body.
fn announce(source: &mut Source<'_>, length: usize, headers: &mut Vec<Header>) -> Option<u64> {
    let length = length as u64;
    let said = match source.byte() % 10 {
        0 => return None,
        1..=5 => length,
        6 => length + 1,
        7 => length.saturating_sub(1),
        8 => u64::MAX,
        _ => {
            headers.push(header("content-length", length.to_string()));
            length + 7
        }
    };
    headers.push(header("content-length", said.to_string()));
    Some(said)
}

fn send(streams: &mut [Stream], which: usize, size: usize, batch: &mut Batch) {
    let stream = &mut streams[which];
    if stream.over {
        return;
    }
    let end = stream.sent.saturating_add(size).min(stream.body.len());
    let last = end == stream.body.len();
    let chunk = stream.body[stream.sent..end].to_vec();
    let id = which as u32;
    stream.sent = end;
    let whole = last && stream.finish == Finish::Chunk;
    stream.flow.chunk(&chunk, whole, id, batch);
    if last && stream.flow.is_open() {
        match stream.finish {
            Finish::Empty => stream.flow.chunk(&[], true, id, batch),
            Finish::Trailers => {
                // The proxy gives trailers when what is paused has gone on: two ticks at most.
                batch.tick();
                batch.tick();
                deliver(streams, batch, None);
                let stream = &mut streams[which];
                if stream.flow.is_open() {
                    stream.flow.trailers(batch);
                }
            }
            Finish::Abort => return abort(streams, which, batch),
            Finish::Chunk | Finish::Headers => {}
        }
    }
    let stream = &mut streams[which];
    if !stream.flow.is_open() {
        stream.over = true;
        batch.forget(id);
    }
}

/// Client or origin are gone.
fn abort(streams: &mut [Stream], which: usize, batch: &mut Batch) {
    streams[which].over = true;
    batch.forget(which as u32);
}

/// In a callback of `running`, which is not let go on by that.
fn deliver(streams: &mut [Stream], batch: &mut Batch, running: Option<u32>) {
    for (stream, outputs) in batch.take_ready(running) {
        let stream = &mut streams[stream as usize];
        assert!(!stream.over, "bytes for a stream that is over");
        stream.flow.ready(&outputs);
    }
}

fn check(site: &Site, stream: &Stream) {
    let Stream { what, flow, key, body, sent, announced, status, .. } = stream;
    let show = || format!("{}: {what:?}, {status}, {:?}, announced {announced:?}", site.name, stream.finish);
    let seen = flow.status();
    // Whatever else: media that is encrypted does not leave in clear. Redirects and errors are the origin's own pages.
    let clear = !site.encrypts || *what == What::Init;
    let page = (300..600).contains(status);
    // What follows a playlist's lines is a line of it.
    let text = *what == What::Document || *what == What::Playlist && body.starts_with(b"#EXTM3U");
    if !clear && !page && !text {
        assert_eq!(origin::leak(&flow.body), None, "{}", show());
    }
    match flow.end {
        End::Open => assert!(stream.over),
        End::Reset(reason) => {
            assert!(reason.status() >= 500, "{}", show());
        }
        End::Clean if flow.replied && seen >= 400 => {
            assert!(flow.exchange.reason().is_some() || seen == 416, "{}", show());
        }
        End::Clean if stream.head_only || page => {}
        End::Clean => ended(site, stream, body, *sent, key.as_ref(), &show),
    }
}

/// A response that looks whole is whole.
fn ended(site: &Site, stream: &Stream, body: &[u8], sent: usize, key: Option<&Key>, show: &dyn Fn() -> String) {
    let Stream { what, flow, announced, status, .. } = stream;
    let clear = *what == What::Init || !site.encrypts;
    if matches!(status, 204 | 205) {
        assert!(clear || flow.body.is_empty(), "{}", show());
        return;
    }
    if !clear && let Some(said) = edge::value(&flow.headers, "content-length") {
        assert!(said == flow.body.len().to_string(), "{}: {said}, and {} came", show(), flow.body.len());
    }
    // The proxy's own framing minds what is passed on.
    let framed = announced.is_none_or(|announced| announced == sent as u64);
    match (what, key) {
        (What::Segment, Some(key)) if flow.status() == 206 => {
            let range = edge::value(&flow.headers, "content-range").expect("its place");
            let range = range.strip_prefix("bytes ").expect("bytes");
            let (place, total) = range.split_once('/').expect("a length");
            let (first, last) = place.split_once('-').expect("two ends");
            let number = |text: &str| text.parse::<usize>().expect("a number");
            let (first, last, total) = (number(first), number(last), number(total));
            assert_eq!(flow.body.len(), last - first + 1, "{}", show());
            // Whole blocks of it are those of the whole message, as far as the origin's bytes go.
            let known = key.encrypt(body);
            let blocks = body.len() / 16 * 16;
            if total == known.len() || last < blocks {
                assert!(flow.body == known[first..=last], "{}", show());
            }
        }
        (What::Segment, Some(key)) if !stream.playlist_type => {
            let plain = key.decrypt(&flow.body);
            assert_eq!(plain.as_deref(), Some(body), "{}", show());
            assert!(framed, "{}", show());
        }
        (What::Part, Some(key)) if !stream.playlist_type => {
            let plain = key.decrypt(&flow.body).expect("good padding");
            let start = if stream.place.is_some() { 0 } else { 720 };
            assert_eq!(plain, &body[start..start + 1000], "{}", show());
        }
        (What::Init, None) if !stream.playlist_type => assert_eq!(flow.body, body, "{}", show()),
        (What::Playlist, None) if body == MEDIA.as_bytes() => {
            let text = String::from_utf8_lossy(&flow.body).into_owned();
            assert!(text.ends_with("#EXT-X-ENDLIST\n"), "{}: {text}", show());
            let lines =
                |text: &str| text.lines().filter(|line| line.starts_with("#EXTINF") || line.contains(".ts")).count();
            assert_eq!(lines(&text), lines(MEDIA));
        }
        _ => {}
    }
}
