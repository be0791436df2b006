//! Variables in playlists (EXT-X-DEFINE, RFC 8216bis section 4.4.2.3), expanded the way a player does.

use std::collections::BTreeMap;

use crate::reading::{self, Line};

/// The variables that a playlist defines itself.
#[derive(Debug, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those of `text`. What it asks for by QUERYPARAM or IMPORT has the value that [`query`] sends and [`parent`]
    /// defines.
    pub fn of(text: &str) -> Self {
        let mut variables = Self::default();
        for line in reading::lines(text) {
            let Some(list) = define(&line) else { continue };
            let quoted = |name: &str| reading::attribute(list, name).map(|(_, value)| value);
            let (name, value) = match (quoted("NAME"), quoted("IMPORT").or(quoted("QUERYPARAM"))) {
                (Some(name), _) => (name, variables.expand(quoted("VALUE").unwrap_or_default())),
                (None, Some(name)) => (name, value_of(name)),
                (None, None) => continue,
            };
            variables.0.entry(name.to_owned()).or_insert(value);
        }
        variables
    }

    /// `text` with the variables' values in place of their references.
    pub fn expand(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{$") {
            out.push_str(before);
            match after.split_once('}').and_then(|(name, tail)| Some((self.0.get(name)?, tail))) {
                Some((value, tail)) => {
                    out.push_str(value);
                    rest = tail;
                }
                None => {
                    out.push_str("{$");
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
    }
}

/// The query that a player's URL for this playlist must have, so that every QUERYPARAM has a value.
pub fn query(text: &str) -> String {
    let names: std::collections::BTreeSet<&str> = reading::lines(text)
        .filter_map(|line| Some(reading::attribute(define(&line)?, "QUERYPARAM")?.1))
        .filter(|name| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        })
        .collect();
    names.into_iter().map(|name| format!("{name}={}", value_of(name))).collect::<Vec<_>>().join("&")
}

/// A master playlist that defines what `text` imports; its last line is the URI `uri`.
pub fn parent(text: &str, uri: &str) -> String {
    let lines: String = reading::lines(text)
        .filter_map(|line| Some(reading::attribute(define(&line)?, "IMPORT")?.1))
        .map(|name| format!("#EXT-X-DEFINE:NAME=\"{name}\",VALUE=\"{}\"\n", value_of(name)))
        .collect();
    format!("#EXTM3U\n{lines}#EXT-X-STREAM-INF:BANDWIDTH=1\n{uri}\n")
}

fn define<'a>(line: &Line<'a>) -> Option<&'a str> {
    line.text.strip_prefix("#EXT-X-DEFINE:")
}

fn value_of(name: &str) -> String {
    format!("{name}-value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in() {
        let text = "#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"x/{$b}\"\n#EXT-X-DEFINE:QUERYPARAM=\"b\"\n#EXT-X-DEFINE:IMPORT=\"c\"\n\
            #EXT-X-DEFINE:NAME=\"d\",VALUE=\"{$c}/d\"\n";
        assert_eq!(Variables::of(text).expand("{$a}/{$b}{$d}{$e}{$a"), "x/{$b}/b-valuec-value/d{$e}{$a");
        assert_eq!(query(text), "b=b-value");
        assert!(parent(text, "u").contains("#EXT-X-DEFINE:NAME=\"c\",VALUE=\"c-value\"\n#EXT-X-STREAM-INF"));
    }
}
