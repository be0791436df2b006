//! The small certification authority of one control plane, and the certificates that it issues.

use std::net::IpAddr;

use jiff::{Span, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType, date_time_ymd,
};
use x509_parser::extensions::GeneralName;
use x509_parser::pem::parse_x509_pem;
use zeroize::Zeroizing;

use crate::network::Network;
use crate::xds::NETWORK;

/// Years that the authority's own certificate is valid.
const AUTHORITY_YEARS: i64 = 10;
/// Days that a server's certificate is valid; it is replaced when a third is left.
const SERVER_DAYS: i64 = 90;
/// Days that a node's certificate is valid. Longer, because someone has to carry the new one to the nodes.
const NODE_DAYS: i64 = 397;

/// A certificate and its key, in PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The private key (PKCS #8).
    pub key: Zeroizing<String>,
}

/// An authority that can issue certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority, and its own certificate and key.
    ///
    /// # Errors
    /// If the random source fails.
    pub fn generate(now: Timestamp) -> Result<(Self, Issued), rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut parameters = parameters("playlock control plane", now, Span::new().years(AUTHORITY_YEARS));
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issued =
            Issued { certificate: parameters.self_signed(&key)?.pem(), key: Zeroizing::new(key.serialize_pem()) };
        Ok((Self { issuer: Issuer::new(parameters, key) }, issued))
    }

    /// The authority of these two files.
    ///
    /// # Errors
    /// If either is not PEM of the right kind.
    pub fn read(certificate: &str, key: &str) -> Result<Self, rcgen::Error> {
        Ok(Self { issuer: Issuer::from_ca_cert_pem(certificate, KeyPair::from_pem(key)?)? })
    }

    /// A certificate for a server with these names, addresses and URIs.
    ///
    /// # Errors
    /// A name that is not ASCII.
    pub fn server(&self, names: &[String], now: Timestamp) -> Result<Issued, rcgen::Error> {
        let mut parameters = parameters("playlock serve", now, Span::new().days(SERVER_DAYS));
        for name in names {
            parameters.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) if name.contains("://") => SanType::URI(name.as_str().try_into()?),
                Err(_) => SanType::DnsName(name.as_str().try_into()?),
            });
        }
        self.issue(parameters, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A client certificate for the Envoys of a network.
    ///
    /// # Errors
    /// If the random source fails.
    pub fn node(&self, network: Network, now: Timestamp) -> Result<Issued, rcgen::Error> {
        let mut parameters = parameters(&format!("playlock node, {network}"), now, Span::new().days(NODE_DAYS));
        parameters.subject_alt_names.push(SanType::URI(identity(network).as_str().try_into()?));
        self.issue(parameters, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, mut parameters: CertificateParams, usage: ExtendedKeyUsagePurpose) -> Result<Issued, rcgen::Error> {
        let key = KeyPair::generate()?;
        parameters.use_authority_key_identifier_extension = true;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![usage];
        let certificate = parameters.signed_by(&key, &self.issuer)?.pem();
        Ok(Issued { certificate, key: Zeroizing::new(key.serialize_pem()) })
    }
}

/// The URI in the certificates of a network's nodes.
pub fn identity(network: Network) -> String {
    format!("{NETWORK}{network}")
}

/// Parameters with a name and a lifetime that begins a day ago, for clocks that are behind.
fn parameters(name: &str, now: Timestamp, lifetime: Span) -> CertificateParams {
    let today = now.to_zoned(TimeZone::UTC).date();
    let date = |date: jiff::civil::Date| {
        let part = |value: i8| u8::try_from(value).unwrap_or(1);
        date_time_ymd(i32::from(date.year()), part(date.month()), part(date.day()))
    };
    let mut parameters = CertificateParams::default();
    parameters.not_before = date(today.saturating_sub(Span::new().days(1)));
    parameters.not_after = date(today.saturating_add(lifetime));
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

/// Whether a certificate should be replaced: unreadable, a third or less of its lifetime left, or without one of the
/// names.
pub fn due(certificate: &str, names: &[String], now: Timestamp) -> bool {
    let Ok((_, pem)) = parse_x509_pem(certificate.as_bytes()) else { return true };
    let Ok(parsed) = pem.parse_x509() else { return true };
    let (begins, ends) = (parsed.validity().not_before.timestamp(), parsed.validity().not_after.timestamp());
    if ends.saturating_sub(now.as_second()) <= ends.saturating_sub(begins) / 3 {
        return true;
    }
    let held: Vec<String> = match parsed.subject_alternative_name() {
        Ok(Some(extension)) => extension.value.general_names.iter().filter_map(name_of).collect(),
        _ => Vec::new(),
    };
    !names.iter().all(|name| held.contains(name))
}

/// A name or an address of a certificate, as [`Authority::server`] takes it.
fn name_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::URI(uri) => Some((*uri).to_owned()),
        GeneralName::IPAddress(bytes) => match **bytes {
            [a, b, c, d] => Some(IpAddr::from([a, b, c, d]).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
        },
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_certificate_is_due_when_a_third_is_left_or_a_name_is_missing() {
        let now = at("2026-03-01T12:00:00Z");
        let (authority, own) = Authority::generate(now).unwrap();
        let read = Authority::read(&own.certificate, &own.key).unwrap();
        let names = ["localhost", "127.0.0.1", "::1", "control.example"].map(String::from);
        for authority in [authority, read] {
            let issued = authority.server(&names, now).unwrap();
            assert!(!due(&issued.certificate, &names, now));
            assert!(!due(&issued.certificate, &names, at("2026-04-25T00:00:00Z")));
            assert!(due(&issued.certificate, &names, at("2026-05-05T00:00:00Z")));
            assert!(due(&issued.certificate, &["other.example".into()], now));
        }
        assert!(due("not a certificate", &[], now));
    }

    #[test]
    fn nodes_are_told_apart_by_a_uri() {
        let now = at("2026-03-01T12:00:00Z");
        let (authority, _) = Authority::generate(now).unwrap();
        let staging = authority.node(Network::Staging, now).unwrap().certificate;
        assert!(!due(&staging, &["spiffe://playlock/network/staging".into()], now));
        assert!(due(&staging, &["spiffe://playlock/network/production".into()], now));
    }
}
