//! A viewer with a session, and the keys that it may have.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playlock_host::edge_auth::Token;

use super::ask::Ask;
use super::world::{PASSWORD, PolicyOf, World};
use crate::fixture::NOW;

/// A viewer with a session: the signed parameters of what was written for it.
#[derive(Debug)]
pub struct Viewer {
    pub policy: &'static str,
    pub transport: &'static str,
    endpoints: [&'static str; 2],
    pub token: String,
    /// The name of its cookie.
    cookie: String,
    /// Of the MPD's media, and of that in the directory `b`.
    pub samples: String,
    pub samples_b: String,
    pub license: String,
    /// Of an HLS playlist: its key, a byte range and its init section.
    pub key: String,
    pub range: String,
    pub clear: String,
    /// The key ID of the MPD, as licenses write it.
    pub kid: String,
    /// The keys that it may have, in hex.
    pub keys: Vec<String>,
}

impl Viewer {
    /// Opens a session with this ACL.
    pub fn open(world: &mut World, policy: &'static PolicyOf, acl: &str) -> Self {
        let access = Token { exp: Some(NOW + 3600), acl: Some(acl.into()), ..Token::default() };
        let access = access.sign("sha256", PASSWORD).unwrap();
        let PolicyOf { name, transport, endpoints, .. } = *policy;
        let mpd = world.answer(&Ask::new(&format!("/{name}/a/film.mpd")).more(&format!("hdnts={access}")));
        let text = String::from_utf8(mpd.body.clone()).unwrap();
        let token = match transport {
            "path" => between(&text, "/~", "/"),
            "query" => between(&text, "hdntl=", "<"),
            _ => between(&mpd.header("set-cookie").unwrap(), "=", ";"),
        };
        let cookie = mpd.header("set-cookie").map(|cookie| between(&cookie, "", "=")).unwrap_or_default();
        let mut made = Self {
            policy: name,
            transport,
            endpoints,
            token,
            cookie,
            samples: between(&text, "v/i.mp4?plk=", "\"").split('&').next().unwrap().into(),
            samples_b: String::new(),
            license: between(&between(&text, "Laurl", "</"), "?plk=", "END").split('&').next().unwrap().into(),
            key: String::new(),
            range: String::new(),
            clear: String::new(),
            kid: String::new(),
            keys: Vec::new(),
        };
        let hls = world.answer(&made.get(&made.at("a/film.m3u8"), &[]));
        let hls = String::from_utf8(hls.body).unwrap();
        let value = |start: &str| between(&hls, start, "\n").split(['&', '"']).next().unwrap().to_owned();
        made.key = value(&format!("URI=\"{}{}?plk=", made.before(), endpoints[1]));
        (made.range, made.clear) = (value("whole.m4s?plk="), value("init.mp4?plk="));
        made.samples_b.clone_from(&made.samples);
        made.take_keys(world);
        if !acl.contains("/a/") {
            let mpd = world.answer(&made.get(&made.at("b/film.mpd"), &[]));
            let text = String::from_utf8(mpd.body).unwrap();
            made.samples_b = between(&text, "v/i.mp4?plk=", "\"").split('&').next().unwrap().into();
            let asks = between(&between(&text, "Laurl", "</"), "?plk=", "END").split('&').next().unwrap().to_owned();
            let there = Self { license: asks, ..made.clone_of() };
            made.keys.extend(there.license_keys(world).1);
            if made.policy == "vod" {
                let secret = world.packaged_secret(&made);
                let path = made.at(&format!("film-7/keys/{secret}/license"));
                made.keys.extend(keys_of(&world.answer(&made.post(&path, &[])).body).1);
                let own = format!(r#"{{"kids":["{}"]}}"#, made.kid);
                made.keys.extend(keys_of(&world.answer(&made.post(&path, &[]).body(&own)).body).1);
                let different: BTreeSet<_> = made.keys.iter().collect();
                // Those of the two directories are the same: the session's.
                assert_eq!((different.len(), made.keys.len()), (4, 5), "{made:?}");
            }
        }
        made
    }

    fn clone_of(&self) -> Self {
        let text = String::clone;
        Self {
            token: text(&self.token),
            cookie: text(&self.cookie),
            samples: text(&self.samples),
            samples_b: text(&self.samples_b),
            license: text(&self.license),
            key: text(&self.key),
            range: text(&self.range),
            clear: text(&self.clear),
            kid: text(&self.kid),
            keys: self.keys.clone(),
            ..*self
        }
    }

    fn license_keys(&self, world: &mut World) -> (String, Vec<String>) {
        keys_of(&world.answer(&self.post(&self.path("license"), &[&self.license])).body)
    }

    fn take_keys(&mut self, world: &mut World) {
        let (kid, keys) = self.license_keys(world);
        let aes = world.answer(&self.get(&self.path("key"), &[&self.key])).body;
        assert!(aes.len() == 16 && keys.len() == 1, "{self:?}: {aes:?}, {keys:?}");
        (self.kid, self.keys) = (kid, keys);
        self.keys.push(hex(&aes));
    }

    pub fn keys(&self) -> Vec<String> {
        self.keys.clone()
    }

    fn before(&self) -> String {
        if self.transport == "path" { format!("/~{}", self.token) } else { String::new() }
    }

    /// A path in the policy's directory.
    pub fn at(&self, path: &str) -> String {
        format!("/{}/{path}", self.policy)
    }

    /// The path of the `license` server or the `key` endpoint.
    pub fn path(&self, which: &str) -> String {
        self.endpoints[usize::from(which == "key")].into()
    }

    /// A request without its token.
    pub fn bare(&self, path: &str, signed: &[&str]) -> Ask {
        signed.iter().fold(Ask::new(path), |ask, signed| ask.more(&format!("plk={signed}")))
    }

    pub fn get(&self, path: &str, signed: &[&str]) -> Ask {
        self.carried(self.bare(path, signed), &self.token)
    }

    /// A request with a token where the policy expects it.
    pub fn carried(&self, ask: Ask, token: &str) -> Ask {
        match self.transport {
            "cookie" => ask.header("cookie", &format!("{}={token}", self.cookie)),
            place => ask.token(place, token),
        }
    }

    pub fn post(&self, path: &str, signed: &[&str]) -> Ask {
        self.get(path, signed).posted()
    }
}

/// The text between two others; up to the end if the second is not there.
fn between(text: &str, start: &str, end: &str) -> String {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split(end).next().unwrap().to_owned()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of base64url, in hex.
fn hex_of(text: &str) -> String {
    hex(&URL_SAFE_NO_PAD.decode(text).unwrap())
}

/// The last key ID and all keys of a license.
pub fn keys_of(body: &[u8]) -> (String, Vec<String>) {
    let license: serde_json::Value = serde_json::from_slice(body).unwrap();
    let members = |name: &str| -> Vec<String> {
        license["keys"].as_array().unwrap().iter().map(|key| key[name].as_str().unwrap().to_owned()).collect()
    };
    (members("kid").pop().unwrap_or_default(), members("k").iter().map(|key| hex_of(key)).collect())
}
