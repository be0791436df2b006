//! A viewer of a site: a session, and the URLs and keys that a player finds in its playlists.

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playlock_core::http::reply::Header;
use playlock_core::media::batch::Batch;
use playlock_core::policy::Match;

use crate::cipher::Key;
use crate::edge::{self, Asked, End, Flow, header};
use crate::session::{self, Plain};
use crate::site::{NOW, SESSION, SITES, Site, site};
use crate::text;

const MASTER: &str = "#EXTM3U
#EXT-X-DEFINE:NAME=\"where\",VALUE=\"here\"
#EXT-X-STREAM-INF:BANDWIDTH=1
a/media.m3u8
";

/// A playlist with one of everything.
pub const MEDIA: &str = "#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:5
#EXT-X-DATERANGE:ID=\"ad\",X-ASSET-LIST=\"assets.json\"
#EXT-X-MAP:URI=\"init.mp4\"
#EXTINF:4,
1.ts
#EXTINF:4,
2.ts
#EXTINF:4,
#EXT-X-BYTERANGE:1000@720
all.ts
#EXT-X-ENDLIST
";

/// A resource as its playlist names it.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Path and query.
    pub target: String,
    /// The key that opens it; `None` if it is in clear.
    pub key: Option<Key>,
}

/// A player's knowledge of a session.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// The session token, as it is.
    pub token: String,
    /// The cookie, if the token travels so.
    pub cookies: Vec<Header>,
    /// The media playlist.
    pub playlist: String,
    /// Segments 1 and 2.
    pub segments: [Resource; 2],
    /// 1000 bytes of a file, from byte 720 on.
    pub part: Resource,
    /// The init section.
    pub init: Resource,
    /// The asset list.
    pub document: Resource,
    /// The key endpoint's URL of the first key; empty if keys come from elsewhere.
    pub key: String,
}

/// The viewer of a site.
pub fn viewer(index: usize) -> Viewer {
    thread_local! {
        static VIEWERS: RefCell<Vec<Option<Viewer>>> = RefCell::new(vec![None; SITES]);
    }
    VIEWERS.with_borrow_mut(|viewers| viewers[index % SITES].get_or_insert_with(|| Viewer::new(&site(index))).clone())
}

/// The reference in a URL to a session whose token is in a cookie.
pub fn reference() -> String {
    URL_SAFE_NO_PAD.encode(SESSION)[..8].to_owned()
}

/// A target with a query, which says by a parameter which session it is of; with tokens in the path, its path does.
pub fn with_session(site: &Site, target: &str, token: &str) -> String {
    match (site.in_query, site.in_path) {
        (true, _) => format!("{target}&{}={}", site.session, text::encode(token.as_bytes())),
        (_, true) => target.to_owned(),
        _ => format!("{target}&{}={}", site.session, reference()),
    }
}

/// The text before the paths of a session: its token, if that is in the path.
pub fn prefix(site: &Site, token: &str) -> String {
    if site.in_path { format!("/~{token}") } else { String::new() }
}

/// The name of the session's cookie.
pub fn cookie_name(site: &Site) -> String {
    format!("{}-{}", site.session, reference())
}

/// The header of a request with this session token in a cookie.
pub fn cookie(site: &Site, token: &str) -> Header {
    header("cookie", format!("{}={token}", cookie_name(site)))
}

/// A playlist that goes out whole.
pub fn playlist(site: &Site, target: &str, cookies: &[Header], text: &[u8]) -> (Vec<Header>, String) {
    let Asked::Forwarded(exchange, _) = edge::get(&site.policies, target.as_bytes(), cookies) else {
        panic!("{target} was refused on {}", site.name)
    };
    let mut flow = Flow::new(exchange);
    flow.head(&[header(":status", "200"), header("content-type", "application/vnd.apple.mpegurl")], false, false);
    flow.chunk(text, true, 0, &mut Batch::default());
    assert_eq!((flow.end, flow.status()), (End::Clean, 200));
    (flow.headers, String::from_utf8(flow.body).expect("text"))
}

impl Viewer {
    fn new(site: &Site) -> Self {
        let entry = format!("/vod/master.m3u8?{}={}", site.access, site.ticket());
        let (headers, master) = playlist(site, &entry, &[], MASTER.as_bytes());
        let uri = master.lines().last().expect("a variant");
        let playlist_target = if site.in_path { uri.to_owned() } else { format!("/vod/{uri}") };
        let token = match edge::value(&headers, "set-cookie") {
            None if site.in_path => {
                let (token, _) = uri.strip_prefix("/~").and_then(|rest| rest.split_once('/')).expect("a token");
                token.to_owned()
            }
            Some(cookie) => {
                let (pair, _) = cookie.split_once(';').expect("attributes");
                pair.split_once('=').expect("a value").1.to_owned()
            }
            None => {
                let sent = parameter(uri, site.session).expect("a token in the query");
                String::from_utf8(text::decode(sent.as_bytes()).expect("a good escape")).expect("text")
            }
        };
        let cookies = if site.in_cookie { vec![cookie(site, &token)] } else { Vec::new() };
        let (_, media) = playlist(site, &playlist_target, &cookies, MEDIA.as_bytes());

        let before = prefix(site, &token);
        let absolute = |uri: &str| format!("{before}/vod/a/{uri}");
        let (mut key, mut number) = (None, 5_u128);
        let (mut segments, mut init, mut document, mut key_target) = (Vec::new(), None, None, String::new());
        for line in media.lines() {
            if let Some(list) = line.strip_prefix("#EXT-X-KEY:") {
                key = quoted(list, "URI").map(|uri| {
                    let iv = list.split(",IV=0x").nth(1).map(|hex| u128::from_str_radix(hex, 16).expect("hex"));
                    if site.endpoint && key_target.is_empty() {
                        key_target = uri.to_owned();
                    }
                    (fetch_key(site, uri, &cookies), iv)
                });
            } else if let Some(list) = line.strip_prefix("#EXT-X-MAP:") {
                init = quoted(list, "URI").map(absolute);
            } else if let Some(list) = line.strip_prefix("#EXT-X-DATERANGE:") {
                document = quoted(list, "X-ASSET-LIST").map(absolute);
            } else if !line.starts_with('#') {
                let key = key.map(|(key, iv)| Key { key, iv: iv.unwrap_or(number).to_be_bytes() });
                segments.push(Resource { target: absolute(line), key });
                number += 1;
            }
        }
        let clear = |target: Option<String>| Resource { target: target.expect("its URI"), key: None };
        let [one, two, part] = segments.try_into().expect("three segments");
        Self {
            token,
            cookies,
            playlist: playlist_target,
            segments: [one, two],
            part,
            init: clear(init),
            document: clear(document),
            key: key_target,
        }
    }
}

fn fetch_key(site: &Site, uri: &str, cookies: &[Header]) -> [u8; 16] {
    if let Some(key) = site.key {
        return key;
    }
    let Asked::Answered(_, reply) = edge::get(&site.policies, uri.as_bytes(), cookies) else { panic!("no key") };
    assert_eq!(reply.status, 200);
    reply.body.try_into().expect("16 bytes")
}

fn quoted<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    list.split(&format!("{name}=\"")).nth(1)?.split('"').next()
}

/// The raw value of a parameter of a URL.
pub fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|parameter| parameter.strip_prefix(name)?.strip_prefix('='))
}

/// The token of a session with this ACL.
pub fn opened(site: &Site, acl: &str) -> String {
    let Match::Policy(_, policy) = site.policies.policy_for("tv.example", "/vod/", NOW) else { panic!("no policy") };
    let acl = text::encode_but(acl.as_bytes(), |byte| byte.is_ascii_graphic());
    let keyring = &policy.keyrings[0];
    let opened = u32::try_from(NOW).expect("before 2106");
    let plain = Plain { opened, id: SESSION, lifetime: 3600, acl: &acl, ..Plain::default() };
    session::signed(keyring, &session::encoded(keyring.secret_id()[0], &plain))
}
