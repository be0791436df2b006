//! Valid requests: everything that two viewers of each policy receive, starting with the first playlist, with the
//! position of every token. Each request is checked to be valid before it is forged.

use std::fmt;

use playlock_host::edge_auth::Token;

use crate::fixture::{Answer, Ask, Fixture, percent_decoded};

/// Access tokens are valid from 2023 to 2100, in these tests and in a real proxy.
const ST: u64 = 1_700_000_000;
const EXP: u64 = 4_102_444_800;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Access,
    Session,
    /// The parameter `plk`.
    Signed,
}

/// The position of a value in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Query(usize),
    Cookie(usize),
    Header(usize),
    /// The first segment of the path.
    Path,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Query(_) => "query",
            Self::Cookie(_) => "cookie",
            Self::Header(_) => "header",
            Self::Path => "path",
        })
    }
}

/// A token in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub kind: Kind,
    pub place: Place,
}

/// A valid request.
#[derive(Debug, Clone)]
pub struct Valid {
    /// The requested resource: `master`, `opened` (a media playlist by access token), `media`, `segment`, `range`, `init`,
    /// `document`, `key`.
    pub what: &'static str,
    pub policy: &'static str,
    pub viewer: u8,
    pub ask: Ask,
    pub slots: Vec<Slot>,
    pub answer: Answer,
}

impl Valid {
    /// The value at a position.
    pub fn value(&self, place: Place) -> &[u8] {
        match place {
            Place::Query(index) => &self.ask.query[index].1,
            Place::Cookie(index) => &self.ask.cookies[index].1,
            Place::Header(index) => &self.ask.headers[index].1,
            Place::Path => &self.ask.segment.as_ref().unwrap().1,
        }
    }

    /// The request with another value at a position.
    pub fn with(&self, place: Place, value: Vec<u8>) -> Ask {
        let mut ask = self.ask.clone();
        match place {
            Place::Query(index) => ask.query[index].1 = value,
            Place::Cookie(index) => ask.cookies[index].1 = value,
            Place::Header(index) => ask.headers[index].1 = value,
            Place::Path => ask.segment.as_mut().unwrap().1 = value,
        }
        ask
    }

    /// The position of its token of a kind.
    pub fn place(&self, kind: Kind) -> Option<Place> {
        self.slots.iter().find(|slot| slot.kind == kind).map(|slot| slot.place)
    }
}

/// A policy of `policies.json`, with the values that its viewers need.
#[derive(Debug, Clone, Copy)]
pub struct Shop {
    pub name: &'static str,
    pub folder: &'static str,
    pub host: &'static str,
    pub password: &'static str,
    pub salt: Option<&'static str>,
    /// Parameter, cookie and header of the access token.
    pub access: [&'static str; 3],
    pub session: &'static str,
    pub in_query: bool,
    pub in_path: bool,
    pub device: bool,
}

const fn shop(name: &'static str, password: &'static str) -> Shop {
    Shop {
        name,
        folder: name,
        host: "edge.example",
        password,
        salt: None,
        access: ["hdnts", "hdnts", "hdnts"],
        session: "hdntl",
        in_query: true,
        in_path: false,
        device: false,
    }
}

/// All policies.
pub const SHOPS: &[Shop] = &[
    shop("query", "52a152a152a152a152a152a152a152a1"),
    Shop { in_query: false, ..shop("cookie", "52a152a152a152a152a152a152a152a1") },
    Shop {
        access: ["__token__", "gate", "x-gate"],
        session: "pass",
        ..shop("both", "52a152a152a152a152a152a152a152a1")
    },
    shop("stream", "11a152a152a152a152a152a152a152a1"),
    shop("application", "22a152a152a152a152a152a152a152a1"),
    shop("configured", "33a152a152a152a152a152a152a152a1"),
    shop("tokens", "44a152a152a152a152a152a152a152a1"),
    Shop { salt: Some("NaCl"), ..shop("legacy", "55a152a152a152a152a152a152a152a1") },
    Shop { device: true, ..shop("bound", "66a152a152a152a152a152a152a152a1") },
    shop("exact", "77a152a152a152a152a152a152a152a1"),
    shop("lenient", "88a152a152a152a152a152a152a152a1"),
    Shop { folder: "query", host: "tv.example", ..shop("host", "99a152a152a152a152a152a152a152a1") },
    Shop { in_query: false, in_path: true, ..shop("path", "aaa152a152a152a152a152a152a152a1") },
];

impl Shop {
    /// An access token with every field.
    pub fn token(&self) -> Token {
        Token {
            ip: Some("203.0.113.7".into()),
            st: Some(ST),
            exp: Some(EXP),
            acl: Some(format!("/{}/*!/elsewhere/*", self.folder)),
            id: Some("sess-1".into()),
            data: Some("user=42".into()),
            url: None,
            salt: self.salt.map(Into::into),
        }
    }

    /// The token's text.
    pub fn sign(&self, token: &Token) -> Vec<u8> {
        token.sign("sha256", self.password).unwrap().into_bytes()
    }

    /// A request without any token.
    pub fn ask(&self, file: &str, viewer: u8) -> Ask {
        let mut ask = Ask { host: self.host.into(), random: viewer, ..Ask::new(&format!("/{}/{file}", self.folder)) };
        if self.device {
            ask.headers.push(("x-device".into(), b"TV 7".to_vec()));
        }
        ask
    }

    /// A request with this access token in its query (0), a cookie (1), a header (2) or its path (3).
    pub fn entry(&self, file: &str, viewer: u8, token: Vec<u8>, place: usize) -> (Ask, Slot) {
        let mut ask = self.ask(file, viewer);
        let name = self.access[place.min(2)];
        let place = match place {
            0 => {
                ask.query.push((name.into(), token));
                Place::Query(ask.query.len() - 1)
            }
            1 => {
                ask.cookies.push((name.into(), token));
                Place::Cookie(ask.cookies.len() - 1)
            }
            3 => {
                // A slash would end the segment.
                let escaped = String::from_utf8(token).unwrap().replace('/', "%2f");
                ask.segment = Some((format!("~{name}=").into_bytes(), escaped.into_bytes()));
                Place::Path
            }
            _ => {
                ask.headers.push((name.into(), token));
                Place::Header(ask.headers.len() - 1)
            }
        };
        (ask, Slot { kind: Kind::Access, place })
    }
}

/// The valid requests of all policies.
pub fn all(fixture: &Fixture) -> Vec<Valid> {
    SHOPS.iter().flat_map(|shop| [7, 8].into_iter().flat_map(|viewer| walk(fixture, shop, viewer))).collect()
}

/// All requests of one viewer of a policy.
fn walk(fixture: &Fixture, shop: &Shop, viewer: u8) -> Vec<Valid> {
    let mut found = Vec::new();
    let mut take = |what, ask: Ask, slots: Vec<Slot>| {
        let answer = fixture.answer(&ask);
        assert_eq!((answer.reason, answer.status / 100), (None, 2), "{what} of {}: {ask:?}", shop.name);
        found.push(Valid { what, policy: shop.name, viewer, ask, slots, answer: answer.clone() });
        answer
    };
    let token = shop.sign(&shop.token());
    for place in [3, 2, 1, 0].into_iter().filter(|place| *place < 3 || shop.in_path) {
        let (ask, slot) = shop.entry("master.m3u8", viewer, token.clone(), place);
        take("master", ask, vec![slot]);
        let (ask, slot) = shop.entry("v/index.m3u8", viewer, token.clone(), place);
        take("opened", ask, vec![slot]);
    }
    let url = Token { url: Some(format!("/{}/master.m3u8", shop.folder)), acl: None, ..shop.token() };
    let (ask, slot) = shop.entry("master.m3u8", viewer, shop.sign(&url), 0);
    take("master", ask, vec![slot]);

    let (ask, _) = shop.entry("master.m3u8", viewer, token, 0);
    let master = fixture.answer(&ask);
    let cookie = master.set_cookie.clone().map(|line| {
        let pair = line.split(|byte| *byte == b';').next().unwrap();
        let at = pair.iter().position(|byte| *byte == b'=').unwrap();
        (pair[..at].to_vec(), pair[at + 1..].to_vec())
    });
    let mut follow = |what, base: &Ask, uri: &str| {
        let mut ask = resolved(base, uri, shop.in_path);
        let mut slots: Vec<Slot> = ask
            .query
            .iter()
            .enumerate()
            .filter_map(|(index, (name, _))| {
                let kind = match name.as_slice() {
                    b"plk" => Kind::Signed,
                    // With a cookie it is a reference to that, which says nothing by itself.
                    name if shop.in_query && name == shop.session.as_bytes() => Kind::Session,
                    _ => return None,
                };
                Some(Slot { kind, place: Place::Query(index) })
            })
            .collect();
        if shop.in_path {
            slots.push(Slot { kind: Kind::Session, place: Place::Path });
        }
        if let (false, Some(cookie)) = (shop.in_query, &cookie) {
            ask.cookies = vec![cookie.clone()];
            slots.push(Slot { kind: Kind::Session, place: Place::Cookie(0) });
        }
        let answer = take(what, ask.clone(), slots);
        (ask, answer)
    };
    for uri in uris(&master.body).into_iter().filter(|uri| uri.contains("steer.json")) {
        follow("document", &ask, &uri);
    }
    let media = uris(&master.body).into_iter().find(|uri| uri.contains("index.m3u8")).unwrap();
    let (base, media) = follow("media", &ask, &media);
    for uri in uris(&media.body) {
        let what = match &uri {
            uri if uri.contains("keys.example") => continue,
            uri if uri.contains("serve.key") => "key",
            uri if uri.contains("init.mp4") => "init",
            uri if uri.contains("whole.m4s") => "range",
            _ => "segment",
        };
        follow(what, &base, &uri);
    }
    found
}

/// The URIs of a playlist, in tags and on separate lines.
fn uris(playlist: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(playlist).unwrap();
    let of_line = |line: &str| match line.strip_prefix('#') {
        None => Some(line.to_owned()),
        Some(tag) => tag.split_once("URI=\"").map(|(_, rest)| rest.split('"').next().unwrap().to_owned()),
    };
    text.lines().filter(|line| !line.is_empty()).filter_map(of_line).collect()
}

/// The request for a URI in the playlist that `base` requested. `in_path`: its first segment is the session token's.
fn resolved(base: &Ask, uri: &str, in_path: bool) -> Ask {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        let target = String::from_utf8(base.target()).unwrap();
        let base = target.split('?').next().unwrap();
        format!("{}/{path}", base.rsplit_once('/').unwrap().0)
    };
    let (segment, path) = match path.strip_prefix("/~").filter(|_| in_path).map(|rest| rest.split_once('/').unwrap()) {
        Some((token, rest)) => (Some((b"~".to_vec(), token.into())), format!("/{rest}")),
        None => (None, path),
    };
    let query = query.split('&').filter(|parameter| !parameter.is_empty());
    let pair = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        (name.as_bytes().to_vec(), value.as_bytes().to_vec())
    };
    Ask {
        segment,
        path: path.into_bytes(),
        query: query.map(pair).collect(),
        cookies: Vec::new(),
        headers: base.headers.iter().filter(|(name, _)| name == "x-device").cloned().collect(),
        ..base.clone()
    }
}

/// A value without its percent-encoding.
pub fn decoded(value: &[u8]) -> Vec<u8> {
    percent_decoded(std::str::from_utf8(value).unwrap()).into_bytes()
}
