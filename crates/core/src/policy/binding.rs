//! `sessionBinding`: ties a session to the network it was opened from, to request headers and to the TLS client.

use alloc::vec::Vec;
use core::net::IpAddr;

use ipnet::IpNet;
use subtle::ConstantTimeEq;

use super::text::HeaderName;
use crate::http::headers;
use crate::http::incoming::{RequestHead, at_most_one};
use crate::http::reply::Reason;
use crate::token::derive::{HEADER_TAG, Keyring};

/// Name of the TLS client among the properties in the MAC. No header has it.
const JA4: &str = ":ja4";

/// `sessionBinding` of a policy. The default binds to nothing.
#[derive(Debug, Default)]
pub struct Binding {
    /// Binds to the client's network.
    pub lengths: Option<PrefixLengths>,
    /// Binds to these headers, in ascending order and each once.
    pub headers: Vec<HeaderName>,
    /// Binds to the TLS client.
    pub ja4: bool,
}

/// Numbers of leading address bits that must not change.
#[derive(Debug, Clone, Copy)]
pub struct PrefixLengths {
    /// For IPv4 addresses: 1 to 32 bits.
    pub ipv4: u8,
    /// For IPv6 addresses: 1 to 128 bits.
    pub ipv6: u8,
}

/// Binding recorded in a session token. Empty for sessions opened before the policy had a binding; they remain valid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bound {
    /// CIDR block, without bits outside its prefix.
    pub network: Option<IpNet>,
    /// First bytes of a MAC over the headers and the TLS client.
    pub tag: Option<[u8; HEADER_TAG]>,
}

impl Binding {
    /// Computes the binding of a session that this request opens.
    ///
    /// # Errors
    /// [`Reason::Ip`] if the client's address is unknown; [`Reason::Header`] if a header is repeated, or none has a
    /// value; [`Reason::Fingerprint`] if the TLS client is unknown.
    pub fn bind(&self, keyring: &Keyring, head: &RequestHead<'_>) -> Result<Bound, Reason> {
        let network = match self.lengths {
            None => None,
            Some(lengths) => {
                let client = client(head).ok_or(Reason::Ip)?;
                Some(network(client, if client.is_ipv4() { lengths.ipv4 } else { lengths.ipv6 }).ok_or(Reason::Ip)?)
            }
        };
        let tag = if self.has_tag() { Some(self.tag(keyring, head)?) } else { None };
        Ok(Bound { network, tag })
    }

    /// Checks a request against its session's binding.
    ///
    /// # Errors
    /// [`Reason::Ip`] if the network differs; [`Reason::Header`] if a header differs, or the TLS client where the session
    /// is bound to headers, too; [`Reason::Fingerprint`] if the TLS client differs or is unknown.
    pub fn check(&self, keyring: &Keyring, bound: &Bound, head: &RequestHead<'_>) -> Result<(), Reason> {
        if let (Some(_), Some(opened)) = (self.lengths, bound.network) {
            // Uses the prefix length from the token: the configuration may have changed since.
            if client(head).and_then(|client| network(client, opened.prefix_len())) != Some(opened) {
                return Err(Reason::Ip);
            }
        }
        if let (true, Some(opened)) = (self.has_tag(), bound.tag)
            && !bool::from(self.tag(keyring, head)?.ct_eq(&opened))
        {
            return Err(if self.headers.is_empty() { Reason::Fingerprint } else { Reason::Header });
        }
        Ok(())
    }

    fn has_tag(&self) -> bool {
        self.ja4 || !self.headers.is_empty()
    }

    /// MAC over the headers that were sent and the TLS client. A header that was not sent differs from an empty one, and a
    /// session is never bound to the absence of headers alone.
    fn tag(&self, keyring: &Keyring, head: &RequestHead<'_>) -> Result<[u8; HEADER_TAG], Reason> {
        let mut properties: Vec<(&str, &[u8])> = Vec::with_capacity(1 + self.headers.len());
        if self.ja4 {
            let ja4 = head.ja4().ok_or(Reason::Fingerprint)?;
            properties.push((JA4, ja4.client().as_bytes()));
        }
        let mut has_value = self.headers.is_empty();
        for name in &self.headers {
            let sent = at_most_one(headers::all(head.headers, name)).map_err(|_| Reason::Header)?;
            has_value |= sent.is_some_and(|value| !value.is_empty());
            properties.extend(sent.map(|value| (name.as_str(), value)));
        }
        if has_value { Ok(keyring.client_tag(&properties)) } else { Err(Reason::Header) }
    }
}

fn client(head: &RequestHead<'_>) -> Option<IpAddr> {
    head.client().map(|client| client.to_canonical())
}

/// The CIDR block of `length` bits that holds the address; `None` if the address has fewer bits.
fn network(address: IpAddr, length: u8) -> Option<IpNet> {
    Some(IpNet::new(address, length).ok()?.trunc())
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn networks_of_addresses() {
        for (address, length, expected) in [
            ("203.0.113.7", 24, Some("203.0.113.0/24")),
            ("203.0.113.7", 32, Some("203.0.113.7/32")),
            ("203.0.113.7", 1, Some("128.0.0.0/1")),
            ("203.0.113.7", 33, None),
            ("2001:db8:1:2ff::7", 56, Some("2001:db8:1:200::/56")),
            ("2001:db8:1:2ff::7", 128, Some("2001:db8:1:2ff::7/128")),
            ("::1", 1, Some("::/1")),
            ("::1", 129, None),
        ] {
            let found = network(address.parse().unwrap(), length).map(|network| network.to_string());
            assert_eq!(found.as_deref(), expected, "{address}/{length}");
        }
    }
}
