//! Documents that load and documents that are refused, with the JSON path that the error must name.

use alloc::string::{String, ToString};

use super::*;
use playlock_core::policy::Match;

/// Every variable is set, but for `UNSET`, each to a value of its own.
pub(super) fn parse(json: &str) -> Result<(Policies, Vec<String>), ConfigError> {
    let value = |name: &str| base16ct::lower::encode_string(alloc::format!("{name:_>16}").as_bytes());
    super::parse(json.as_bytes(), &|name| (name != "UNSET").then(|| value(name)))
}

pub(super) const NORMATIVE: &str = include_str!("../../../tests/cases/config/vod.json");

#[test]
fn the_normative_document_loads_and_warns_of_its_inline_secret() {
    let (policies, warnings) = parse(NORMATIVE).unwrap();
    assert!(
        matches!(policies.policy_for("h", "/a", 0), Match::Policy(index, policy) if index.get() == 0 && policy.name == "vod")
    );
    assert!(policies.is_key_path("/serve.key"));
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("policies[0].tokenAuth.transitionPassword") && !warnings[0].contains("c319"));
}

/// The normative document with the value at `pointer` replaced (removed for `None`).
fn altered(pointer: &str, value: Option<serde_json::Value>) -> String {
    altered_in(NORMATIVE, pointer, value)
}

pub(super) fn altered_in(document: &str, pointer: &str, value: Option<serde_json::Value>) -> String {
    let mut document: serde_json::Value = serde_json::from_str(document).unwrap();
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(member.into(), value),
        None => parent.remove(member),
    };
    document.to_string()
}

#[test]
fn errors_name_the_json_path() {
    use serde_json::json;
    let auth = "/policies/0/tokenAuth";
    let media = "/policies/0/mediaEncryption";
    for (pointer, value, path) in [
        ("/policies/0/tokenAuth/password", json!("abc"), "policies[0].tokenAuth.password"),
        ("/policies/0/tokenAuth/password", json!("xy"), "policies[0].tokenAuth.password"),
        ("/policies/0/tokenAuth/password", json!(""), "policies[0].tokenAuth.password"),
        ("/policies/0/tokenAuth/password", json!({"env": "UNSET"}), "policies[0].tokenAuth.password"),
        ("/policies/0/tokenAuth/password", json!({"file": "x"}), "policies[0].tokenAuth.password.file"),
        ("/policies/0/tokenAuth/password", json!(1234567890), "policies[0].tokenAuth.password"),
        (
            "/policies/0/tokenAuth/enforceOnContentRequest",
            json!(false),
            "policies[0].tokenAuth.enforceOnContentRequest",
        ),
        ("/policies/0/tokenAuth/sessionTokenTransport", json!("header"), "policies[0].tokenAuth.sessionTokenTransport"),
        ("/policies/0/tokenAuth/sessionTtl", json!("1 day"), "policies[0].tokenAuth.sessionTtl"),
        ("/policies/0/tokenAuth/sessionTtl", json!("0s"), "policies[0].tokenAuth.sessionTtl"),
        (
            "/policies/0/tokenAuth/sessionBinding",
            json!({"addressPrefix": {"ipv4": 33}}),
            "policies[0].tokenAuth.sessionBinding.addressPrefix.ipv4",
        ),
        (
            "/policies/0/tokenAuth/sessionBinding",
            json!({"addressPrefix": {"ipv6": 0}}),
            "policies[0].tokenAuth.sessionBinding.addressPrefix.ipv6",
        ),
        (
            "/policies/0/tokenAuth/sessionBinding",
            json!({"headerForSalt": "user agent"}),
            "policies[0].tokenAuth.sessionBinding.headerForSalt",
        ),
        (
            "/policies/0/tokenAuth/sessionBinding",
            json!({"headers": ["user-agent", "x device"]}),
            "policies[0].tokenAuth.sessionBinding.headers[1]",
        ),
        (
            "/policies/0/tokenAuth/sessionBinding",
            json!({"headers": ["x-a", "x-b", "X-A"]}),
            "policies[0].tokenAuth.sessionBinding.headers[2]",
        ),
        (
            "/policies/0/tokenAuth/sessionBinding",
            json!({"headers": []}),
            "policies[0].tokenAuth.sessionBinding.headers",
        ),
        (
            "/policies/0/tokenAuth/sessionBinding",
            json!({"headers": ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"]}),
            "policies[0].tokenAuth.sessionBinding.headers",
        ),
        (
            "/policies/0/tokenAuth/sessionBinding",
            json!({"headers": ["x-a"], "headerForSalt": "x-b"}),
            "policies[0].tokenAuth.sessionBinding.headerForSalt",
        ),
        ("/policies/0/tokenAuth/sessionBinding", json!({"ja4": "yes"}), "policies[0].tokenAuth.sessionBinding.ja4"),
        ("/policies/0/tokenAuth/sessionBinding", json!({"ja4": false}), "policies[0].tokenAuth.sessionBinding"),
        ("/policies/0/tokenAuth/sessionBinding", json!({}), "policies[0].tokenAuth.sessionBinding"),
        ("/policies/0/tokenAuth/sessionTokenName", json!("a b"), "policies[0].tokenAuth.sessionTokenName"),
        ("/policies/0/tokenAuth/accessTokenName", json!("hdntl"), "policies[0].tokenAuth.accessTokenName"),
        ("/policies/0/tokenAuth/accessTokenName", json!("plk"), "policies[0].tokenAuth.accessTokenName"),
        ("/policies/0/tokenAuth/accessTokenCookie", json!("hdntl-AAAAAAAA"), "policies[0].tokenAuth.accessTokenCookie"),
        ("/policies/0/tokenAuth/sessionAcl", json!("/a~b"), "policies[0].tokenAuth.sessionAcl"),
        ("/policies/0/tokenAuth/sessionAcl", json!("/a;b"), "policies[0].tokenAuth.sessionAcl"),
        ("/policies/0/tokenAuth/algorithms", json!(["sha512"]), "policies[0].tokenAuth.algorithms[0]"),
        ("/policies/0/tokenAuth/hosts", json!(["https://a"]), "policies[0].tokenAuth.hosts[0]"),
        ("/policies/0/tokenAuth/tokenName", json!("x"), "policies[0].tokenAuth.tokenName"),
        ("/policies/0/mediaEncryption/secret", json!("0011"), "policies[0].mediaEncryption.secret"),
        ("/policies/0/mediaEncryption/secret", json!("not base64!"), "policies[0].mediaEncryption.secret"),
        ("/policies/0/mediaEncryption/keyScope", json!("viewer"), "policies[0].mediaEncryption.keyScope"),
        ("/policies/0/mediaEncryption/streamDepth", json!(1), "policies[0].mediaEncryption.streamDepth"),
        (
            "/policies/0/mediaEncryption/keyAuthorizer",
            json!({"cluster": "", "path": "/"}),
            "policies[0].mediaEncryption.keyAuthorizer.cluster",
        ),
        (
            "/policies/0/mediaEncryption/keyAuthorizer",
            json!({"cluster": "c", "path": "/a\r\nx: y"}),
            "policies[0].mediaEncryption.keyAuthorizer.path",
        ),
        (
            "/policies/0/mediaEncryption/keyAuthorizer",
            json!({"cluster": "c", "path": "/", "host": "a/b"}),
            "policies[0].mediaEncryption.keyAuthorizer.host",
        ),
        (
            "/policies/0/mediaEncryption/keyAuthorizer",
            json!({"cluster": "c", "path": "/", "timeout": "61s"}),
            "policies[0].mediaEncryption.keyAuthorizer.timeout",
        ),
        (
            "/policies/0/mediaEncryption/keyAuthorizer",
            json!({"cluster": "c", "path": "/", "timeout": "0s"}),
            "policies[0].mediaEncryption.keyAuthorizer.timeout",
        ),
        ("/policies/0/mediaEncryption/keyPath", json!("serve.key"), "policies[0].mediaEncryption.keyPath"),
        ("/policies/0/mediaEncryption/keyPath", json!("/a\"b"), "policies[0].mediaEncryption.keyPath"),
        (
            "/policies/0/mediaEncryption/percentageCoverage",
            json!("0"),
            "policies[0].mediaEncryption.percentageCoverage",
        ),
        (
            "/policies/0/mediaEncryption/percentageCoverage",
            json!("0"),
            "policies[0].mediaEncryption.percentageCoverage",
        ),
        ("/geoHeaders", json!({"country": "x geo"}), "geoHeaders.country"),
        ("/geoHeaders", json!({"transparentProxy": ""}), "geoHeaders.transparentProxy"),
        ("/geoHeaders", json!({"city": "x-geo-city"}), "geoHeaders.city"),
        ("/geoHeaders", json!({"country": "User-Agent"}), "geoHeaders.country"),
        ("/geoHeaders", json!({"region": "x-geo-country"}), "geoHeaders.region"),
        (
            "/geoHeaders",
            json!({"anonymousProxy": "x-geo-p", "transparentProxy": "X-Geo-P"}),
            "geoHeaders.transparentProxy",
        ),
        ("/policies/0/contentTargeting", json!({"enabled": false, "geo": 1}), "policies[0].contentTargeting.geo"),
        (
            "/policies/0/playerVerification",
            json!({"enabled": true, "players": [{"hash": ""}]}),
            "policies[0].playerVerification.players[0].hash",
        ),
        ("/policies/0/revocation", json!({"sessionIds": ["short"]}), "policies[0].revocation.sessionIds[0]"),
        (
            "/policies/0/revocation",
            json!({"sessionsOpenedBefore": "now"}),
            "policies[0].revocation.sessionsOpenedBefore",
        ),
        ("/policies/0/policyName", json!(""), "policies[0].policyName"),
        ("/policies/0/policyId", json!("one"), "policies[0].policyId"),
        ("/assignments/0/policyName", json!("live"), "assignments[0].policyName"),
        ("/assignments/0/path", json!("vod"), "assignments[0].path"),
        ("/assignments/0/path", json!("/a/../b"), "assignments[0].path"),
        ("/assignments/0/path", json!("/a/*"), "assignments[0].path"),
        ("/assignments/0/host", json!("a:80"), "assignments[0].host"),
        ("/assignments/0/endTime", json!("1970-01-01T00:00:00Z"), "assignments[0].endTime"),
        ("/assignments/0/startTime", json!("now"), "assignments[0].startTime"),
        ("/assignments/0/endTime", json!("2018-02-30T00:00:00Z"), "assignments[0].endTime"),
        ("/default", json!("allow"), "default"),
        ("/unknown", json!(1), "unknown"),
    ] {
        let value_text = value.to_string();
        let pointer = if pointer.starts_with("/assignments/0") || pointer.starts_with("/policies/0") {
            pointer.into()
        } else {
            pointer.to_string()
        };
        let error = parse(&altered(&pointer, Some(value))).expect_err(&pointer);
        assert_eq!(error.path, path, "{error}");
        if path.contains("password") || path.ends_with("secret") {
            assert!(
                !error.message.contains(value_text.trim_matches('"')) || value_text.len() < 8,
                "shows the secret: {error}"
            );
        }
    }
    assert_eq!(
        parse(&altered(&(auth.to_string() + "/password"), None)).unwrap_err().path,
        "policies[0].tokenAuth.password"
    );
    assert_eq!(
        parse(&altered(&(media.to_string() + "/secret"), None)).unwrap_err().path,
        "policies[0].mediaEncryption.secret"
    );
    assert_eq!(parse("{").unwrap_err().path, "$");
    assert_eq!(parse(r#"{"": 1}"#).unwrap_err().path, r#"[""]"#);
    let torn = parse(r#"{"policies": [{"policyName": "x" "y": 1}]}"#).unwrap_err();
    assert_eq!((&*torn.path, torn.message.ends_with("at line 1 column 34")), ("$", true), "{torn}");
}

#[test]
fn errors_in_targeting_name_the_json_path() {
    use serde_json::json;
    let on = |mut members: serde_json::Value| {
        members["enabled"] = true.into();
        members
    };
    let geo = |members| json!({"geoProtection": on(members)});
    let access = |members| json!({"ipAccess": on(members)});
    let referer = |members| json!({"referer": on(members)});
    let redirect = |url| access(json!({"mode": "DENY", "ipRedirectOnDenyEnabled": true, "denyOnIPRedirectURL": url}));
    for (targeting, path, found) in [
        (geo(json!({})), "geoProtection.mode", "missing"),
        (geo(json!({"mode": "allow"})), "geoProtection.mode", "allow"),
        (geo(json!({"mode": "DENY", "countries": ["IN"]})), "geoProtection.countries[0]", "IN"),
        (
            geo(json!({"mode": "DENY", "countries": [{"countryCode": "USA"}]})),
            "geoProtection.countries[0].countryCode",
            "USA",
        ),
        (
            geo(json!({"mode": "DENY", "countries": [{"countryCode": "\u{e9}"}]})),
            "geoProtection.countries[0].countryCode",
            "e9",
        ),
        (
            geo(
                json!({"mode": "DENY", "regions": [{"countryCode": "US", "regionCode": "CA"}, {"countryCode": "US", "regionCode": "US-CA"}]}),
            ),
            "geoProtection.regions[1].regionCode",
            "US-CA",
        ),
        (
            geo(json!({"mode": "DENY", "regions": [{"countryCode": "", "regionCode": "CA"}]})),
            "geoProtection.regions[0].countryCode",
            "\"\"",
        ),
        (
            geo(json!({"mode": "DENY", "regions": [{"regionCode": "CA"}]})),
            "geoProtection.regions[0].countryCode",
            "missing",
        ),
        (geo(json!({"mode": "DENY", "dmas": [{"dmaCode": "LA"}]})), "geoProtection.dmas[0].dmaCode", "LA"),
        (
            geo(json!({"mode": "DENY", "dmas": [{"dmaCode": "123456789"}]})),
            "geoProtection.dmas[0].dmaCode",
            "123456789",
        ),
        (geo(json!({"mode": "DENY", "overrideIps": ["1.1.1.1", "1.1.1.1/64"]})), "geoProtection.overrideIps[1]", "/64"),
        (
            geo(json!({"mode": "DENY", "geoRedirectOnDenyEnabled": true})),
            "geoProtection.geoRedirectOnDenyURL",
            "missing",
        ),
        (access(json!({"ips": []})), "ipAccess.mode", "missing"),
        (access(json!({"mode": "DENY", "ips": ["1.1.1.1:80"]})), "ipAccess.ips[0]", "1.1.1.1:80"),
        (redirect("/denied"), "ipAccess.denyOnIPRedirectURL", "/denied"),
        (redirect("//h/denied"), "ipAccess.denyOnIPRedirectURL", "//h"),
        (redirect("https://"), "ipAccess.denyOnIPRedirectURL", "https://"),
        (redirect("https:///denied"), "ipAccess.denyOnIPRedirectURL", "https:///"),
        (redirect("javascript://h/%0aalert(1)"), "ipAccess.denyOnIPRedirectURL", "javascript"),
        (redirect("https://h/\r\nset-cookie: a=b"), "ipAccess.denyOnIPRedirectURL", "\\r\\n"),
        (redirect("https://h/a b"), "ipAccess.denyOnIPRedirectURL", "a b"),
        (referer(json!({"domains": ["a.example", "*.a.example"]})), "referer.domains[1]", "*.a"),
        (referer(json!({"domains": ["https://a.example/path"]})), "referer.domains[0]", "/path"),
        (referer(json!({"domains": ["a.example:80"]})), "referer.domains[0]", ":80"),
        (referer(json!({"domains": ["u@a.example"]})), "referer.domains[0]", "u@"),
        (referer(json!({"domains": [".a.example"]})), "referer.domains[0]", "\".a"),
        (referer(json!({"domains": ["b\u{fc}cher.example"]})), "referer.domains[0]", "xn--"),
        (referer(json!({"domains": [""]})), "referer.domains[0]", "\"\""),
        (referer(json!({"domains": ["a"], "referrerRedirectEnabled": true})), "referer.referrerRedirectURL", "missing"),
    ] {
        let text = targeting.to_string();
        let error = parse(&altered("/policies/0/contentTargeting", Some(on(targeting)))).expect_err(&text);
        assert_eq!(error.path, alloc::format!("policies[0].contentTargeting.{path}"), "{error}");
        assert!(error.message.contains(found), "{error}");
        assert!(error.message.contains("expected") || error.message.contains("missing"), "{error}");
    }
}

#[test]
fn a_password_of_16_bytes_stands_in_for_a_missing_secret() {
    let mut document: serde_json::Value = serde_json::from_str(NORMATIVE).unwrap();
    let media = document["policies"][0]["mediaEncryption"].as_object_mut().unwrap();
    media.remove("secret");
    media.remove("transitionSecret");
    assert_eq!(parse(&document.to_string()).unwrap().0.iter().next().unwrap().1.keyrings.len(), 2);
    document["policies"][0]["tokenAuth"]["password"] = "0011".into();
    assert_eq!(parse(&document.to_string()).unwrap_err().path, "policies[0].mediaEncryption.secret");
}

#[test]
fn key_servers_for_packagers_are_limited_in_number() {
    use serde_json::json;

    let document = |count: usize| {
        let policy = |number: usize| {
            let requester = json!({"name": "p", "token": "0123456789abcdef", "contentIds": ["*"]});
            let speke = json!({"path": std::format!("/speke/{number}"), "requesters": [requester]});
            let secret = "000102030405060708090a0b0c0d0e0f";
            let media = json!({"enabled": true, "secret": secret, "speke": speke});
            json!({"policyName": std::format!("tv-{number}"), "mediaEncryption": media})
        };
        json!({"holdHeaders": true, "policies": (0..count).map(policy).collect::<Vec<_>>(), "assignments": []})
            .to_string()
    };
    parse(&document(1000)).unwrap();
    let error = parse(&document(1001)).unwrap_err();
    assert_eq!(error.path, "policies[1000].mediaEncryption.speke");
    assert!(error.message.contains("at most 1000"), "{error}");
}

#[test]
fn debug_output_shows_no_secret() {
    let (policies, _) = parse(NORMATIVE).unwrap();
    let text = alloc::format!("{policies:?}");
    assert!(!text.contains("c319") && !text.contains("0011223344") && text.contains("redacted"));
}

/// The examples of the Media Security Policy API as they are: policies, and assignments to policies of those names.
#[test]
fn documents_of_the_api_load_as_they_are() {
    use serde_json::json;

    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/policies");
    let mut loaded = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let document: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        // What alone is not in them: keys come from a secret, and such a policy has no password in its place.
        let unsecret = document["mediaEncryption"]["enabled"] == true && document["tokenAuth"]["enabled"] == false;
        let mut whole = match document.get("assignments") {
            None => {
                json!({"policies": [document], "assignments": [{"policyName": document["policyName"], "path": "/..."}]})
            }
            Some(assignments) => {
                let named = |index: u64| json!({"policyId": index, "policyName": std::format!("tst-policy-{index}")});
                json!({"policies": [named(1), named(2)], "assignments": assignments})
            }
        };
        if unsecret {
            assert_eq!(parse(&whole.to_string()).unwrap_err().path, "policies[0].mediaEncryption.secret");
            whole["policies"][0]["mediaEncryption"]["secret"] = json!("000102030405060708090a0b0c0d0e0f");
        }
        if let Err(error) = parse(&whole.to_string()) {
            panic!("{}: {error}", path.display());
        }
        loaded += 1;
    }
    assert_eq!(loaded, 15);
}
