//! Input and output of the simulated Envoy: requests, origin responses, the client's view.

use std::collections::BTreeMap;
use std::fmt;

/// A header: its lower-case name and its value's bytes.
pub type Header = (String, Vec<u8>);

/// The first value of a header.
pub fn header<'a>(headers: &'a [Header], name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice())
}

/// What becomes of a filter's own request to a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream {
    /// It answers with this status.
    Answers(u16),
    /// It is not there: Envoy answers 503 for it.
    Refuses,
    /// It does not answer: Envoy answers 504 for it, when the time is up.
    IsSilent,
    /// The cluster has no endpoint: Envoy does not even begin.
    IsEmpty,
}

/// A filter's own request to a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCall {
    /// The cluster's name.
    pub cluster: String,
    /// Pseudo headers among them.
    pub headers: Vec<Header>,
    /// How long it is waited for.
    pub milliseconds: u32,
}

/// A client's request. Of its body there is nothing but that it follows: no filter sees more of it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Pseudo headers among them.
    pub headers: Vec<Header>,
    /// `ip:port`, as the proxy trusts it, if it knows it.
    pub client: Option<String>,
    /// The clusters beside the origin's, by name.
    pub clusters: BTreeMap<String, Upstream>,
    /// `filter_metadata.playlock.policy` of the route.
    pub route_policy: Option<String>,
    /// The headers do not end the stream: a body follows, or trailers.
    pub has_body: bool,
}

impl Request {
    /// A plain request for a target.
    pub fn new(method: &str, target: &str) -> Self {
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        Self {
            headers: vec![
                header(":method", method),
                header(":path", target),
                header(":authority", "play.example"),
                header(":scheme", "https"),
                // Envoy gives every request one.
                header("x-request-id", "b0b5c0de-0000-4000-8000-000000000001"),
            ],
            client: Some("203.0.113.7:4711".to_owned()),
            clusters: BTreeMap::new(),
            route_policy: None,
            has_body: false,
        }
    }

    /// Whether Envoy takes it for one of gRPC's.
    pub fn is_grpc(&self) -> bool {
        let kind = header(&self.headers, "content-type").unwrap_or_default();
        kind == b"application/grpc" || kind.starts_with(b"application/grpc+")
    }

    /// Whether the answer carries no body whatever its headers say.
    pub fn is_head(&self) -> bool {
        header(&self.headers, ":method") == Some(b"HEAD")
    }
}

/// How the origin's response ends, which decides whether any body callback sees `end_of_stream`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With the last chunk (HTTP/2 with a content-length). Without any chunk: with the headers.
    WithData,
    /// With an empty chunk of its own (HTTP/1.1).
    EmptyChunk,
    /// With trailers: no body callback has `end_of_stream`.
    Trailers(Vec<Header>),
    /// The origin breaks off.
    Abort,
}

/// An origin's response.
#[derive(Debug, Clone)]
pub struct Response {
    /// `:status` among them.
    pub headers: Vec<Header>,
    /// The body, in the pieces in which it arrives. None of them is empty.
    pub chunks: Vec<Vec<u8>>,
    /// How it ends.
    pub ending: Ending,
}

impl Response {
    /// A response whose body comes whole, with its length.
    pub fn new(status: u16, body: &[u8]) -> Self {
        let chunks = if body.is_empty() { vec![] } else { vec![body.to_vec()] };
        let headers = vec![
            (":status".to_owned(), status.to_string().into_bytes()),
            ("content-length".to_owned(), body.len().to_string().into_bytes()),
        ];
        Self { headers, chunks, ending: Ending::WithData }
    }

    /// Cuts the body into pieces of this size.
    #[must_use]
    pub fn cut(mut self, size: usize, ending: Ending) -> Self {
        let body = self.chunks.concat();
        self.chunks = body.chunks(size.max(1)).map(<[u8]>::to_vec).collect();
        self.ending = ending;
        self
    }

    /// Whether `end_of_stream` comes with the headers. Envoy never calls the body callback then.
    pub fn ends_with_headers(&self) -> bool {
        let nothing = header(&self.headers, "content-length") == Some(b"0");
        match self.ending {
            Ending::WithData => self.chunks.is_empty(),
            Ending::EmptyChunk => self.chunks.is_empty() && nothing,
            Ending::Trailers(_) | Ending::Abort => false,
        }
    }
}

/// How an exchange ended for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    /// A whole response.
    #[default]
    Complete,
    /// The client sees that the response is broken off.
    Broken,
    /// Nothing more ever comes.
    Hang,
    /// Envoy itself dies.
    Crash,
    /// The filter trapped: every stream on its VM is lost.
    Trap,
    /// What was sent is not one HTTP response: a wrong length, a split header, a body where none may be.
    Malformed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Complete => "complete",
            Self::Broken => "broken",
            Self::Hang => "hang",
            Self::Crash => "crash",
            Self::Trap => "trap",
            Self::Malformed => "malformed",
        })
    }
}

/// What origin, client and access log saw of one exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The request's headers as the origin got them, if it was asked.
    pub origin: Option<Vec<Header>>,
    /// What the filter itself asked a cluster.
    pub call: Option<HttpCall>,
    /// The response's status, if its headers reached the client.
    pub status: Option<u16>,
    /// The response's headers without pseudo headers.
    pub headers: Vec<Header>,
    /// What the client got of the body.
    pub body: Vec<u8>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it ended so, if not [`Outcome::Complete`].
    pub why: String,
    /// Filter state, by the name under which the access log reads it (`wasm.…`).
    pub state: BTreeMap<String, String>,
    /// The node's counters by the end of the exchange.
    pub counters: BTreeMap<String, u64>,
}

impl Seen {
    /// A response header's first value as text.
    pub fn header(&self, name: &str) -> Option<String> {
        header(&self.headers, name).map(|value| String::from_utf8_lossy(value).into_owned())
    }
}
