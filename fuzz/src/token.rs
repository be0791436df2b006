//! Property of tokens: an access token opens a session if and only if signature, grammar, time, client and path are
//! valid; a session token is accepted if and only if it was issued. No modification of a token yields another valid
//! one.

use playlock_core::http::reply::{Header, Reason};

use crate::edge::{self, Asked, header};
use crate::site::{Hash, NOW, SITES, Site, site};
use crate::source::Source;
use crate::text;
use crate::viewer::{self, viewer};

const CLIENT: &str = "203.0.113.7";

/// The place of a token in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Query parameter.
    Query,
    /// Cookie.
    Cookie,
    /// Header.
    Header,
}

const PLACES: [Place; 3] = [Place::Query, Place::Cookie, Place::Header];

/// Input: the site, hash, place and spelling; then changes to the token, four bytes each, behind their number; then, a
/// line each, the path, the URL that is signed, and the text that is.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let index = source.below(SITES);
    let site = site(index);
    let hash = source.pick(&[Hash::Sha256, Hash::Sha1, Hash::Md5]);
    let place = source.pick(&PLACES);
    let spelling = source.below(3);
    let changes: Vec<[u8; 4]> =
        (0..source.below(8)).map(|_| [source.byte(), source.byte(), source.byte(), source.byte()]).collect();
    let path = path(source.until(b'\n'));
    let url = String::from_utf8_lossy(source.until(b'\n')).into_owned();
    let signed = String::from_utf8_lossy(source.rest()).into_owned();

    if site.token {
        let is_url = claims(&signed).is_some_and(|claims| claims.acl.is_none());
        let token = site.sign(hash, &signed, is_url.then_some(&*url));
        access(&site, &Access { token: &token, signed: &signed, hash, url: &url }, &path, place, spelling, &changes);
    }
    session(&site, index, place, spelling, &changes);
}

/// A path that is one without question: what tokens are for is what is tried here.
pub fn path(bytes: &[u8]) -> String {
    let plain: String =
        bytes.iter().filter(|b| b.is_ascii_alphanumeric() || b"/-_".contains(b)).map(|b| char::from(*b)).collect();
    let segments: Vec<&str> = plain.split('/').filter(|segment| !segment.is_empty()).collect();
    format!("/vod/{}.m3u8", segments.join("/"))
}

struct Access<'a> {
    token: &'a str,
    signed: &'a str,
    hash: Hash,
    url: &'a str,
}

fn access(site: &Site, access: &Access<'_>, path: &str, place: Place, spelling: usize, changes: &[[u8; 4]]) {
    let sent = changed(access.token, changes);
    let Some(Placed { query, headers, wire }) = placed(site.access, &sent, place, spelling) else { return };
    let target = format!("{path}{query}");
    let asked = edge::get(&site.policies, target.as_bytes(), &headers);
    let verdict = verdict(site, access, &wire, path);
    match (&asked, verdict) {
        (Asked::Forwarded(..), true) => {}
        (Asked::Forwarded(..), false) => panic!("{} let {sent:?} in to {path}", site.name),
        // Whether a session token is short enough is not for this to say.
        (Asked::Answered(exchange, _), true) => {
            assert_eq!(exchange.reason(), Some(Reason::Oversize), "{} refused {sent:?} for {path}", site.name);
        }
        (Asked::Answered(exchange, reply), false) => {
            assert!(exchange.reason().is_some() && reply.status >= 400);
        }
    }
    // What opens a session is no session: not for content, nor in the session token's place.
    let forwarded = |asked: Asked| matches!(asked, Asked::Forwarded(..));
    if site.on_content {
        let target = format!("/vod/1.ts{query}");
        assert!(!forwarded(edge::get(&site.policies, target.as_bytes(), &headers)), "content for an access token");
    }
    if let Some(Placed { query, headers, .. }) = placed(site.session, &sent, place, spelling) {
        let target = format!("{path}{query}");
        assert!(!forwarded(edge::get(&site.policies, target.as_bytes(), &headers)), "an access token as a session");
    }
}

/// Whether this token must open a session: by the grammar of EdgeAuth v2, read anew.
fn verdict(site: &Site, access: &Access<'_>, wire: &str, path: &str) -> bool {
    let is_ours = is(wire, access.token);
    let Some(claims) = claims(access.signed) else { return false };
    let hash = access.hash == Hash::Sha256 || site.legacy;
    let early = claims.st.is_some_and(|st| NOW + site.skew < st);
    let late = NOW > claims.exp + site.skew;
    let here = match claims.acl {
        Some(acl) => text::matches(acl, path.as_bytes()),
        // Letters, digits and slashes: `escape_early` is the one other spelling.
        None => [path.to_owned(), path.replace('/', "%2f")].iter().any(|path| path == access.url),
    };
    let client = claims.ip.is_none_or(|ip| {
        let ip = text::decode(ip.as_bytes()).and_then(|ip| String::from_utf8(ip).ok());
        ip.is_some_and(|ip| ip == CLIENT || ip == format!("::ffff:{CLIENT}") || is_mapped(&ip))
    });
    is_ours && hash && !early && !late && here && client
}

/// Whether this is the token, as it stands or percent-encoded once. What is longer than 2 KiB is none.
pub fn is(wire: &str, token: &str) -> bool {
    wire.len() <= 2048 && (wire == token || text::decode(wire.as_bytes()).as_deref() == Some(token.as_bytes()))
}

/// Other spellings of the client's address as an IPv6 one.
fn is_mapped(ip: &str) -> bool {
    ip.parse::<std::net::Ipv6Addr>().is_ok_and(|ip| ip.to_ipv4_mapped().is_some_and(|ip| ip.to_string() == CLIENT))
}

struct Claims<'a> {
    ip: Option<&'a str>,
    st: Option<u64>,
    exp: u64,
    acl: Option<&'a str>,
}

/// The fields of a token's text.
fn claims(signed: &str) -> Option<Claims<'_>> {
    let mut fields: Vec<(&str, usize, usize)> = Vec::new();
    let mut at = 0;
    for piece in signed.split('~') {
        match piece.split_once('=') {
            Some((name, _)) => fields.push((name, at + name.len() + 1, at + piece.len())),
            None => match fields.last_mut() {
                Some((name, _, end)) if matches!(*name, "id" | "data") => *end = at + piece.len(),
                _ => return None,
            },
        }
        at += piece.len() + 1;
    }
    let known = ["ip", "st", "exp", "acl", "id", "data"];
    for (index, (name, start, end)) in fields.iter().enumerate() {
        let again = fields[..index].iter().any(|(other, ..)| other == name);
        if !known.contains(name) || again || start == end {
            return None;
        }
    }
    let field = |wanted: &str| {
        let (_, start, end) = fields.iter().find(|(name, ..)| *name == wanted)?;
        Some(&signed[*start..*end])
    };
    let seconds = |wanted: &str| match field(wanted) {
        None => Some(None),
        Some(text) => {
            let good = text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
            good.then(|| text.parse::<u64>().ok()).flatten().map(Some)
        }
    };
    let acl = field("acl");
    if acl.is_some_and(|acl| !text::is_acl(acl)) {
        return None;
    }
    Some(Claims { ip: field("ip"), st: seconds("st")?, exp: seconds("exp")??, acl })
}

/// The session's own token, changed.
fn session(site: &Site, index: usize, place: Place, spelling: usize, changes: &[[u8; 4]]) {
    let viewer = viewer(index);
    let sent = changed(&viewer.token, changes);
    let name = if matches!(place, Place::Cookie) { viewer::cookie_name(site) } else { site.session.to_owned() };
    let Some(Placed { query, headers, wire }) = placed(&name, &sent, place, spelling) else { return };
    let travels = match place {
        Place::Query => site.in_query || site.in_path,
        Place::Cookie => site.in_cookie,
        Place::Header => false,
    };
    // Queries may be percent-encoded, cookies not.
    let is_it = if place == Place::Cookie { wire == viewer.token } else { is(&wire, &viewer.token) };
    for path in ["/vod/a/1.ts", "/vod/a/media.m3u8"] {
        let target = format!("{path}{query}");
        let forwarded = matches!(edge::get(&site.policies, target.as_bytes(), &headers), Asked::Forwarded(..));
        let needed = if path.ends_with(".ts") { site.on_content } else { site.token };
        if travels && is_it {
            assert!(forwarded, "{}: its own token was refused", site.name);
        } else if needed {
            assert!(!forwarded, "{} let {sent:?} in by {place:?}", site.name);
        }
    }
    // In the path, where nothing of it is escaped.
    if site.in_path && sent.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#".contains(&byte)) {
        let target = format!("/~{sent}/vod/a/1.ts");
        let forwarded = matches!(edge::get(&site.policies, target.as_bytes(), &[]), Asked::Forwarded(..));
        assert_eq!(forwarded, sent == viewer.token, "{}: {sent:?} in the path", site.name);
    }
    // The key is another matter: never without the token.
    if !viewer.key.is_empty() {
        let (path, _) = viewer.key.split_once('?').expect("a query");
        let path = path.strip_prefix(&viewer::prefix(site, &viewer.token)).expect("the session's path");
        let signed = viewer::parameter(&viewer.key, "plk").expect("what was signed");
        let target = format!("{path}?plk={signed}{}", query.replacen('?', "&", 1));
        let Asked::Answered(exchange, reply) = edge::get(&site.policies, target.as_bytes(), &headers) else {
            panic!("a request for a key was passed on")
        };
        assert_eq!(exchange.reason().is_none() && reply.body.len() == 16, travels && is_it);
    }
    // Nor does it open another session.
    if site.token
        && let Some(Placed { query, headers, .. }) = placed(site.access, &sent, place, spelling)
    {
        let target = format!("/vod/a/media.m3u8{query}");
        assert!(matches!(edge::get(&site.policies, target.as_bytes(), &headers), Asked::Answered(..)));
    }
}

/// A text with some of its bytes changed: set, taken out, put in, or a piece of it again.
pub fn changed(token: &str, changes: &[[u8; 4]]) -> String {
    let mut bytes = token.as_bytes().to_vec();
    for [what, high, low, with] in changes {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % (bytes.len() + 1);
        let end = (at + usize::from(*with % 16)).min(bytes.len());
        match what % 6 {
            0 if at < bytes.len() => bytes[at] = *with,
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 => bytes.insert(at, *with),
            3 => bytes.extend_from_within(at..end),
            4 => drop(bytes.splice(at..end, [])),
            // Another spelling of the same.
            5 if at < bytes.len() => drop(bytes.splice(at..=at, format!("%{:02x}", bytes[at]).into_bytes())),
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A token in its place.
pub struct Placed {
    /// The text behind the path.
    pub query: String,
    /// Headers.
    pub headers: Vec<Header>,
    /// The token as it is sent.
    pub wire: String,
}

/// `None` if it cannot stand there so.
pub fn placed(name: &str, token: &str, place: Place, spelling: usize) -> Option<Placed> {
    match place {
        Place::Query => {
            let plain = |byte: u8| byte > b' ' && byte < 0x7f && !b"#&".contains(&byte);
            let wire = match spelling {
                0 => token.bytes().all(plain).then(|| token.to_owned())?,
                1 => text::encode(token.as_bytes()),
                _ => text::encode_but(token.as_bytes(), |byte| plain(byte) && byte != b'%'),
            };
            Some(Placed { query: format!("?{name}={wire}"), headers: Vec::new(), wire })
        }
        Place::Cookie => {
            let plain = !token.contains(';') && token.trim() == token;
            let other = if spelling == 1 { "a=1; " } else { "" };
            let headers = vec![header("cookie", format!("{other}{name}={token}"))];
            plain.then(|| Placed { query: String::new(), headers, wire: token.to_owned() })
        }
        Place::Header => {
            Some(Placed { query: String::new(), headers: vec![header(name, token)], wire: token.to_owned() })
        }
    }
}
