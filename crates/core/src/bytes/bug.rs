//! Handling of conditions that can only fail through a bug: panics in tests and fuzzing, fails closed in production.
//!
//! The core must not panic in a proxy: a panic ends every stream of the worker. Code that slices at positions it has
//! computed must therefore handle a position out of range. `unwrap_or_default` would hide such a bug, and a body could
//! lose bytes. The functions here panic in debug builds and under `cfg(fuzzing)`. In other builds they return an error
//! if a body would lose bytes, and an empty or caller-supplied value if only a search is affected.
//!
//! Not for input from the network: absent and malformed values have a defined meaning there.

use core::slice::SliceIndex;

/// Reports a bug.
#[cold]
#[track_caller]
#[expect(clippy::assertions_on_constants, reason = "it is for some builds only")]
pub fn found() {
    assert!(!cfg!(any(debug_assertions, fuzzing)), "a condition does not hold that the code relies on");
}

/// Reports a bug and returns `value` in place of the correct result.
#[cold]
#[track_caller]
pub fn instead<T>(value: T) -> T {
    found();
    value
}

/// Returns the part of `bytes` at `range`, for use in a body.
///
/// # Errors
/// `error` if the range is out of bounds, which is a bug.
#[inline]
#[track_caller]
pub fn part<E>(bytes: &[u8], range: impl SliceIndex<[u8], Output = [u8]>, error: E) -> Result<&[u8], E> {
    match bytes.get(range) {
        Some(part) => Ok(part),
        None => Err(instead(error)),
    }
}

/// Returns the part of `bytes` at `range`, for examination only. Empty if the range is out of bounds, which is a bug.
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

/// Splits `bytes` at position `at`.
///
/// # Errors
/// `error` if `at` is beyond the end, which is a bug.
#[inline]
#[track_caller]
pub fn split<E>(bytes: &[u8], at: usize, error: E) -> Result<(&[u8], &[u8]), E> {
    match bytes.split_at_checked(at) {
        Some(halves) => Ok(halves),
        None => Err(instead(error)),
    }
}

/// Limits the position `at` to `length` bytes. A greater position is a bug.
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
