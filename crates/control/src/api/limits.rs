//! Failed authentications per address, within a minute.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Addresses that are remembered. Beyond them failures of further addresses are not counted: a flood from many
/// addresses must not lock out the others.
const ADDRESSES: usize = 10_000;
const WINDOW: Duration = Duration::from_mins(1);

/// The failures of each address.
pub struct Limits {
    per_window: u32,
    failures: Mutex<HashMap<IpAddr, Failures>>,
}

struct Failures {
    since: Instant,
    count: u32,
}

impl Limits {
    /// So many failures within a minute are answered as such.
    pub fn new(per_minute: u32) -> Self {
        Self { per_window: per_minute, failures: Mutex::default() }
    }

    /// The time after which an address may authenticate again, if it may not now.
    pub fn blocked(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = failures.get(&network(address)).filter(|entry| entry.count >= self.per_window)?;
        WINDOW.checked_sub(now.saturating_duration_since(entry.since)).filter(|rest| !rest.is_zero())
    }

    /// Counts a failure.
    pub fn failed(&self, address: IpAddr, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        if failures.len() >= ADDRESSES && !failures.contains_key(&address) {
            failures.retain(|_, entry| now.saturating_duration_since(entry.since) < WINDOW);
            if failures.len() >= ADDRESSES {
                return;
            }
        }
        let entry = failures.entry(address).or_insert(Failures { since: now, count: 0 });
        if now.saturating_duration_since(entry.since) >= WINDOW {
            *entry = Failures { since: now, count: 0 };
        }
        entry.count = entry.count.saturating_add(1);
    }
}

/// The address that counts: of IPv6 the network of 64 bits, whose addresses one host may all have.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address => address,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_until_its_minute_ends() {
        let (limits, now) = (Limits::new(2), Instant::now());
        let address = "2001:db8::1".parse().unwrap();
        limits.failed(address, now);
        assert_eq!(limits.blocked(address, now), None);
        limits.failed("2001:db8::2".parse().unwrap(), now);
        assert_eq!(limits.blocked(address, now), Some(WINDOW));
        assert_eq!(limits.blocked("2001:db8:0:1::1".parse().unwrap(), now), None);
        assert_eq!(limits.blocked(address, now + WINDOW), None);
        limits.failed(address, now + WINDOW);
        assert_eq!(limits.blocked(address, now + WINDOW), None);
    }

    #[test]
    fn the_table_is_bounded() {
        let (limits, now) = (Limits::new(1), Instant::now());
        for number in 0..20_000_u32 {
            limits.failed(IpAddr::from(number.to_be_bytes()), now);
        }
        assert_eq!(limits.failures.lock().unwrap().len(), ADDRESSES);
        limits.failed("255.255.255.255".parse().unwrap(), now + WINDOW);
        assert_eq!(limits.failures.lock().unwrap().len(), 1);
    }
}
