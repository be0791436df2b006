//! The policies, and the look at each response: no byte of a sample that must be encrypted, and no key of another
//! session.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use playlock_core::policy::Match;
use playlock_host::envoy::Envoy;
use playlock_host::message::{Outcome, Seen};
use playlock_host::native::Native;
use playlock_host::node::{Node, Setup};
use playlock_host::wasm::{self, Flavour, Vm};

use super::ask::Ask;
use super::origin::{AAC, AVC, TEXT, init, mdat, origin, units};
use super::viewer::{Viewer, hex, keys_of};
use crate::fixture::NOW;

/// The password of all policies: an access token is valid everywhere.
pub const PASSWORD: &str = "52a152a152a152a152a152a152a152a1";
/// The token of a packager, for all contents.
pub const REQUESTER: &str = "film-0e9d8c7b6a5f43d2c1b0a";
/// A key ID of packaged content, as licenses write it.
pub const KID: &str = "Dwg-TrgxSj2Rfs54B25Uqg";

/// A policy: its name, the place of its session tokens, the scope of its keys, and the end of its endpoints' paths.
#[derive(Debug)]
pub struct PolicyOf {
    pub name: &'static str,
    pub transport: &'static str,
    scope: &'static str,
    secret: &'static str,
    /// License server and key endpoint, which policies may share.
    pub endpoints: [&'static str; 2],
}

const COMMON: [&str; 2] = ["/license", "/serve.key"];
/// The first is also the key server of a packager.
pub const POLICIES: [PolicyOf; 4] = [
    PolicyOf { name: "vod", transport: "path", scope: "session", secret: "0001", endpoints: COMMON },
    PolicyOf { name: "tv", transport: "query", scope: "stream", secret: "1001", endpoints: COMMON },
    PolicyOf {
        name: "web",
        transport: "cookie",
        scope: "session",
        secret: "2001",
        endpoints: ["/w.license", "/w.key"],
    },
    PolicyOf { name: "app", transport: "query", scope: "application", secret: "3001", endpoints: COMMON },
];

/// The core and both modules, each with the same configuration.
pub struct World {
    setup: Setup,
    nodes: Vec<Box<dyn Node>>,
    /// Bytes of the origin's samples that are always encrypted: 32 of audio, and 16 of video.
    audio: HashSet<&'static [u8]>,
    video: HashSet<&'static [u8]>,
}

impl World {
    pub fn new() -> Self {
        let mut world = Self::native("");
        for flavour in Flavour::ALL {
            world.nodes.push(Box::new(Vm::start(wasm::module(flavour).unwrap(), &world.setup).unwrap()));
        }
        world
    }

    /// The same policies under other secrets; in the core alone.
    pub fn of_another_secret() -> Self {
        Self::native("ff")
    }

    fn native(secret: &str) -> Self {
        let setup = Setup { config: config(secret), env: BTreeMap::new(), now: NOW, seed: 7 };
        let native = Native::start(&setup).unwrap_or_else(|refused| panic!("{refused:?}"));
        let audio = mdat(AAC).into_iter().flat_map(|mdat| mdat.windows(32)).collect();
        let video = mdat(AVC).into_iter().flat_map(units).flat_map(|unit| unit[36..].chunks_exact(16).step_by(10));
        let world = Self { setup, nodes: vec![Box::new(native)], audio, video: video.collect() };
        assert!(world.audio.len() > 10_000 && world.video.len() > 20, "{} {}", world.audio.len(), world.video.len());
        world
    }

    /// The identifier of the secret in URLs of packaged content.
    pub fn packaged_secret(&self, of: &Viewer) -> String {
        let (policies, _) = playlock_config::parse(self.setup.config.as_bytes(), &|_| None).unwrap();
        let Match::Policy(_, policy) = policies.policy_for("play.example", &of.at("x"), NOW) else { panic!() };
        hex(&policy.encryption.as_ref().unwrap().speke.as_ref().unwrap().keys.secret_id())
    }

    /// The response, which is the same of each.
    pub fn answer(&mut self, ask: &Ask) -> Seen {
        let mut answers =
            self.nodes.iter_mut().map(|node| node.exchange(&Envoy::new(true), ask.request(), &mut origin));
        let first = answers.next().unwrap();
        for other in answers {
            assert_eq!((&other.status, &other.state), (&first.status, &first.state), "{ask:?}");
            assert_eq!(other.outcome, first.outcome, "{ask:?}: {}", other.why);
            assert!(other.body == first.body && other.origin.is_some() == first.origin.is_some(), "{ask:?}");
        }
        first
    }

    /// The reason of a refusal, or what a viewer gets; `all` are the keys of all viewers.
    pub fn verdict(&mut self, ask: &Ask, own: &Viewer, all: &[String]) -> String {
        let seen = self.answer(ask);
        assert!(matches!(seen.outcome, Outcome::Complete | Outcome::Broken), "{ask:?}: {}", seen.why);
        let body = &seen.body;
        let plain = body.windows(32).any(|window| self.audio.contains(window))
            || body.windows(16).any(|window| self.video.contains(window));
        assert!(!plain, "samples of the origin in the response to {ask:?}");
        if let Some(headers) = &seen.origin {
            let text = headers.iter().map(|(_, value)| String::from_utf8_lossy(value)).collect::<String>();
            assert!(!text.contains(&own.token), "the origin gets a token: {ask:?}");
        }
        let found: BTreeSet<_> = match body.as_slice() {
            key if key.len() == 16 => [hex(key)].into(),
            license if license.starts_with(b"{\"keys\":") => keys_of(license).1.into_iter().collect(),
            _ => BTreeSet::new(),
        };
        let others = all.iter().filter(|key| !own.keys.contains(key));
        for key in others {
            assert!(!found.contains(key) && !hex(body).contains(key), "another's key in the response to {ask:?}");
        }
        let reason = seen.state.get("wasm.playlock.reason").cloned();
        if let Some(reason) = reason {
            assert!(found.is_empty(), "a key in the refusal of {ask:?}");
            return reason;
        }
        assert!(found.iter().all(|key| own.keys.contains(key)), "an unknown key in the response to {ask:?}");
        let holds = |part: &[u8]| body.windows(part.len()).any(|window| window == part);
        match seen.status {
            Some(404) => "absent",
            Some(200 | 204 | 206) if body.is_empty() => "empty",
            Some(200) if body.starts_with(b"{\"keys\":") => "licensed",
            Some(200) if body.len() == 16 && found.len() == 1 => "keyed",
            Some(200) if holds(b"enca") || holds(b"encv") => "encrypted",
            Some(200) if holds(b"cenc:default_KID") || holds(b"METHOD=AES-128") => "rewritten",
            Some(200) if body == TEXT || body == init() => "clear",
            Some(200 | 206) if body.len().is_multiple_of(16) && !holds(b"moof") => "sealed",
            _ => "OTHER",
        }
        .into()
    }
}

fn config(secret: &str) -> String {
    let policies = POLICIES.map(|PolicyOf { name, transport, scope, secret: start, endpoints: [license, key] }| {
        let speke = format!(
            r#", "speke": {{"path": "/speke", "viewerUrl": "/vod/{{contentId}}/keys", "requesters":
            [{{"name": "film", "token": "{REQUESTER}", "contentIds": ["*"]}}]}}"#
        );
        let speke = if *name == *"vod" { &speke } else { "" };
        format!(
            r#"{{"policyName": "{name}",
            "tokenAuth": {{"enabled": true, "password": "{PASSWORD}", "sessionTokenTransport": "{transport}"}},
            "mediaEncryption": {{"enabled": true, "scheme": "cbcs",
              "secret": "{start}02030405060708090a0b0c0d0e{secret:0>2}",
              "keyScope": "{scope}", "licensePath": "{license}", "keyPath": "{key}"{speke}}}}}"#
        )
    });
    let assignments =
        POLICIES.map(|PolicyOf { name, .. }| format!(r#"{{"policyName": "{name}", "path": "/{name}/..."}}"#));
    format!(
        r#"{{"holdHeaders": true, "default": "deny", "policies": [{}], "assignments": [{}]}}"#,
        policies.join(", "),
        assignments.join(", ")
    )
}
