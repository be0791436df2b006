//! Header maps with reused memory: allocating twice per header would cost as much as the rest of a denied request.

use std::cell::RefCell;

use crate::host::{self, Map};

/// A header: lower-case name and value.
pub type Header = (String, Vec<u8>);

/// Largest capacity in bytes of a name or value whose memory is reused.
const KEPT: usize = 1024;

thread_local! {
    /// Memory of headers dropped before.
    static MEMORY: RefCell<Vec<Header>> = const { RefCell::new(Vec::new()) };
}

/// Headers of a message. Their memory is reused after the drop.
#[derive(Debug)]
pub struct Headers {
    count: usize,
    /// The first `count` entries are the headers; the others are memory for reuse.
    memory: Vec<Header>,
}

impl Headers {
    /// Reads the headers of a map, in order. Empty if the map is unavailable or malformed.
    pub fn read(of: Map) -> Self {
        let buffer = host::header_buffer(of);
        let pairs = host::headers(&buffer);
        // Taken, not borrowed: the host may call back while these headers are in use.
        let mut memory = MEMORY.take();
        memory.resize_with(pairs.len().max(memory.len()), Header::default);
        for ((name, value), (to_name, to_value)) in pairs.iter().zip(&mut memory) {
            to_name.clear();
            to_name.push_str(name);
            to_value.clear();
            to_value.extend_from_slice(value);
        }
        Self { count: pairs.len(), memory }
    }

    /// All headers.
    pub fn all(&self) -> &[Header] {
        self.memory.get(..self.count).unwrap_or_default()
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        let mut memory = std::mem::take(&mut self.memory);
        memory.retain(|(name, value)| name.capacity() <= KEPT && value.capacity() <= KEPT);
        MEMORY.replace(memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::stand_in::{Answer, install};
    use crate::pairs::{self, Pair};

    /// Installs a host with this header map.
    fn give(pairs: &[Pair<'_>]) {
        let bytes = pairs::write(pairs.iter().copied());
        install(move |_| Answer { bytes: bytes.clone(), ..Answer::default() });
    }

    fn read() -> Vec<Header> {
        Headers::read(Map::Request).all().to_vec()
    }

    fn owned(pairs: &[Pair<'_>]) -> Vec<Header> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect()
    }

    #[test]
    fn nothing_is_left_of_the_headers_before() {
        let long = [b'x'; 2000];
        let maps: [&[Pair<'_>]; 5] = [
            &[("a", b"long value"), ("bcd", b"2"), ("e", &long)],
            &[("f", b"")],
            &[],
            &[("a", b"1"), ("b", b"2")],
            &[],
        ];
        for map in maps.into_iter().chain(maps) {
            give(map);
            assert_eq!(read(), owned(map));
        }
        install(|_| Answer { status: 2, ..Answer::default() });
        assert_eq!(read(), []);
    }

    #[test]
    fn two_maps_can_be_read_at_once() {
        give(&[("a", b"1")]);
        let first = Headers::read(Map::Request);
        give(&[("b", b"2"), ("c", b"3")]);
        let second = Headers::read(Map::Response);
        assert_eq!(first.all(), owned(&[("a", b"1")]));
        assert_eq!(second.all(), owned(&[("b", b"2"), ("c", b"3")]));
    }

    #[test]
    fn memory_is_used_again_but_for_that_of_long_values() {
        give(&[("a", b"1234"), ("b", &[0; KEPT + 1]), ("c", b"5678")]);
        let addresses = |headers: &Headers| headers.all().iter().map(|(_, value)| value.as_ptr()).collect::<Vec<_>>();
        let first = addresses(&Headers::read(Map::Request));
        give(&[("x", b"12"), ("y", b"34")]);
        let second = addresses(&Headers::read(Map::Request));
        assert_eq!(second, [first[0], first[2]]);
    }
}
