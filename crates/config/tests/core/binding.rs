//! Sessions that are bound to their viewer.

use serde_json::json;

use playlock_core::http::incoming::RequestHead;
use playlock_core::http::reply::{Header, Reason, header};
use playlock_core::policy::Policies;
use playlock_core::session::Session;
use playlock_core::session::token::Encoded;
use playlock_core::step::{Known, Request};
use playlock_core::token::derive::HEADER_TAG;

/// A policy with this binding, or none.
fn policies(binding: Option<serde_json::Value>) -> Policies {
    let document = json!({
        "policies": [{"policyName": "vod", "tokenAuth": {"enabled": false, "sessionBinding": binding},
            "mediaEncryption": {"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f"}}],
        "assignments": [{"policyName": "vod", "path": "/..."}],
    });
    playlock_config::parse(document.to_string().as_bytes(), &|_| None).unwrap().0
}

#[test]
fn a_session_goes_on_where_it_was_opened() {
    let both = policies(Some(json!({"addressPrefix": {"ipv6": 48}, "headerForSalt": "X-Device"})));
    let narrow = policies(Some(json!({"addressPrefix": {"ipv4": 32}})));
    let unbound = policies(None);
    let [both, narrow, unbound] = [&both, &narrow, &unbound].map(|it| it.iter().next().unwrap().1);
    let tv = [header("x-device", "TV 7")];
    let other = [header("x-device", "TV 8")];
    let twice = [header("x-device", "TV 7"), header("x-device", "TV 7")];
    let empty = [header("x-device", "")];
    let ask = |client: &str| if client == "-" { Known::default() } else { Known::client(client) };
    let open = |policy, client: &'static str, headers: &[Header]| {
        Session::open(
            policy,
            None,
            "/",
            &RequestHead::read(&Request { headers, attributes: &ask(client), now: 9, end_of_stream: true }),
            [7; 16],
        )
    };
    let verify = |policy, token: &str, client: &'static str, headers: &[Header]| {
        Session::verify(
            policy,
            token,
            &RequestHead::read(&Request { headers, attributes: &ask(client), now: 9, end_of_stream: true }),
        )
        .map(|_| ())
    };
    let v4 = open(both, "203.0.113.7:80", &tv).unwrap().token;
    let v6 = open(both, "[2001:db8:1::7]:80", &tv).unwrap().token;
    for (token, client, headers, expected) in [
        (&v4, "203.0.113.255:9", &tv[..], Ok(())),
        (&v4, "[::ffff:203.0.113.9]:9", &tv, Ok(())),
        (&v4, "203.0.114.7:80", &tv, Err(Reason::Ip)),
        (&v4, "[2001:db8:1::7]:80", &tv, Err(Reason::Ip)),
        (&v4, "-", &tv, Err(Reason::Ip)),
        (&v4, "203.0.113.7:80", &other, Err(Reason::Header)),
        (&v4, "203.0.113.7:80", &twice, Err(Reason::Header)),
        (&v4, "203.0.113.7:80", &empty, Err(Reason::Header)),
        (&v4, "203.0.113.7:80", &[], Err(Reason::Header)),
        (&v6, "[2001:db8:1:ffff::1]:1", &tv, Ok(())),
        (&v6, "[2001:db8:2::7]:80", &tv, Err(Reason::Ip)),
        (&v6, "203.0.113.7:80", &tv, Err(Reason::Ip)),
    ] {
        assert_eq!(verify(both, token, client, headers), expected, "{client} {headers:?}");
        assert_eq!(verify(unbound, token, client, headers), Ok(()), "what is bound no more goes on");
    }
    let free = open(unbound, "-", &[]).unwrap().token;
    assert_eq!(verify(both, &free, "-", &[]), Ok(()), "what was opened before goes on");
    assert_eq!(verify(narrow, &v4, "203.0.113.9:1", &[]), Ok(()), "as wide as it was then");
    let encoded = Encoded::read(&open(narrow, "203.0.113.9:1", &[]).unwrap().token).unwrap();
    assert_eq!(encoded.parse().unwrap().fields.bound.network, "203.0.113.9/32".parse().ok());
    for (client, headers, reason) in [
        ("-", &tv[..], Reason::Ip),
        ("203.0.113.7:80", &[], Reason::Header),
        ("203.0.113.7:80", &twice, Reason::Header),
    ] {
        assert_eq!(open(both, client, headers).map(|_| ()), Err(reason));
    }
    assert!(open(both, "203.0.113.7:80", &twice[..1]).is_ok());
}

/// The tag of a session, or the reason to refuse it.
fn tag_of(
    binding: &serde_json::Value,
    headers: &[(&str, &str)],
    ja4: Option<&str>,
) -> Result<Option<[u8; HEADER_TAG]>, Reason> {
    let policies = policies(Some(binding.clone()));
    let (_, policy) = policies.iter().next().unwrap();
    let headers: Vec<Header> = headers.iter().map(|(name, value)| header(name, value)).collect();
    let attributes = Known { ja4: ja4.map(|ja4| ja4.as_bytes().to_vec()), ..Known::default() };
    let request = Request { headers: &headers, attributes: &attributes, now: 9, end_of_stream: true };
    let head = RequestHead::read(&request);
    policy.session.binding.bind(policy.keyrings().next().unwrap().1, &head).map(|bound| bound.tag)
}

#[test]
fn the_headers_of_a_session_are_one_value() {
    let two = json!({"headers": ["user-agent", "X-Device"]});
    let of = |headers: &[(&str, &str)]| tag_of(&two, headers, None);
    let both = [("user-agent", "TV/1"), ("x-device", "7")];
    let bound = of(&both).unwrap().unwrap();
    assert_eq!(tag_of(&json!({"headers": ["x-device", "User-Agent"]}), &both, None), Ok(Some(bound)));
    assert_eq!(of(&[both[1], both[0], ("accept", "*/*")]), Ok(Some(bound)));
    let sent: [&[(&str, &str)]; 8] = [
        &both,
        &[both[0]],
        &[both[1]],
        &[both[0], ("x-device", "")],
        &[("user-agent", ""), both[1]],
        &[("user-agent", "7"), ("x-device", "TV/1")],
        &[("user-agent", "TV/1x-device7")],
        &[("user-agent", "tv/1"), both[1]],
    ];
    let mut tags: Vec<[u8; HEADER_TAG]> = sent.iter().map(|headers| of(headers).unwrap().unwrap()).collect();
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), sent.len(), "each is another client");
    for headers in [&[][..], &[("x-device", "")], &[both[0], both[1], both[1]], &[both[0], both[0]]] {
        assert_eq!(of(headers), Err(Reason::Header), "{headers:?}");
    }
    let [one, list] = [json!({"headerForSalt": "x-device"}), json!({"headers": ["x-device"]})];
    assert_eq!(tag_of(&one, &both, None), tag_of(&list, &both, None));
}

#[test]
fn the_tls_client_is_a_value_of_its_own() {
    let [alone, with] = [json!({"ja4": true}), json!({"ja4": true, "headers": ["x-device"]})];
    let (first, resumed) = ("t13d181100_85036bcba153_d41ae481755e", "t13d181200_85036bcba153_dbd39dd1d406");
    let other = "t13d591000_a33745022dd6_1f22a2ca17c4";
    let device = [("x-device", "7")];
    let bound = tag_of(&alone, &[], Some(first)).unwrap();
    assert!(bound.is_some() && tag_of(&alone, &device, Some(resumed)) == Ok(bound));
    assert_ne!(tag_of(&alone, &[], Some(other)), Ok(bound));
    let device_bound = tag_of(&with, &device, Some(first)).unwrap();
    assert_eq!(tag_of(&with, &device, Some(resumed)), Ok(device_bound));
    assert_ne!(tag_of(&with, &device, Some(other)), Ok(device_bound));
    assert_ne!(tag_of(&json!({"headers": ["x-device"]}), &device, Some(first)), Ok(device_bound));
    for unknown in [None, Some(""), Some("-"), Some("t13d181100_85036bcba153")] {
        assert_eq!(tag_of(&alone, &[], unknown), Err(Reason::Fingerprint));
        assert_eq!(tag_of(&with, &device, unknown), Err(Reason::Fingerprint));
    }
    assert_eq!(tag_of(&with, &[], Some(first)), Err(Reason::Header));
    let client = playlock_core::http::ja4::Ja4::parse(first.as_bytes()).unwrap();
    let forged = json!({"headers": ["ja4", "x-ja4"]});
    assert_ne!(tag_of(&forged, &[("ja4", client.client())], None), Ok(bound), "no header stands in for it");
}
