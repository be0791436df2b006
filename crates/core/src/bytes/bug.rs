//! Conditions that hold unless the code has a bug: they panic where tests and fuzzing run, and fail closed elsewhere.
//!
//! The core must not panic in a proxy, where that would cost every stream of a worker. So code that takes a part of a slice
//! by positions that it has just computed must have a value for the case that they are wrong. With `unwrap_or_default` that
//! case would go unnoticed, and a body could lose bytes. The functions here panic in debug builds and under
//! `cfg(fuzzing)`. In other builds they return an error where bytes of a body would be lost, and nothing or the value named
//! by the caller where only a search is concerned.
//!
//! Input from the network is not for this module: what is absent or cannot be read there has a meaning of its own.

use core::slice::SliceIndex;

/// Reports a bug.
#[cold]
#[track_caller]
#[expect(clippy::assertions_on_constants, reason = "it is for some builds only")]
pub fn found() {
    assert!(!cfg!(any(debug_assertions, fuzzing)), "a condition does not hold that the code relies on");
}

/// Reports a bug, for which this value stands in.
#[cold]
#[track_caller]
pub fn instead<T>(value: T) -> T {
    found();
    value
}

/// The part of `bytes` at `range`, which goes into a body.
///
/// # Errors
/// `error` if there is no such part: a bug.
#[inline]
#[track_caller]
pub fn part<E>(bytes: &[u8], range: impl SliceIndex<[u8], Output = [u8]>, error: E) -> Result<&[u8], E> {
    match bytes.get(range) {
        Some(part) => Ok(part),
        None => Err(instead(error)),
    }
}

/// The part of `bytes` at `range`, which is only looked at; nothing if there is no such part: a bug.
#[inline]
#[track_caller]
pub fn look(bytes: &[u8], range: impl SliceIndex<[u8], Output = [u8]>) -> &[u8] {
    match bytes.get(range) {
        Some(part) => part,
        None => {
            found();
            &[]
        }
    }
}

/// `bytes` before and from position `at`.
///
/// # Errors
/// `error` if `at` is beyond their end: a bug.
#[inline]
#[track_caller]
pub fn split<E>(bytes: &[u8], at: usize, error: E) -> Result<(&[u8], &[u8]), E> {
    match bytes.split_at_checked(at) {
        Some(halves) => Ok(halves),
        None => Err(instead(error)),
    }
}

/// The position `at` in something of `length` bytes; its end if `at` is beyond that: a bug.
#[inline]
#[track_caller]
pub fn within(at: usize, length: usize) -> usize {
    if at > length {
        found();
    }
    at.min(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_returned() {
        assert_eq!(part(b"abc", 1..2, ()), Ok(&b"b"[..]));
        assert_eq!(part(b"abc", 3.., ()), Ok(&b""[..]));
        assert_eq!(look(b"abc", ..2), b"ab");
        assert_eq!(split(b"abc", 3, ()), Ok((&b"abc"[..], &b""[..])));
        assert_eq!(within(3, 3), 3);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "a condition does not hold")]
    fn what_is_not_there_is_seen() {
        look(b"abc", 4..);
    }
}
