//! The grammar of Media CDN's tokens, and the values from requests that their signatures cover.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

use playlock_core::http::incoming::{Incoming, RequestHead};
use playlock_core::http::reply::{Header, Reason, header};
use playlock_core::policy::{Match, Opening, Policies};
use playlock_core::step::{Known, Request};
use playlock_core::token::grant::Grant;
use playlock_core::token::media_cdn::claims::Claims;

const TAIL: &str = "~hmac=bb07ba926e57958bdfe943f1c0914c04948eb0dc8a5e44baa426c9184f733ed2";
/// The keys of Google's tests.
pub(super) const SHARED: &str = "83f4a53082e22162aab02e99d8bee0cb4b117833aab52ac9ac4ec25cdaf9365f";
pub(super) const PUBLIC: &str = "9fb9f0be1cdad750b44ae53d6b2d6e5a30d27f31fe0a9201817c6a233f9877d4";
const NOW: u64 = 1_663_030_000;

fn b64(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// A configuration with these algorithms and both keys of Google's tests.
pub(super) fn policies(algorithms: &[&str]) -> Policies {
    let key = |hex: &str| b64(base16ct::lower::decode_vec(hex).unwrap());
    let mut keys = Vec::new();
    if algorithms.contains(&"ed25519") {
        keys.push(json!({"kty": "OKP", "crv": "Ed25519", "x": key(PUBLIC)}));
    }
    if algorithms.iter().any(|algorithm| algorithm.starts_with("hmac")) {
        keys.push(json!({"kty": "oct", "k": key(SHARED)}));
    }
    let document = json!({
        "policies": [{
            "policyName": "vod",
            "tokenAuth": {
                "enabled": true,
                "formats": ["mediacdn"],
                "clockSkew": "0s",
                "mediacdn": {"keys": keys, "algorithms": algorithms},
            },
            "mediaEncryption": {"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f"},
        }],
        "assignments": [{"policyName": "vod", "path": "/..."}],
    });
    playlock_config::parse(document.to_string().as_bytes(), &|_| None).unwrap().0
}

/// A request, by default Google's.
pub(super) struct Asked<'a> {
    pub target: &'a str,
    pub scheme: &'a str,
    pub host: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub client: &'a str,
    pub now: u64,
}

pub(super) const ASKED: Asked<'static> = Asked {
    target: "/example.m3u8",
    scheme: "http",
    host: "10.20.30.40",
    headers: &[("foo", "bar"), ("baz", "quux")],
    client: "203.0.113.7:1234",
    now: NOW,
};

pub(super) fn verify(policies: &Policies, token: &str, asked: &Asked<'_>) -> Result<Grant, Reason> {
    let Match::Policy(_, policy) = policies.policy_for("h", "/", 0) else { panic!("no policy") };
    let Opening::AccessToken(access) = policy.opening() else { panic!("no access token") };
    let mut headers: Vec<Header> = [(":path", asked.target), (":scheme", asked.scheme), (":authority", asked.host)]
        .map(|(n, v)| header(n, v))
        .into();
    headers.extend(asked.headers.iter().map(|(name, value)| header(name, value)));
    let attributes = Known::client(asked.client);
    let request = Request { headers: &headers, attributes: &attributes, now: asked.now, end_of_stream: true };
    let head = RequestHead::read(&request);
    let incoming = Incoming::parse(&head).unwrap();
    access.formats[0].verifier.verify(token, &incoming, policy.reserved_parameters())
}

/// A token over this text, of which `token` is what is sent.
pub(super) fn signed(token: &str, text: &str) -> String {
    signed_with(SHARED, token, text)
}

/// The same with this key.
pub(super) fn signed_with(key: &str, token: &str, text: &str) -> String {
    let key = base16ct::lower::decode_vec(key).unwrap();
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(&key).unwrap();
    mac.update(text.as_bytes());
    format!("{token}~hmac={}", base16ct::lower::encode_string(&mac.finalize().into_bytes()))
}

fn shared() -> Policies {
    policies(&["hmac-sha256"])
}

/// The result for a token whose signature is valid.
fn result(fields: &str, asked: &Asked<'_>) -> Result<Grant, Reason> {
    verify(&shared(), &signed(fields, fields), asked)
}

#[test]
fn the_published_vectors() {
    let file: Value = serde_json::from_str(include_str!("../../../../tests/vectors/media-cdn.json")).unwrap();
    let (all, none) = (policies(&["ed25519", "hmac-sha256", "hmac-sha1"]), policies(&["ed25519"]));
    for vector in file["vectors"].as_array().unwrap() {
        let text = |member: &str| vector[member].as_str().map(String::from);
        let token = text("token").unwrap();
        let target = text("target").unwrap_or(ASKED.target.into());
        for now in [file["starts"].as_u64().unwrap(), file["expires"].as_u64().unwrap()] {
            let asked = Asked { target: &target, now, ..ASKED };
            let expected = Grant { acl: text("acl"), id: text("id"), payload: text("payload"), ..Grant::default() };
            assert_eq!(verify(&all, &token, &asked), Ok(expected), "{vector}");
            let encoded = token.replace('%', "%25").replace('~', "%7E").replace('=', "%3d");
            assert!(verify(&all, &encoded, &asked).is_ok(), "re-encoded: {vector}");
            let expected = if vector["algorithm"] == "ed25519" { Ok(()) } else { Err(Reason::Algorithm) };
            assert_eq!(verify(&none, &token, &asked).map(|_| ()), expected, "{vector}");
        }
        let late = Asked { target: &target, now: file["expires"].as_u64().unwrap() + 1, ..ASKED };
        assert_eq!(verify(&all, &token, &late), Err(Reason::Expired), "{vector}");
    }
}

#[test]
fn the_grammar_is_strict() {
    let prefix = b64("https://h/a");
    for good in [
        "PathGlobs=/*~Expires=1".to_string(),
        "Expires=1~PathGlobs=/*".into(),
        "st=1~exp=2~acl=/a/*!/b~id=x~data=a=b".into(),
        "exp=1~paths=/a,/b~payload=p".into(),
        "FullPath~Expires=1".into(),
        "Expires=1~FullPath~Headers=a,B,x-c_1".into(),
        format!("URLPrefix={prefix}~Expires=1"),
        format!("URLPrefix={}~Expires=1~IPRanges={}", URL_SAFE.encode("https://h/ab"), b64("::1,192.0.2.0/24")),
    ] {
        assert!(Claims::parse(&format!("{good}{TAIL}")).is_ok(), "{good}");
    }
    for bad in [
        "".to_string(),
        "Expires=1".into(),
        "PathGlobs=/*".into(),
        "PathGlobs=~Expires=1".into(),
        "PathGlobs=/*~Expires=".into(),
        "PathGlobs=/*~Expires=1~".into(),
        "~PathGlobs=/*~Expires=1".into(),
        "PathGlobs=/*~~Expires=1".into(),
        "PathGlobs=/*~Expires=1~Expires=1".into(),
        "PathGlobs=/*~Expires=1~exp=2".into(),
        "PathGlobs=/*~acl=/a~Expires=1".into(),
        "PathGlobs=/*~FullPath~Expires=1".into(),
        format!("PathGlobs=/*~URLPrefix={prefix}~Expires=1"),
        "PathGlobs=/*~Expires=1~Data=a~payload=b".into(),
        "PathGlobs=/*~Expires=1~Data=".into(),
        "PathGlobs=/*~Expires=1~Data=a~b".into(),
        "PathGlobs=/*~Expires=1~SessionID=".into(),
        "PathGlobs=/*~Expires=1~KeyName=a".into(),
        "PathGlobs=/*~Expires=1~ip=192.0.2.1".into(),
        "PathGlobs=/*~Expires=1~hmac=00".into(),
        "PathGlobs=/*~EXPIRES=1".into(),
        "pathglobs=/*~Expires=1".into(),
        "PathGlobs=/*~Expires=-1".into(),
        "PathGlobs=/*~Expires=1.5".into(),
        "PathGlobs=/*~Expires=9999999999999".into(),
        "PathGlobs=/a,,/b~Expires=1".into(),
        "PathGlobs=/a!~Expires=1".into(),
        "PathGlobs=/%zz~Expires=1".into(),
        "acl=/a,/b~Expires=1".into(),
        "FullPath=~Expires=1".into(),
        "FullPath=/a~Expires=1".into(),
        "fullpath~Expires=1".into(),
        "PathGlobs~Expires=1".into(),
        "PathGlobs=/*~Expires=1~Headers=".into(),
        "PathGlobs=/*~Expires=1~Headers=a,".into(),
        "PathGlobs=/*~Expires=1~Headers=a,A".into(),
        "PathGlobs=/*~Expires=1~Headers=a=b".into(),
        "PathGlobs=/*~Expires=1~Headers=:path".into(),
        "PathGlobs=/*~Expires=1~IPRanges=192.0.2.1".into(),
        "PathGlobs=/*~Expires=1~IPRanges=A".into(),
        "PathGlobs=/*~Expires=1~IPRanges=+/+/".into(),
        format!("PathGlobs=/*~Expires=1~IPRanges={}", b64(b"\xff\xfe")),
    ] {
        assert_eq!(Claims::parse(&format!("{bad}{TAIL}")), Err(Reason::Malformed), "{bad}");
    }
    for url in [
        "",
        "/a",
        "h/a",
        "ftp://h/",
        "https:///a",
        "https://u@h/",
        "https://h/a b",
        "https://h/%zz",
        "https://h/#",
        "https://h\\a",
    ] {
        let token = format!("URLPrefix={}~Expires=1{TAIL}", b64(url));
        assert_eq!(Claims::parse(&token), Err(Reason::Malformed), "{url}");
    }
    for tail in [
        "",
        "~hmac=",
        "~hmac=00",
        &TAIL.to_uppercase(),
        &format!("{TAIL}00"),
        &format!("{TAIL}~Data=x"),
        "~Signature=",
        "~Signature=AAAA",
        &format!("~Signature={}", b64([0; 63])),
        &format!("~signature={}", b64([0; 64])),
        &format!("~Signature={}=", b64([0; 64])),
    ] {
        assert!(Claims::parse(&format!("PathGlobs=/*~Expires=1{tail}")).is_err(), "{tail}");
    }
}

#[test]
fn each_scope_covers_what_it_says() {
    let https = |target| Asked { target, scheme: "https", host: "Edge.example:443", ..ASKED };
    for (scope, asked, acl) in [
        (format!("URLPrefix={}", b64("https://edge.example/vod/")), https("/vod/a.m3u8?x=1"), Some("/vod/*")),
        (format!("URLPrefix={}", b64("https://edge.example/vod/a*!")), https("/vod/a*!b.m3u8"), Some("/vod/a%2a%21*")),
        (format!("URLPrefix={}", b64("https://edge.example/a%20b/")), https("/a b/x"), None),
        (format!("URLPrefix={}", b64("https://edge.example/a%20b/")), https("/a%20b/x"), Some("/a%20b/*")),
        (format!("URLPrefix={}", b64("https://edge.example")), https("/x"), Some("/*")),
        ("PathGlobs=/a/*,/b/?.m3u8".into(), https("/b/c.m3u8"), Some("/a/*!/b/?.m3u8")),
    ] {
        if asked.target.contains(' ') {
            continue;
        }
        let grant = result(&format!("{scope}~Expires=1663070400"), &asked);
        assert_eq!(grant.map(|grant| grant.acl), Ok(acl.map(String::from)), "{scope} {}", asked.target);
    }
    let query = format!("URLPrefix={}~Expires=1663070400", b64("https://edge.example/a.m3u8?x=1"));
    for (target, expected) in [
        ("/a.m3u8?x=1", Ok(None)),
        ("/a.m3u8?x=12&edge-cache-token=t", Ok(None)),
        ("/a.m3u8?edge-cache-token=t&x=1", Ok(None)),
        ("/a.m3u8", Err(Reason::Path)),
        ("/a.m3u8?y=1&x=1", Err(Reason::Path)),
        ("/a.m3u8x?x=1", Err(Reason::Path)),
    ] {
        assert_eq!(result(&query, &https(target)).map(|grant| grant.acl), expected, "{target}");
    }
    for (scope, asked) in [
        (format!("URLPrefix={}", b64("https://edge.example/vod/")), https("/vodka/a.m3u8")),
        (format!("URLPrefix={}", b64("http://edge.example/")), https("/a.m3u8")),
        (format!("URLPrefix={}", b64("https://edge.example:8443/")), https("/a.m3u8")),
        (format!("URLPrefix={}", b64("https://edge")), https("/a.m3u8")),
        (format!("URLPrefix={}", b64("https://edge.example.")), https("/a.m3u8")),
        ("PathGlobs=/a/*".into(), https("/b/a/x.m3u8")),
        ("PathGlobs=a/*".into(), https("/a/x.m3u8")),
    ] {
        let grant = result(&format!("{scope}~Expires=1663070400"), &asked);
        assert_eq!(grant, Err(Reason::Path), "{scope} {}", asked.target);
    }
}

#[test]
fn addresses() {
    for (ranges, client, expected) in [
        ("203.0.113.7", "203.0.113.7:9", true),
        ("203.0.113.7", "[::ffff:203.0.113.7]:9", true),
        ("::ffff:203.0.113.0/120", "203.0.113.7", true),
        ("192.0.2.0/24,203.0.113.0/24", "203.0.113.255:9", true),
        ("2001:db8::/32", "[2001:db8::1]:9", true),
        ("2001:db8::/32", "203.0.113.7:9", false),
        ("::/0", "203.0.113.7:9", false),
        ("0.0.0.0/0", "[2001:db8::1]:9", false),
        ("203.0.113.8", "203.0.113.7:9", false),
        ("203.0.113", "203.0.113.7:9", false),
        ("203.0.113.0/33", "203.0.113.7:9", false),
        ("203.0.113.0/24", "", false),
    ] {
        let fields = format!("PathGlobs=/*~Expires=1663070400~IPRanges={}", b64(ranges));
        let found = result(&fields, &Asked { client, ..ASKED });
        assert_eq!(found.map(|_| ()), if expected { Ok(()) } else { Err(Reason::Ip) }, "{ranges} {client}");
    }
}

#[test]
fn headers_count_as_they_are_sent() {
    let (fields, text) = (
        "PathGlobs=/*~Expires=1663070400~Headers=User-Agent,x",
        "PathGlobs=/*~Expires=1663070400~Headers=User-Agent=TV (KHTML, like 7),x=a=b",
    );
    let token = signed(fields, text);
    let policies = shared();
    let ask = |headers: &[(&str, &str)]| verify(&policies, &token, &Asked { headers, ..ASKED }).map(|_| ());
    assert_eq!(ask(&[("user-agent", "TV (KHTML, like 7)"), ("x", "a=b")]), Ok(()));
    for (headers, reason) in [
        (&[("user-agent", "TV"), ("x", "a=b")][..], Reason::Signature),
        (&[("user-agent", "TV (KHTML, like 7)")], Reason::Header),
        (&[("user-agent", "TV (KHTML, like 7)"), ("x", "a=b"), ("x", "a=b")], Reason::Header),
        (&[("user-agent", "TV (KHTML, like 7)"), ("x", "a=b~y=z")], Reason::Header),
        (&[("user-agent", "TV (KHTML, like 7)"), ("x", "a,y=b")], Reason::Header),
        (&[], Reason::Header),
    ] {
        assert_eq!(ask(headers), Err(reason), "{headers:?}");
    }
}

/// A token without a field must not be valid because a value of the request, which is in the signed text, contains it.
#[test]
fn no_value_of_a_request_stands_for_a_field() {
    let policies = shared();
    let range = b64("192.0.2.1");
    let sent = |token: &str, text: &str, target: &str, headers: &[(&str, &str)]| {
        verify(&policies, &signed(token, text), &Asked { target, headers, ..ASKED })
    };
    let text = format!("PathGlobs=/*~Expires=1663070400~Headers=a=1~IPRanges={range}");
    let moved = format!("1~IPRanges={range}");
    assert_eq!(
        sent("PathGlobs=/*~Expires=1663070400~Headers=a", &text, "/x.m3u8", &[("a", &moved)]),
        Err(Reason::Header)
    );
    let text = "PathGlobs=/*~Expires=1663070400~Headers=a=1,country=DE";
    let moved = &[("a", "1,country=DE"), ("country", "FR")];
    assert_eq!(sent("PathGlobs=/*~Expires=1663070400~Headers=a", text, "/x.m3u8", moved), Err(Reason::Header));
    let text = "FullPath=/x.m3u8~Starts=1700000000~Expires=1663070400";
    let target = "/x.m3u8~Starts=1700000000";
    assert_eq!(sent("FullPath~Expires=1663070400", text, target, &[]), Err(Reason::Path));
    let (text, target) = ("FullPath=/~me/x.m3u8~Expires=1663070400", "/~me/x.m3u8");
    assert!(sent("FullPath~Expires=1663070400", text, target, &[]).is_ok());
}

#[test]
fn swapped_tokens_are_known_without_a_request() {
    let policies = shared();
    let Match::Policy(_, policy) = policies.policy_for("h", "/", 0) else { panic!("no policy") };
    let Opening::AccessToken(access) = policy.opening() else { panic!("no access token") };
    let has_signed = |token: &str| access.formats[0].verifier.has_signed(token);
    let fields = "PathGlobs=/*~Expires=1";
    assert!(has_signed(&signed(fields, fields)) && !has_signed(&format!("{fields}{TAIL}")));
    assert!(!has_signed(&signed("FullPath~Expires=1", "FullPath=/a~Expires=1")));
}
