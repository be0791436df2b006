//! Owns the request that a signature covers, and its text.

/// A request as the client sent it, before anything is decoded or normalised.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// As in the request line: `GET`.
    pub method: &'a str,
    /// The scheme of the client's URL: `https`. Behind a proxy the public one.
    pub scheme: &'a str,
    /// `Host` or `:authority`, with the port if it was sent. Behind a proxy the public one.
    pub authority: &'a str,
    /// Path and query, as in the request line: `/a%20b?c=d`.
    pub target: &'a str,
    /// The headers that client and server have agreed to sign, in that order, those that were not sent left out. By
    /// default none.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body. Only that of a POST request counts.
    pub body: &'a [u8],
}

/// A part of a request that cannot be signed: white space in it could stand for the border between two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The method is empty, or not visible ASCII.
    Method,
    /// The scheme is empty, or not visible ASCII.
    Scheme,
    /// The authority is empty, or not visible ASCII.
    Authority,
    /// The target does not begin with `/`, or is not visible ASCII.
    Target,
    /// The name of a signed header is empty, or not visible ASCII, or has a colon.
    HeaderName,
}

impl Part {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Scheme => "scheme",
            Self::Authority => "authority",
            Self::Target => "target",
            Self::HeaderName => "name of a signed header",
        }
    }
}

impl SignedRequest<'_> {
    /// The part of the data to sign before the content hash: method, scheme, authority, target and headers, a tab behind each.
    ///
    /// # Errors
    /// The [`Part`] that cannot be signed.
    pub(crate) fn text(&self) -> Result<String, Part> {
        let parts = [
            (self.method, Part::Method),
            (self.scheme, Part::Scheme),
            (self.authority, Part::Authority),
            (self.target, Part::Target),
        ];
        let mut text = String::new();
        for (value, part) in parts {
            if !is_visible(value) {
                return Err(part);
            }
            text.push_str(value);
            text.push('\t');
        }
        if !self.target.starts_with('/') {
            return Err(Part::Target);
        }
        for (at, (name, value)) in self.headers.iter().enumerate() {
            if !is_visible(name) || name.contains(':') {
                return Err(Part::HeaderName);
            }
            if at > 0 {
                text.push('\t');
            }
            text.push_str(&name.to_ascii_lowercase());
            text.push(':');
            push_collapsed(&mut text, value);
        }
        text.push('\t');
        Ok(text)
    }
}

/// Whether this is visible ASCII, and not empty.
fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Appends a header's value without white space around it, and with one space for all other white space.
fn push_collapsed(text: &mut String, value: &str) {
    // No tab is left in it, so it cannot stand for two headers.
    for (at, word) in value.split_whitespace().enumerate() {
        if at > 0 {
            text.push(' ');
        }
        text.push_str(word);
    }
}
