//! `sessionBinding`: ties a session to the network it was opened from and to the value of a request header.

use core::net::IpAddr;

use ipnet::IpNet;
use subtle::ConstantTimeEq;

use super::text::HeaderName;
use crate::http::incoming::RequestHead;
use crate::http::reply::Reason;
use crate::token::derive::{HEADER_TAG, Keyring};

/// `sessionBinding` of a policy. The default binds to nothing.
#[derive(Debug, Default)]
pub struct Binding {
    lengths: Option<PrefixLengths>,
    header: Option<HeaderName>,
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
    /// First bytes of a MAC over the header's value.
    pub tag: Option<[u8; HEADER_TAG]>,
}

impl Binding {
    /// Binds to the client's network, to a header's value, or to both.
    pub fn new(lengths: Option<PrefixLengths>, header: Option<HeaderName>) -> Self {
        Self { lengths, header }
    }

    /// Computes the binding of a session that this request opens.
    ///
    /// # Errors
    /// [`Reason::Ip`] if the client's address is unknown; [`Reason::Header`] unless the header is present exactly once.
    pub fn bind(&self, keyring: &Keyring, head: &RequestHead<'_>) -> Result<Bound, Reason> {
        let network = match self.lengths {
            None => None,
            Some(lengths) => {
                let client = client(head).ok_or(Reason::Ip)?;
                Some(network(client, if client.is_ipv4() { lengths.ipv4 } else { lengths.ipv6 }).ok_or(Reason::Ip)?)
            }
        };
        let tag = match &self.header {
            None => None,
            Some(name) => Some(tag(keyring, name, head).ok_or(Reason::Header)?),
        };
        Ok(Bound { network, tag })
    }

    /// Checks a request against its session's binding.
    ///
    /// # Errors
    /// [`Reason::Ip`] if the network differs; [`Reason::Header`] if the header's value differs.
    pub fn check(&self, keyring: &Keyring, bound: &Bound, head: &RequestHead<'_>) -> Result<(), Reason> {
        if let (Some(_), Some(opened)) = (self.lengths, bound.network) {
            // Uses the prefix length from the token: the configuration may have changed since.
            if client(head).and_then(|client| network(client, opened.prefix_len())) != Some(opened) {
                return Err(Reason::Ip);
            }
        }
        if let (Some(name), Some(opened)) = (&self.header, bound.tag) {
            let same = |tag: [u8; HEADER_TAG]| bool::from(tag.ct_eq(&opened));
            if !tag(keyring, name, head).is_some_and(same) {
                return Err(Reason::Header);
            }
        }
        Ok(())
    }
}

fn client(head: &RequestHead<'_>) -> Option<IpAddr> {
    head.client().map(|client| client.to_canonical())
}

/// The CIDR block of `length` bits that holds the address; `None` if the address has fewer bits.
fn network(address: IpAddr, length: u8) -> Option<IpNet> {
    Some(IpNet::new(address, length).ok()?.trunc())
}

/// MAC over the header's value; `None` unless the header is present exactly once and not empty.
fn tag(keyring: &Keyring, name: &str, head: &RequestHead<'_>) -> Option<[u8; HEADER_TAG]> {
    let value = head.sole(name).filter(|value| !value.is_empty())?;
    Some(keyring.header_tag(name, value))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use serde_json::json;

    use super::*;
    use crate::http::reply::{Header, header};
    use crate::policy::Policies;
    use crate::session::Session;
    use crate::session::token::Encoded;
    use crate::step::Request;

    /// A policy with this binding, or none.
    fn policies(binding: Option<serde_json::Value>) -> Policies {
        let document = json!({
            "policies": [{"policyName": "vod", "tokenAuth": {"enabled": false, "sessionBinding": binding},
                "mediaEncryption": {"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f"}}],
            "assignments": [{"policyName": "vod", "path": "/..."}],
        });
        crate::config::parse(document.to_string().as_bytes(), &|_| None).unwrap().0
    }

    #[test]
    fn a_session_goes_on_where_it_was_opened() {
        let both = policies(Some(json!({"addressPrefix": {"ipv6": 48}, "headerForSalt": "X-Device"})));
        let narrow = policies(Some(json!({"addressPrefix": {"ipv4": 32}})));
        let unbound = policies(None);
        let [both, narrow, unbound] = [&both, &narrow, &unbound].map(|it| it.iter().next().unwrap().1);
        let tv = [header("x-device", "TV 7")];
        let other = [header("x-device", "TV 8")];
        let twice = [header("x-device", "TV 7"), header("x-device", "TV 7")];
        let empty = [header("x-device", "")];
        let ask = |client: &'static str| move || (client != "-").then(|| client.as_bytes().to_vec());
        let open = |policy, client: &'static str, headers: &[Header]| {
            Session::open(
                policy,
                None,
                "/",
                &RequestHead::read(&Request {
                    headers,
                    client: &ask(client),
                    route_policy: &|| None,
                    metadata: &|_| None,
                    protocol: &|| None,
                    now: 9,
                    end_of_stream: true,
                }),
                [7; 16],
            )
        };
        let verify = |policy, token: &str, client: &'static str, headers: &[Header]| {
            Session::verify(
                policy,
                token,
                &RequestHead::read(&Request {
                    headers,
                    client: &ask(client),
                    route_policy: &|| None,
                    metadata: &|_| None,
                    protocol: &|| None,
                    now: 9,
                    end_of_stream: true,
                }),
            )
            .map(|_| ())
        };
        let v4 = open(both, "203.0.113.7:80", &tv).unwrap().token;
        let v6 = open(both, "[2001:db8:1::7]:80", &tv).unwrap().token;
        for (token, client, headers, expected) in [
            (&v4, "203.0.113.255:9", &tv[..], Ok(())),
            (&v4, "[::ffff:203.0.113.9]:9", &tv, Ok(())),
            (&v4, "203.0.114.7:80", &tv, Err(Reason::Ip)),
            (&v4, "[2001:db8:1::7]:80", &tv, Err(Reason::Ip)),
            (&v4, "-", &tv, Err(Reason::Ip)),
            (&v4, "203.0.113.7:80", &other, Err(Reason::Header)),
            (&v4, "203.0.113.7:80", &twice, Err(Reason::Header)),
            (&v4, "203.0.113.7:80", &empty, Err(Reason::Header)),
            (&v4, "203.0.113.7:80", &[], Err(Reason::Header)),
            (&v6, "[2001:db8:1:ffff::1]:1", &tv, Ok(())),
            (&v6, "[2001:db8:2::7]:80", &tv, Err(Reason::Ip)),
            (&v6, "203.0.113.7:80", &tv, Err(Reason::Ip)),
        ] {
            assert_eq!(verify(both, token, client, headers), expected, "{client} {headers:?}");
            assert_eq!(verify(unbound, token, client, headers), Ok(()), "what is bound no more goes on");
        }
        let free = open(unbound, "-", &[]).unwrap().token;
        assert_eq!(verify(both, &free, "-", &[]), Ok(()), "what was opened before goes on");
        assert_eq!(verify(narrow, &v4, "203.0.113.9:1", &[]), Ok(()), "as wide as it was then");
        let encoded = Encoded::read(&open(narrow, "203.0.113.9:1", &[]).unwrap().token).unwrap();
        assert_eq!(encoded.parse().unwrap().fields.bound.network, "203.0.113.9/32".parse().ok());
        for (client, headers, reason) in [
            ("-", &tv[..], Reason::Ip),
            ("203.0.113.7:80", &[], Reason::Header),
            ("203.0.113.7:80", &twice, Reason::Header),
        ] {
            assert_eq!(open(both, client, headers).map(|_| ()), Err(reason));
        }
        assert!(open(both, "203.0.113.7:80", &twice[..1]).is_ok());
    }

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
