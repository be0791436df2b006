//! Explanations of assignments.

use playlock_config::parse;
use playlock_core::policy::assignments::NotHeld;

#[test]
fn every_assignment_is_explained() {
    let document = r#"{"policies": [{"policyName": "a"}, {"policyName": "b"}, {"policyName": "c"}], "assignments": [
        {"policyName": "a", "path": "/..."},
        {"policyName": "b", "path": "/vod", "host": "tv.example"},
        {"policyName": "b", "path": "/vod", "host": "other.example"},
        {"policyName": "c", "path": "/live/..."},
        {"policyName": "c", "path": "/vod/a", "startTime": "1970-01-02"},
        {"policyName": "c", "path": "/vod/b", "endTime": "1970-01-01T00:00:10Z"}]}"#;
    let (policies, _) = parse(document.as_bytes(), &|_| None).unwrap();
    let explained =
        |authority, path| policies.explain_assignments(authority, path, 60).into_values().collect::<Vec<_>>();
    use NotHeld::{Closer, Early, Ended, Host, Path};
    let (early, host, path) = (Some(Early), Some(Host), Some(Path));
    let closer = Some(Closer);
    assert_eq!(explained("TV.example.:8443", "/vod/a/b.ts"), [closer, None, host, path, early, path]);
    assert_eq!(explained("tv.example", "/vod/b/b.ts"), [closer, None, host, path, path, Some(Ended)]);
    assert_eq!(explained("h", "/vod/a"), [None, host, host, path, early, path]);
    assert_eq!(explained("tv.example", "/vodka"), [None, path, path, path, path, path]);
}

#[test]
fn wildcards_are_explained() {
    let document = r#"{"policies": [{"policyName": "a"}, {"policyName": "b"}, {"policyName": "c"}], "assignments": [
        {"policyName": "a", "path": "/..."},
        {"policyName": "b", "path": "/vod", "host": "*.tv.example"},
        {"policyName": "b", "path": "/vod", "host": "*-demo.tv.example"},
        {"policyName": "c", "path": "/vod", "host": "x-demo.tv.example"}]}"#;
    let (policies, _) = parse(document.as_bytes(), &|_| None).unwrap();
    let explained = |authority| policies.explain_assignments(authority, "/vod/a", 60).into_values().collect::<Vec<_>>();
    let (closer, host) = (Some(NotHeld::Closer), Some(NotHeld::Host));
    assert_eq!(explained("X-demo.tv.example.:8443"), [closer, closer, closer, None]);
    assert_eq!(explained("y-demo.tv.example"), [closer, closer, None, host]);
    assert_eq!(explained("y.tv.example"), [closer, None, host, host]);
    assert_eq!(explained("tv.example"), [None, host, host, host]);
    assert_eq!(explained(".tv.example"), [None, host, host, host]);
    // Each can be what is below a directory, whatever the host.
    assert_eq!(policies.idle_assignments(60).count(), 0);
}
