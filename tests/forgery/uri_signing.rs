//! Forgeries of URI Signing tokens (RFC 9246), as access tokens and in a chain: the results are in `uri-signing.tsv`.

use playlock_host::edge_auth::{sign, unhex};

use crate::fixture::{Answer, Ask, Fixture, NOW, percent_decoded};
use crate::table::{Case, Tally};

const NAME: &str = "URISigningPackage";
const EXP: u64 = 4_102_444_800;
const SITE: &str = "52a152a152a152a152a152a152a152a152a152a152a152a152a152a152a152a1";
const OTHER: &str = "c319f970fd89b9f8c3d48e25548c793dc319f970fd89b9f8c3d48e25548c793d";
const EDGE: &str = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";
const HEADER: &str = r#"{"alg":"HS256","kid":"site"}"#;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A policy and a request under it.
#[derive(Clone, Copy)]
struct Shop {
    policy: &'static str,
    file: &'static str,
    claims: &'static str,
}

const SHOPS: [Shop; 2] = [
    Shop { policy: "signed", file: "master.m3u8", claims: r#""iss":"site""# },
    Shop { policy: "chained", file: "seg7.m4s", claims: r#""iss":"site","cdniets":30,"cdnistt":1,"cdnistd":1"# },
];

const PLACES: [&str; 3] = ["query", "path", "cookie"];

impl Shop {
    fn claims(self) -> String {
        let Self { policy, claims, .. } = self;
        format!(r#"{{"cdniuc":"regex:https://edge\\.example/{policy}/.*","exp":{EXP},{claims}}}"#)
    }

    fn path(self) -> String {
        format!("/{}/{}", self.policy, self.file)
    }

    /// The request with this value for the token.
    fn ask(self, place: &str, value: &[u8]) -> Ask {
        let mut ask = Ask::new(&self.path());
        put(&mut ask, place, NAME.as_bytes(), value);
        ask
    }
}

fn put(ask: &mut Ask, place: &str, name: &[u8], value: &[u8]) {
    match place {
        "query" => ask.query.push((name.to_vec(), value.to_vec())),
        "cookie" => ask.cookies.push((name.to_vec(), value.to_vec())),
        "path" => ask.path.extend([b";", name, b"=", value].concat()),
        _ => ask.headers.push((String::from_utf8(name.to_ascii_lowercase()).unwrap(), value.to_vec())),
    }
}

fn base64url(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            out.push(char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 63]));
        }
    }
    out
}

/// A token with an HMAC under a key in hex.
fn token(header: &str, claims: &str, key: &str) -> String {
    let text = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
    let signed = sign(&text, "", "sha256", key).unwrap();
    format!("{text}.{}", base64url(&unhex(signed.rsplit_once("hmac=").unwrap().1).unwrap()))
}

/// The consumer of forgeries: their class, their place, and the request.
type Take<'a> = &'a mut dyn FnMut(&str, &'static str, Ask);

/// Changes of single bytes and of whole parts.
fn altered(shop: Shop, good: &str, take: Take<'_>) {
    let parts: Vec<&str> = good.split('.').collect();
    let strange = token(HEADER, &shop.claims().replace("4102444800", "4102444801"), SITE);
    let others: Vec<&str> = strange.split('.').collect();
    for place in PLACES {
        let mut put = |class: &str, value: &[u8]| take(class, place, shop.ask(place, value));
        for at in 0..good.len() {
            let with = |piece: &[u8]| [&good.as_bytes()[..at], piece, &good.as_bytes()[at + 1..]].concat();
            let byte = good.as_bytes()[at];
            put("letter changed", &with(if byte == b'A' { b"B" } else { b"A" }));
            put("letter left out", &with(b""));
            put("letter twice", &with(&[byte, byte]));
            put("escape one", &with(format!("%{byte:02x}").as_bytes()));
            put("escape twice", &with(format!("%25{byte:02x}").as_bytes()));
            put("cut", &good.as_bytes()[..at]);
            put("cut in front", &good.as_bytes()[at + 1..]);
            for special in [&b"."[..], b"=", b"+", b"~", b"%", b"%00", b"%0a", b"\"", b","] {
                let (before, after) = good.as_bytes().split_at(at);
                put("special letter put in", &[before, special, after].concat());
            }
        }
        put("escape all", good.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>().as_bytes());
        for (index, &part) in parts.iter().enumerate() {
            let mut mixed = parts.clone();
            mixed[index] = others[index];
            // The headers are the same.
            put(if index == 0 { "same part of another" } else { "part of another" }, mixed.join(".").as_bytes());
            mixed[index] = "";
            put("empty part", mixed.join(".").as_bytes());
            for padding in ["=", "==", "%3d", "%0a", "A", "AA", "AAA", "AAAA"] {
                let longer: Vec<_> =
                    (0..3).map(|at| if at == index { [part, padding].concat() } else { parts[at].into() }).collect();
                put("longer part", longer.join(".").as_bytes());
            }
        }
        if good.contains(['-', '_']) {
            put("standard base64", good.replace(['-', '_'], "+").as_bytes());
        }
        put("more parts", format!("{good}.").as_bytes());
        put("more parts", format!("{good}.{}", parts[2]).as_bytes());
        put("more parts", format!(".{good}").as_bytes());
        put("more parts", format!("{good}..AAAA").as_bytes());
        put("two in one", format!("{good},{good}").as_bytes());
        put("two in one", format!("{good}{good}").as_bytes());
        put("overlong", token(HEADER, &" ".repeat(2000), SITE).as_bytes());
        put("overlong", &b"A".repeat(30_000));
        put("overlong", &b".".repeat(30_000));
    }
}

/// Tokens with other headers, and under keys that are not the issuer's.
fn strangers(shop: Shop, take: Take<'_>) {
    let claims = shop.claims();
    let public = "6def34ed2e0eedbcc1e88e214e2094be6c4223a16ec566dad7160194b492b19fac";
    for place in PLACES {
        let mut put = |class: &str, value: &str| take(class, place, shop.ask(place, value.as_bytes()));
        for alg in ["none", "None", "NONE", "", "HS512", "RS512", "PS256", "ES384", "hs256", "HS256 "] {
            for signature in ["", "AAAA"] {
                let header = base64url(format!(r#"{{"alg":"{alg}","kid":"site"}}"#).as_bytes());
                let unsigned = format!("{header}.{}.{signature}", base64url(claims.as_bytes()));
                put(if signature.is_empty() { "no signature" } else { "another algorithm" }, &unsigned);
            }
        }
        for alg in ["ES256", "EdDSA", "RS256"] {
            put("HMAC as a signature", &token(&format!(r#"{{"alg":"{alg}","kid":"site-es"}}"#), &claims, SITE));
            put("HMAC as a signature", &token(&format!(r#"{{"alg":"{alg}"}}"#), &claims, SITE));
        }
        // The public key as a secret, by its coordinate, under its own name and others.
        for kid in ["site-es", "site", "none"] {
            let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
            put(
                if kid == "site" { "signed by a stranger" } else { "public key as a secret" },
                &token(&header, &claims, public),
            );
        }
        for key in ["", "00", public, OTHER, EDGE] {
            put("signed by a stranger", &token(HEADER, &claims, key));
            put(
                "signed by a stranger",
                &token(r#"{"alg":"HS256"}"#, &claims, if key == OTHER || key == EDGE { "01" } else { key }),
            );
        }
        // Of issuers whose keys verify, in the name of the site.
        put("another issuer's key", &token(r#"{"alg":"HS256","kid":"other"}"#, &claims, OTHER));
        put("another issuer's key", &token(r#"{"alg":"HS256"}"#, &claims, OTHER));
        put("the site's key for another", &token(HEADER, &claims.replace(r#""iss":"site""#, r#""iss":"other""#), SITE));
        put("an unknown issuer", &token(HEADER, &claims.replace(r#""iss":"site""#, r#""iss":"nobody""#), SITE));
        for member in [
            r#""jwk":{"kty":"oct","k":"AAAA"}"#,
            r#""jku":"https://evil.example/keys""#,
            r#""x5u":"https://evil.example/keys""#,
            r#""x5c":["AAAA"]"#,
        ] {
            put("key in the header", &token(&format!(r#"{{"alg":"HS256",{member}}}"#), &claims, "000000"));
        }
        put("critical header", &token(r#"{"alg":"HS256","kid":"site","crit":["exp"],"exp":1}"#, &claims, SITE));
        put("critical header", &token(r#"{"alg":"HS256","kid":"site","b64":false,"crit":["b64"]}"#, &claims, SITE));
        put("header twice", &token(r#"{"alg":"none","alg":"HS256","kid":"site"}"#, &claims, SITE));
        put("header twice", &token(r#"{"alg":"HS256","kid":"site","kid":"other"}"#, &claims, SITE));
        put("claim twice", &token(HEADER, &claims.replace("{", "{\"exp\":1,"), SITE));
        put("claim twice", &token(HEADER, &claims.replace("{", "{\"cdniuc\":\"regex:.*\","), SITE));
        put("claim twice", &token(HEADER, &claims.replace("{", "{\"e\\u0078p\":1,"), SITE));
        for claims in
            ["", "null", "[]", "{}", r#"{"exp":4102444800}"#, claims.trim_start_matches('{'), &format!("{claims}x")]
        {
            put("no claims", &token(HEADER, claims, SITE));
        }
        // Encrypted instead of signed.
        put(
            "encrypted",
            "eyJlbmMiOiJBMTI4R0NNIiwiYWxnIjoiZGlyIn0..CLAu80xclc8Bp-Ui.6P1A3F6ip2Dv.CohdtLLpgBnTvRJQCFuz-g",
        );
    }
}

/// A valid token elsewhere: other names, places, paths, hosts and times.
fn elsewhere(shop: Shop, good: &str, take: Take<'_>) {
    for place in PLACES {
        let valid = shop.ask(place, good.as_bytes());
        let mut change = |class: &str, change: &dyn Fn(&mut Ask)| {
            let mut ask = valid.clone();
            change(&mut ask);
            take(class, place, ask);
        };
        change("another host", &|ask| ask.host = "edge.example.evil".into());
        change("another host", &|ask| ask.host = "edge.example:8443".into());
        change("another host", &|ask| ask.host = String::new());
        change("the host in another spelling", &|ask| ask.host = "EDGE.example:443".into());
        let folder = if shop.policy == "signed" { "chained" } else { "signed" };
        for (class, from, to) in [
            ("another folder", shop.policy, folder),
            ("another folder", shop.policy, "%73igned/../chained"),
            ("escape one", shop.file, &shop.file.replacen('m', "%6d", 1)),
        ] {
            change(class, &|ask| {
                let path = String::from_utf8(ask.path.clone()).unwrap();
                // Not in the token.
                let (path, token) = path.split_at(path.find(';').unwrap_or(path.len()));
                ask.path = format!("{}{token}", path.replace(from, to)).into_bytes();
            });
        }
        for (class, now) in
            [("its last second", EXP - 1), ("a second too late", EXP), ("a year too late", EXP + 31_536_000)]
        {
            change(class, &|ask| ask.now = now);
        }
        change("another method", &|ask| ask.method = "PUT".into());
        for (name, class) in [
            ("urisigningpackage", "another name"),
            ("URISigningPackag", "another name"),
            ("URISigningPackage%00", "another name"),
            ("%55RISigningPackage", "name escaped"),
        ] {
            let mut ask = Ask::new(&shop.path());
            put(&mut ask, place, name.as_bytes(), good.as_bytes());
            take(class, place, ask);
        }
        for second in PLACES {
            for (value, class) in [
                (good.as_bytes(), "twice in"),
                (b"x", "beside another in"),
                (b"", "beside nothing in"),
                (b"%2e", "beside another in"),
            ] {
                for reversed in [false, true] {
                    let mut ask = Ask::new(&shop.path());
                    let pair = if reversed { [value, good.as_bytes()] } else { [good.as_bytes(), value] };
                    put(&mut ask, if reversed { second } else { place }, NAME.as_bytes(), pair[0]);
                    put(&mut ask, if reversed { place } else { second }, NAME.as_bytes(), pair[1]);
                    take(&format!("{class} {second}"), place, ask);
                }
            }
        }
    }
    take("in a header", "header", shop.ask("header", good.as_bytes()));
    let mut bearer = Ask::new(&shop.path());
    put(&mut bearer, "header", b"authorization", format!("Bearer {good}").as_bytes());
    take("in a header", "header", bearer);
    // As a session token, and after the name of one.
    for name in ["hdntl", "plk"] {
        let mut ask = Ask::new(&shop.path());
        put(&mut ask, "query", name.as_bytes(), good.as_bytes());
        take("as another token", "query", ask);
    }
    for path in [format!("/{}/..;{NAME}={good}/{}", shop.policy, shop.file), format!("/;{NAME}={good}{}", shop.path())]
    {
        take("in front of a dot segment", "path", Ask::new(&path));
    }
}

/// The result of a forgery: the reason of a refusal; `same` for the response to the valid request, `accepted` for one at another
/// time, `absent` if the origin has no such file.
fn verdict(own: &Answer, answer: &Answer) -> String {
    match answer.reason {
        Some(reason) => reason.word().into(),
        None if (own.status, &own.body, &own.headers) == (answer.status, &answer.body, &answer.headers) => {
            "same".into()
        }
        None if answer.status == 404 => "absent".into(),
        None if answer.status == 200 => "accepted".into(),
        None => "ANOTHER".into(),
    }
}

#[test]
fn every_forgery_of_uri_signing_is_denied_for_its_reason() {
    let fixture = Fixture::of(include_str!("uri-signing.json"));
    let mut tally = Tally::new("uri-signing.tsv", include_str!("uri-signing.tsv"));
    for shop in SHOPS {
        let good = token(HEADER, &shop.claims(), SITE);
        let own = fixture.answer(&shop.ask("query", good.as_bytes()));
        assert_eq!((own.reason, own.status), (None, 200));
        assert_eq!(own.set_cookie.is_some(), shop.policy == "chained");
        assert_eq!(percent_decoded(&String::from_utf8_lossy(&own.asked.clone().unwrap())), shop.path());
        let mut take = |class: &str, place: &'static str, ask: Ask| {
            let answer = fixture.answer(&ask);
            // Nothing of a token reaches the origin.
            if let Some(asked) = &answer.asked {
                assert!(!String::from_utf8_lossy(asked).contains(good.rsplit_once('.').unwrap().1), "{class}");
            }
            let case = Case {
                class: class.into(),
                token: "Access".into(),
                place: place.into(),
                policy: shop.policy,
                what: shop.file,
            };
            tally.add(&case, &verdict(&own, &answer), || String::from_utf8_lossy(&ask.target()).into_owned());
        };
        for place in PLACES {
            take("none", place, shop.ask(place, good.as_bytes()));
        }
        altered(shop, &good, &mut take);
        strangers(shop, &mut take);
        elsewhere(shop, &good, &mut take);
    }
    assert_eq!(NOW, 4_000_000_000);
    tally.print();
    tally.check();
}
