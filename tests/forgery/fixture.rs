//! The target of the forgeries: the policies, their origin, and the result of a request through the core's `Exchange`.

use std::collections::BTreeMap;
use std::rc::Rc;

use playlock_core::exchange::Exchange;
use playlock_core::http::reply::{Header, Reason, Reply};
use playlock_core::policy::Policies;
use playlock_core::step::{BodyStep, HeadStep, HeaderEdits, Known, Request, RequestStep};

/// The default time of requests, in 2096. Sessions opened then are valid today in a real proxy, too.
pub const NOW: u64 = 4_000_000_000;
/// The configuration.
pub const POLICIES: &str = include_str!("policies.json");
/// A text in the origin's media, which only init sections may contain when they reach a viewer.
pub const PLAINTEXT: &[u8] = b"plaintext";

/// A request in separate parts, so that each can be changed.
#[derive(Debug, Clone)]
pub struct Ask {
    pub method: String,
    pub host: String,
    /// A first segment with a token: what precedes the token, and the token.
    pub segment: Option<(Vec<u8>, Vec<u8>)>,
    pub path: Vec<u8>,
    pub query: Vec<(Vec<u8>, Vec<u8>)>,
    pub cookies: Vec<(Vec<u8>, Vec<u8>)>,
    pub headers: Vec<(String, Vec<u8>)>,
    pub client: Option<String>,
    pub now: u64,
    /// The random bytes for a session that the request opens.
    pub random: u8,
}

impl Ask {
    pub fn new(path: &str) -> Self {
        Self {
            method: "GET".into(),
            host: "edge.example".into(),
            segment: None,
            path: path.into(),
            query: Vec::new(),
            cookies: Vec::new(),
            headers: Vec::new(),
            client: Some("203.0.113.7:4711".into()),
            now: NOW,
            random: 7,
        }
    }

    /// The request target as sent.
    pub fn target(&self) -> Vec<u8> {
        let segment = self.segment.iter().flat_map(|(before, token)| [b"/", before.as_slice(), token].concat());
        let mut target: Vec<u8> = segment.chain(self.path.iter().copied()).collect();
        for (index, (name, value)) in self.query.iter().enumerate() {
            target.push(if index == 0 { b'?' } else { b'&' });
            target.extend([name.as_slice(), b"=", value].concat());
        }
        target
    }

    /// All headers: pseudo-headers first, and all cookies in one.
    pub fn all_headers(&self) -> Vec<Header> {
        let header = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
        let mut headers = vec![
            header(":method", self.method.as_bytes()),
            header(":path", &self.target()),
            header(":authority", self.host.as_bytes()),
            header(":scheme", b"https"),
        ];
        headers.extend(self.headers.iter().cloned());
        if !self.cookies.is_empty() {
            let pairs: Vec<_> =
                self.cookies.iter().map(|(name, value)| [name.as_slice(), b"=", value].concat()).collect();
            headers.push(header("cookie", &pairs.join(&b"; "[..])));
        }
        headers
    }
}

/// The client's view of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub reason: Option<Reason>,
    pub status: u16,
    pub kind: &'static str,
    pub headers: String,
    pub set_cookie: Option<Vec<u8>>,
    pub body: Vec<u8>,
    /// The target that the origin received, if it received a request.
    pub asked: Option<Vec<u8>>,
}

/// The configured core and the origin behind it.
pub struct Fixture {
    pub policies: Rc<Policies>,
    site: BTreeMap<String, Vec<u8>>,
}

impl Fixture {
    pub fn new() -> Self {
        Self::of(POLICIES)
    }

    /// With another configuration.
    pub fn of(document: &str) -> Self {
        let (policies, _) = playlock_config::parse(document.as_bytes(), &|_| None).unwrap();
        Self { policies: Rc::new(policies), site: site() }
    }

    /// One exchange from its request to the last byte of its response.
    pub fn answer(&self, ask: &Ask) -> Answer {
        let headers = ask.all_headers();
        let attributes = ask.client.as_deref().map_or_else(Known::default, Known::client);
        let request = Request { headers: &headers, attributes: &attributes, now: ask.now, end_of_stream: true };
        let (mut exchange, step) = Exchange::open(&self.policies, &request, &mut || [ask.random; 16]);
        match step {
            RequestStep::Reply(reply) => replied(&exchange, reply),
            RequestStep::Collect => panic!("no policy has a key server for packagers"),
            RequestStep::Ask(call) => panic!("nobody is to be asked: {call:?}"),
            RequestStep::Forward(edits) => {
                clean(&edits.set);
                let set =
                    |name: &str| edits.set.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
                let asked = set(":path").unwrap_or_else(|| ask.target());
                assert!(!asked.starts_with(b"/~"), "the origin gets a token: {ask:?}");
                let (head, body) = self.origin(&asked, set("range").as_deref());
                let answer = self.response(&mut exchange, head, body);
                Answer { asked: Some(asked), ..answer }
            }
        }
    }

    fn response(&self, exchange: &mut Exchange, head: Vec<Header>, body: Vec<u8>) -> Answer {
        let status = std::str::from_utf8(&head[0].1).unwrap().parse().unwrap();
        let edits = match exchange.on_response_head(&head, false) {
            HeadStep::Reply(reply) => return replied(exchange, reply),
            HeadStep::Hold(_) => panic!("headers are not to be held"),
            HeadStep::Forward(edits) => edits,
        };
        clean(&edits.set);
        clean(&edits.add);
        let mut sent = Vec::new();
        for (chunk, last) in [(body, false), (Vec::new(), true)] {
            match exchange.on_body(chunk.clone(), last) {
                BodyStep::Forward => sent.extend(chunk),
                BodyStep::Replace(output) => sent.extend(output.into_vec()),
                BodyStep::Reset(reason) => panic!("the origin's answer is good: {reason:?}"),
                BodyStep::Whole(_) | BodyStep::Hold | BodyStep::Reply(_) => panic!("headers are not held"),
            }
        }
        Answer {
            reason: None,
            status,
            kind: exchange.kind().word(),
            set_cookie: cookie(&edits),
            headers: format!("{edits:?}"),
            body: sent,
            asked: None,
        }
    }

    /// The origin's response; the origin decodes the path.
    pub fn origin(&self, target: &[u8], range: Option<&[u8]>) -> (Vec<Header>, Vec<u8>) {
        let header = |name: &str, value: String| (name.to_owned(), value.into_bytes());
        let path = std::str::from_utf8(target).unwrap().split('?').next().unwrap();
        let path = percent_decoded(path);
        let name = path.rsplit('/').next().unwrap();
        let Some(file) = self.site.get(name) else { return (vec![header(":status", "404".into())], Vec::new()) };
        let kind = if name.ends_with(".m3u8") { "application/vnd.apple.mpegurl" } else { "video/mp4" };
        let range = range.map(|range| {
            let (first, last) =
                std::str::from_utf8(range).unwrap().strip_prefix("bytes=").unwrap().split_once('-').unwrap();
            (first.parse::<usize>().unwrap(), last.parse::<usize>().unwrap().min(file.len() - 1))
        });
        match range {
            Some((first, _)) if first >= file.len() => (vec![header(":status", "416".into())], Vec::new()),
            Some((first, last)) => {
                let place = format!("bytes {first}-{last}/{}", file.len());
                let head = vec![
                    header(":status", "206".into()),
                    header("content-type", kind.into()),
                    header("content-range", place),
                ];
                (head, file[first..=last].to_vec())
            }
            None => {
                let length = file.len().to_string();
                let head = vec![
                    header(":status", "200".into()),
                    header("content-type", kind.into()),
                    header("content-length", length),
                ];
                (head, file.clone())
            }
        }
    }
}

/// Checks that no header contains a line break or NUL, which could start another header.
fn clean(headers: &[Header]) {
    for (name, value) in headers {
        assert!(!value.iter().chain(name.as_bytes()).any(|byte| b"\r\n\0".contains(byte)), "{name}: {value:?}");
    }
}

fn replied(exchange: &Exchange, reply: Reply) -> Answer {
    clean(&reply.headers);
    Answer {
        reason: reply.reason,
        status: reply.status,
        kind: exchange.kind().word(),
        set_cookie: None,
        headers: format!("{:?}", reply.headers),
        body: reply.body,
        asked: None,
    }
}

fn cookie(edits: &HeaderEdits) -> Option<Vec<u8>> {
    edits.add.iter().find(|(name, _)| name == "set-cookie").map(|(_, value)| value.clone())
}

/// The files by name, the same in the directory of every policy.
fn site() -> BTreeMap<String, Vec<u8>> {
    let mut site: BTreeMap<String, Vec<u8>> = [
        ("master.m3u8", include_str!("origin/master.m3u8")),
        ("index.m3u8", include_str!("origin/index.m3u8")),
        ("steer.json", include_str!("origin/steer.json")),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
    .collect();
    for name in ["init.mp4", "seg7.m4s", "seg8.m4s", "seg9.m4s", "whole.m4s"] {
        let line = format!("{} of {name} ", std::str::from_utf8(PLAINTEXT).unwrap());
        site.insert(name.to_owned(), line.repeat(20).into_bytes());
    }
    site
}

/// Decodes every `%XX` once, independently of the core.
pub fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        rest = tail;
        let pair = tail.get(..2).and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        match (first, pair) {
            (b'%', Some(byte)) => (bytes.push(byte), rest = &tail[2..]).0,
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).unwrap()
}
