//! Header maps: the SDK's vectors are what the core reads.

use proxy_wasm::hostcalls::get_map_bytes;

use crate::host::Map;

/// The headers of a message.
#[derive(Debug)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// The headers of a map, in order.
    pub fn read(of: Map) -> Self {
        Self(get_map_bytes(of.number()).unwrap_or_default())
    }

    /// All of them.
    pub fn all(&self) -> &[(String, Vec<u8>)] {
        &self.0
    }
}
