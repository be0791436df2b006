//! Widevine's message (see [`crate::pssh::widevine`]).

use alloc::string::String;
use alloc::vec::Vec;

use super::ReadFault;
use crate::kid::Kid;
use crate::scheme::Scheme;

/// The fields of the message that SPEKE is concerned with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WidevineData {
    /// The key IDs, in their order.
    pub kids: Vec<Kid>,
    /// The name of the content provider.
    pub provider: Option<String>,
    /// The content ID, any bytes.
    pub content_id: Option<Vec<u8>>,
    /// The Common Encryption scheme.
    pub scheme: Option<Scheme>,
}

impl WidevineData {
    /// Reads the data of a box. Other fields are skipped.
    ///
    /// # Errors
    /// [`ReadFault::Length`], [`ReadFault::Field`], [`ReadFault::KeyId`], [`ReadFault::Scheme`].
    pub fn read(data: &[u8]) -> Result<Self, ReadFault> {
        let mut message = Self::default();
        let mut rest = data;
        while !rest.is_empty() {
            let tag = varint(&mut rest)?;
            match (tag >> 3, tag & 7) {
                (2, 2) => {
                    let bytes = delimited(&mut rest)?.try_into().map_err(|_| ReadFault::KeyId)?;
                    message.kids.push(Kid::new(bytes));
                }
                (3, 2) => {
                    let text = core::str::from_utf8(delimited(&mut rest)?).map_err(|_| ReadFault::Field)?;
                    once(&mut message.provider, text.into())?;
                }
                (4, 2) => once(&mut message.content_id, delimited(&mut rest)?.into())?,
                (9, 0) => once(&mut message.scheme, scheme(varint(&mut rest)?)?)?,
                // Fields above in another wire type: Widevine's have one alone.
                (0 | 2 | 3 | 4 | 9, _) => return Err(ReadFault::Field),
                (_, 0) => drop(varint(&mut rest)?),
                (_, 1) => skip(&mut rest, 8)?,
                (_, 2) => drop(delimited(&mut rest)?),
                (_, 5) => skip(&mut rest, 4)?,
                _ => return Err(ReadFault::Field),
            }
        }
        Ok(message)
    }
}

fn once<T>(field: &mut Option<T>, value: T) -> Result<(), ReadFault> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(ReadFault::Field),
    }
}

/// The scheme by the number that its four letters make.
fn scheme(number: u64) -> Result<Scheme, ReadFault> {
    let letters = u32::try_from(number).map_err(|_| ReadFault::Scheme)?.to_be_bytes();
    let name = core::str::from_utf8(&letters).map_err(|_| ReadFault::Scheme)?;
    Scheme::parse(name).ok_or(ReadFault::Scheme)
}

fn delimited<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], ReadFault> {
    let length = usize::try_from(varint(rest)?).map_err(|_| ReadFault::Length)?;
    let (value, after) = rest.split_at_checked(length).ok_or(ReadFault::Length)?;
    *rest = after;
    Ok(value)
}

fn skip(rest: &mut &[u8], count: usize) -> Result<(), ReadFault> {
    *rest = rest.get(count..).ok_or(ReadFault::Length)?;
    Ok(())
}

/// A number of at most 64 bits, in at most ten bytes.
fn varint(rest: &mut &[u8]) -> Result<u64, ReadFault> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first().ok_or(ReadFault::Length)?;
        *rest = after;
        let bits = u64::from(byte & 0x7f);
        value |= bits << shift;
        // The tenth byte has one bit of the number.
        if value >> shift != bits {
            return Err(ReadFault::Field);
        }
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(ReadFault::Field)
}
