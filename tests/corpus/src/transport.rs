//! The way in which the URIs of a rewritten playlist identify the session.

use url::{Position, Url};

use crate::reading::Reference;
use crate::rfc3986::Uri;
use crate::site::Site;
use crate::undo;

/// `sessionTokenTransport`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A query parameter in every URI.
    Query,
    /// The first segment of the path, which relative URIs inherit.
    Path,
}

impl Transport {
    /// The value in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Path => "path",
        }
    }

    /// The token in a URL that the filter made.
    ///
    /// # Errors
    /// The URL has none.
    pub fn token(self, url: &Url) -> Result<String, String> {
        let found = match self {
            Self::Query => parameters(url.as_str(), "hdntl").next(),
            Self::Path => url.path().strip_prefix("/~").and_then(|rest| rest.split('/').next()),
        };
        found.filter(|token| !token.is_empty()).map(str::to_owned).ok_or_else(|| format!("no token: {url}"))
    }
}

/// A playlist as it was requested, with the token that its URIs must have.
#[derive(Debug, Clone)]
pub struct Requested {
    /// The way in which its URIs identify the session.
    pub transport: Transport,
    /// The session's token.
    pub token: String,
    /// Its location. Its relative URIs refer to this URL.
    pub site: Site,
}

impl Requested {
    /// The playlist at `url`, whose URIs must have `token`.
    ///
    /// # Errors
    /// `url` is not a URL.
    pub fn new(transport: Transport, token: &str, url: &Url) -> Result<Self, String> {
        Ok(Self { transport, token: token.into(), site: Site::new(url.as_str())? })
    }

    /// A URI of the playlist, before or after rewriting, without the session and the filter's parameters. With tokens in
    /// the path, the URL that an own URI leads to: the filter may write it in another way.
    pub fn clean(&self, uri: &str) -> String {
        let plain = undo::uri(uri);
        match self.transport {
            Transport::Query => plain,
            Transport::Path => self.site.own(&plain).map_or(plain, |url| self.without_token(&url).to_string()),
        }
    }

    /// `url` without the token in its path.
    pub fn without_token(&self, url: &Url) -> Url {
        let mut plain = url.clone();
        if let Some(rest) = url.path().strip_prefix(&self.segment()).filter(|rest| rest.starts_with('/')) {
            plain.set_path(rest);
        }
        plain
    }

    fn segment(&self) -> String {
        format!("/~{}", self.token)
    }

    /// Whether the playlist's own URL has the token in its path.
    fn inherits(&self) -> bool {
        self.site.base.path().starts_with(&self.segment())
    }

    /// Checks that a URI identifies the session exactly once and has no access token and at most one signed parameter.
    ///
    /// # Errors
    /// Its other fields.
    pub fn check(&self, reference: &Reference) -> Result<(), String> {
        let tokens: Vec<&str> = parameters(&reference.uri, "hdntl").collect();
        let signed: Vec<&str> = parameters(&reference.uri, "plk").collect();
        let shape = |value: &&str| {
            let mut fields = value.split('~');
            fields.next().is_some_and(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        };
        // With tokens in the path, too, that of a session which each reload opens again is in the query of media.
        let reopened = self.transport == Transport::Path && !self.inherits();
        let in_query = tokens.as_slice() == [self.token.as_str()];
        let expected = match self.transport {
            Transport::Query => in_query,
            Transport::Path => tokens.is_empty() || reopened && in_query,
        };
        if !expected || parameters(&reference.uri, "hdnts").next().is_some() {
            return Err(format!("carries {} session tokens", tokens.len()));
        }
        if signed.len() > 1 || !signed.iter().all(shape) {
            return Err(format!("carries {signed:?}"));
        }
        if self.transport == Transport::Query {
            return Ok(());
        }
        let by_browsers = self.site.own(&reference.uri).map(|url| target(&url));
        for target in by_browsers.into_iter().chain(self.site.by_rules(&reference.uri)) {
            let in_path = target.starts_with(&format!("{}/", self.segment()));
            if in_path == in_query || in_path && target.matches(&self.token).count() != 1 {
                return Err(format!("leads to {target}"));
            }
        }
        Ok(())
    }

    /// Checks that a URI which leads below its playlist's root is as the origin wrote it, if URIs inherit the token, apart
    /// from a signed parameter.
    ///
    /// # Errors
    /// The URI has been changed.
    pub fn check_inherited(&self, before: &str, after: &str) -> Result<(), String> {
        let inherits = self.transport == Transport::Path && self.inherits();
        let relative = Uri::split(before)
            .is_some_and(|uri| uri.scheme.is_none() && uri.authority.is_none() && !uri.path.starts_with('/'));
        if !inherits || !relative || undo::uri(after) == undo::uri(before) {
            return Ok(());
        }
        // It may only be another one if it leads out of the path with the token.
        match self.site.own(before) {
            Some(url) if !url.path().starts_with(&format!("{}/", self.segment())) => Ok(()),
            _ => Err(format!("{before} inherits the token and has been changed")),
        }
    }
}

/// The target that the origin must be asked for, as it follows from a URI of the original playlist.
pub fn target(url: &Url) -> String {
    undo::uri(&url[Position::BeforePath..Position::AfterQuery])
}

/// The values of a parameter in a URI's query.
pub fn parameters<'u>(uri: &'u str, name: &'u str) -> impl Iterator<Item = &'u str> {
    let query = uri.split('#').next().and_then(|main| main.split_once('?')).map_or("", |(_, query)| query);
    query.split('&').filter_map(move |parameter| parameter.strip_prefix(name)?.strip_prefix('='))
}
