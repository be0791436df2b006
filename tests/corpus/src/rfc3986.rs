//! Resolution of URI references by the letter of RFC 3986 (section 5.2), which changes no character. Browsers' rules (the
//! `url` crate) escape some and take `%2e` for a dot.

use std::sync::LazyLock;

use regex_lite::Regex;

/// The components of a URI reference (RFC 3986 appendix B).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// Without its colon.
    pub scheme: Option<String>,
    /// Without its slashes.
    pub authority: Option<String>,
    /// May be empty.
    pub path: String,
    /// Without its `?`.
    pub query: Option<String>,
}

impl Uri {
    /// Splits a URI reference. The fragment is dropped: no request has it.
    pub fn split(text: &str) -> Option<Self> {
        static PARTS: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r"^(([^:/?#]+):)?(//([^/?#]*))?([^?#]*)(\?([^#]*))?(#(.*))?$").ok());
        let parts = PARTS.as_ref()?.captures(text)?;
        let part = |index| parts.get(index).map(|found| found.as_str().to_owned());
        Some(Self { scheme: part(2), authority: part(4), path: part(5).unwrap_or_default(), query: part(7) })
    }

    /// The URI that `reference` means in a document at `self` (section 5.2.2).
    pub fn resolve(&self, reference: &Self) -> Self {
        let mut target = reference.clone();
        if reference.scheme.is_some() || reference.authority.is_some() {
            target.scheme = reference.scheme.clone().or_else(|| self.scheme.clone());
            target.path = without_dots(&reference.path);
            return target;
        }
        target.scheme.clone_from(&self.scheme);
        target.authority.clone_from(&self.authority);
        if reference.path.is_empty() {
            target.path.clone_from(&self.path);
            target.query = reference.query.clone().or_else(|| self.query.clone());
        } else if reference.path.starts_with('/') {
            target.path = without_dots(&reference.path);
        } else {
            // Section 5.2.3; the document has an authority and a path.
            let directory = self.path.rfind('/').and_then(|end| self.path.get(..=end)).unwrap_or("/");
            target.path = without_dots(&format!("{directory}{}", reference.path));
        }
        target
    }

    /// Path and query, as a request has them.
    pub fn target(&self) -> String {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        self.query.as_ref().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
    }
}

/// Section 5.2.4, step by step.
fn without_dots(path: &str) -> String {
    let (mut input, mut output) = (path.to_owned(), String::new());
    while !input.is_empty() {
        if let Some(rest) = input.strip_prefix("../").or_else(|| input.strip_prefix("./")) {
            input = rest.to_owned();
        } else if input.starts_with("/./") || input == "/." {
            input = format!("/{}", input.get(3..).unwrap_or_default());
        } else if input.starts_with("/../") || input == "/.." {
            input = format!("/{}", input.get(4..).unwrap_or_default());
            output.truncate(output.rfind('/').unwrap_or(0));
        } else if input == "." || input == ".." {
            input.clear();
        } else {
            let end = input.get(1..).and_then(|rest| rest.find('/')).map_or(input.len(), |at| at + 1);
            output.push_str(input.get(..end).unwrap_or_default());
            input.drain(..end);
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 3986 section 5.4, apart from those with other schemes and fragments.
    #[test]
    fn the_examples_of_the_standard() {
        let base = Uri::split("http://a/b/c/d;p?q").unwrap();
        for (reference, target) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g/"),
            ("/g", "/g"),
            ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            (";x", "/b/c/;x"),
            ("g;x", "/b/c/g;x"),
            ("", "/b/c/d;p?q"),
            (".", "/b/c/"),
            ("./", "/b/c/"),
            ("..", "/b/"),
            ("../", "/b/"),
            ("../g", "/b/g"),
            ("../..", "/"),
            ("../../", "/"),
            ("../../g", "/g"),
            ("../../../g", "/g"),
            ("../../../../g", "/g"),
            ("/./g", "/g"),
            ("/../g", "/g"),
            ("g.", "/b/c/g."),
            (".g", "/b/c/.g"),
            ("g..", "/b/c/g.."),
            ("..g", "/b/c/..g"),
            ("./../g", "/b/g"),
            ("./g/.", "/b/c/g/"),
            ("g/./h", "/b/c/g/h"),
            ("g/../h", "/b/c/h"),
            ("g;x=1/./y", "/b/c/g;x=1/y"),
            ("g;x=1/../y", "/b/c/y"),
            ("g?y/./x", "/b/c/g?y/./x"),
            ("g?y/../x", "/b/c/g?y/../x"),
        ] {
            let found = Uri::split(reference).map(|reference| base.resolve(&reference).target());
            assert_eq!(found.as_deref(), Some(target), "{reference}");
        }
        let other = Uri::split("//g").map(|reference| base.resolve(&reference));
        assert_eq!(other.and_then(|uri| uri.authority).as_deref(), Some("g"));
    }
}
