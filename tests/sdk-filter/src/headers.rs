//! Header maps. The core reads the SDK's vectors as they are.

use proxy_wasm::hostcalls::get_map_bytes;

use crate::host::Map;

/// Headers of a message.
#[derive(Debug)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// Reads the headers of a map, in order.
    pub fn read(of: Map) -> Self {
        Self(get_map_bytes(of.number()).unwrap_or_default())
    }

    /// All headers.
    pub fn all(&self) -> &[(String, Vec<u8>)] {
        &self.0
    }
}
