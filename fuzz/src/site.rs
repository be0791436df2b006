//! The sites that the properties use: a small set of configurations, with the keys that sign their tokens.

use std::cell::RefCell;
use std::rc::Rc;

use hmac::{Hmac, KeyInit, Mac};
use playlock_core::policy::Policies;
use serde_json::{Value, json};

/// When everything happens, in seconds since the epoch.
pub const NOW: u64 = 1_700_000_000;
/// The key of access tokens.
pub const PASSWORD: [u8; 16] = *b"a good password!";
/// The random bytes of every session.
pub const SESSION: [u8; 16] = *b"sixteen  random!";

/// A configuration.
#[derive(Clone)]
pub struct Site {
    /// Its name.
    pub name: &'static str,
    /// It parsed. Response headers are not held.
    pub policies: Rc<Policies>,
    /// The same with headers held.
    pub holding: Rc<Policies>,
    /// Query parameter, cookie and header of access tokens.
    pub access: &'static str,
    /// Query parameter and cookie of session tokens.
    pub session: &'static str,
    /// Whether the session token stands in the query of URIs.
    pub in_query: bool,
    /// Whether it stands in a cookie.
    pub in_cookie: bool,
    /// Whether it stands in the path.
    pub in_path: bool,
    /// Playlists need an access token to open a session.
    pub token: bool,
    /// Content needs a session token.
    pub on_content: bool,
    /// Media is encrypted.
    pub encrypts: bool,
    /// Keys come from the key endpoint.
    pub endpoint: bool,
    /// The key that is configured.
    pub key: Option<[u8; 16]>,
    /// Signed with every access token.
    pub salt: Option<&'static str>,
    /// Tolerance for times, in seconds.
    pub skew: u64,
    /// SHA-1 and MD5 are good enough.
    pub legacy: bool,
}

/// How many there are.
pub const SITES: usize = 13;

/// One of them.
pub fn site(index: usize) -> Site {
    thread_local! {
        static SITES_OF_THREAD: RefCell<Vec<Site>> = RefCell::new(all());
    }
    SITES_OF_THREAD.with_borrow(|sites| sites[index % sites.len()].clone())
}

fn all() -> Vec<Site> {
    let sites = vec![
        build("query", json!({})),
        build("cookie", json!({"/tokenAuth/sessionTokenTransport": "cookie"})),
        build(
            "both",
            json!({
                "/tokenAuth/sessionTokenTransport": "both",
                "/mediaEncryption/keyRotation": {"segments": 3},
                "/mediaEncryption/onEncryptedOrigin": "passthrough",
            }),
        ),
        build(
            "sequence",
            json!({"/mediaEncryption/ivMode": "sequence", "/mediaEncryption/keyRotation": {"time": "10s"}}),
        ),
        build(
            "free content",
            json!({"/tokenAuth/enforceOnContentRequest": false, "/mediaEncryption/keyRotation": {"segments": 2}}),
        ),
        build("application", json!({"/mediaEncryption/keyScope": "application"})),
        build("stream", json!({"/mediaEncryption/keyScope": "stream", "/tokenAuth/wrapLivePlaylists": false})),
        build("tokens only", json!({"/mediaEncryption/enabled": false})),
        build("free entry", json!({"/tokenAuth/enforceOnInitialRequest": false, "/tokenAuth/sessionAcl": "/vod/*"})),
        build(
            "legacy",
            json!({
                "/tokenAuth/algorithms": ["sha1", "md5"], "/tokenAuth/salt": "NaCl", "/tokenAuth/clockSkew": "0s",
                "/tokenAuth/accessTokenName": "hdnea", "/tokenAuth/sessionTokenName": "ticket",
            }),
        ),
        build(
            "key server",
            json!({
                "/mediaEncryption/keyUrl": "https://keys.example/{session}/{period}",
                "/mediaEncryption/key": "000102030405060708090a0b0c0d0e0f",
                "/tokenAuth/hosts": ["cdn.example:8443"],
            }),
        ),
        build("path", json!({"/tokenAuth/sessionTokenTransport": "path"})),
        build(
            "path, rotating",
            json!({
                "/tokenAuth/sessionTokenTransport": "path", "/tokenAuth/wrapLivePlaylists": false,
                "/mediaEncryption/keyRotation": {"segments": 3}, "/mediaEncryption/keyScope": "stream",
            }),
        ),
    ];
    assert_eq!(sites.len(), SITES);
    sites
}

/// The usual policy with these members set, each by its JSON pointer.
fn build(name: &'static str, set: Value) -> Site {
    let mut policy = json!({
        "policyName": "vod",
        "tokenAuth": {"enabled": true, "password": hex(&PASSWORD)},
        "mediaEncryption": {"enabled": true, "secret": "30313233343536373839616263646566"},
    });
    for (pointer, value) in set.as_object().expect("an object") {
        let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
        policy.pointer_mut(parent).expect("a parent")[member] = value.clone();
    }
    let member = |pointer: &str| policy.pointer(pointer).cloned().unwrap_or(Value::Null);
    let transport = member("/tokenAuth/sessionTokenTransport");
    let external = !member("/mediaEncryption/keyUrl").is_null();
    let site = |policies: Policies, holding: Policies| Site {
        name,
        policies: Rc::new(policies),
        holding: Rc::new(holding),
        access: if member("/tokenAuth/accessTokenName").is_null() { "hdnts" } else { "hdnea" },
        session: if member("/tokenAuth/sessionTokenName").is_null() { "hdntl" } else { "ticket" },
        in_query: transport != "cookie" && transport != "path",
        in_cookie: transport == "cookie" || transport == "both",
        in_path: transport == "path",
        token: member("/tokenAuth/enforceOnInitialRequest") != false,
        on_content: member("/tokenAuth/enforceOnContentRequest") != false,
        encrypts: member("/mediaEncryption/enabled") == true,
        endpoint: !external,
        key: external.then(|| core::array::from_fn(|at| at as u8)),
        salt: (!member("/tokenAuth/salt").is_null()).then_some("NaCl"),
        skew: if member("/tokenAuth/clockSkew").is_null() { 10 } else { 0 },
        legacy: !member("/tokenAuth/algorithms").is_null(),
    };
    let parse = |hold: bool| {
        let assignments = json!([{"policyName": "vod", "path": "/vod"}]);
        let document = json!({"policies": [policy], "assignments": assignments, "holdHeaders": hold});
        playlock_config::parse(document.to_string().as_bytes(), &|_| None).expect("a good configuration").0
    };
    site(parse(false), parse(true))
}

/// An HMAC's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-1.
    Sha1,
    /// MD5.
    Md5,
}

impl Site {
    /// The access token of this text: with `~hmac=` and the HMAC behind it. `url` is signed along and not carried.
    pub fn sign(&self, hash: Hash, text: &str, url: Option<&str>) -> String {
        let mut message = text.to_owned();
        for (name, value) in [("url", url), ("salt", self.salt)] {
            if let Some(value) = value {
                message.push_str(&format!("~{name}={value}"));
            }
        }
        let tag = match hash {
            Hash::Sha256 => tag::<Hmac<sha2::Sha256>>(&message),
            Hash::Sha1 => tag::<Hmac<sha1::Sha1>>(&message),
            Hash::Md5 => tag::<Hmac<md5::Md5>>(&message),
        };
        format!("{text}~hmac={tag}")
    }

    /// An access token for everything.
    pub fn ticket(&self) -> String {
        self.sign(Hash::Sha256, &format!("exp={}~acl=/vod/*", NOW + 3600), None)
    }
}

fn tag<M: Mac + KeyInit>(message: &str) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(&PASSWORD).expect("any length will do");
    mac.update(message.as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
