//! Reader of `sessionBinding`.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::text::text;
use crate::document;
use crate::error::ConfigError;
use playlock_core::policy::binding::{Binding, PrefixLengths};
use playlock_core::policy::text::HeaderName;

/// Most headers of a binding. Each is looked up in every request.
const HEADERS: usize = 16;
/// Default prefix lengths in bits.
const IPV4: u8 = 24;
const IPV6: u8 = 56;

/// Reads the member at the JSON path `path`.
///
/// # Errors
/// The first invalid member, or an empty binding.
pub fn read(path: &str, binding: &document::SessionBinding) -> Result<Binding, ConfigError> {
    let lengths = match &binding.address_prefix {
        None => None,
        Some(prefix) => Some(PrefixLengths {
            ipv4: length(&format!("{path}.addressPrefix.ipv4"), prefix.ipv4, IPV4, 32)?,
            ipv6: length(&format!("{path}.addressPrefix.ipv6"), prefix.ipv6, IPV6, 128)?,
        }),
    };
    let headers = match (&binding.headers, &binding.header_for_salt) {
        (None, None) => Vec::new(),
        (None, Some(name)) => vec![text(&format!("{path}.headerForSalt"), name)?],
        (Some(names), None) => headers(&format!("{path}.headers"), names)?,
        (Some(_), Some(_)) => {
            return Err(ConfigError::new(
                format!("{path}.headerForSalt"),
                "found with headers, expected headers alone",
            ));
        }
    };
    if lengths.is_none() && headers.is_empty() && !binding.ja4 {
        return Err(ConfigError::new(path, "binds to nothing, expected addressPrefix, headers or ja4"));
    }
    Ok(Binding { lengths, headers, ja4: binding.ja4 })
}

/// Reads the names of headers, in the order in which they enter the MAC.
fn headers(path: &str, names: &[String]) -> Result<Vec<HeaderName>, ConfigError> {
    if !(1..=HEADERS).contains(&names.len()) {
        let found = names.len();
        return Err(ConfigError::new(path, format!("found {found} names, expected 1 to {HEADERS}")));
    }
    let mut headers: Vec<HeaderName> = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let name = text(&path, name)?;
        match headers.binary_search(&name) {
            Ok(_) => return Err(ConfigError::new(path, format!("found {name} again, expected each name once"))),
            Err(at) => headers.insert(at, name),
        }
    }
    Ok(headers)
}

fn length(path: &str, found: Option<u32>, default: u8, most: u8) -> Result<u8, ConfigError> {
    let Some(found) = found else { return Ok(default) };
    u8::try_from(found).ok().filter(|length| (1..=most).contains(length)).ok_or_else(|| {
        ConfigError::new(path, format!("found {found}, expected a prefix length in bits, from 1 to {most}"))
    })
}
