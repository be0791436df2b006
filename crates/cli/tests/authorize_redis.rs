//! `playlock authorize --redis` with URLs that are none. `crates/leases/tests/redis` has a real server.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::collections::BTreeMap;

use common::run;

#[test]
fn an_url_that_is_none_is_refused_without_being_repeated() {
    for (arguments, url, place) in [
        (&["authorize", "--redis", "http://:geheim@redis"][..], "", "--redis: no URL of a Redis server"),
        (&["authorize"][..], "redis://:geheim@redis:port", "PLAYLOCK_REDIS_URL: no URL of a Redis server"),
    ] {
        let ran = run(arguments, b"", &BTreeMap::from([("PLAYLOCK_REDIS_URL".into(), url.into())]));
        assert_eq!(ran.status, 2, "{ran:?}");
        assert!(ran.errors.contains(place) && !ran.errors.contains("geheim"), "{ran:?}");
    }
}

#[test]
fn a_time_to_wait_has_bounds() {
    for time in ["0ms", "61s", "250"] {
        let ran = run(&["authorize", "--redis-timeout", time], b"", &BTreeMap::new());
        assert!(ran.status == 2 && ran.errors.contains("expected 1ms to 60s"), "{ran:?}");
    }
}
