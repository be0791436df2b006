//! The vectors of `tests/vectors/cat.json`, made by another implementation, and renewal.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};

use super::*;
use crate::http::incoming::RequestHead;
use crate::http::reply::{Header, header};
use crate::step::Request;
use crate::token::grant::RenewedBy;
use crate::token::key_set::Key;

fn file() -> Json {
    serde_json::from_str(include_str!("../../../../../tests/vectors/cat.json")).unwrap()
}

fn bytes(text: &Json) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

fn key(jwk: &Json) -> Key {
    let key = match jwk["kty"].as_str() {
        Some("oct") => Key::hs256(&bytes(&jwk["k"])).unwrap(),
        _ => {
            let coordinate = |name| bytes(&jwk[name]).try_into().unwrap();
            Key::es256(&coordinate("x"), &coordinate("y"), None).unwrap()
        }
    };
    key.with(jwk["kid"].as_str().map(String::from), jwk["iss"].as_str().map(String::from))
}

fn verifier(file: &Json) -> Verifier {
    Verifier {
        keys: KeySet::new(file["keys"].as_array().unwrap().iter().map(key).collect()).unwrap(),
        audience: Vec::new(),
        location: None,
        renewer: None,
        skew: file["skew"].as_u64().unwrap(),
    }
}

/// Examines the token of a vector with its request.
fn examine(verifier: &Verifier, file: &Json, vector: &Json) -> Result<Grant, Refusal> {
    let of = |name: &str| vector.get(name).unwrap_or(&file[name]).as_str().unwrap_or_default().to_string();
    let url = of("url");
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, target) = rest.split_at(rest.find('/').unwrap());
    let method = vector["method"].as_str().unwrap_or("GET");
    let mut headers: Vec<Header> = vec![
        header(":method", method),
        header(":scheme", scheme),
        header(":authority", authority),
        header(":path", target),
    ];
    let sent = vector["headers"].as_object().into_iter().flatten();
    headers.extend(sent.map(|(name, value)| header(name, value.as_str().unwrap())));
    let client = || Some(of("client")).filter(|client| !client.is_empty()).map(String::into_bytes);
    let protocol = || Some(of("protocol")).filter(|protocol| !protocol.is_empty()).map(String::into_bytes);
    let head = RequestHead::read(&Request {
        headers: &headers,
        client: &client,
        route_policy: &|| None,
        protocol: &protocol,
        now: vector["now"].as_u64().unwrap_or_else(|| file["now"].as_u64().unwrap()),
        metadata: &|_| None,
        end_of_stream: true,
    });
    let incoming = Incoming::parse(&head).ok().unwrap();
    verifier.examine(vector["token"].as_str().unwrap(), &incoming, &["plk", "hdntl", "cat"])
}

#[test]
fn every_vector_has_its_result() {
    let file = file();
    let mut failed = Vec::new();
    for vector in file["vectors"].as_array().unwrap() {
        let mut verifier = verifier(&file);
        verifier.audience =
            vector["audience"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().into()).collect();
        let [country, region, asn] = ["x-geo-country", "x-geo-region", "x-geo-asn"].map(String::from);
        verifier.location = (vector["location"] == true).then_some(LocationHeaders { country, region, asn });
        let found = match examine(&verifier, &file, vector) {
            Ok(grant) => {
                let mut found = json!({"expected": "valid"});
                for (name, value) in [("id", &grant.id), ("payload", &grant.payload)] {
                    if let Some(value) = value {
                        found[name] = json!(value);
                    }
                }
                if vector["acl"].is_string() {
                    found["acl"] = json!(grant.acl.as_deref().unwrap_or("none"));
                }
                found
            }
            Err(Refusal { reason, claim: None }) => json!({"expected": reason.word()}),
            Err(Refusal { reason, claim: Some(claim) }) => json!({"expected": reason.word(), "claim": claim}),
        };
        let mut expected = json!({});
        for name in ["expected", "claim", "acl", "id", "payload"] {
            if let Some(value) = vector.get(name) {
                expected[name] = value.clone();
            }
        }
        if found != expected {
            failed.push(alloc::format!("{}: {found}, expected {expected}", vector["about"]));
        }
        let readable = expected["expected"] == "valid" || expected.get("claim").is_some();
        assert!(!readable || fields(vector["token"].as_str().unwrap()).is_some(), "{vector}");
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_changed_byte_is_a_refusal() {
    let file = file();
    let verifier = verifier(&file);
    // The first has its kid in the unprotected header, which no signature covers: it only chooses the key.
    for (index, unsigned) in [(0, 8..23), (2, 0..0), (3, 0..0)] {
        let vector = &file["vectors"][index];
        let token = bytes(&vector["token"]);
        for at in 0..token.len() {
            for bit in [1, 0x80] {
                let mut forged = token.clone();
                forged[at] ^= bit;
                let forged = json!({"token": URL_SAFE_NO_PAD.encode(forged)});
                let refused = examine(&verifier, &file, &forged).is_err();
                assert!(refused || unsigned.contains(&at), "{} at {at}", vector["about"]);
            }
            let cut = json!({"token": URL_SAFE_NO_PAD.encode(&token[..at])});
            assert_eq!(examine(&verifier, &file, &cut), Err(Reason::Malformed.into()), "cut at {at}");
        }
    }
}

#[test]
fn fields_are_readable_without_a_key() {
    let file = file();
    let all = |index: usize| {
        let fields = fields(file["vectors"][index]["token"].as_str().unwrap()).unwrap();
        fields.map(|(name, text)| [name, text].join("=")).collect::<Vec<_>>()
    };
    assert_eq!(
        all(1),
        [
            "alg=HS256",
            "kid=Symmetric256",
            "iss=eyevinn",
            "exp=4102444800",
            "catu={3: {1: \"/vod/\"}}",
            "catm=[\"GET\"]"
        ]
    );
    assert_eq!(all(3), ["alg=ES256", "kid=Elliptic", "exp=4102444800"]);
    for other in ["", "exp=1~hmac=00", "eyJhbGciOiJIUzI1NiJ9.e30.AA", "gEBA"] {
        assert!(fields(other).is_none(), "{other}");
    }
}

/// A token with these claims, made by [`cose::write`], whose result the vectors of `cwt` confirm.
fn token(key: &Key, claims: &str) -> Json {
    let payload = base16ct::lower::decode_vec(claims).unwrap();
    let token = cose::write(key.algorithm(), key.kid(), &payload, |message| key.sign(message)).unwrap();
    json!({"token": URL_SAFE_NO_PAD.encode(token)})
}

#[test]
fn a_written_token_is_that_of_another_implementation() {
    let file = file();
    let key = key(&file["keys"][0]);
    let by_hand = file["vectors"].as_array().unwrap().iter().find(|it| it["about"] == "by hand, as cwt writes it");
    assert_eq!(token(&key, "a1041af4865700")["token"], by_hand.unwrap()["token"]);
}

#[test]
fn a_token_is_renewed_within_its_deadline() {
    let file = file();
    let signer = key(&file["keys"][0]);
    let private =
        base16ct::upper::decode_vec("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721").unwrap();
    let jwk = &file["keys"][1];
    let coordinate = |name| bytes(&jwk[name]).try_into().unwrap();
    let elliptic = Key::es256(&coordinate("x"), &coordinate("y"), Some(&private.try_into().unwrap())).unwrap();
    let elliptic = elliptic.with(Some("Elliptic".into()), None);
    for renewing in [signer.clone(), elliptic] {
        let mut verifier = verifier(&file);
        verifier.renewer = Some(Box::new(Renewer { key: renewing, issuer: "edge".into() }));
        // iss "x", exp, catm ["GET"], cti h'01', catr.
        let with = |exp: u64, catr: &str| {
            let claims = alloc::format!("a5016178041a{exp:08x}190139816347455407410119 0143{catr}").replace(' ', "");
            token(&signer, &claims)
        };
        let renew = |exp: u64, catr: &str| examine(&verifier, &file, &with(exp, catr)).unwrap().renewed;
        let now = file["now"].as_u64().unwrap();
        // {type: 1, expadd: 600}; 60 seconds are the default.
        let renewed = renew(now + 60, "a20001011902 58".replace(' ', "").as_str()).unwrap();
        assert_eq!((renewed.by, renewed.seconds, renewed.is_due), (RenewedBy::Cookie, 600, false));
        let shown: Vec<_> = fields(&renewed.token).unwrap().skip(2).collect();
        let names: Vec<_> = shown.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["catm", "catr", "iss", "exp", "iat", "cti"]);
        assert_eq!(shown[2].1, "edge");
        assert_eq!((&shown[3].1, &shown[4].1), (&(now + 600).to_string(), &now.to_string()));
        assert!(shown[5].1.len() == 32 && shown[5].1 != "01");
        let again = json!({"token": renewed.token});
        let grant = examine(&verifier, &file, &again).unwrap();
        assert_eq!((grant.id.as_deref(), grant.renewed), (Some(shown[5].1.as_str()), None));
        for (exp, catr, expected) in [
            (now + 61, "a200010119 0258", None),
            (now + 61, "a3000101190258 02183d", Some(RenewedBy::Cookie)),
            (now + 60, "a101190258", Some(RenewedBy::Carrier)),
            (now + 60, "a20000 01190258", Some(RenewedBy::Carrier)),
            (now + 60, "a20002 01190258", Some(RenewedBy::Header)),
            (now + 60, "a20003 01190258", Some(RenewedBy::Redirect)),
            (now + 60, "a20004 01190258", None),
            (now + 60, "a10001", None),
            // The new token would expire no later than the old one.
            (now + 60, "a2000101183c", None),
            (now + 60, "a300010119025802 6131", None),
            (now + 60, "a3000101190258 0301", None),
            // Half the token's time is over its skew: an expired token in the tolerance is renewed, too.
            (now - 5, "a2000101190258", Some(RenewedBy::Cookie)),
        ] {
            let catr = catr.replace(' ', "");
            assert_eq!(renew(exp, &catr).map(|renewed| renewed.by), expected, "{exp} {catr}");
        }
        let due = renew(now + 60, "a3000301183d02 183d".replace(' ', "").as_str()).unwrap();
        assert!(due.is_due);
    }
}
