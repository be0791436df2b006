//! Reader of `tokenAuth.cat`.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use super::jwk::{self, Accepted};
use super::text::text;
use crate::cat::CatRenewal;
use crate::document;
use crate::error::ConfigError;
use crate::secret::Reader;
use playlock_core::policy::tokens::{AccessFormat, FormatVerifier};
use playlock_core::token::cat::{LocationHeaders, Renewer, Verifier};
use playlock_core::token::key_set::{Algorithm, KeySet};

const ALGORITHMS: &[Algorithm] = &[Algorithm::Hs256, Algorithm::Es256];

/// Reads the keys and settings of the format. `skew` is the tolerated difference of clocks in seconds.
///
/// # Errors
/// The first invalid member.
pub fn read(
    path: &str,
    written: &document::Cat,
    skew: u64,
    reader: &mut Reader<'_>,
) -> Result<AccessFormat, ConfigError> {
    let keys_path = format!("{path}.keys");
    let keys = jwk::read(&keys_path, &written.keys, Accepted { algorithms: ALGORITHMS, signing: false }, reader)?;
    let renewal = written.renewal.as_ref();
    let renewer = renewal.map(|renewal| read_renewal(&format!("{path}.renewal"), renewal, reader)).transpose()?;
    let keys = match &renewer {
        None => keys,
        Some(renewer) => with_key_of(renewer, &keys)
            .ok_or_else(|| ConfigError::new(keys_path, "found 64 keys, expected at most 63 beside that of renewal"))?,
    };
    let location = written.location.then(|| LocationHeaders {
        country: reader.geo_headers.country.as_str().into(),
        region: reader.geo_headers.region.as_str().into(),
        asn: reader.geo_headers.asn.as_str().into(),
    });
    let member = |name: &str, written: &Option<String>, default: &str| {
        text(&format!("{path}.{name}"), written.as_deref().unwrap_or(default))
    };
    // Header names are compared in lower case.
    let header = written.header.as_ref().map(|header| header.to_ascii_lowercase());
    Ok(AccessFormat {
        parameter: member("parameter", &written.parameter, "cat")?,
        cookie: member("cookie", &written.cookie, "CTA-Common-Access-Token")?,
        header: Some(member("header", &header, "cta-common-access-token")?),
        verifier: FormatVerifier::Cat(Verifier {
            keys,
            audience: written.audience.clone(),
            location,
            renewer: renewer.map(Box::new),
            skew,
        }),
    })
}

fn read_renewal(path: &str, written: &CatRenewal, reader: &mut Reader<'_>) -> Result<Renewer, ConfigError> {
    let key_path = format!("{path}.key");
    let key = jwk::read_key(&key_path, &written.key, Accepted { algorithms: ALGORITHMS, signing: true }, reader)?;
    if !key.can_sign() {
        let message = "found a public key, expected a key that can sign: with its private part d, or an oct key";
        return Err(ConfigError::new(key_path, message));
    }
    if key.issuer().is_some_and(|issuer| issuer != written.issuer) {
        let message = "found another issuer than that of renewal, expected the same, or no such member";
        return Err(ConfigError::new(format!("{key_path}.iss"), message));
    }
    if written.issuer.is_empty() {
        return Err(ConfigError::new(format!("{path}.issuer"), "empty, expected the name of the issuer"));
    }
    Ok(Renewer { key, issuer: written.issuer.clone() })
}

/// The keys, with that of renewal, unless one of them has its id.
fn with_key_of(renewer: &Renewer, keys: &KeySet) -> Option<KeySet> {
    let key = &renewer.key;
    let is_there = keys.keys().iter().any(|it| it.kid() == key.kid() && it.algorithm() == key.algorithm());
    if is_there && key.kid().is_some() {
        return Some(keys.clone());
    }
    let mut all = keys.keys().to_vec();
    all.push(key.clone());
    KeySet::new(all)
}
