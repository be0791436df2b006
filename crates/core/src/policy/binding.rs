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

    use serde_json::json;

    use super::*;
    use crate::http::reply::{Header, header};
    use crate::policy::Policies;
    use crate::session::Session;
    use crate::session::token::Encoded;
    use crate::step::{Known, Request};

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
        let ask = |client: &str| if client == "-" { Known::default() } else { Known::client(client) };
        let open = |policy, client: &'static str, headers: &[Header]| {
            Session::open(
                policy,
                None,
                "/",
                &RequestHead::read(&Request { headers, attributes: &ask(client), now: 9, end_of_stream: true }),
                [7; 16],
            )
        };
        let verify = |policy, token: &str, client: &'static str, headers: &[Header]| {
            Session::verify(
                policy,
                token,
                &RequestHead::read(&Request { headers, attributes: &ask(client), now: 9, end_of_stream: true }),
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

    /// The tag of a session, or the reason to refuse it.
    fn tag_of(
        binding: &serde_json::Value,
        headers: &[(&str, &str)],
        ja4: Option<&str>,
    ) -> Result<Option<[u8; HEADER_TAG]>, Reason> {
        let policies = policies(Some(binding.clone()));
        let (_, policy) = policies.iter().next().unwrap();
        let headers: Vec<Header> = headers.iter().map(|(name, value)| header(name, value)).collect();
        let attributes = Known { ja4: ja4.map(|ja4| ja4.as_bytes().to_vec()), ..Known::default() };
        let request = Request { headers: &headers, attributes: &attributes, now: 9, end_of_stream: true };
        let head = RequestHead::read(&request);
        policy.session.binding.bind(policy.keyrings().next().unwrap().1, &head).map(|bound| bound.tag)
    }

    #[test]
    fn the_headers_of_a_session_are_one_value() {
        let two = json!({"headers": ["user-agent", "X-Device"]});
        let of = |headers: &[(&str, &str)]| tag_of(&two, headers, None);
        let both = [("user-agent", "TV/1"), ("x-device", "7")];
        let bound = of(&both).unwrap().unwrap();
        assert_eq!(tag_of(&json!({"headers": ["x-device", "User-Agent"]}), &both, None), Ok(Some(bound)));
        assert_eq!(of(&[both[1], both[0], ("accept", "*/*")]), Ok(Some(bound)));
        let sent: [&[(&str, &str)]; 8] = [
            &both,
            &[both[0]],
            &[both[1]],
            &[both[0], ("x-device", "")],
            &[("user-agent", ""), both[1]],
            &[("user-agent", "7"), ("x-device", "TV/1")],
            &[("user-agent", "TV/1x-device7")],
            &[("user-agent", "tv/1"), both[1]],
        ];
        let mut tags: Vec<[u8; HEADER_TAG]> = sent.iter().map(|headers| of(headers).unwrap().unwrap()).collect();
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), sent.len(), "each is another client");
        for headers in [&[][..], &[("x-device", "")], &[both[0], both[1], both[1]], &[both[0], both[0]]] {
            assert_eq!(of(headers), Err(Reason::Header), "{headers:?}");
        }
        let [one, list] = [json!({"headerForSalt": "x-device"}), json!({"headers": ["x-device"]})];
        assert_eq!(tag_of(&one, &both, None), tag_of(&list, &both, None));
    }

    #[test]
    fn the_tls_client_is_a_value_of_its_own() {
        let [alone, with] = [json!({"ja4": true}), json!({"ja4": true, "headers": ["x-device"]})];
        let (first, resumed) = ("t13d181100_85036bcba153_d41ae481755e", "t13d181200_85036bcba153_dbd39dd1d406");
        let other = "t13d591000_a33745022dd6_1f22a2ca17c4";
        let device = [("x-device", "7")];
        let bound = tag_of(&alone, &[], Some(first)).unwrap();
        assert!(bound.is_some() && tag_of(&alone, &device, Some(resumed)) == Ok(bound));
        assert_ne!(tag_of(&alone, &[], Some(other)), Ok(bound));
        let device_bound = tag_of(&with, &device, Some(first)).unwrap();
        assert_eq!(tag_of(&with, &device, Some(resumed)), Ok(device_bound));
        assert_ne!(tag_of(&with, &device, Some(other)), Ok(device_bound));
        assert_ne!(tag_of(&json!({"headers": ["x-device"]}), &device, Some(first)), Ok(device_bound));
        for unknown in [None, Some(""), Some("-"), Some("t13d181100_85036bcba153")] {
            assert_eq!(tag_of(&alone, &[], unknown), Err(Reason::Fingerprint));
            assert_eq!(tag_of(&with, &device, unknown), Err(Reason::Fingerprint));
        }
        assert_eq!(tag_of(&with, &[], Some(first)), Err(Reason::Header));
        let client = crate::http::ja4::Ja4::parse(first.as_bytes()).unwrap();
        let forged = json!({"headers": ["ja4", "x-ja4"]});
        assert_ne!(tag_of(&forged, &[("ja4", client.client())], None), Ok(bound), "no header stands in for it");
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
