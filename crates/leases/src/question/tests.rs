use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;

const TERMS: &str = "group=tv;limit=2;on-limit=refuse-new;viewer=id;period=60;grace=30;keys-ahead=10;session=86400";

/// A question's headers, with some replaced (`""`: removed).
fn headers(changes: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let usual = [
        ("x-playlock-leases", TERMS),
        ("x-playlock-policy", "vod%20hd"),
        ("x-playlock-session", "AAAAAAAAAAAAAAAAAAAAAQ"),
        ("x-playlock-paths", "/vod/*"),
        ("x-playlock-key-scope", "session"),
        ("x-playlock-period", "7"),
        ("x-playlock-client", "2001:db8:1:2::7"),
        ("x-playlock-access-token-id", "ann"),
        ("x-playlock-payload", "%7b%22user%22:%22bob%22%2c%22screens%22:3%7d"),
    ];
    for (name, value) in usual.iter().chain(changes) {
        let name = HeaderName::from_static(name);
        match *value {
            "" => drop(headers.remove(name)),
            value => drop(headers.insert(name, HeaderValue::from_str(value).unwrap())),
        }
    }
    headers
}

fn read(changes: &[(&'static str, &str)]) -> Result<Question, Malformed> {
    Question::read(Realm::Production, &headers(changes))
}

#[test]
fn headers_make_a_question() {
    let question = read(&[]).unwrap();
    assert_eq!(question.viewer, "ann");
    assert_eq!(question.limit, 2);
    assert_eq!(question.policy, "vod hd");
    assert_eq!(question.stream, "/vod/*");
    assert_eq!(question.period, Some(7));
    assert_eq!(question.session.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
    assert_eq!(question.client.unwrap().to_string(), "2001:db8:1::/48");
    assert_eq!(read(&[("x-playlock-stream", "/vod/a%20b/")]).unwrap().stream, "/vod/a b/");
    assert_eq!(read(&[("x-playlock-period", "")]).unwrap().period, None);
    let mapped = read(&[("x-playlock-client", "::ffff:203.0.113.9")]).unwrap();
    assert_eq!(mapped.client.unwrap().to_string(), "203.0.113.0/24");
}

#[test]
fn the_payload_names_viewer_and_limit() {
    let terms = TERMS.replace("viewer=id", "viewer=payload;viewer-field=user;limit-field=screens");
    let question = read(&[("x-playlock-leases", &terms)]).unwrap();
    assert_eq!((question.viewer.as_str(), question.limit), ("bob", 3));
    let plain = TERMS.replace("viewer=id", "viewer=payload");
    let question = read(&[("x-playlock-leases", &plain), ("x-playlock-payload", "carol%3b")]).unwrap();
    assert_eq!((question.viewer.as_str(), question.limit), ("carol;", 2));
    for (payload, fault) in [
        ("user=bob;screens=0", Malformed::Limit),
        ("user=bob;screens=many", Malformed::Limit),
        ("user=bob;screens=1;screens=9", Malformed::Limit),
        ("user=;screens=1", Malformed::Viewer),
        ("screens=1", Malformed::Viewer),
        ("user=a;user=b", Malformed::Viewer),
    ] {
        let payload = payload.replace(';', "%3b");
        let asked = read(&[("x-playlock-leases", &terms), ("x-playlock-payload", &payload)]);
        assert_eq!(asked, Err(fault), "{payload}");
    }
}

#[test]
fn an_unreadable_question_is_refused_by_its_header() {
    for (name, value, fault) in [
        ("x-playlock-leases", "", Malformed::Missing("x-playlock-leases")),
        ("x-playlock-leases", "limit=2", Malformed::Value("x-playlock-leases")),
        ("x-playlock-session", "", Malformed::Missing("x-playlock-session")),
        ("x-playlock-session", "AAAAAAAAAAAAAAAAAAAAAB", Malformed::Value("x-playlock-session")),
        ("x-playlock-session", "AAAA", Malformed::Value("x-playlock-session")),
        ("x-playlock-policy", "%2", Malformed::Value("x-playlock-policy")),
        ("x-playlock-period", "-1", Malformed::Value("x-playlock-period")),
        ("x-playlock-client", "here", Malformed::Value("x-playlock-client")),
        ("x-playlock-access-token-id", "", Malformed::Viewer),
        ("x-playlock-paths", "", Malformed::Missing("x-playlock-paths")),
    ] {
        assert_eq!(read(&[(name, value)]), Err(fault), "{name}: {value}");
    }
    let mut twice = headers(&[]);
    twice.append("x-playlock-session", HeaderValue::from_static("AAAAAAAAAAAAAAAAAAAAAg"));
    assert_eq!(Question::read(Realm::Default, &twice), Err(Malformed::Repeated("x-playlock-session")));
    let long = "a".repeat(4097);
    assert_eq!(read(&[("x-playlock-access-token-id", &long)]), Err(Malformed::Value("x-playlock-access-token-id")));
}
