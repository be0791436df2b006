//! `catnip`: networks of the client, as AS numbers, addresses and prefixes (RFC 9164).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::cbor::Value;
use super::claims::Failure;
use super::facts::Facts;
use crate::http::reply::Reason;

/// Tags of RFC 9164 section 3.
const IPV4: u64 = 52;
const IPV6: u64 = 54;

/// Checks that the client is in one of the networks.
///
/// # Errors
/// [`Reason::Ip`] if it is in none, or if its address or AS number is needed and not known.
pub fn check(value: &Value<'_>, facts: &Facts<'_>) -> Result<(), Failure> {
    let networks = value.array().filter(|networks| !networks.is_empty()).ok_or(Failure::MALFORMED)?;
    let client = facts.incoming.head.client().map(|client| client.to_canonical());
    let (mut found, mut numbers, mut prefixes) = (false, false, false);
    for network in networks {
        match network {
            Value::Unsigned(_) => numbers = true,
            network => {
                let (prefix, bits) = prefix(network).ok_or(Failure::MALFORMED)?;
                prefixes = true;
                found |= client.is_some_and(|client| contains(prefix, bits, client));
            }
        }
    }
    if found {
        return Ok(());
    }
    if prefixes && client.is_none() {
        return Err(Failure::Undecided(Reason::Ip, None));
    }
    let found = numbers && {
        let number = facts.as_number()?;
        networks.contains(&Value::Unsigned(number))
    };
    Failure::unless(found, Reason::Ip)
}

/// An address or prefix: the first address, and the number of leading bits that count.
fn prefix(network: &Value<'_>) -> Option<(IpAddr, u32)> {
    let Value::Tag(tag, value) = network else { return None };
    let (bytes, bits) = match &**value {
        Value::Bytes(address) => (*address, None),
        // Without trailing bytes of zeros, or with them, as one library writes it.
        Value::Array(parts) => match parts.as_slice() {
            [Value::Unsigned(bits), Value::Bytes(address)] => (*address, Some(u32::try_from(*bits).ok()?)),
            _ => return None,
        },
        _ => return None,
    };
    let (address, size) = match *tag {
        IPV4 => (Ipv4Addr::from(padded::<4>(bytes)?).into(), 4_u32),
        IPV6 => (Ipv6Addr::from(padded::<16>(bytes)?).into(), 16),
        _ => return None,
    };
    match bits {
        Some(bits) if bits <= size * 8 => Some((address, bits)),
        // A plain address is complete.
        None if bytes.len() == usize::try_from(size).ok()? => Some((address, size * 8)),
        _ => None,
    }
}

fn padded<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let mut padded = [0; N];
    padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(padded)
}

/// Whether `address` has the first `bits` bits of `prefix`. An IPv4-mapped prefix is one of IPv4.
fn contains(prefix: IpAddr, bits: u32, address: IpAddr) -> bool {
    let (prefix, bits) = match (prefix, prefix.to_canonical()) {
        (IpAddr::V6(_), mapped @ IpAddr::V4(_)) if bits >= 96 => (mapped, bits - 96),
        (prefix, _) => (prefix, bits),
    };
    // All bits are compared if the shift is 0, none if it is as wide as the address.
    match (prefix, address) {
        (IpAddr::V4(prefix), IpAddr::V4(address)) => {
            let differing = prefix.to_bits() ^ address.to_bits();
            differing.checked_shr(32_u32.saturating_sub(bits)).unwrap_or(0) == 0
        }
        (IpAddr::V6(prefix), IpAddr::V6(address)) => {
            let differing = prefix.to_bits() ^ address.to_bits();
            differing.checked_shr(128_u32.saturating_sub(bits)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::cbor;
    use super::*;

    #[test]
    fn addresses_and_prefixes_of_the_standard_and_of_one_library() {
        for (hex, address, expected) in [
            // RFC 9164, section 5: 192.0.2.1, 192.0.2.0/24, 2001:db8:1234::/48.
            ("d83444c0000201", "192.0.2.1", Some(true)),
            ("d83444c0000201", "192.0.2.2", Some(false)),
            ("d83482181843c00002", "192.0.2.7", Some(true)),
            ("d83482181843c00002", "192.0.3.7", Some(false)),
            ("d8348218184 4c0000200", "192.0.2.7", Some(true)),
            ("d8348218184 4c0000207", "192.0.2.9", Some(true)),
            ("d8368218304620010db81234", "2001:db8:1234:5::1", Some(true)),
            ("d8368218304620010db81234", "2001:db8:1235::1", Some(false)),
            ("d8365020010db8000000000000000000000001", "2001:db8::1", Some(true)),
            ("d8348200 40", "203.0.113.1", Some(true)),
            ("d8348200 40", "2001:db8::1", Some(false)),
            ("d8368200 40", "203.0.113.1", Some(false)),
            ("d83682187850 00000000000000000000ffffc0000200", "192.0.2.7", Some(true)),
            ("d83682187850 00000000000000000000ffffc0000200", "192.0.3.7", Some(false)),
            // Not an address of this family, too long a prefix, an incomplete address, an interface, another tag.
            ("d83445c000020101", "192.0.2.1", None),
            ("d83482182144c0000201", "192.0.2.1", None),
            ("d83443c00002", "192.0.2.0", None),
            ("d8348244c00002011818", "192.0.2.1", None),
            ("d83744c0000201", "192.0.2.1", None),
            ("69203139322e302e322e", "192.0.2.1", None),
        ] {
            let bytes = base16ct::lower::decode_vec(hex.replace(' ', "")).unwrap();
            let value = cbor::read(&bytes);
            let prefix = value.as_ref().and_then(prefix);
            let found = prefix.map(|(prefix, bits)| contains(prefix, bits, address.parse().unwrap()));
            assert_eq!(found, expected, "{hex} {address}");
        }
    }
}
