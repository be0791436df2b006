//! Owns the text of an `.edgerc` file.

use std::fmt;

use zeroize::Zeroizing;

use crate::content::MAX_BODY;
use crate::credentials::Credentials;

/// A section `default` of an `.edgerc` file, which Akamai's clients read their credentials from.
#[derive(Debug)]
pub struct EdgercSection<'a> {
    credentials: &'a Credentials,
    host: &'a str,
}

impl<'a> EdgercSection<'a> {
    /// A section with these credentials for a host, with its port if that is not 443: `127.0.0.1:8443`.
    ///
    /// # Errors
    /// [`HostFault`]: clients would read another host.
    pub fn new(credentials: &'a Credentials, host: &'a str) -> Result<Self, HostFault> {
        let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
        if plain && (1..=261).contains(&host.len()) { Ok(Self { credentials, host }) } else { Err(HostFault) }
    }

    /// The text of the file. No value needs quotes: some clients keep them, others cut at a semicolon or interpolate `%`.
    pub fn text(&self) -> Zeroizing<String> {
        let Self { credentials, host } = self;
        Zeroizing::new(format!(
            "[default]\nclient_secret = {}\nhost = {host}\naccess_token = {}\nclient_token = {}\nmax-body = {MAX_BODY}\n",
            credentials.client_secret().expose(),
            credentials.access_token(),
            credentials.client_token(),
        ))
    }
}

/// A host that cannot stand in an `.edgerc` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostFault;

impl fmt::Display for HostFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("host: unusable value; expected a name or an address, and a port: localhost:8443")
    }
}

impl std::error::Error for HostFault {}

#[cfg(test)]
mod tests {
    use super::{EdgercSection, HostFault};
    use crate::credentials::{Credentials, RANDOM_BYTES};

    #[test]
    fn a_section_has_the_members_that_clients_read() {
        let credentials = Credentials::from_random(&[0; RANDOM_BYTES]);
        let section = EdgercSection::new(&credentials, "[::1]:8443").unwrap();
        assert_eq!(
            section.text().as_str(),
            "[default]\n\
             client_secret = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\
             host = [::1]:8443\n\
             access_token = akab-aaaaaaaaaaaaaaaa-aaaaaaaaaaaaaaaa\n\
             client_token = akab-aaaaaaaaaaaaaaaa-aaaaaaaaaaaaaaaa\n\
             max-body = 131072\n"
        );
    }

    #[test]
    fn a_host_that_clients_would_misread_is_refused() {
        let credentials = Credentials::from_random(&[0; RANDOM_BYTES]);
        for host in ["", "a b", "a\nb", "a;b", "a/", "https://a", "a%b", "ä", "a=b", &"a".repeat(262)] {
            assert_eq!(EdgercSection::new(&credentials, host).err(), Some(HostFault), "{host:?}");
        }
    }
}
