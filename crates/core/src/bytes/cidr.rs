//! IP addresses and CIDR blocks as text.

use core::net::IpAddr;

use ipnet::IpNet;

/// Parses an address or a CIDR block; an IPv4-mapped IPv6 block (`::ffff:192.0.2.0/120`) as an IPv4 block. `None` for
/// everything else, also for a mapped block of fewer than 96 bits. `IpNet::from_str` would reject prefix lengths with
/// leading zeros.
pub fn block(text: &str) -> Option<IpNet> {
    let block = match text.split_once('/') {
        None => text.parse::<IpAddr>().ok()?.into(),
        // `u8::from_str` would accept a sign.
        Some((_, length)) if !length.bytes().all(|byte| byte.is_ascii_digit()) => return None,
        Some((address, length)) => IpNet::new(address.parse().ok()?, length.parse().ok()?).ok()?,
    };
    let IpAddr::V6(address) = block.addr() else { return Some(block) };
    match address.to_ipv4_mapped() {
        // A shorter prefix would include addresses that are not IPv4-mapped.
        Some(mapped) => IpNet::new(mapped.into(), block.prefix_len().checked_sub(96)?).ok(),
        None => Some(block),
    }
}
