//! What stands in a playlist's tags: attribute lists, variables, byte ranges, IVs (RFC 8216 section 4.2).

use std::collections::BTreeMap;

/// An attribute list, its values without quotes, those that had some with `variables` filled in.
///
/// # Errors
/// What is wrong, in a sentence.
pub fn list(text: &str, variables: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, tail) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, tail) = quoted.split_once('"').ok_or("a quote is not closed")?;
                (substituted(value, variables)?, tail.strip_prefix(',').unwrap_or(tail))
            }
            None => {
                let (value, tail) = after.split_once(',').unwrap_or((after, ""));
                (value.trim().to_owned(), tail)
            }
        };
        found.insert(name.trim().to_owned(), value);
        rest = tail;
    }
    Ok(found)
}

/// The text with `{$name}` filled in.
///
/// # Errors
/// A variable that is not defined.
pub fn substituted(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{$") {
        let (name, tail) = after.split_once('}').ok_or("a variable is not closed")?;
        let value = variables.get(name).ok_or_else(|| format!("the variable {name} is not defined"))?;
        out.push_str(before);
        out.push_str(value);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// Length, and offset if it is said.
pub fn byte_range(text: &str) -> Option<(u64, Option<u64>)> {
    match text.trim().split_once('@') {
        Some((length, offset)) => Some((length.parse().ok()?, Some(offset.parse().ok()?))),
        None => Some((text.trim().parse().ok()?, None)),
    }
}

/// 16 bytes of `0x…` or of hex digits alone; shorter numbers are padded.
pub fn iv(text: &str) -> Option<[u8; 16]> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let plain = (1..=32).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u128::from_str_radix(digits, 16).ok()).flatten().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ivs() {
        assert_eq!(iv("0x0A").map(u128::from_be_bytes), Some(10));
        assert_eq!(iv("ffffffffffffffffffffffffffffffff"), Some([0xff; 16]));
        for wrong in ["", "0x", "+1", "0xg", "000000000000000000000000000000000"] {
            assert_eq!(iv(wrong), None, "{wrong}");
        }
    }
}
