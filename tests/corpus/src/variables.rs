//! Expands variables in playlists (EXT-X-DEFINE, RFC 8216bis section 4.4.2.3) as a player does.

use std::collections::{BTreeMap, BTreeSet};

use crate::reading::{self, Line};

/// The variables that a playlist defines itself.
#[derive(Debug, Default)]
pub struct Variables {
    values: BTreeMap<String, String>,
    /// The names of variables whose value is, or contains, a value chosen by the viewer.
    chosen: BTreeSet<String>,
}

impl Variables {
    /// The variables of `text`. QUERYPARAM and IMPORT have the values that [`query`] and [`parent`] provide.
    pub fn of(text: &str) -> Self {
        let mut variables = Self::default();
        for line in reading::lines(text) {
            let Some(list) = define(&line) else { continue };
            let quoted = |name: &str| reading::attribute(list, name).map(|(_, value)| value);
            let value = quoted("VALUE").unwrap_or_default();
            let (name, value, chosen) = match (quoted("NAME"), quoted("IMPORT"), quoted("QUERYPARAM")) {
                (Some(name), _, _) => (name, variables.expand(value), variables.are_chosen_in(value)),
                (None, Some(name), _) => (name, value_of(name), false),
                (None, None, Some(name)) => (name, value_of(name), true),
                (None, None, None) => continue,
            };
            if chosen && !variables.values.contains_key(name) {
                variables.chosen.insert(name.to_owned());
            }
            variables.values.entry(name.to_owned()).or_insert(value);
        }
        variables
    }

    /// Whether `text` refers to a variable whose value a viewer chose.
    pub fn are_chosen_in(&self, text: &str) -> bool {
        self.chosen.iter().any(|name| text.contains(&format!("{{${name}}}")))
    }

    /// `text` with references replaced by the values of variables.
    pub fn expand(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{$") {
            out.push_str(before);
            match after.split_once('}').and_then(|(name, tail)| Some((self.values.get(name)?, tail))) {
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
    let names: BTreeSet<&str> = reading::lines(text)
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
        assert!(Variables::of(text).are_chosen_in("{$b}") && !Variables::of(text).are_chosen_in("{$a}{$c}{$d}"));
        assert!(parent(text, "u").contains("#EXT-X-DEFINE:NAME=\"c\",VALUE=\"c-value\"\n#EXT-X-STREAM-INF"));
    }
}
