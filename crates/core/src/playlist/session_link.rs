//! The session in URIs: a query parameter, or a segment of the path.

use alloc::string::String;
use alloc::vec::Vec;

use crate::http::path_token::TokenSegment;
use crate::http::url;

/// The way in which URIs identify the session.
#[derive(Debug)]
pub enum SessionLink {
    /// By a query parameter, `name=value`: the token, or the reference of its cookie.
    Parameter(String),
    /// By a query parameter, with an absolute path: relative URIs may inherit another token in the path.
    Rooted(String),
    /// By the token in the path.
    Segment(TokenSegment),
}

impl SessionLink {
    /// The absolute path `raw_path` with `query`, without the parameters in `ours`, identifying the session.
    pub fn url(&self, raw_path: &str, query: Option<&str>, ours: &[String]) -> Vec<u8> {
        let (segment, parameter) = match self {
            Self::Segment(segment) => (segment.as_str(), ""),
            Self::Parameter(parameter) | Self::Rooted(parameter) => ("", parameter.as_str()),
        };
        let query = query.map(|query| ["?", query].concat()).unwrap_or_default();
        let mut url = Vec::with_capacity(segment.len() + raw_path.len() + query.len() + parameter.len() + 1);
        url::push_with_parameters(&mut url, &[segment, raw_path, &query].concat(), parameter, ours);
        url
    }
}
