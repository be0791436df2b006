//! Forgeries with valid tokens in wrong positions, and with tokens of strangers.

use std::collections::BTreeSet;

use playlock_host::edge_auth::sign;

use crate::fixture::Ask;
use crate::valid::{Kind, Place, SHOPS, Shop, Slot, Valid, decoded};

/// Receives a class, the kind and position of the token, the valid request and the forged one.
pub type Take<'a> = &'a mut dyn FnMut(&str, Slot, &Valid, Ask);

pub fn shop(name: &str) -> &'static Shop {
    SHOPS.iter().find(|shop| shop.name == name).unwrap()
}

/// Replaces each token of this request by each token of every other request.
pub fn exchanged(valid: &[Valid], take: Take<'_>) {
    for (index, own) in valid.iter().enumerate().filter(|(_, own)| own.viewer == 7) {
        let (mut seen, mut skipped) = (BTreeSet::new(), 0_usize);
        for other in valid.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, other)| other) {
            for given in &other.slots {
                let value = decoded(other.value(given.place));
                // Of other policies one viewer is enough, and of each kind of request some.
                skipped += usize::from(own.policy != other.policy);
                if own.policy != other.policy && (other.viewer != own.viewer || skipped % 7 != 0) {
                    continue;
                }
                for slot in own.slots.iter().filter(|slot| decoded(own.value(slot.place)) != value) {
                    let class = relation(own, slot.kind, other, given.kind);
                    if seen.insert((slot.kind, class.clone(), value.clone())) {
                        take(&class, *slot, own, own.with(slot.place, value.clone()));
                    }
                }
                // What has no parameter is told something.
                if given.kind == Kind::Signed && own.place(Kind::Signed).is_none() {
                    let mut ask = own.ask.clone();
                    ask.query.push((b"plk".to_vec(), value.clone()));
                    let class = format!("added {}", relation(own, Kind::Signed, other, Kind::Signed));
                    if seen.insert((Kind::Signed, class.clone(), value)) {
                        take(&class, Slot { kind: Kind::Signed, place: Place::Query(0) }, own, ask);
                    }
                }
            }
        }
    }
}

/// The relation of the token `given` of `other` to the token of `own` that it replaces.
fn relation(own: &Valid, kind: Kind, other: &Valid, given: Kind) -> String {
    if kind != given {
        return format!("{given:?} as {kind:?}{}", if own.policy == other.policy { "" } else { ", other policy" });
    }
    let policy = if own.policy == other.policy { "same policy" } else { "other policy" };
    match kind {
        Kind::Access => {
            let shared = if shop(own.policy).password == shop(other.policy).password { ", same password" } else { "" };
            format!("Access, {policy}{shared}")
        }
        Kind::Session => format!("Session, {policy}"),
        Kind::Signed if own.policy != other.policy => format!("Signed, {policy}"),
        Kind::Signed => {
            let path = if own.ask.path == other.ask.path { "same path" } else { "other path" };
            let viewer = if own.viewer == other.viewer { "same viewer" } else { "other viewer" };
            format!("Signed, {path}, {viewer}")
        }
    }
}

/// Whole parameters, cookies and headers: removed, repeated, renamed, reordered, moved.
pub fn places(valid: &[Valid], take: Take<'_>) {
    for own in valid.iter().filter(|own| own.viewer == 7) {
        for slot in &own.slots {
            let mut put = |class: &str, change: &dyn Fn(&mut Ask)| {
                let mut ask = own.ask.clone();
                change(&mut ask);
                take(class, *slot, own, ask);
            };
            match slot.place {
                Place::Query(at) => {
                    let (name, value) = own.ask.query[at].clone();
                    put("left out", &|ask| drop(ask.query.remove(at)));
                    put("sent empty", &|ask| ask.query[at].1.clear());
                    put("reversed", &|ask| ask.query.reverse());
                    put("beside another", &|ask| ask.query.insert(0, (b"x".to_vec(), b"1".to_vec())));
                    put("name in upper case", &|ask| ask.query[at].0.make_ascii_uppercase());
                    for (index, byte) in name.iter().copied().enumerate() {
                        put("name escaped", &|ask| {
                            let escaped = format!("%{byte:02x}").into_bytes();
                            ask.query[at].0.splice(index..=index, escaped);
                        });
                        put("name cut", &|ask| drop(ask.query[at].0.drain(index..=index)));
                        put("name with NUL", &|ask| drop(ask.query[at].0.splice(index..index, *b"%00")));
                        put("name full-width", &|ask| {
                            let wide = char::from_u32(0xff01 + u32::from(byte) - 0x21).unwrap().to_string();
                            ask.query[at].0.splice(index..=index, wide.into_bytes());
                        });
                    }
                    for other in [value.clone(), b"x".to_vec(), Vec::new()] {
                        for index in 0..=own.ask.query.len() {
                            for name in [name.clone(), escaped(&name)] {
                                put("doubled", &|ask| ask.query.insert(index, (name.clone(), other.clone())));
                            }
                        }
                    }
                    put("as path parameter", &|ask| {
                        ask.query.remove(at);
                        ask.path.extend([b";", name.as_slice(), b"=", &value].concat());
                    });
                    put("behind another ?", &|ask| {
                        ask.query.remove(at);
                        ask.query.insert(0, ([b"a?", name.as_slice()].concat(), value.clone()));
                    });
                    put("behind ;", &|ask| {
                        ask.query.remove(at);
                        ask.query.insert(0, ([b"a=1;", name.as_slice()].concat(), value.clone()));
                    });
                    put("in brackets", &|ask| ask.query[at].0.extend(*b"[]"));
                }
                Place::Cookie(at) => {
                    let (name, value) = own.ask.cookies[at].clone();
                    put("left out", &|ask| drop(ask.cookies.remove(at)));
                    put("sent empty", &|ask| ask.cookies[at].1.clear());
                    put("beside another", &|ask| ask.cookies.insert(0, (b"x".to_vec(), b"1".to_vec())));
                    put("beside another", &|ask| ask.cookies.insert(0, (b"x".to_vec(), b"Jos\xe9".to_vec())));
                    put("name in upper case", &|ask| ask.cookies[at].0.make_ascii_uppercase());
                    put("quoted", &|ask| ask.cookies[at].1 = [b"\"", value.as_slice(), b"\""].concat());
                    for other in [value.clone(), b"x".to_vec(), Vec::new()] {
                        for index in 0..=own.ask.cookies.len() {
                            put("doubled", &|ask| ask.cookies.insert(index, (name.clone(), other.clone())));
                        }
                    }
                    put("doubled", &|ask| {
                        ask.headers.push(("cookie".into(), [name.as_slice(), b"=", &value].concat()))
                    });
                    // The reference to the session in the cookie.
                    let reference = own.ask.query.iter().position(|(name, _)| name == b"hdntl");
                    if let (Kind::Session, Some(at)) = (slot.kind, reference) {
                        put("reference left out", &|ask| drop(ask.query.remove(at)));
                        put("reference of another", &|ask| ask.query[at].1 = b"AAAAAAAA".to_vec());
                        put("reference cut", &|ask| ask.query[at].1.truncate(7));
                        put("reference doubled", &|ask| ask.query.push(ask.query[at].clone()));
                        put("renamed for another", &|ask| {
                            ask.query[at].1 = b"AAAAAAAA".to_vec();
                            ask.cookies[0].0 = b"hdntl-AAAAAAAA".to_vec();
                        });
                    }
                }
                // In `in_path.rs`.
                Place::Path => {}
                Place::Header(at) => {
                    let (name, value) = own.ask.headers[at].clone();
                    put("left out", &|ask| drop(ask.headers.remove(at)));
                    put("sent empty", &|ask| ask.headers[at].1.clear());
                    for other in [value.clone(), b"x".to_vec(), Vec::new()] {
                        put("doubled", &|ask| ask.headers.push((name.clone(), other.clone())));
                        put("doubled", &|ask| ask.headers.insert(0, (name.clone(), other.clone())));
                    }
                    put("listed", &|ask| ask.headers[at].1 = [value.as_slice(), b", ", &value].concat());
                    put("with a scheme", &|ask| ask.headers[at].1 = [b"Bearer ", value.as_slice()].concat());
                }
            }
        }
    }
}

fn escaped(name: &[u8]) -> Vec<u8> {
    name.iter().map(|byte| format!("%{byte:02X}")).collect::<String>().into_bytes()
}

/// Tokens signed without the password, with another algorithm, or with the password instead of the secret.
pub fn strangers(valid: &[Valid], take: Take<'_>) {
    let secrets: [&str; 6] = [
        "",
        "00",
        "00112233445566778899aabbccddeeff",
        "52a152a152a152a152a152a152a152a0",
        "000102030405060708090a0b0c0d0e0f",
        "ff",
    ];
    for own in valid.iter().filter(|own| own.viewer == 7) {
        for slot in own.slots.iter().filter(|slot| slot.kind == Kind::Access) {
            let text = String::from_utf8(decoded(own.value(slot.place))).unwrap();
            let fields = text.rsplit_once("~hmac=").unwrap().0;
            let mut put = |class: &str, fields: &str, hidden: &str, alg: &str, key: &str| {
                let token = sign(fields, hidden, alg, key).unwrap();
                // In a path a slash would end it.
                let in_path = slot.place == Place::Path;
                let token = if in_path { token.replace('/', "%2f") } else { token }.into_bytes();
                take(class, *slot, own, own.with(slot.place, token));
            };
            let keys = secrets.iter().copied().chain(SHOPS.iter().map(|shop| shop.password));
            for key in keys.filter(|key| *key != shop(own.policy).password) {
                put("signed by a stranger", fields, "", "sha256", key);
                put("signed by a stranger", fields, "~salt=NaCl", "sha256", key);
                put(
                    "signed by a stranger",
                    fields,
                    &format!("~url={}", String::from_utf8_lossy(&own.ask.path)),
                    "sha256",
                    key,
                );
            }
            let password = shop(own.policy).password;
            let hidden = shop(own.policy).salt.map(|salt| format!("~salt={salt}")).unwrap_or_default();
            let url = if fields.contains("acl=") {
                String::new()
            } else {
                format!("~url={}", String::from_utf8_lossy(&own.ask.path))
            };
            let hidden = format!("{url}{hidden}");
            for alg in ["sha1", "md5"] {
                put("another algorithm", fields, &hidden, alg, password);
            }
            put("another salt", fields, &format!("{url}~salt=other"), "sha256", password);
            put("another salt", &format!("{fields}~salt=NaCl"), &url, "sha256", password);
            if fields.contains("acl=") {
                for added in [
                    "acl=/*",
                    "exp=4102444801",
                    "url=/*",
                    "role=x",
                    "ip=203.0.113.7",
                    "id=",
                    "exp=",
                    "hmac=00",
                    "st=+1",
                    "exp=1e9",
                ] {
                    put("good signature, bad grammar", &format!("{fields}~{added}"), &hidden, "sha256", password);
                }
                let without = |name: &str| {
                    let kept: Vec<_> = fields.split('~').filter(|field| !field.starts_with(name)).collect();
                    kept.join("~")
                };
                put("good signature, bad grammar", &without("exp="), &hidden, "sha256", password);
                put(
                    "good signature, other paths",
                    &format!("{}~acl=/{}x/*", without("acl="), own.policy),
                    &hidden,
                    "sha256",
                    password,
                );
                put("good signature, other paths", &format!("{}~acl=/", without("acl=")), &hidden, "sha256", password);
                put(
                    "good signature, other paths",
                    &format!("{}~acl={}", without("acl="), "*a".repeat(300)),
                    &hidden,
                    "sha256",
                    password,
                );
                put(
                    "good signature, other address",
                    &format!("{}~ip=203.0.113.8", without("ip=")),
                    &hidden,
                    "sha256",
                    password,
                );
                put(
                    "good signature, other address",
                    &format!("{}~ip=::1", without("ip=")),
                    &hidden,
                    "sha256",
                    password,
                );
                put(
                    "good signature, no address",
                    &format!("{}~ip=localhost", without("ip=")),
                    &hidden,
                    "sha256",
                    password,
                );
                for (class, length) in [("good signature, too long", 1500), ("good signature, far too long", 2000)] {
                    put(
                        class,
                        &format!("{}~data={}", without("data="), "x".repeat(length)),
                        &hidden,
                        "sha256",
                        password,
                    );
                }
            } else {
                put("good signature, other paths", fields, "~url=/other.m3u8", "sha256", password);
            }
        }
    }
}

/// Requests from another address, for another host or path, with another method, or without the header that the session is
/// bound to.
pub fn elsewhere(valid: &[Valid], take: Take<'_>) {
    for own in valid.iter().filter(|own| own.viewer == 7) {
        // A signature is for one query; keys and playlists may have any.
        if let Some(place) = own.place(Kind::Signed) {
            let slot = Slot { kind: Kind::Signed, place };
            let mut put = |class: &str, at: usize, name: &[u8], value: &[u8]| {
                let mut ask = own.ask.clone();
                ask.query.insert(at, (name.to_vec(), value.to_vec()));
                take(class, slot, own, ask);
            };
            for at in 0..=own.ask.query.len() {
                put("with another query", at, b"f", b"seg7.m4s");
                put("with another query", at, b"", b"");
                put("with another query", at, b"_hls_x", b"1");
                put("with CMCD", at, b"CMCD", b"br%3D1200%2Csid%3D%22x%22");
            }
        }
        let slot = own.slots[0];
        let mut put = |class: &str, change: &dyn Fn(&mut Ask)| {
            let mut ask = own.ask.clone();
            change(&mut ask);
            take(class, slot, own, ask);
        };
        for client in
            [Some("203.0.113.8:4711"), Some("198.51.100.7:1"), Some("[2001:db8::1]:1"), Some("nonsense"), None]
        {
            let near = client == Some("203.0.113.8:4711");
            put(if near { "from a near address" } else { "from another address" }, &|ask| {
                ask.client = client.map(Into::into)
            });
        }
        put("from the same address in IPv6", &|ask| ask.client = Some("[::ffff:203.0.113.7]:9".into()));
        for device in [None, Some(&b"TV 8"[..]), Some(b""), Some(b"tv 7"), Some(b"TV 7 ")] {
            put("from another device", &|ask| {
                ask.headers.retain(|(name, _)| name != "x-device");
                ask.headers.extend(device.map(|device| ("x-device".into(), device.to_vec())));
            });
        }
        let other = if own.policy == "host" { "edge.example" } else { "tv.example" };
        put("on another host", &|ask| ask.host = other.into());
        put("on the same host, spelt otherwise", &|ask| ask.host = format!("{}:443", ask.host.to_uppercase()));
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PURGE", "get", "", "GET "] {
            put("by another method", &|ask| ask.method = method.into());
        }
        for (class, from, to) in [
            ("path spelt otherwise", "/v/", "/%76/"),
            ("path spelt otherwise", "/v/", "/%76%2F"),
            ("path confused", "/v/", "/v/./"),
            ("path confused", "/v/", "/v//"),
            ("path confused", "/v/", "/x/../v/"),
            ("path confused", "/v/", "/v%2f"),
            ("path confused", "/v/", "/v\\"),
            ("path confused", "/v/", "/v/%2e/"),
            ("path confused", "/v/", "/%2576/"),
            ("path to elsewhere", "/v/", "/w/"),
            ("path to elsewhere", "/v/", "/V/"),
            ("path out of every scope", "/v/", "/../../"),
        ] {
            let path = String::from_utf8(own.ask.path.clone()).unwrap();
            let class = if to.contains("%2F") { "path confused" } else { class };
            if path.contains(from) {
                put(class, &|ask| ask.path = path.replace(from, to).into_bytes());
            }
        }
    }
}
