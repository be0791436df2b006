//! `pssh` boxes (ISO/IEC 23001-7, section 8.1).

use alloc::vec::Vec;

use super::ReadFault;
use crate::kid::Kid;
use crate::system::System;

/// A `pssh` box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PsshBox<'a> {
    /// 0 or 1.
    pub version: u8,
    /// The system's ID, in the order of the UUID's text.
    pub system_id: [u8; 16],
    /// The key IDs of version 1.
    pub kids: Vec<Kid>,
    /// The system's data.
    pub data: &'a [u8],
}

impl<'a> PsshBox<'a> {
    /// Reads one box, with nothing behind it.
    ///
    /// # Errors
    /// [`ReadFault::Length`], [`ReadFault::Box`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, ReadFault> {
        let mut rest = bytes;
        let size = number(&mut rest)?;
        if size != bytes.len() {
            return Err(ReadFault::Length);
        }
        let version = match (take(&mut rest)?, take(&mut rest)?) {
            (b"pssh", [version @ (0 | 1), 0, 0, 0]) => *version,
            _ => return Err(ReadFault::Box),
        };
        let system_id = *take(&mut rest)?;
        let mut kids = Vec::new();
        if version == 1 {
            // A count that is too large ends with the bytes.
            for _ in 0..number(&mut rest)? {
                kids.push(Kid::new(*take(&mut rest)?));
            }
        }
        if number(&mut rest)? != rest.len() {
            return Err(ReadFault::Length);
        }
        Ok(Self { version, system_id, kids, data: rest })
    }

    /// The system, if it is one of this crate's.
    pub fn system(&self) -> Option<System> {
        System::ALL.into_iter().find(|system| system.id_bytes() == self.system_id)
    }
}

/// Takes the next N bytes.
pub(super) fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], ReadFault> {
    let (taken, after) = rest.split_first_chunk().ok_or(ReadFault::Length)?;
    *rest = after;
    Ok(taken)
}

/// Takes a big-endian number of 32 bits.
fn number(rest: &mut &[u8]) -> Result<usize, ReadFault> {
    usize::try_from(u32::from_be_bytes(*take(rest)?)).map_err(|_| ReadFault::Length)
}
