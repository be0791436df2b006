//! Owns the reasons why a signed request is refused.

use std::fmt;

use crate::authorization::ParseError;
use crate::request::Part;

/// A refused request. Akamai's gateway answers each with 401, type `…/-/pep-authn/deny`, title `Not authorized`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The `Authorization` header is malformed.
    Header(ParseError),
    /// No client has this client token, or its access token is another. For the caller, who looks clients up.
    Client,
    /// This part of the request cannot have been signed.
    Request(Part),
    /// The signature is not that of this request under this secret.
    Signature,
    /// The timestamp is outside the window.
    Skew {
        /// Seconds by which the timestamp is ahead of the server's clock; negative if it is behind.
        seconds: i64,
        /// The largest difference that is accepted, in seconds.
        window: u32,
    },
    /// The client has used this nonce before.
    Replayed,
    /// As many nonces as the memory holds were used within the window.
    Full {
        /// Nonces that the memory holds.
        entries: usize,
    },
}

impl Refusal {
    /// One word for counters and logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Header(_) => "header",
            Self::Client => "client",
            Self::Request(_) => "request",
            Self::Signature => "signature",
            Self::Skew { .. } => "skew",
            Self::Replayed => "replayed",
            Self::Full { .. } => "full",
        }
    }
}

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        Self::Header(error)
    }
}

impl From<Part> for Refusal {
    fn from(part: Part) -> Self {
        Self::Request(part)
    }
}

/// Three parts each. No value of the request is repeated: it would end up in logs.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(error) => error.fmt(f),
            Self::Client => f.write_str(
                "client_token, access_token: no client has these; expected those of one client's .edgerc file",
            ),
            Self::Request(part) => {
                write!(f, "{}: empty, or with white space or other than ASCII; expected visible ASCII", part.name())
            }
            Self::Signature => f.write_str(
                "signature: not that of this request; expected the client's secret, and method, scheme, host, path, query \
                 and body as they arrive here",
            ),
            Self::Skew { seconds, window } => {
                let side = if *seconds < 0 { "behind" } else { "ahead of" };
                let seconds = seconds.unsigned_abs();
                write!(f, "timestamp: {seconds} s {side} the server's clock; expected at most {window} s")
            }
            Self::Replayed => f.write_str("nonce: used before; expected a new one for each request"),
            Self::Full { entries } => {
                write!(f, "nonce: the server remembers {entries} already, its limit; expected fewer requests at a time")
            }
        }
    }
}

impl std::error::Error for Refusal {}
