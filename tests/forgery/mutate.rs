//! Mutations of one token's text, each with its class.

use crate::valid::{Kind, Place};

/// Receives a class and the mutated text.
pub type Take<'a> = &'a mut dyn FnMut(&str, Vec<u8>);

/// A length in bytes above all of the core's limits for tokens, near the maximum that Envoy accepts. (Envoy rejects targets
/// of 64 KiB.)
const OVERLONG: usize = 60_000;

/// Characters with look-alikes of other scripts.
const LOOK_ALIKES: &[(u8, char)] = &[
    (b'a', 'а'),
    (b'c', 'с'),
    (b'e', 'е'),
    (b'i', 'і'),
    (b'o', 'о'),
    (b'p', 'р'),
    (b's', 'ѕ'),
    (b'x', 'х'),
    (b'y', 'у'),
    (b'=', '꞊'),
    (b'~', '∼'),
    (b'*', '∗'),
    (b'/', '∕'),
    (b'.', '․'),
    (b'0', 'Օ'),
    (b'1', 'ⅼ'),
    (b'8', '８'),
];

/// All mutations of a token in `place`.
pub fn all(kind: Kind, place: Place, token: &[u8], take: Take<'_>) {
    flips(kind, place, token, take);
    cuts(kind, token, take);
    insertions(token, take);
    escapes(token, take);
    characters(token, take);
    if kind != Kind::Session {
        fields(kind, token, take);
    }
    joined(kind, token, take);
}

/// The region of the token that each byte belongs to.
fn regions(kind: Kind, token: &[u8]) -> Vec<&'static str> {
    if kind == Kind::Session {
        // 16 bytes are the last 21 characters, and some bits before.
        return (0..token.len()).map(|at| if at < token.len() - 21 { "value" } else { "mac" }).collect();
    }
    let mut regions = Vec::with_capacity(token.len());
    let pieces: Vec<&[u8]> = token.split(|byte| *byte == b'~').collect();
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            regions.push("separator");
        }
        if kind == Kind::Signed {
            let region = match index {
                0 => "name",
                _ if index + 1 == pieces.len() => "mac",
                _ => "value",
            };
            regions.extend(piece.iter().map(|_| region));
            continue;
        }
        let name = piece.iter().position(|byte| *byte == b'=').unwrap_or(piece.len());
        let value = match &piece[..name] {
            b"st" | b"exp" => "number",
            b"hmac" => "mac",
            _ => "value",
        };
        let region = |at| match name.cmp(&at) {
            std::cmp::Ordering::Greater => "name",
            std::cmp::Ordering::Equal => "separator",
            std::cmp::Ordering::Less => value,
        };
        regions.extend((0..piece.len()).map(region));
    }
    regions
}

/// The effect of a byte in a region.
fn effect(kind: Kind, place: Place, region: &str, byte: u8) -> &'static str {
    match (place, byte) {
        (_, 0x80..) => "no UTF-8",
        (_, 0..=0x20 | 0x7f) => "control",
        (Place::Query(_) | Place::Path, b'#') | (Place::Path, b'\\') => "control",
        (Place::Query(_), b'&') | (Place::Cookie(_), b';') | (Place::Path, b'/' | b'?') => "cut",
        (_, b'%') => "percent",
        (_, b'~' | b'=') => "structure",
        _ => match (region, kind) {
            ("number", _) if byte.is_ascii_digit() => "fitting",
            (_, Kind::Session) | ("mac", Kind::Signed)
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') =>
            {
                "fitting"
            }
            ("mac", Kind::Access) if matches!(byte, b'0'..=b'9' | b'a'..=b'f') => "fitting",
            ("value", _) if byte.is_ascii_alphanumeric() => "fitting",
            _ => "other",
        },
    }
}

fn flips(kind: Kind, place: Place, token: &[u8], take: Take<'_>) {
    for (at, region) in regions(kind, token).into_iter().enumerate() {
        for bit in 0..8 {
            let mut changed = token.to_vec();
            changed[at] ^= 1 << bit;
            take(&format!("flip {region} to {}", effect(kind, place, region, changed[at])), changed);
        }
    }
}

/// Truncates the token after and before every byte, and removes each byte.
fn cuts(kind: Kind, token: &[u8], take: Take<'_>) {
    let regions = regions(kind, token);
    let mac = regions.iter().position(|region| *region == "mac").unwrap();
    for length in 0..token.len() {
        // The lengths of HMAC-SHA-1 and HMAC-MD5 in hex digits.
        let class = match length.checked_sub(mac) {
            Some(32 | 40) if kind == Kind::Access => "truncate to another algorithm's MAC",
            Some(1..) => "truncate MAC",
            _ => "truncate fields",
        };
        take(class, token[..length].to_vec());
        take("behead", token[length + 1..].to_vec());
        take(&format!("take byte from {}", regions[length]), [&token[..length], &token[length + 1..]].concat());
        take(&format!("double byte of {}", regions[length]), [&token[..=length], &token[length..]].concat());
    }
}

/// Inserts bytes at every position.
fn insertions(token: &[u8], take: Take<'_>) {
    for (name, bytes) in [
        ("NUL", &b"\0"[..]),
        ("%00", b"%00"),
        ("CRLF", b"\r\n"),
        ("%0d%0a", b"%0d%0a"),
        ("space", b" "),
        ("%20", b"%20"),
        ("plus", b"+"),
        ("tab", b"\t"),
        ("bad escape", b"%zz"),
        ("lone percent", b"%"),
        ("zero-width space", "\u{200b}".as_bytes()),
        ("%e2%80%8b", b"%e2%80%8b"),
        ("wide space", "\u{3000}".as_bytes()),
        ("combining accent", "\u{301}".as_bytes()),
        ("byte order mark", "\u{feff}".as_bytes()),
        ("overlong NUL", b"%c0%80"),
    ] {
        for at in 0..=token.len() {
            let side = if at == 0 || at == token.len() { "at an end" } else { "within" };
            take(&format!("insert {name} {side}"), [&token[..at], bytes, &token[at..]].concat());
        }
    }
}

fn escaped(bytes: &[u8], upper: bool) -> Vec<u8> {
    let one = |byte: &u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
    bytes.iter().map(one).collect::<String>().into_bytes()
}

/// Percent-encodes bytes; text that decodes to the same token is the same token.
fn escapes(token: &[u8], take: Take<'_>) {
    let own = if token.contains(&b'%') { " of the escaped" } else { "" };
    for at in 0..token.len() {
        for upper in [false, true] {
            let one = escaped(&token[at..=at], upper);
            take(&format!("escape one{own}"), [&token[..at], &one, &token[at + 1..]].concat());
            take("escape one twice", [&token[..at], b"%25", &one[1..], &token[at + 1..]].concat());
        }
    }
    for upper in [false, true] {
        let all = escaped(token, upper);
        take("escape all", all.clone());
        take("escape all twice", escaped(&all, upper));
    }
}

/// Replaces characters by look-alikes, or by characters that fold to them.
fn characters(token: &[u8], take: Take<'_>) {
    let mut put = |at: usize, class: &str, c: char| {
        let mut buffer = [0; 4];
        let bytes = c.encode_utf8(&mut buffer).as_bytes();
        take(class, [&token[..at], bytes, &token[at + 1..]].concat());
        take(&format!("{class}, escaped"), [&token[..at], &escaped(bytes, false), &token[at + 1..]].concat());
    };
    for (at, byte) in token.iter().enumerate().filter(|(_, byte)| byte.is_ascii_graphic()) {
        put(at, "full-width", char::from_u32(0xff01 + u32::from(*byte) - 0x21).unwrap());
        for (_, c) in LOOK_ALIKES.iter().filter(|(like, _)| like == byte) {
            put(at, "look-alike", *c);
        }
    }
    take("upper case", token.to_ascii_uppercase());
}

fn rejoined(pieces: &[Vec<u8>]) -> Vec<u8> {
    pieces.join(&b"~"[..])
}

/// Whole fields: repeated, removed, emptied, renamed, reordered, extended.
fn fields(kind: Kind, token: &[u8], take: Take<'_>) {
    let pieces: Vec<Vec<u8>> = token.split(|byte| *byte == b'~').map(<[u8]>::to_vec).collect();
    let last = pieces.len() - 1;
    for (index, piece) in pieces.iter().enumerate() {
        let name = piece.iter().position(|byte| *byte == b'=').map_or(0, |at| at + 1);
        let with = |changed: Vec<u8>| {
            let mut pieces = pieces.clone();
            pieces[index] = changed;
            rejoined(&pieces)
        };
        let what = match (index == last, &piece[..name]) {
            (true, _) => "mac",
            (_, b"exp=") => "exp",
            _ => "field",
        };
        for at in 0..=pieces.len() {
            let mut doubled = pieces.clone();
            doubled.insert(at, piece.clone());
            // Before the purpose or behind the MAC it is another purpose or another MAC.
            take(&format!("double {what}"), rejoined(&doubled));
        }
        let mut fewer = pieces.clone();
        fewer.remove(index);
        take(&format!("remove {what}"), rejoined(&fewer));
        take(&format!("empty {what}"), with(piece[..name].to_vec()));
        let grown = |byte: u8| with([piece.as_slice(), &vec![byte; OVERLONG]].concat());
        take(&format!("overlong {what}"), grown(b'0'));
        take(&format!("overlong {what}"), grown(b'*'));
        take(&format!("overlong {what}"), with([piece.as_slice(), &b"%41".repeat(OVERLONG / 3)].concat()));
        if name > 0 {
            take("upper-case name", with([piece[..name].to_ascii_uppercase(), piece[name..].to_vec()].concat()));
            take("unnamed", with(piece[name..].to_vec()));
            take("alone", piece.clone());
        }
        // A number is another number.
        let digits = piece.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1);
        if let (true, Ok(number)) = (index != last, String::from_utf8_lossy(&piece[digits..]).parse::<u64>()) {
            for other in [number.wrapping_sub(1), number + 1, 0, number * 10, u64::MAX] {
                if other != number {
                    take("another number", with([&piece[..digits], other.to_string().as_bytes()].concat()));
                }
            }
            take("leading zero", with([&piece[..digits], b"0", &piece[digits..]].concat()));
        }
        for other in index + 1..pieces.len() {
            let mut swapped = pieces.clone();
            swapped.swap(index, other);
            let ends = (kind == Kind::Signed && index == 0) || other == last;
            take(if ends { "reorder ends" } else { "reorder" }, rejoined(&swapped));
        }
    }
    for added in [
        "acl=/*",
        "exp=9999999999",
        "url=/",
        "salt=x",
        "ip=0.0.0.0",
        "role=admin",
        "",
        "=",
        "st=0",
        "r1@0",
        "p1",
        "n1",
        "a",
        "c",
        "sLw",
    ] {
        for at in 0..=last {
            let mut more = pieces.clone();
            more.insert(at, added.into());
            take(if added.is_empty() { "add nothing" } else { "add field" }, rejoined(&more));
        }
    }
}

/// Concatenated tokens, and no token at all.
fn joined(kind: Kind, token: &[u8], take: Take<'_>) {
    for between in ["", "~", "!", ",", "%26", "|"] {
        take("twice in one", [token, between.as_bytes(), token].concat());
    }
    for other in ["null", "undefined", "true", "0", "[]", "{}", "' or '1'='1", "../", "*", "hmac", "~hmac="] {
        take("no token", other.replace(' ', "+").into_bytes());
    }
    take("no token", vec![b'a'; OVERLONG]);
    take("no token", vec![b'~'; OVERLONG]);
    take("no token", b"~hmac=".repeat(OVERLONG / 6));
    if kind == Kind::Access {
        let at = token.windows(6).position(|window| window == b"~hmac=").unwrap() + 6;
        let with = |mac: Vec<u8>| [&token[..at], &mac].concat();
        take("all-zero MAC", with(vec![b'0'; 64]));
        take("all-zero MAC", with(vec![b'f'; 64]));
        take("odd MAC", with(vec![b'0'; 128]));
        take("odd MAC", with(vec![b'0'; 66]));
        take("odd MAC", with(token[at..].to_ascii_uppercase()));
        take("odd MAC", [token, b"00"].concat());
        take("odd MAC", [&token[..at], b"0x", &token[at..]].concat());
    }
}
