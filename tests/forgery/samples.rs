//! Forgeries around the encryption of samples: the signed parameter of an MPD's media, and both license servers. The
//! results are in `samples.tsv`; all run through the core and both modules.
//!
//! Readable in a good response are: the boxes around samples, `WEBVTT`, under cbcs the first 32 bytes of each NAL unit
//! and nine of ten blocks after them, and the last bytes of a sample that are no whole block. [`world`] checks that no
//! other byte of a sample, and no other session's key, is in any response.

mod ask;
mod origin;
mod viewer;
mod world;

use playlock_host::edge_auth::Token;

use crate::fixture::NOW;
use crate::table::{Case, Tally};
use ask::Ask;
use viewer::Viewer;
use world::{KID, PASSWORD, POLICIES, REQUESTER, World};

type Take<'a> = &'a mut dyn FnMut(&str, &str, &Viewer, Ask);

/// The viewers of a policy.
struct Viewers {
    own: Viewer,
    /// With another session.
    other: Viewer,
    /// With a session for the directory `a` alone.
    narrow: Viewer,
    /// With a session and URLs under another secret.
    foreign: Viewer,
}

/// A value with a letter changed, left out, twice; cut; and with all that a careless reader might skip.
fn altered(value: &str, put: &mut dyn FnMut(&str, &str)) {
    for at in 0..value.len() {
        let (before, rest) = value.split_at(at);
        let (byte, behind) = rest.split_at(1);
        put("letter changed", &[before, if byte == "A" { "B" } else { "A" }, behind].concat());
        put("letter left out", &[before, behind].concat());
        put("letter twice", &[before, byte, byte, behind].concat());
        put("cut", before);
    }
    for more in ["=", "%00", "+", "%20", "~", "~a", "%0a", "AAAA", ";", "%", "%zz", "%ff"] {
        put("longer", &format!("{value}{more}"));
    }
    put("overlong", &value.repeat(80));
    put("in upper case", &value.to_uppercase());
    let escaped: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
    put("escaped", &escaped);
    put("escaped twice", &escaped.replace('%', "%25"));
}

/// A value whose fields are exchanged, added and left out; `other` is one of another stream.
fn refielded(value: &str, other: &str, put: &mut dyn FnMut(&str, &str)) {
    let fields: Vec<_> = value.split('~').collect();
    for purpose in ["media", "clear", "document", "samples", "key", "variables", "Samples", "", "samples%00"] {
        if purpose != fields[0] {
            put("another purpose", &[&[purpose], &fields[1..]].concat().join("~"));
        }
    }
    for field in ["a", "c", "sL3R2L2Iv", "s", "r100@0", "p1", "n1", "i", "", "x"] {
        for at in 1..=fields.len() {
            let mut more = fields.clone();
            more.insert(at, field);
            put("a field more", &more.join("~"));
            if let Some(found) = fields.get(at).filter(|found| **found != field) {
                let exchanged: Vec<_> = fields.iter().map(|kept| if kept == found { field } else { kept }).collect();
                put("another field", &exchanged.join("~"));
            }
        }
    }
    for at in 0..fields.len() {
        let mut less = fields.clone();
        less.remove(at);
        put("a field less", &less.join("~"));
        if at > 0 {
            less.push(fields[at]);
            less.rotate_right(1);
            put("fields in another order", &less.join("~"));
        }
    }
    if other != value {
        let mac = other.rsplit('~').next().unwrap();
        put("another's signature", &[&fields[..fields.len() - 1], &[mac]].concat().join("~"));
    }
}

/// The parameter of media at media, and elsewhere.
fn of_media(of: &Viewers, others: &[&Viewer], take: Take<'_>) {
    let Viewers { own, other, narrow, foreign } = of;
    let (aac, avc) = (own.at("a/v/1.m4s"), own.at("a/v/2.m4s?x=1"));
    for path in [&aac, &avc] {
        take("valid", "Samples", own, own.get(path, &[&own.samples]));
        take("another session's", "Samples", own, own.get(path, &[&other.samples]));
        take("another session's, with its token", "Samples", other, other.get(path, &[&own.samples]));
        take("another secret's", "Samples", own, own.get(path, &[&foreign.samples]));
        take("another secret's, with its token", "Samples", own, foreign.get(path, &[&foreign.samples]));
        take("none", "Samples", own, own.get(path, &[]));
        take("without a session", "Samples", own, own.bare(path, &[&own.samples]));
        for it in others {
            take("another policy's", "Samples", own, own.get(path, &[&it.samples]));
            take("another policy's, with its token", "Samples", it, own.get(path, &[&it.samples]).with(own, it));
        }
    }
    take("on another file", "Samples", own, own.get(&own.at("a/v/other.m4s"), &[&own.samples]));
    take("with another query", "Samples", own, own.get(&format!("{aac}?y=2"), &[&own.samples]));
    take("another stream's", "Samples", own, own.get(&own.at("b/v/1.m4s"), &[&own.samples]));
    take("another stream's", "Samples", own, own.get(&aac, &[&own.samples_b]));
    take("outside of the ACL", "Samples", narrow, narrow.get(&own.at("b/v/1.m4s"), &[&narrow.samples]));
    for path in ["a/../b/v/1.m4s", "a/%2e%2e/b/v/1.m4s", "a/..%2fb/v/1.m4s", "a//v/1.m4s", "a/v/1.m4s%00", "a\\v/1.m4s"]
    {
        take("by another spelling", "Samples", narrow, narrow.get(&own.at(path), &[&narrow.samples]));
    }
    for range in ["bytes=0-0", "bytes=100-", "bytes=-100", "bytes=0-99,200-299", "bytes=x"] {
        let ask = own.get(&aac, &[&own.samples]).header("range", range);
        take("with a byte range", "Samples", own, ask.clone());
        take("with a byte range and a condition", "Samples", own, ask.header("if-range", "\"1\""));
    }
    for path in ["a/film.mpd", "a/film.m3u8", "a/list", "a/mpd", "a/init.mp4", "a/t/1.vtt", "a/steer.json", "a/1.ts"] {
        take(&format!("moved: {path}"), "Samples", own, own.get(&own.at(path), &[&own.samples]));
    }
    for sent in [own.samples.as_str(), &own.clear, &own.range] {
        let name = sent.split('~').next().unwrap();
        let endpoints = [("license", own.path("license")), ("key", own.path("key"))];
        for (what, path) in &endpoints {
            take(&format!("{name} at the {what}'s URL"), "Samples", own, own.get(path, &[sent]));
            take(&format!("{name}, posted to the {what}'s URL"), "Samples", own, own.post(path, &[sent]));
        }
    }
    for sent in [&own.license, &own.key, &own.clear, &own.range] {
        let name = sent.split('~').next().unwrap();
        take(&format!("{name} at media"), "Samples", own, own.get(&aac, &[sent]));
        take(&format!("{name} at an init section"), "Samples", own, own.get(&own.at("a/init.mp4"), &[sent]));
    }
    for pair in [[&own.samples, &own.samples], [&own.samples, &other.samples], [&own.clear, &own.samples]] {
        take("twice", "Samples", own, own.get(&aac, &[pair[0], pair[1]]));
        take("twice", "Samples", own, own.get(&aac, &[pair[1], pair[0]]));
    }
    take("beside nothing", "Samples", own, own.get(&aac, &["", &own.samples]));
    for name in ["%70lk", "PLK", "plk%00", "plk[]", ";plk"] {
        let ask = own.get(&format!("{aac}?{name}={}", own.samples), &[]);
        take("by another name", "Samples", own, ask);
    }
    take("in a cookie", "Samples", own, own.get(&aac, &[]).header("cookie", &format!("plk={}", own.samples)));
    take("in the path", "Samples", own, own.get(&own.at(&format!("~{}/a/v/1.m4s", own.samples)), &[]));
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        take("with another method", "Samples", own, own.get(&aac, &[&own.samples]).method(method));
    }
    take("HEAD", "Samples", own, own.get(&aac, &[&own.samples]).method("HEAD"));
    altered(&own.samples, &mut |class, value| take(class, "Samples", own, own.get(&aac, &[value])));
    refielded(&own.samples, &own.samples_b, &mut |class, value| {
        take(class, "Samples", own, own.get(&aac, &[value]));
    });
}

/// Requests for licenses of samples.
fn of_licenses(of: &Viewers, others: &[&Viewer], take: Take<'_>) {
    let Viewers { own, other, foreign, .. } = of;
    let (license, key) = (own.path("license"), own.path("key"));
    take("valid", "License", own, own.post(&license, &[&own.license]));
    take("read", "License", own, own.get(&license, &[&own.license]));
    take("valid", "Key", own, own.get(&key, &[&own.key]));
    for (token, path, own_asks, others_asks) in
        [("License", &license, &own.license, &other.license), ("Key", &key, &own.key, &other.key)]
    {
        let ask = |by: &Viewer, sent: &str| if token == "Key" { by.get(path, &[sent]) } else { by.post(path, &[sent]) };
        take("another session's", token, own, ask(own, others_asks));
        take("another session's, with its token", token, other, ask(other, own_asks));
        let foreign_asks = if token == "Key" { &foreign.key } else { &foreign.license };
        take("another secret's", token, own, ask(own, foreign_asks));
        take("another secret's, with its token", token, own, ask(foreign, foreign_asks));
        for it in others {
            let theirs = if token == "Key" { &it.key } else { &it.license };
            take("another policy's", token, own, ask(own, theirs));
            take("another policy's, at its path", token, own, ask(own, theirs).path(&it.path(&token.to_lowercase())));
        }
        take("none", token, own, ask(own, "").path(path));
        take("twice", token, own, ask(own, own_asks).more(&format!("plk={own_asks}")));
        take("twice", token, own, ask(own, own_asks).more(&format!("plk={others_asks}")));
        take("beside nothing", token, own, ask(own, own_asks).more("plk="));
        altered(own_asks, &mut |class, value| take(class, token, own, ask(own, value)));
        refielded(own_asks, others_asks, &mut |class, value| take(class, token, own, ask(own, value)));
        for (name, by) in strangers(own) {
            let class = format!("with {name}");
            let bare = if token == "Key" { own.bare(path, &[own_asks]) } else { own.bare(path, &[own_asks]).posted() };
            take(&class, token, own, by(bare));
        }
    }
    take("a key's", "License", own, own.post(&license, &[&own.key]));
    take("a key's, read", "License", own, own.get(&license, &[&own.key]));
    take("a license's", "Key", own, own.get(&key, &[&own.license]));
    take("a license's, posted", "Key", own, own.post(&key, &[&own.license]));
    for method in ["PUT", "DELETE", "PATCH"] {
        take("with another method", "License", own, own.post(&license, &[&own.license]).method(method));
        take("with another method", "Key", own, own.get(&key, &[&own.key]).method(method));
    }
    take("posted", "Key", own, own.post(&key, &[&own.key]));
    take("without a body", "License", own, own.get(&license, &[&own.license]).method("POST"));
    take("read with a body", "License", own, own.post(&license, &[&own.license]).method("GET"));
    for body in ["", "{}", "null", &"x".repeat(16_384), &format!(r#"{{"kids":["{}"]}}"#, other.kid)] {
        take("with another body", "License", own, own.post(&license, &[&own.license]).body(body));
    }
    take("overlong body", "License", own, own.post(&license, &[&own.license]).body(&"x".repeat(16_385)));
    let grpc = own.post(&license, &[&own.license]).header("content-type", "application/grpc");
    take("as gRPC", "License", own, grpc);
}

type Changed = Box<dyn Fn(Ask) -> Ask>;

/// Tokens that are no session's, by name, put into a request without a token.
fn strangers(own: &Viewer) -> Vec<(&'static str, Changed)> {
    let access = Token { exp: Some(NOW + 3600), acl: Some("/*".into()), ..Token::default() };
    let access = access.sign("sha256", PASSWORD).unwrap();
    let (session, transport) = (own.token.clone(), own.transport);
    let mut list: Vec<(&'static str, Changed)> = vec![("nothing", Box::new(|ask| ask))];
    for (kind, token) in [("an access token", access), ("a requester's token", REQUESTER.to_owned())] {
        for name in ["hdnts", "hdntl", "enc-token"] {
            let pair = format!("{name}={token}");
            list.push((kind, Box::new(move |ask| ask.more(&pair))));
            let pair = format!("{name}={token}");
            list.push((kind, Box::new(move |ask| ask.header("cookie", &pair))));
        }
        let before = token.clone();
        list.push((kind, Box::new(move |ask| ask.before(&before))));
        list.push((kind, Box::new(move |ask| ask.header("x-playlock-speke-token", &token))));
    }
    for place in ["path", "query", "cookie"] {
        if place != transport {
            let token = session.clone();
            let moved: Changed = Box::new(move |ask| ask.token(place, &token));
            list.push(("a token elsewhere", moved));
        }
    }
    list
}

/// Requests for keys of packaged content; `own` has a session for all contents of the policy, `narrow` for none.
fn of_packaged(of: &Viewers, others: &[&Viewer], secret: &str, take: Take<'_>) {
    let Viewers { own, narrow, foreign, .. } = of;
    let license = own.at(&format!("film-7/keys/{secret}/license"));
    let key = own.at(&format!("film-7/keys/{secret}/0f083e4e-b831-4a3d-917e-ce78076e54aa"));
    take("valid", "Packaged", own, own.post(&license, &[]));
    take("valid, one key", "Packaged", own, own.get(&key, &[]));
    take("outside of the ACL", "Packaged", narrow, narrow.post(&license, &[]));
    take("outside of the ACL", "Packaged", narrow, narrow.get(&key, &[]));
    take("another secret's, with its token", "Packaged", own, foreign.post(&license, &[]));
    for it in others {
        take("another policy's, with its token", "Packaged", own, own.bare(&license, &[]).posted().with(own, it));
    }
    for sent in [&own.license, &own.key, &own.samples] {
        take("with a parameter", "Packaged", own, own.post(&license, &[sent]));
        take("with a parameter, one key", "Packaged", own, own.get(&key, &[sent]));
    }
    take("read", "Packaged", own, own.get(&license, &[]));
    take("posted", "Packaged", own, own.post(&key, &[]));
    for method in ["PUT", "DELETE", "PATCH"] {
        take("with another method", "Packaged", own, own.post(&license, &[]).method(method));
        take("with another method, one key", "Packaged", own, own.post(&key, &[]).method(method));
    }
    for path in ["film-7/keys/ffffffff/license", "film-7/keys/FFFFFFFF/license"] {
        take("under no secret", "Packaged", own, own.post(&own.at(path), &[]));
    }
    take("without a body", "Packaged", own, own.get(&license, &[]).method("POST"));
    for body in ["", "{}", "[]", r#"{"kids":[]}"#, r#"{"kids":["AAAA"]}"#, r#"{"kids":"x"}"#, "\u{0}"] {
        take("with another body", "Packaged", own, own.post(&license, &[]).body(body));
    }
    let kids = |count: usize| format!(r#"{{"kids":[{}]}}"#, vec![format!(r#""{KID}""#); count].join(","));
    take("too many key IDs", "Packaged", own, own.post(&license, &[]).body(&kids(65)));
    let sample = format!(r#"{{"kids":["{}"]}}"#, own.kid);
    take("the samples' key ID", "Packaged", own, own.post(&license, &[]).body(&sample));
    for (name, by) in strangers(own) {
        take(&format!("with {name}"), "Packaged", own, by(own.bare(&license, &[]).posted()));
        take(&format!("with {name}, one key"), "Packaged", own, by(own.bare(&key, &[])));
    }
}

#[test]
fn every_forgery_around_samples_is_denied_for_its_reason() {
    let mut world = World::new();
    let mut foreign = World::of_another_secret();
    let all: Vec<_> = POLICIES
        .iter()
        .map(|policy| Viewers {
            own: Viewer::open(&mut world, policy, &format!("/{}/*", policy.name)),
            other: Viewer::open(&mut world, policy, &format!("/{}/*", policy.name)),
            narrow: Viewer::open(&mut world, policy, &format!("/{}/a/*", policy.name)),
            foreign: Viewer::open(&mut foreign, policy, &format!("/{}/*", policy.name)),
        })
        .collect();
    let secret = world.packaged_secret(&all[0].own);
    let keys: Vec<_> = all.iter().flat_map(|it| [&it.own, &it.other, &it.narrow]).flat_map(Viewer::keys).collect();
    let mut tally = Tally::new("samples.tsv", include_str!("samples.tsv"));
    let mut take = |class: &str, token: &str, own: &Viewer, ask: Ask| {
        let verdict = world.verdict(&ask, own, &keys);
        let case = Case {
            class: class.into(),
            token: token.into(),
            place: own.transport.into(),
            policy: own.policy,
            what: ask.method,
        };
        tally.add(&case, &verdict, || format!("{ask:?}"));
    };
    for (at, of) in all.iter().enumerate() {
        let others: Vec<_> = all.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, it)| &it.own).collect();
        of_media(of, &others, &mut take);
        of_licenses(of, &others, &mut take);
        if at == 0 {
            of_packaged(of, &others, &secret, &mut take);
        }
    }
    tally.print();
    tally.check();
}
