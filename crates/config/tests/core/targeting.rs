//! Tests for the number of host calls that checks make. Their decisions are covered by the truth table in
//! `tests/targeting/`.

use core::cell::Cell;
use std::rc::Rc;

use playlock_core::exchange::Exchange;
use playlock_core::http::reply::header;
use playlock_core::step::{Attributes, Request};

const POLICIES: &str = include_str!("../../../../tests/targeting/policies.json");

/// Reading the address is a host call: none for checks on headers, and one for all checks on the address.
#[test]
fn the_address_is_asked_for_when_a_check_needs_it() {
    let (policies, _) = playlock_config::parse(POLICIES.as_bytes(), &|_| None).unwrap();
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
            header(":path", &format!("/{policy}/1.ts")),
            header("x-geo-country", country),
        ];
        let attributes = Counting::default();
        let request = Request { headers: &headers, attributes: &attributes, now: 0, end_of_stream: true };
        Exchange::open(&policies, &request, &mut || panic!("a session was opened"));
        assert_eq!(attributes.asked.get(), expected, "{policy}");
    }
}

/// Counts how often the client's address is asked for.
#[derive(Default)]
struct Counting {
    asked: Cell<u32>,
}

impl Attributes for Counting {
    fn client_address(&self) -> Option<Vec<u8>> {
        self.asked.set(self.asked.get() + 1);
        Some(b"192.0.2.1:80".to_vec())
    }

    fn route_policy(&self) -> Option<Vec<u8>> {
        None
    }
}
