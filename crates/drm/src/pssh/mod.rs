//! Protection system specific headers: the `pssh` box (ISO/IEC 23001-7, section 8.1) and the data of each system in it.

pub mod playready;
pub mod widevine;

use alloc::vec::Vec;

use crate::kid::Kid;
use crate::system::System;

/// Most key IDs in one box: a CPIX document has no more keys.
pub const MAX_KIDS: usize = 64;

/// A box of version 0: the system's data alone, which names the key IDs. `None` if `data` is longer than a box may be.
pub fn version_0(system: System, data: &[u8]) -> Option<Vec<u8>> {
    write(system, None, data)
}

/// A box of version 1: key IDs, and the system's data. `None` for more than [`MAX_KIDS`], or if `data` is too long.
pub fn version_1(system: System, kids: &[Kid], data: &[u8]) -> Option<Vec<u8>> {
    write(system, Some(kids), data)
}

/// The W3C's common box: key IDs and no data ("cenc" Initialization Data Format, section 4). `None` for more key IDs
/// than [`MAX_KIDS`].
pub fn common(kids: &[Kid]) -> Option<Vec<u8>> {
    version_1(System::Common, kids, &[])
}

fn write(system: System, kids: Option<&[Kid]>, data: &[u8]) -> Option<Vec<u8>> {
    if kids.is_some_and(|kids| kids.len() > MAX_KIDS) {
        return None;
    }
    let mut bytes = Vec::new();
    // The size is known at the end.
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(b"pssh");
    bytes.extend_from_slice(&[u8::from(kids.is_some()), 0, 0, 0]);
    bytes.extend_from_slice(&system.id_bytes());
    if let Some(kids) = kids {
        bytes.extend_from_slice(&u32::try_from(kids.len()).ok()?.to_be_bytes());
        kids.iter().for_each(|kid| bytes.extend_from_slice(kid.bytes()));
    }
    bytes.extend_from_slice(&u32::try_from(data.len()).ok()?.to_be_bytes());
    bytes.extend_from_slice(data);
    let size = u32::try_from(bytes.len()).ok()?.to_be_bytes();
    bytes.iter_mut().zip(size).for_each(|(byte, size)| *byte = size);
    Some(bytes)
}
