//! Compiled sets of IP addresses and CIDR blocks.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use ipnet::IpNet;

use crate::bytes::cidr;
use crate::bytes::ranges::Ranges;

/// A set of IP addresses. IPv4-mapped IPv6 addresses (`::ffff:192.0.2.1`) are treated as IPv4 addresses; no other IPv6
/// block, not even `::/0`, contains an IPv4 address.
#[derive(Debug, Default)]
pub struct Prefixes {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
}

impl Prefixes {
    /// Compiles a list.
    ///
    /// # Errors
    /// The position of the first entry that is neither an address nor a CIDR block.
    pub fn build(entries: &[String]) -> Result<Self, usize> {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (index, entry) in entries.iter().enumerate() {
            match cidr::block(entry) {
                // Host bits are ignored: `192.0.2.7/24` is `192.0.2.0/24`.
                Some(IpNet::V4(block)) => v4.push((block.network().to_bits(), block.broadcast().to_bits())),
                Some(IpNet::V6(block)) => v6.push((block.network().to_bits(), block.broadcast().to_bits())),
                None => return Err(index),
            }
        }
        Ok(Self { v4: Ranges::build(v4), v6: Ranges::build(v6) })
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Whether the set contains `address`.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => self.v4.contains(address.to_bits()),
            IpAddr::V6(address) => self.v6.contains(address.to_bits()),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    fn set(entries: &[&str]) -> Result<Prefixes, usize> {
        Prefixes::build(&entries.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_no_block_is_refused_by_its_place() {
        for bad in [
            "",
            "/",
            "/8",
            "192.0.2.1/",
            "192.0.2.1/33",
            "192.0.2.1/+8",
            "192.0.2.1/-1",
            "192.0.2.1/8/8",
            "192.0.2.1/4294967297",
            "192.0.2",
            "192.0.2.010",
            "192.0.2.1:80",
            " 192.0.2.1",
            "192.0.2.*",
            "192.0.2.1-192.0.2.9",
            "::1/129",
            "fe80::1%eth0",
            "[::1]",
            "::ffff:192.0.2.0/95",
            "::ffff:192.0.2.0/129",
            "localhost",
        ] {
            assert_eq!(set(&["192.0.2.1", bad]).expect_err(bad), 1);
        }
    }

    #[test]
    fn overlapping_blocks_become_one_range() {
        let set = set(&["10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/008", "10.255.255.255", "2001:db8::/32", "2001:db8::1"]);
        let set = set.unwrap();
        assert_eq!((set.v4.len(), set.v6.len()), (1, 1));
    }

    /// Every second block of its size, so that none merge, and one block that contains the first 256 of them.
    #[test]
    fn a_hundred_thousand_blocks_compile_into_one_range_each() {
        let mut entries: Vec<_> = (0..100_000u32)
            .rev()
            .flat_map(|block| [IpAddr::V4((block << 9).into()), IpAddr::V6((u128::from(block) << 65).into())])
            .map(|address| format!("{address}/{}", if address.is_ipv4() { 24 } else { 64 }))
            .collect();
        entries.push("0.0.0.0/15".into());
        let set = Prefixes::build(&entries).unwrap();
        assert_eq!((set.v4.len(), set.v6.len()), (100_000 - 255, 100_000));
        for block in [256u32, 257, 50_000, 99_999] {
            assert!(set.contains(IpAddr::V4((block << 9).into())));
            assert!(set.contains(IpAddr::V4(((block << 9) + 255).into())));
            assert!(!set.contains(IpAddr::V4(((block << 9) + 256).into())));
            assert!(set.contains(IpAddr::V6(((u128::from(block) << 65) + u128::from(u64::MAX)).into())));
            assert!(!set.contains(IpAddr::V6((((u128::from(block) << 1) + 1) << 64).into())));
        }
        assert!(set.contains("0.1.255.255".parse().unwrap()));
    }
}
