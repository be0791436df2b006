//! The published vectors under `tests/vectors/`, each from a source other than this code.

use serde_json::{Value, json};

use playlock_core::http::incoming::{Incoming, RequestHead};
use playlock_core::http::reply::header;
use playlock_core::policy::Match;
use playlock_core::session::Session;
use playlock_core::step::{Known, Request};
use playlock_core::token::derive::{KeyScope, Keyring, PackagerKeys, Secret};
use playlock_core::token::edge_auth::{LegacyAlgorithms, Verifier};
use playlock_core::token::grant::Grant;
use playlock_core::token::signed::{self, Iv, Subject, Treatment};

const CLEAR: signed::Resource = signed::Resource { form: signed::Treatment::Clear, ..signed::Resource::MEDIA };
const DOCUMENT: signed::Resource = signed::Resource { form: signed::Treatment::Document, ..signed::Resource::MEDIA };

macro_rules! vectors {
    ($file:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../../../tests/vectors/", $file))).unwrap()
    };
}

fn plain(path: &str) -> Subject<'_> {
    Subject { path, query: "", session: None }
}

fn text<'a>(vector: &'a Value, member: &str) -> &'a str {
    vector[member].as_str().unwrap_or_else(|| panic!("{member} in {vector}"))
}

fn bytes(vector: &Value, member: &str) -> Vec<u8> {
    base16ct::mixed::decode_vec(text(vector, member)).unwrap()
}

#[test]
fn rfc_5869() {
    for vector in vectors!("rfc5869.json")["vectors"].as_array().unwrap() {
        let salt = bytes(vector, "salt");
        let prk = hkdf::Hkdf::<sha2::Sha256>::new(Some(&salt), &bytes(vector, "ikm"));
        let expected = bytes(vector, "okm");
        let mut okm = vec![0; expected.len()];
        prk.expand(&bytes(vector, "info"), &mut okm).unwrap();
        assert_eq!(okm, expected, "{vector}");
    }
}

#[test]
fn edge_auth() {
    let file = vectors!("edge-auth.json");
    let key = bytes(&file, "key");
    for vector in file["vectors"].as_array().unwrap() {
        let legacy = LegacyAlgorithms { sha1: vector["algorithm"] == "sha1", md5: vector["algorithm"] == "md5" };
        let salt = vector["salt"].as_str().map(String::from);
        let client = vector["client"].as_str().map_or_else(Known::default, Known::client);
        let now = file["st"].as_u64().unwrap();
        let old: &[u8] = b"some other password";
        let verifier = Verifier::new([old, &key], legacy, salt, 0);
        let token = text(vector, "token");
        let verify = |target: &str, token: &str| {
            let headers = [header(":path", target)];
            let request = Request { headers: &headers, attributes: &client, now, end_of_stream: true };
            let head = RequestHead::read(&request);
            verifier.verify(token, &Incoming::parse(&head).unwrap(), &[""; 0])
        };
        let target = text(vector, "target");
        assert!(verify(target, token).is_ok(), "{vector}");
        let encoded = token.replace('%', "%25").replace('~', "%7E").replace('=', "%3d");
        assert!(verify(target, &encoded).is_ok(), "re-encoded: {vector}");
        assert_eq!(verify("/other", token).is_err(), !token.contains("acl=/*"), "on another path: {vector}");
    }
}

#[test]
fn packagers_keys() {
    for vector in vectors!("derivation.json").as_array().unwrap() {
        let keys = PackagerKeys::new(&Secret::new(bytes(vector, "secret")).unwrap(), text(vector, "policy"));
        let kid = bytes(vector, "kid").try_into().unwrap();
        let content = text(vector, "contentId");
        assert_eq!(keys.key(content, &kid).to_vec(), bytes(vector, "packagerKey"), "{vector}");
        assert_eq!(keys.iv(content, &kid).to_vec(), bytes(vector, "packagerIv"), "{vector}");
        assert_ne!(*keys.key(&format!("{content}2"), &kid), *keys.key(content, &kid));
    }
}

#[test]
fn keys_of_samples() {
    for vector in vectors!("derivation.json").as_array().unwrap() {
        let keyring = Keyring::new(&Secret::new(bytes(vector, "secret")).unwrap(), text(vector, "policy"));
        let session: [u8; 16] = bytes(vector, "session").try_into().unwrap();
        let (scope, directory) = (KeyScope::Session(session), text(vector, "stream"));
        assert_eq!(keyring.sample_key(&scope).to_vec(), bytes(vector, "sampleKey"), "{vector}");
        assert_eq!(keyring.sample_kid(&scope).to_vec(), bytes(vector, "sampleKid"), "{vector}");
        assert_eq!(keyring.sample_iv(&scope).to_vec(), bytes(vector, "sampleIv"), "{vector}");
        assert_eq!(keyring.sample_ivs(&scope).to_vec(), bytes(vector, "sampleIvs"), "{vector}");
        let stream = KeyScope::Stream(directory.into());
        let other = [7; 16];
        for (signed, scope, name) in [
            (signed::samples(&keyring, Some(&session), &scope), None, "samplesParameter"),
            (signed::samples(&keyring, Some(&session), &stream), Some(&stream), "streamSamplesParameter"),
        ] {
            assert_eq!(signed, text(vector, name));
            // Wherever templates lead, within the stream that the parameter names, and for this session alone.
            for (path, session, good) in [
                (format!("{directory}x/1.m4s"), &session, true),
                ("/elsewhere/1.m4s".into(), &session, scope.is_none() || directory == "/"),
                (format!("{directory}x/1.m4s"), &other, false),
            ] {
                let place = Subject { path: &path, query: "?a=1", session: Some(session) };
                let opened = signed::open_resource(&keyring, place, &signed);
                assert_eq!(opened.is_some(), good, "{path}: {vector}");
                let Some((resource, shared)) = opened else { continue };
                assert_eq!((resource.form, shared.as_ref()), (Treatment::Samples, scope));
            }
        }
    }
}

#[test]
fn derivation() {
    for vector in vectors!("derivation.json").as_array().unwrap() {
        let name = vector.get("policyName");
        let document = json!({
            "policies": [{
                "policyName": name.unwrap_or(&vector["policy"]),
                "keyName": name.and(Some(&vector["policy"])),
                "tokenAuth": {"enabled": false, "sessionTtl": format!("{}s", vector["ttl"]), "sessionAcl": vector["acl"]},
                "mediaEncryption": {"enabled": true, "secret": vector["secret"]},
            }],
            "assignments": [{"path": "/...", "policyName": name.unwrap_or(&vector["policy"])}],
        });
        let (policies, _) = playlock_config::parse(document.to_string().as_bytes(), &|_| None).unwrap();
        let Match::Policy(_, policy) = policies.policy_for("h", "/", 0) else { panic!("{vector}") };
        let id = bytes(vector, "session").try_into().unwrap();
        let opened = vector["opened"].as_u64().unwrap();
        let client = Known::client("203.0.113.7:80");
        let request =
            Request { headers: &[header("x-device", "TV 7")], attributes: &client, now: opened, end_of_stream: true };
        let request = RequestHead::read(&request);
        let session = Session::open(policy, None, "/vod/a/m.m3u8", &request, id).unwrap();
        assert_eq!(session.token, text(vector, "sessionToken"));
        assert_eq!(Session::verify(policy, &session.token, &request).unwrap().id, id);
        let mut binding = document.clone();
        binding["policies"][0]["tokenAuth"]["sessionBinding"] =
            json!({"addressPrefix": {}, "headerForSalt": "X-Device"});
        let (binding, _) = playlock_config::parse(binding.to_string().as_bytes(), &|_| None).unwrap();
        let Match::Policy(_, binding) = binding.policy_for("h", "/", 0) else { panic!("{vector}") };
        let bound = Session::open(binding, None, "/vod/a/m.m3u8", &request, id).unwrap();
        assert_eq!(bound.token, text(vector, "boundToken"));
        let mut binding_to_client = document.clone();
        binding_to_client["policies"][0]["tokenAuth"]["sessionBinding"] =
            json!({"headers": ["X-Device", "a", "user-agent"], "ja4": true});
        let (to_client, _) = playlock_config::parse(binding_to_client.to_string().as_bytes(), &|_| None).unwrap();
        let Match::Policy(_, to_client) = to_client.policy_for("h", "/", 0) else { panic!("{vector}") };
        let known = Known { ja4: Some(b"t13d1516h2_8daaf6152771_02713d6af862".to_vec()), ..Known::default() };
        let headers = [header("x-device", "TV 7"), header("user-agent", "")];
        let sent = Request { headers: &headers, attributes: &known, now: opened, end_of_stream: true };
        let bound = Session::open(to_client, None, "/vod/a/m.m3u8", &RequestHead::read(&sent), id).unwrap();
        assert_eq!(bound.token, text(vector, "clientToken"));
        let client = Known::client("[2001:db8:1:2ff::7]:80");
        let head = [header("x-device", "TV 7")];
        let request = Request { headers: &head, attributes: &client, now: opened, end_of_stream: true };
        let request = RequestHead::read(&request);
        let grant = Grant {
            id: Some("order-17".into()),
            payload: Some("{\"name\": \"Zo\u{eb}\", \"n\": 1}".into()),
            ..Grant::default()
        };
        let granted = Session::open(binding, Some(&grant), "/vod/a/m.m3u8", &request, id).unwrap();
        assert_eq!(granted.token, text(vector, "grantedToken"));

        let keyring = Keyring::new(&Secret::new(bytes(vector, "secret")).unwrap(), text(vector, "policy"));
        let scope = KeyScope::Session(id);
        for (period, key, iv) in [(0, "contentKey", "iv"), (7, "contentKey7", "iv7")] {
            assert_eq!(base16ct::lower::encode_string(&keyring.key(&scope, period)), text(vector, key));
            assert_eq!(base16ct::lower::encode_string(&keyring.iv(&scope, period)), text(vector, iv));
        }
        let session = session.id_text();
        assert_eq!(
            signed::key(&keyring, "/serve.key", &policy.key_name, &session, &scope, 0),
            text(vector, "keyParameter")
        );
        assert_eq!(base16ct::lower::encode_string(&keyring.secret_id()), text(vector, "secretId"));
        for (scope, name) in [
            (KeyScope::Stream(text(vector, "stream").into()), "stream"),
            (KeyScope::Application, "application"),
            (KeyScope::Configured, "configured"),
        ] {
            let member = |what: &str| text(vector, &format!("{name}{what}"));
            if scope != KeyScope::Configured {
                assert_eq!(base16ct::lower::encode_string(&keyring.key(&scope, 7)), member("Key7"));
            }
            assert_eq!(base16ct::lower::encode_string(&keyring.iv(&scope, 7)), member("Iv7"));
            let parameter = signed::key(&keyring, "/serve.key", &policy.key_name, &session, &scope, 7);
            assert_eq!(parameter, member("KeyParameter7"));
            let asked = signed::open_key(&keyring, "/serve.key", &parameter).unwrap();
            assert_eq!((asked.session, asked.period, asked.shared.as_ref()), (session.clone(), 7, Some(&scope)));
            let path = plain(text(vector, "mediaPath"));
            let parameter = signed::resource(&keyring, path, &Default::default(), Some(&scope)).unwrap();
            assert_eq!(parameter, member("MediaParameter"));
            assert_eq!(signed::open_resource(&keyring, path, &parameter), Some((Default::default(), Some(scope))));
        }
        let range = signed::ByteRange::new(720, 100);
        let media = signed::Resource { range, period: Some(7), iv: Iv::Number(71), ..Default::default() };
        let (path, parameter) = (plain(text(vector, "mediaPath")), text(vector, "mediaParameter"));
        assert_eq!(signed::resource(&keyring, path, &media, Some(&scope)).as_deref(), Some(parameter));
        assert_eq!(signed::resource(&keyring, path, &media, None).as_deref(), Some(parameter));
        assert_eq!(signed::resource(&keyring, path, &Default::default(), Some(&scope)), None);
        assert_eq!(signed::open_resource(&keyring, path, parameter), Some((media, None)));
        let query = text(vector, "query");
        let (queried, parameter) = (Subject { query, ..path }, text(vector, "queryParameter"));
        let own = signed::Resource { range, period: Some(0), iv: Iv::Segment, ..Default::default() };
        assert_eq!(signed::resource(&keyring, queried, &own, None).as_deref(), Some(parameter));
        assert_eq!(signed::open_resource(&keyring, queried, parameter), Some((own, None)));
        assert_eq!(signed::open_resource(&keyring, path, parameter), None);
        assert_eq!(
            base16ct::lower::encode_string(&own.segment_iv(&keyring, path.path, query)),
            text(vector, "rangeIv")
        );
        assert_eq!(
            base16ct::lower::encode_string(&CLEAR.segment_iv(&keyring, path.path, query)),
            text(vector, "segmentIv")
        );
        let variable =
            |name: &str, value: &str| signed::Variable { name: name.into(), value: value.into(), chosen: false };
        let variables = [variable("host", "https://h"), variable("q", "a=1&b")];
        let (path, parameter) = (text(vector, "variablesPath"), text(vector, "variablesParameter"));
        assert_eq!(signed::variables(&keyring, path, &variables).as_deref(), Some(parameter));
        assert_eq!(signed::open_variables(&keyring, path, parameter).as_deref(), Some(&variables[..]));
        assert_eq!(signed::open_resource(&keyring, plain(path), parameter), None);
        let free = plain(text(vector, "clearPath"));
        let bound = Subject { query, session: Some(&id), ..free };
        for (place, member, others) in [
            (free, "clearParameter", [bound, Subject { path: "/vod/a b/seg1.m4s", ..free }]),
            (
                bound,
                "sessionClearParameter",
                [Subject { session: Some(&[9; 16]), ..bound }, Subject { query: "", ..bound }],
            ),
        ] {
            let parameter = text(vector, member);
            assert_eq!(signed::resource(&keyring, place, &CLEAR, Some(&scope)).as_deref(), Some(parameter));
            assert_eq!(signed::open_resource(&keyring, place, parameter), Some((CLEAR, None)));
            assert!(others.iter().all(|other| signed::open_resource(&keyring, *other, parameter).is_none()));
        }
        let place = Subject { path: text(vector, "documentPath"), query, session: Some(&id) };
        let parameter = text(vector, "sessionDocumentParameter");
        assert_eq!(signed::resource(&keyring, place, &DOCUMENT, None).as_deref(), Some(parameter));
        let directed = format!("{query}&_HLS_pathway=b");
        let directed = Subject { query: &directed, ..place };
        assert_eq!(signed::open_resource(&keyring, directed, parameter), Some((DOCUMENT, None)));
        assert!(signed::open_key(&keyring, "/serve.key", text(vector, "keyParameter")).is_some());
    }
}
