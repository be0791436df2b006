//! Which keys a configuration can mean: streams, and servers that are not ours.

use alloc::string::ToString;

use super::tests::{NORMATIVE, parse};

#[test]
fn a_stream_is_a_directory_below_its_assignment() {
    let document = r#"{"policies": [{"policyName": "p", "mediaEncryption": {"enabled": true, "secret": "00112233445566778899aabbccddeeff"}}],
        "assignments": [{"policyName": "p", "path": "/..."}, {"policyName": "p", "path": "/vod"},
            {"policyName": "p", "path": "/live/tv", "startTime": "1970-01-01T00:01:40Z"},
            {"policyName": "p", "path": "/one/two/main.m3u8"}, {"policyName": "p", "host": "other", "path": "/vod/a"}]}"#;
    let (policies, _) = parse(document).unwrap();
    for (host, path, depth, now, stream) in [
        ("h", "/vod/film/v/1.m3u8", 1, 0, "/vod/film/"),
        ("h", "/vod/film/v/1.m3u8", 2, 0, "/vod/film/v/"),
        ("h", "/vod/film/v/1.m3u8", 9, 0, "/vod/film/v/"),
        ("h", "/vod/film/v/1.m3u8", 0, 0, "/vod/"),
        ("h", "/vod/film.m3u8", 1, 0, "/vod/"),
        ("h", "/vodka/film.m3u8", 0, 0, "/"),
        ("h", "/vodka/film.m3u8", 1, 0, "/vodka/"),
        ("h", "/film.m3u8", 1, 0, "/"),
        ("h", "/live/tv/news/a.m3u8", 1, 99, "/live/"),
        ("h", "/live/tv/news/a.m3u8", 1, 100, "/live/tv/news/"),
        ("h", "/one/two/main.m3u8", 1, 0, "/one/two/"),
        ("other:8080", "/vod/a/b/c", 1, 0, "/vod/a/b/"),
        ("h", "/vod/ä/b/c", 1, 0, "/vod/ä/"),
    ] {
        assert_eq!(policies.stream_directory(host, path, depth, now), stream, "{host}{path} at {depth}");
    }
}

#[test]
fn a_key_url_names_one_key() {
    use serde_json::json;
    let with = |media: serde_json::Value| {
        let mut document: serde_json::Value = serde_json::from_str(NORMATIVE).unwrap();
        let object = document.pointer_mut("/policies/0/mediaEncryption").unwrap().as_object_mut().unwrap();
        object.remove("keyPath");
        object.remove("keyScope");
        object.extend(media.as_object().unwrap().clone());
        parse(&document.to_string())
    };
    let key = "000102030405060708090a0b0c0d0e0f";
    for (media, member) in [
        (json!({"keyUrl": "keys/k"}), "keyUrl"),
        (json!({"keyUrl": "https://k.example/k?{secret}"}), "keyUrl"),
        (json!({"keyUrl": "https://k.example/k?{session}"}), "keyUrl"),
        (json!({"keyUrl": "https://k.example/k?{session}{secret}", "keyScope": "stream"}), "keyUrl"),
        (json!({"keyUrl": "https://k.example/k?{session}{secret}", "keyRotation": {"segments": 2}}), "keyUrl"),
        (json!({"keyUrl": "https://k.example/k?{session}{secret}", "streamDepth": 2}), "streamDepth"),
        (json!({"keyUrl": "https://k.example/k?{session}{secret}", "keyPath": "/serve.key"}), "keyPath"),
        (json!({"keyUrl": "https://k.example/k", "key": "0011"}), "key"),
        (json!({"keyUrl": "https://k.example/k", "key": "00".repeat(17)}), "key"),
        (json!({"keyUrl": "https://k.example/k", "key": {"env": "UNSET"}}), "key"),
        (json!({"keyUrl": "https://k.example/k", "key": key, "keyScope": "stream"}), "keyScope"),
        (json!({"keyUrl": "https://k.example/k", "key": key, "keyRotation": {"time": "1m"}}), "keyRotation"),
        (json!({"key": key}), "key"),
    ] {
        let error = with(media.clone()).expect_err(&media.to_string());
        assert_eq!(error.path, alloc::format!("policies[0].mediaEncryption.{member}"), "{error}");
        assert!(!error.message.contains("0011"), "shows the key: {error}");
    }
    let warned = |media| {
        let (_, warnings) = with(media).unwrap();
        warnings.iter().any(|warning| warning.starts_with("policies[0].mediaEncryption.keyUrl: an assignment"))
    };
    assert!(!warned(json!({"keyUrl": "https://k.example/k?{session}{secret}"})));
    assert!(!warned(json!({"keyUrl": "https://k.example/k?{secret}{stream}", "keyScope": "stream", "streamDepth": 2})));
    assert!(!warned(json!({"keyUrl": "https://k.example/k?{secret}", "keyScope": "application"})));
    assert!(!warned(json!({"keyUrl": "https://k.example/36.key", "key": key})));
    assert!(warned(json!({"keyUrl": "/keys/36.key", "key": {"env": "KEY"}})));
}
