//! Which routes match a path with a token in it, and which matchers of paths it evades.

use regex_lite::Regex;

use super::tree::Node;

/// The members of a route's match that a path cannot decide.
const CONDITIONS: [&str; 7] =
    ["headers", "query_parameters", "runtime_fraction", "grpc", "tls_context", "dynamic_metadata", "filter_state"];

/// A path as viewers send it: with a token before it.
pub struct WithToken<'a> {
    marker: &'a str,
}

impl<'a> WithToken<'a> {
    /// The token follows `marker`.
    pub fn new(marker: &'a str) -> Self {
        Self { marker }
    }

    /// The text before the token.
    pub fn marker(&self) -> &'a str {
        self.marker
    }

    /// `path` with a token before it, as text for findings.
    pub fn shown(&self, path: &str) -> String {
        format!("/{}TOKEN{path}", self.marker)
    }

    /// The first of `routes` that matches the paths of `route` with a token before them.
    ///
    /// # Errors
    /// [`Unknown`] if the route's own paths are not known, or have a token.
    pub fn first<'r, 'v>(&self, route: &Node<'v>, routes: &'r [Node<'v>]) -> Result<Option<&'r Node<'v>>, Unknown> {
        let found = route.get("match").ok_or(Unknown)?;
        // A route for paths with a token has no other paths.
        let marked = |path: &String| path.strip_prefix('/').is_some_and(|path| path.starts_with(self.marker));
        let path = self.shown(&sample(&found).filter(|path| !marked(path)).ok_or(Unknown)?);
        Ok(routes
            .iter()
            .find(|other| other.get("match").is_some_and(|other| matches(&other, &path) && is_implied(&other, &found))))
    }

    /// Whether a matcher that matches some paths does not match them with a token before them. `matcher`: `prefix`,
    /// `exact` (`path`) or a regular expression of a route, a header's value or a path.
    pub fn evades(&self, matcher: &Node<'_>) -> bool {
        let text = |name: &str| matcher.text(&[name]);
        let begins = ["prefix", "path_separated_prefix", "prefix_match"].iter().find_map(|name| text(name));
        if begins.is_some_and(|prefix| !prefix.trim_start_matches('/').is_empty()) {
            return true;
        }
        let exact = ["exact", "path", "exact_match"].iter().find_map(|name| text(name));
        if exact.is_some() {
            return true;
        }
        pattern(matcher).is_some_and(|pattern| literal(pattern).len() > 1 && !pattern.contains(self.marker))
    }
}

/// The answer is not known.
#[derive(Debug)]
pub struct Unknown;

/// The regular expression of a matcher.
fn pattern<'a>(matcher: &Node<'a>) -> Option<&'a str> {
    matcher.text(&["safe_regex", "regex"]).or_else(|| matcher.text(&["safe_regex_match", "regex"]))
}

/// A path that a route's match accepts, as far as the path decides it.
fn sample(found: &Node<'_>) -> Option<String> {
    let text = |name: &str| found.text(&[name]).map(str::to_owned);
    let known = text("prefix").or_else(|| text("path"));
    let known = known.or_else(|| Some(text("path_separated_prefix")? + "/"));
    // A pattern that begins with a literal matches only paths that begin with it.
    known.or_else(|| pattern(found).map(literal).filter(|literal| literal.len() > 1))
}

/// The text that every match of a regular expression begins with.
fn literal(pattern: &str) -> String {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let end = pattern.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '~' | '%')));
    let (text, rest) = pattern.split_at_checked(end.unwrap_or(pattern.len())).unwrap_or_default();
    // The last character may be optional, and everything with an alternative beside it.
    let optional = rest.starts_with(['?', '*', '{']);
    let mut depth = 0;
    for c in pattern.chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if c == '|' && depth == 0 {
            return String::new();
        }
    }
    let kept = text.len().saturating_sub(usize::from(optional));
    text.get(..kept).unwrap_or_default().to_owned()
}

/// Whether a route's match accepts a path, apart from its conditions.
fn matches(found: &Node<'_>, path: &str) -> bool {
    if let Some(prefix) = found.text(&["prefix"]) {
        return path.starts_with(prefix);
    }
    if let Some(exact) = found.text(&["path"]) {
        return path == exact;
    }
    if let Some(prefix) = found.text(&["path_separated_prefix"]) {
        return path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    }
    // The sample may be the beginning of a path only.
    pattern(found).is_some_and(|pattern| {
        let whole = |path: &str| Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(path));
        whole(path) || whole(&format!("{path}a")) || whole(&format!("{path}1/a.ts"))
    })
}

/// Whether a request that meets the conditions of `given` meets those of `found`.
fn is_implied(found: &Node<'_>, given: &Node<'_>) -> bool {
    let value = |node: &Node<'_>, name: &str| node.get(name).map(|it| it.value.clone());
    CONDITIONS.iter().all(|name| {
        let condition = value(found, name);
        condition.is_none() || condition == value(given, name)
    })
}
