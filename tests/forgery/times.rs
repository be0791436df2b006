//! Forgeries at the time limits of tokens and sessions.

use playlock_host::edge_auth::Token;

use crate::cross::{Take, shop};
use crate::fixture::{Ask, Fixture, NOW};
use crate::valid::{Kind, Slot, Valid};

/// Access tokens at the start and end of validity, and sessions at the end, with and without clock skew.
pub fn times(fixture: &Fixture, take: Take<'_>) {
    for (name, skew) in [("exact", 0), ("lenient", 10)] {
        let shop = shop(name);
        for place in [0, 1, 2] {
            for file in ["master.m3u8", "v/index.m3u8"] {
                let (start, end) = (NOW, NOW + 100);
                let token = Token { st: Some(start), exp: Some(end), ..shop.token() };
                let (ask, slot) = shop.entry(file, 7, shop.sign(&token), place);
                let mut at = |class: &str, now: u64| {
                    let ask = Ask { now, ..ask.clone() };
                    let answer = fixture.answer(&Ask { now: NOW, ..ask.clone() });
                    let own = Valid {
                        what: "opened",
                        policy: shop.name,
                        viewer: 7,
                        ask: ask.clone(),
                        slots: vec![slot],
                        answer,
                    };
                    take(class, slot, &own, ask);
                };
                for (class, now) in [
                    ("a second too early", start - skew - 1),
                    ("in its first second", start - skew),
                    ("within its time", start + 50),
                    ("in its last second", end + skew),
                    ("a second too late", end + skew + 1),
                    ("a day too early", start - 86_400),
                    ("a year too late", end + 31_536_000),
                    ("at the end of time", 18_000_000_000),
                    // At 0 the filter takes its clock for one that was never set.
                    ("at the epoch", 1),
                ] {
                    at(class, now);
                }
            }
        }
    }
}

/// Requests of a session at the limits of its validity.
pub fn session_times(valid: &[Valid], take: Take<'_>) {
    for own in valid.iter().filter(|own| own.viewer == 7) {
        let (Some(place), true) = (own.place(Kind::Session), matches!(own.policy, "exact" | "lenient")) else {
            continue;
        };
        let (end, skew) = (NOW + 3600, if own.policy == "exact" { 0 } else { 10 });
        for (class, now) in [
            ("session in its last second", end + skew),
            ("session a second too late", end + skew + 1),
            ("session a year too late", end + 31_536_000),
            ("session at the end of time", 18_000_000_000),
            // It was opened on a node whose clock is ahead.
            ("session before it was opened", NOW - 5),
        ] {
            let slot = Slot { kind: Kind::Session, place };
            take(class, slot, own, Ask { now, ..own.ask.clone() });
        }
    }
}
