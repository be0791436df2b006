//! Reader of `sessionBinding`.

use alloc::format;

use super::text::text;
use crate::config::document;
use crate::config::error::ConfigError;
use crate::policy::binding::{Binding, PrefixLengths};

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
    let header = match &binding.header_for_salt {
        None => None,
        Some(name) => Some(text(&format!("{path}.headerForSalt"), name)?),
    };
    if lengths.is_none() && header.is_none() {
        return Err(ConfigError::new(path, "binds to nothing, expected addressPrefix or headerForSalt"));
    }
    Ok(Binding::new(lengths, header))
}

fn length(path: &str, found: Option<u32>, default: u8, most: u8) -> Result<u8, ConfigError> {
    let Some(found) = found else { return Ok(default) };
    u8::try_from(found).ok().filter(|length| (1..=most).contains(length)).ok_or_else(|| {
        ConfigError::new(path, format!("found {found}, expected a prefix length in bits, from 1 to {most}"))
    })
}
