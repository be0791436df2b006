//! Tests for the number of host calls that checks make. Their decisions are covered by the truth table in
//! `tests/targeting/`.

use alloc::rc::Rc;
use core::cell::Cell;

use crate::exchange::Exchange;
use crate::http::reply::header;
use crate::step::Request;

const POLICIES: &str = include_str!("../../../../../tests/targeting/policies.json");

/// Reading the address is a host call: none for checks on headers, and one for all checks on the address.
#[test]
fn the_address_is_asked_for_when_a_check_needs_it() {
    let (policies, _) = crate::config::parse(POLICIES.as_bytes(), &|_| None).unwrap();
    let policies = Rc::new(policies);
    for (policy, country, expected) in [
        ("deny-geo", "FR", 1),
        ("open-geo", "FR", 0),
        ("site", "FR", 0),
        ("proxies", "FR", 0),
        ("off", "FR", 0),
        ("all", "FR", 1),
    ] {
        let headers = [
            header(":method", "GET"),
            header(":authority", "h"),
            header(":path", &alloc::format!("/{policy}/1.ts")),
            header("x-geo-country", country),
        ];
        let asked = Cell::new(0);
        let client = || {
            asked.set(asked.get() + 1);
            Some(b"192.0.2.1:80".to_vec())
        };
        let request = Request {
            headers: &headers,
            client: &client,
            route_policy: &|| None,
            metadata: &|_| None,
            protocol: &|| None,
            now: 0,
            end_of_stream: true,
        };
        Exchange::open(&policies, &request, &mut || panic!("a session was opened"));
        assert_eq!(asked.get(), expected, "{policy}");
    }
}
