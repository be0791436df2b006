//! Which policy applies for a host, a path and a time, and how long finding it takes.

use alloc::string::ToString;

use super::tests::parse;
use super::time;
use playlock_core::policy::{Idle, Match};

#[test]
fn the_longest_path_and_the_own_host_win() {
    let json = r#"{"policies":[
        {"policyName":"a","tokenAuth":{"enabled":true,"password":{"env":"P"}}},
        {"policyName":"b","policyId":"2","tokenAuth":{"enabled":true,"password":{"env":"P"}}},
        {"policyName":"open"}],
      "assignments":[{"policyName":"a","path":"/..."},{"policyId":2,"path":"/vod"},
        {"policyName":"open","path":"/vod/free/..."},{"policyName":"b","path":"/...","host":"B.example"}]}"#;
    let (policies, _) = parse(json).unwrap();
    for (authority, path, expected) in [
        ("h", "/", "a"),
        ("h", "/vodka", "a"),
        ("h", "/vod", "b"),
        ("h", "/vod/x/y.ts", "b"),
        ("h", "/vod/free/x", "pass"),
        ("b.example:8080", "/", "b"),
        ("B.EXAMPLE", "/vod/free/x", "b"),
    ] {
        let found = match policies.policy_for(authority, path, 0) {
            Match::Policy(_, policy) => policy.name.as_str(),
            Match::Pass => "pass",
            Match::Deny => "deny",
        };
        assert_eq!(found, expected, "{authority}{path}");
    }
}

#[test]
fn windows_open_and_close_and_the_later_start_wins() {
    let json = r#"{"policies":[
        {"policyName":"a","tokenAuth":{"enabled":true,"password":{"env":"P"}}},
        {"policyName":"b","tokenAuth":{"enabled":true,"password":{"env":"P"}}},
        {"policyName":"c","tokenAuth":{"enabled":true,"password":{"env":"P"}}}],
      "assignments":[{"policyName":"a","path":"/vod","startTime":"1970-01-01T00:01:40Z","endTime":"1970-01-01T00:16:40Z"},
        {"policyName":"b","path":"/vod","startTime":"1970-01-01T00:03:20Z","endTime":"1970-01-01T00:05:00Z"},
        {"policyName":"c","path":"/vod/x","startTime":"*","endTime":"1970-01-01T00:06:40Z"}]}"#;
    let (policies, _) = parse(json).unwrap();
    for (path, now, expected) in [
        ("/vod/y", 99, ""),
        ("/vod/y", 100, "a"),
        ("/vod/y", 199, "a"),
        ("/vod/y", 200, "b"),
        ("/vod/y", 299, "b"),
        ("/vod/y", 300, "a"),
        ("/vod/y", 999, "a"),
        ("/vod/y", 1000, ""),
        ("/vod/x/y", 50, "c"),
        ("/vod/x/y", 250, "c"),
        ("/vod/x/y", 400, "a"),
    ] {
        let found = match policies.policy_for("h", path, now) {
            Match::Policy(_, policy) => policy.name.as_str(),
            Match::Pass | Match::Deny => "",
        };
        assert_eq!(found, expected, "{path} at {now}");
    }
}

#[test]
fn assignments_that_never_hold_are_found() {
    let json = r#"{"policies":[{"policyName":"a"},{"policyName":"b","policyId":2},{"policyName":"c"}],
      "assignments":[
        {"policyName":"a","path":"/past","endTime":"1970-01-01T00:16:40Z"},
        {"policyName":"a","path":"/same/"},
        {"policyId":"2","path":"/same/...","startTime":"1970-01-01T00:05:00Z"},
        {"policyName":"a","path":"/same","host":"h"},
        {"policyName":"a","path":"/later","endTime":"2030-01-01"},
        {"policyName":"b","path":"/later","startTime":"2029-01-01"}]}"#;
    let (policies, _) = parse(json).unwrap();
    let idle = |now| policies.idle_assignments(now).collect::<alloc::vec::Vec<_>>();
    assert_eq!(idle(0), []);
    assert_eq!(idle(400), [(1, Idle::Overruled)]);
    assert_eq!(idle(1000), [(0, Idle::Past), (1, Idle::Overruled)]);
    assert_eq!(idle(time::parse("2029-06-01").unwrap()), [(0, Idle::Past), (1, Idle::Overruled), (4, Idle::Overruled)]);
    assert_eq!(idle(time::parse("2031-01-01").unwrap())[2], (4, Idle::Past));
    let unassigned = policies.unassigned().map(|(index, policy)| (index.get(), policy.name.as_str()));
    assert_eq!(unassigned.collect::<alloc::vec::Vec<_>>(), [(2, "c")]);
}

/// In a debug build this is seconds if anything is looked for in a list.
#[test]
fn ten_thousand_policies_load() {
    use serde_json::json;
    let count = 10_000;
    let policy = |index: u32| json!({"policyName": alloc::format!("p{index}"), "policyId": index});
    let assignment = |index: u32| json!({"policyId": index, "path": alloc::format!("/{index}/...")});
    let document = json!({"policies": (0..count).map(policy).collect::<serde_json::Value>(),
        "assignments": (0..count).map(assignment).collect::<serde_json::Value>()});
    let (policies, _) = parse(&document.to_string()).unwrap();
    assert!(matches!(policies.policy_for("h", "/9999/a", 0), Match::Pass));
    assert!(matches!(policies.policy_for("h", "/10000/a", 0), Match::Deny));
    for (member, value) in [("policyName", json!("p7")), ("policyId", json!("7"))] {
        let mut twice = document.clone();
        twice["policies"][9_999][member] = value;
        assert_eq!(parse(&twice.to_string()).unwrap_err().path, alloc::format!("policies[9999].{member}"));
    }
}

/// Of a path of any depth, only as many prefixes are looked up as an assignment can have.
#[test]
fn a_path_of_many_segments_finds_what_is_assigned_above() {
    let json = r#"{"policies":[{"policyName":"a"},{"policyName":"b"}], "default": "deny",
      "assignments":[{"policyName":"a","path":"/a/a"},{"policyName":"b","path":"/b","host":"h"}]}"#;
    let (policies, _) = parse(json).unwrap();
    let deep = |root: &str| alloc::format!("{root}{}", "/a".repeat(4000));
    let covers = |path: &str| matches!(policies.policy_for("h", path, 0), Match::Pass);
    assert!(covers(&deep("")) && covers("/a/a/") && covers("/a/a") && covers(&deep("/b")) && covers("/b/"));
    assert!(!covers(&deep("/a/b")) && !covers("/a/") && !covers("/a/aa/a") && !covers("/"));
}
