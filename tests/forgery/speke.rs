//! Forgeries at the key server for packagers: tokens of other requesters and of viewers, in all four places, and
//! requesters' tokens where viewers' are expected. The results are in `speke.tsv`; all run through the core and both
//! modules.

use std::collections::BTreeMap;

use playlock_host::edge_auth::Token;
use playlock_host::envoy::Envoy;
use playlock_host::message::{Header, Outcome, Request, Response, Seen};
use playlock_host::native::Native;
use playlock_host::node::{Node, Setup};
use playlock_host::wasm::{self, Flavour, Vm};

use crate::fixture::NOW;
use crate::table::{Case, Tally};

const PASSWORD: &str = "52a152a152a152a152a152a152a152a1";
/// Requesters of the policy `vod`: one for `film*`, one for `news`, and one for all from a network.
const FILM: &str = "film+0e9d8c7b6a5f4/3d2c1b0a==";
const NEWS: &str = "news+1f0e9d8c7b6a5/4e3d2c1b==";
const LAB: &str = "labs+2a1f0e9d8c7b6/5f4e3d2c==";
/// A requester of the policy `tv`, for all contents.
const OTHER: &str = "tvtv+3b2a1f0e9d8c7/6a5f4e3d==";

/// The places of a requester's token.
const PLACES: [&str; 4] = ["query", "segment", "password", "header"];
const KID: &str = "0f083e4e-b831-4a3d-917e-ce78076e54aa";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn setup() -> Setup {
    let policy = |name: &str, transport: &str, secret: &str, path: &str, requesters: &str| {
        format!(
            r#"{{"policyName": "{name}",
            "tokenAuth": {{"enabled": true, "password": "{PASSWORD}", "sessionTokenTransport": "{transport}"}},
            "mediaEncryption": {{"enabled": true, "secret": "{secret}", "keyPath": "/{name}.key",
              "speke": {{"path": "{path}", "requesters": [{requesters}]}}}}}}"#
        )
    };
    let requester = |name: &str, token: &str, contents: &str, more: &str| {
        format!(r#"{{"name": "{name}", "token": "{token}", "contentIds": ["{contents}"]{more}}}"#)
    };
    let network = r#", "networks": ["198.51.100.0/24"]"#;
    let of_vod = [("film", FILM, "film*", ""), ("news", NEWS, "news", ""), ("lab", LAB, "*", network)];
    let of_vod = of_vod.map(|(name, token, contents, more)| requester(name, token, contents, more)).join(", ");
    let vod = policy("vod", "path", "000102030405060708090a0b0c0d0e0f", "/speke", &of_vod);
    let tv = policy("tv", "query", "100102030405060708090a0b0c0d0e0f", "/tv/speke", &requester("tv", OTHER, "*", ""));
    let config = format!(
        r#"{{"holdHeaders": true, "default": "deny", "policies": [{vod}, {tv}],
        "assignments": [{{"policyName": "vod", "path": "/vod/..."}}, {{"policyName": "tv", "path": "/tv/..."}}]}}"#
    );
    Setup { config, env: BTreeMap::new(), now: NOW, seed: 7 }
}

fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        out.extend((0..=chunk.len()).map(|at| char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 63])));
        out.push_str(["", "=", "=="][3 - chunk.len()]);
    }
    out
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A document of version 1 for a content ID, with its references.
fn document(content_id: &str) -> String {
    let keys = format!(r#"<c:ContentKeyList><c:ContentKey kid="{KID}"/></c:ContentKeyList>"#);
    format!(r#"<c:CPIX xmlns:c="urn:dashif:org:cpix" id="{content_id}">{keys}</c:CPIX>"#)
}

/// A request in parts.
#[derive(Debug, Clone)]
struct Ask {
    method: &'static str,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
    client: &'static str,
}

impl Ask {
    fn get(target: &str) -> Self {
        Self { method: "GET", target: target.into(), headers: Vec::new(), body: None, client: "203.0.113.7:4711" }
    }

    fn post(target: &str, content_id: &str) -> Self {
        Self { method: "POST", body: Some(document(content_id)), ..Self::get(target) }
    }

    /// The request with a token, as clients send it there.
    fn with(mut self, place: &str, token: &str) -> Self {
        match place {
            "query" => self.raw("query", &escaped(token)),
            "segment" => self.raw("segment", &escaped(token)),
            "password" => {
                self.headers.push(("authorization", format!("Basic {}", base64(format!("me:{token}").as_bytes()))))
            }
            _ => self.headers.push(("x-playlock-speke-token", token.into())),
        }
        self
    }

    /// Puts a text into the target that is escaped already.
    fn raw(&mut self, place: &str, token: &str) {
        let (path, query) = self
            .target
            .split_once('?')
            .map_or((self.target.clone(), None), |(path, query)| (path.to_owned(), Some(query.to_owned())));
        let parameter = format!("enc-token={token}");
        self.target = match (place, query) {
            ("segment", None) => format!("{path}/{token}"),
            ("segment", Some(query)) => format!("{path}/{token}?{query}"),
            (_, None) => format!("{path}?{parameter}"),
            (_, Some(query)) => format!("{path}?{query}&{parameter}"),
        };
    }
}

/// The core and both modules, each with the same configuration.
struct World {
    nodes: Vec<Box<dyn Node>>,
}

impl World {
    fn new() -> Self {
        let native = Native::start(&setup()).unwrap_or_else(|refused| panic!("{refused:?}"));
        let mut nodes: Vec<Box<dyn Node>> = vec![Box::new(native)];
        for flavour in Flavour::ALL {
            nodes.push(Box::new(Vm::start(wasm::module(flavour).unwrap(), &setup()).unwrap()));
        }
        Self { nodes }
    }

    /// The response, which is the same of each; and what no response may have.
    fn answer(&mut self, ask: &Ask) -> Seen {
        let mut answers = self.nodes.iter_mut().map(|node| {
            let mut request = Request::new(ask.method, &ask.target);
            request.headers.extend(ask.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())));
            request.client = Some(ask.client.into());
            request.body = ask.body.iter().map(|body| body.clone().into_bytes()).collect();
            request.has_body = ask.body.is_some();
            node.exchange(&Envoy::new(true), request, &mut |_: &[Header]| origin())
        });
        let first = answers.next().unwrap();
        for other in answers {
            assert_eq!((&other.status, &other.state), (&first.status, &first.state), "{ask:?}");
            assert!(other.body == first.body && other.origin.is_some() == first.origin.is_some(), "{ask:?}");
        }
        let path = ask.target.split('?').next().unwrap();
        let is_speke = path == "/speke" || path.starts_with("/speke/") || path.starts_with("/tv/speke");
        assert!(first.outcome == Outcome::Complete && !(is_speke && first.origin.is_some()), "{ask:?}");
        let shown = String::from_utf8_lossy(&first.body);
        assert!(first.status == Some(200) || !shown.contains("PlainValue"), "{ask:?}: {shown}");
        for token in [FILM, NEWS, LAB, OTHER] {
            assert!(!shown.contains(token) && !first.state.values().any(|value| value.contains(token)), "{ask:?}");
        }
        first
    }
}

fn origin() -> Response {
    let mut response = Response::new(200, b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n");
    response.headers.push(("content-type".into(), b"application/vnd.apple.mpegurl".to_vec()));
    response
}

/// A viewer's tokens, all of which are valid where they belong: name and token.
fn viewers(world: &mut World) -> Vec<(&'static str, String)> {
    let access = Token { exp: Some(NOW + 3600), acl: Some("/*".into()), ..Token::default() };
    let access = access.sign("sha256", PASSWORD).unwrap();
    let mut sessions = Vec::new();
    for (path, start, end) in [("/vod/master.m3u8", "/~", '/'), ("/tv/master.m3u8", "hdntl=", '\n')] {
        let seen = world.answer(&Ask::get(&format!("{path}?hdnts={access}")));
        let text = String::from_utf8(seen.body).unwrap();
        let token = text.split(start).nth(1).unwrap_or_else(|| panic!("{text}")).split(end).next().unwrap();
        sessions.push(token.to_owned());
    }
    let [vod, tv] = <[String; 2]>::try_from(sessions).unwrap();
    assert!(world.answer(&Ask::get(&format!("/~{vod}/vod/master.m3u8"))).status == Some(200));
    vec![("Access", access), ("Session", vod), ("Session", tv)]
}

type Take<'a> = &'a mut dyn FnMut(&str, &str, &str, Ask);

/// Requesters' tokens for contents, key servers and addresses that are not theirs.
fn of_others(take: Take<'_>) {
    for place in PLACES {
        let mut put = |class: &str, target: &str, content: &str, token: &str| {
            take(class, "Requester", place, Ask::post(target, content).with(place, token));
        };
        for content in ["news", "Film-7", " film-7", "nfilm-7", "\u{fb01}lm-7", "fil", "&#x46;ilm-7", "&amp;film-7"] {
            put("another's content", "/speke", content, FILM);
        }
        for content in ["film-7", "news-1", "new", "News", "news ", "*"] {
            put("another's content", "/speke", content, NEWS);
        }
        put("the same content, escaped", "/speke", "&#102;ilm-7", FILM);
        put("two contents", "/speke", r#"film-7" contentId="news"#, FILM);
        for content in ["film/7", "film/../news", "film\\7", "film&#10;7", "film&#47;7"] {
            put("no content ID", "/speke", content, FILM);
        }
        put("another key server's token", "/tv/speke", "film-7", FILM);
        put("another key server's token", "/speke", "film-7", OTHER);
        put("from another address", "/speke", "film-7", LAB);
        let mut ask = Ask::post("/speke", "film-7").with(place, LAB);
        ask.headers.push(("x-forwarded-for", "198.51.100.7".into()));
        take("from another address", "Requester", place, ask);
        let at_home = Ask { client: "198.51.100.7:4711", ..Ask::post("/speke", "film-7").with(place, LAB) };
        take("from its network", "Requester", place, at_home);
        for second in PLACES.into_iter().filter(|second| *second != place) {
            let ask = Ask::post("/speke", "film-7").with(place, FILM);
            take("twice", "Requester", place, ask.clone().with(second, FILM));
            take("beside another's", "Requester", place, ask.clone().with(second, NEWS));
            take("beside nothing", "Requester", place, ask.with(second, ""));
        }
    }
}

/// Changed tokens.
fn altered(take: Take<'_>) {
    for place in PLACES {
        let mut put = |class: &str, token: &str| {
            take(class, "Requester", place, Ask::post("/speke", "film-7").with(place, token));
        };
        put("valid", FILM);
        for at in 0..FILM.len() {
            let (before, rest) = FILM.split_at(at);
            let (byte, behind) = rest.split_at(1);
            put("letter changed", &[before, if byte == "A" { "B" } else { "A" }, behind].concat());
            put("letter left out", &[before, behind].concat());
            put("letter twice", &[before, byte, byte, behind].concat());
            if at > 0 {
                put("cut", before);
            }
            let escaped = [before, &format!("%{:02x}", FILM.as_bytes()[at]), behind].concat();
            put("escaped once more", &escaped);
        }
        put("in upper case", &FILM.to_uppercase());
        put("overlong", &FILM.repeat(40));
        put("a space more", &format!("{FILM} "));
        put("a NUL more", &format!("{FILM}\0"));
        put("the digest", "ef2d127de37b942baad06145e54b0c619a1f22327b2ebbcfbec78f5564afe39d");
        put("empty", "");
    }
    for (place, text) in [("query", FILM), ("segment", "film+0e9d8c7b6a5f4%2F3d2c1b0a==")] {
        let mut ask = Ask::post("/speke", "film-7");
        ask.raw(place, text);
        take("as it is", "Requester", place, ask);
    }
    for (place, text) in [("query", "%"), ("query", "%zz"), ("query", "%ff"), ("segment", "%4"), ("segment", "%ff")] {
        let mut ask = Ask::post("/speke", "film-7");
        ask.raw(place, &format!("{FILM}{text}").replace('/', "%2f"));
        take("half an escape", "Requester", place, ask);
    }
    take("none", "Requester", "-", Ask::post("/speke", "film-7"));
    for scheme in ["Bearer", "Digest", "AWS4-HMAC-SHA256"] {
        let mut ask = Ask::post("/speke", "film-7");
        ask.headers.push(("authorization", format!("{scheme} {FILM}")));
        take("another scheme", "Requester", "password", ask);
    }
    let mut named = Ask::post("/speke", "film-7");
    named.headers.push(("authorization", format!("Basic {}", base64(format!("{FILM}:x").as_bytes()))));
    take("as the name", "Requester", "password", named);
}

/// Viewers' tokens at the key server, as a requester's and as their own.
fn of_viewers(viewers: &[(&'static str, String)], take: Take<'_>) {
    for (kind, token) in viewers {
        for target in ["/speke", "/speke/cpix/getKey", "/tv/speke"] {
            for place in PLACES {
                take("a viewer's", kind, place, Ask::post(target, "film-7").with(place, token));
            }
            for name in ["hdnts", "hdntl", "plk"] {
                let query = Ask::post(&format!("{target}?{name}={token}"), "film-7");
                take("a viewer's parameter", kind, "query", query.clone());
                take("a viewer's parameter beside a requester's token", kind, "query", query.with("header", FILM));
                let mut cookie = Ask::post(target, "film-7");
                cookie.headers.push(("cookie", format!("{name}={token}")));
                take("a viewer's cookie", kind, "cookie", cookie);
            }
            let ask = Ask::post(&format!("/~{token}{target}"), "film-7");
            take("a viewer's, before the path", kind, "path", ask.clone());
            take("a viewer's, before the path, beside a requester's token", kind, "path", ask.with("header", FILM));
        }
    }
}

/// Requesters' tokens at content, at key endpoints, and where access and session tokens stand.
fn at_content(take: Take<'_>) {
    for policy in ["vod", "tv"] {
        let paths = [
            format!("/{policy}/master.m3u8"),
            format!("/{policy}/a.ts"),
            format!("/{policy}.key"),
            format!("/{policy}/{KID}"),
        ];
        for (what, path) in ["playlist", "segment", "key", "kid"].into_iter().zip(paths) {
            for token in [FILM, LAB, OTHER] {
                let mut put =
                    |class: &str, place: &str, ask: Ask| take(&format!("{class}: {what}"), "Requester", place, ask);
                for place in ["query", "password", "header"] {
                    put("as a requester's", place, Ask::get(&path).with(place, token));
                }
                for name in ["hdnts", "hdntl"] {
                    put("as a viewer's", "query", Ask::get(&format!("{path}?{name}={}", escaped(token))));
                    let mut cookie = Ask::get(&path);
                    cookie.headers.push(("cookie", format!("{name}={token}")));
                    put("as a viewer's", "cookie", cookie);
                }
                put("as a viewer's", "path", Ask::get(&format!("/~{}{path}", escaped(token))));
                let post =
                    Ask { body: Some(document("film-7")), method: "POST", ..Ask::get(&path).with("header", token) };
                put("with a document", "header", post);
            }
        }
    }
}

/// The reason of a refusal; `same` for the answer to the valid request; `keys` for other keys.
fn verdict(seen: &Seen, valid: &[u8]) -> String {
    if let Some(reason) = seen.state.get("wasm.playlock.reason") {
        return reason.clone();
    }
    match seen.status {
        Some(200) if seen.body == valid => "same".into(),
        Some(200) => "OTHER".into(),
        other => format!("{other:?}"),
    }
}

#[test]
fn every_forgery_at_the_key_server_is_denied_for_its_reason() {
    let mut world = World::new();
    let valid = world.answer(&Ask::post("/speke", "film-7").with("header", FILM));
    assert_eq!(valid.status, Some(200));
    let key = |seen: &Seen| {
        let text = String::from_utf8_lossy(&seen.body).into_owned();
        text.split_once("PlainValue>").map(|(_, rest)| rest.split('<').next().unwrap().to_owned())
    };
    let expected = key(&valid).unwrap();
    let viewers = viewers(&mut world);
    let mut tally = Tally::new("speke.tsv", include_str!("speke.tsv"));
    let mut take = |class: &str, token: &str, place: &str, ask: Ask| {
        let seen = world.answer(&ask);
        let same = key(&seen).is_some_and(|found| found == expected);
        let verdict = if same { "same".into() } else { verdict(&seen, &valid.body) };
        let case =
            Case { class: class.into(), token: token.into(), place: place.into(), policy: "vod", what: ask.method };
        tally.add(&case, &verdict, || format!("{ask:?}"));
    };
    of_others(&mut take);
    altered(&mut take);
    of_viewers(&viewers, &mut take);
    at_content(&mut take);
    tally.print();
    tally.check();
}
