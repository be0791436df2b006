//! Origin bodies that are recognizable anywhere: words of eight bytes that encode their own position, so that any
//! window of sixteen bytes that leaves in clear is found.

/// Bytes of a body at most: a word names its place in two bytes.
pub const MOST: usize = 8 << 16;

/// Bytes that need not be alike by chance.
const WINDOW: usize = 16;

fn word(index: u64) -> u64 {
    // splitmix64 (Steele, Lea, Flood 2014).
    let mut z = (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) << 16 | index
}

/// The first `length` bytes that this origin has for everyone.
pub fn body(length: usize) -> Vec<u8> {
    assert!(length <= MOST);
    (0..).flat_map(|index| word(index).to_le_bytes()).take(length).collect()
}

/// The position in `bytes` of sixteen bytes of the origin's that stand next to one another.
pub fn leak(bytes: &[u8]) -> Option<usize> {
    let byte = |at: usize| word((at / 8) as u64).to_le_bytes()[at % 8];
    for (at, window) in bytes.windows(8).enumerate() {
        let found = u64::from_le_bytes(window.try_into().ok()?);
        if found != word(found & 0xffff) {
            continue;
        }
        let place = (found & 0xffff) as usize * 8;
        let same = |offset: isize| {
            let (at, place) = (at.checked_add_signed(offset), place.checked_add_signed(offset));
            at.zip(place).is_some_and(|(at, place)| bytes.get(at) == Some(&byte(place)))
        };
        let before = (1..=WINDOW as isize).take_while(|back| same(-back)).count();
        let after = (0..WINDOW as isize).take_while(|on| same(*on)).count();
        if before + after >= WINDOW {
            return Some(at - before);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_window_is_found_and_nothing_else() {
        let body = body(4096);
        for start in 0..64 {
            let mut noise = crate::cipher::Key { key: [1; 16], iv: [2; 16] }.encrypt(&body);
            assert_eq!(leak(&noise), None);
            noise[500..516].copy_from_slice(&body[start..start + 16]);
            assert_eq!(leak(&noise), Some(500), "{start}");
            // Not one more by chance.
            (noise[500], noise[516]) = (!noise[500], !body[start + 16]);
            assert_eq!(leak(&noise), None, "fifteen bytes");
        }
    }
}
