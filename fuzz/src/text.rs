//! Independent parsers of paths, queries, patterns and tags, written from their specifications.

/// Decodes percent-encoding once; `None` if a `%` is not followed by two hex digits.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'%' {
            let digits = text.get(at + 1..at + 3)?;
            let digits = digits.iter().all(u8::is_ascii_hexdigit).then_some(digits)?;
            out.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            at += 3;
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    Some(out)
}

/// Decodes what can be and leaves the rest, as many servers do.
pub fn decode_leniently(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match text.get(at..at + 3).and_then(decode) {
            Some(decoded) if text[at] == b'%' => {
                out.extend(decoded);
                at += 3;
            }
            _ => {
                out.push(text[at]);
                at += 1;
            }
        }
    }
    out
}

/// Every byte but letters and digits as `%XX`.
pub fn encode(text: &[u8]) -> String {
    encode_but(text, |byte| byte.is_ascii_alphanumeric())
}

/// Every byte as `%XX` but those to be kept.
pub fn encode_but(text: &[u8], mut keep: impl FnMut(u8) -> bool) -> String {
    let one = |byte: &u8| if keep(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    text.iter().map(one).collect()
}

/// The path that a reference without an authority, or with this host's, means in a document at the target `base` (RFC 3986
/// section 5.2).
pub fn resolved(base: &str, reference: &str) -> String {
    let path = |text: &str| text.split(['?', '#']).next().unwrap_or_default().to_owned();
    let reference = path(reference);
    let rest = match reference.split_once("//") {
        Some((scheme, rest)) if scheme.is_empty() || scheme.ends_with(':') && !scheme.contains('/') => Some(rest),
        _ => None,
    };
    let base = path(base);
    let whole = match rest {
        Some(rest) => rest.find('/').map_or("/".to_owned(), |at| rest[at..].to_owned()),
        None if reference.is_empty() => return base,
        None if reference.starts_with('/') => reference,
        None => format!("{}/{reference}", base.rsplit_once('/').map_or("", |(directory, _)| directory)),
    };
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = whole.split('/').skip(1).collect();
    for (index, segment) in segments.iter().enumerate() {
        match *segment {
            ".." => drop(kept.pop()),
            "." => {}
            other => {
                kept.push(other);
                continue;
            }
        }
        if index + 1 == segments.len() {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// Whether a list of patterns joined with `!` matches, by trying every way: `*` is any bytes, `?` one.
pub fn matches(acl: &str, path: &[u8]) -> bool {
    acl.split('!').any(|pattern| {
        // The places in the path that the pattern so far can have come to.
        let mut reached = vec![false; path.len() + 1];
        reached[0] = true;
        let mut rest = pattern.as_bytes();
        while let Some((&symbol, tail)) = rest.split_first() {
            let mut next = vec![false; path.len() + 1];
            rest = tail;
            match symbol {
                b'*' => {
                    let mut any = false;
                    for (from, to) in reached.iter().zip(&mut next) {
                        any |= *from;
                        *to = any;
                    }
                }
                b'?' => next[1..].copy_from_slice(&reached[..path.len()]),
                mut byte => {
                    if byte == b'%' {
                        let Some(decoded) = tail.get(..2).and_then(|digits| decode(&[b"%", digits].concat())) else {
                            return false;
                        };
                        byte = decoded[0];
                        rest = &tail[2..];
                    }
                    for at in 0..path.len() {
                        next[at + 1] = reached[at] && path[at] == byte;
                    }
                }
            }
            reached = next;
        }
        reached[path.len()]
    })
}

/// Whether a list of patterns is one by the grammar.
pub fn is_acl(acl: &str) -> bool {
    acl.split('!').all(|pattern| !pattern.is_empty() && decode(pattern.as_bytes()).is_some())
}

/// A query's parameters as they stand, each with its name decoded.
pub fn parameters(query: &str) -> impl Iterator<Item = (Vec<u8>, &str)> {
    query.split('&').map(|parameter| {
        let name = parameter.split('=').next().unwrap_or_default();
        (decode(name.as_bytes()).unwrap_or_else(|| name.into()), parameter)
    })
}

/// A tag and its list, if it is by the grammar.
pub fn tag(text: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(text).ok()?;
    let (tag, list) = text.split_once(':')?;
    let mut rest = list;
    loop {
        let (name, value) = rest.split_once('=')?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-') {
            return None;
        }
        let end = match value.strip_prefix('"') {
            Some(value) => value.find('"')? + 2,
            None => value.find(',').unwrap_or(value.len()),
        };
        if !value.starts_with('"') && value[..end].contains(['"', ' ', '\t']) {
            return None;
        }
        match value[end..].strip_prefix(',') {
            Some(more) => rest = more,
            None => return value[end..].is_empty().then_some((tag, list)),
        }
    }
}

/// The value of the attribute of that name, if it is there once and quoted.
pub fn attribute<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    let quoted = format!("{name}=\"");
    let mut starts = list.match_indices(&quoted).map(|(at, _)| at);
    let start = starts.next()?;
    let first = start == 0 || list.as_bytes()[start - 1] == b',';
    let before_is_even = list[..start].matches('"').count().is_multiple_of(2);
    let only = list.matches(&format!("{name}=")).count() == 1;
    (first && before_is_even && only).then(|| list[start + quoted.len()..].split('"').next()).flatten()
}
