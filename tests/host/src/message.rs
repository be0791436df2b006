//! Input and output of the simulated Envoy: requests, origin responses, the client's view.

use std::collections::BTreeMap;
use std::fmt;

/// A header: lower-case name, and the bytes of the value.
pub type Header = (String, Vec<u8>);

/// The first value of a header.
pub fn header<'a>(headers: &'a [Header], name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice())
}

/// The result of a filter's own request to a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream {
    /// A response with this status.
    Answers(u16),
    /// No connection: Envoy responds with 503.
    Refuses,
    /// No response: Envoy responds with 504 after the timeout.
    IsSilent,
    /// The cluster has no endpoint: Envoy does not start the request.
    IsEmpty,
}

/// A filter's own request to a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCall {
    /// The cluster's name.
    pub cluster: String,
    /// The headers, including pseudo-headers.
    pub headers: Vec<Header>,
    /// The timeout.
    pub milliseconds: u32,
}

/// A client's request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The headers, including pseudo-headers.
    pub headers: Vec<Header>,
    /// The trusted `ip:port` of the client, if known.
    pub client: Option<String>,
    /// Clusters other than the origin's, by name.
    pub clusters: BTreeMap<String, Upstream>,
    /// `filter_metadata.playlock.policy` of the route.
    pub route_policy: Option<String>,
    /// The same of the route that is chosen after the filter has changed `:path`, if it is another one.
    pub rerouted_policy: Option<String>,
    /// The JA4 fingerprint of the TLS client, in the filter state.
    pub ja4: Option<String>,
    /// The protocol, as Envoy names it.
    pub protocol: String,
    /// Texts in the dynamic metadata of `jwt_authn`, by the names that lead to them, joined with dots.
    pub metadata: BTreeMap<String, String>,
    /// The headers do not end the stream: a body or trailers follow.
    pub has_body: bool,
    /// The chunks of the body, in order, as far as they matter.
    pub body: Vec<Vec<u8>>,
    /// The end of the body.
    pub ending: Ending,
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
            rerouted_policy: None,
            ja4: None,
            protocol: "HTTP/1.1".to_owned(),
            metadata: BTreeMap::new(),
            has_body: false,
            body: Vec::new(),
            ending: Ending::EmptyChunk,
        }
    }

    /// Whether Envoy treats it as a gRPC request.
    pub fn is_grpc(&self) -> bool {
        let kind = header(&self.headers, "content-type").unwrap_or_default();
        kind == b"application/grpc" || kind.starts_with(b"application/grpc+")
    }

    /// Whether the response has no body, regardless of its headers.
    pub fn is_head(&self) -> bool {
        header(&self.headers, ":method") == Some(b"HEAD")
    }
}

/// The end of the origin's response, which determines whether a body callback gets `end_of_stream`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With the last chunk (HTTP/2 with a content-length); without chunks, with the headers.
    WithData,
    /// With a separate empty chunk (HTTP/1.1).
    EmptyChunk,
    /// With trailers: no body callback has `end_of_stream`.
    Trailers(Vec<Header>),
    /// The origin resets the stream.
    Abort,
}

/// An origin's response.
#[derive(Debug, Clone)]
pub struct Response {
    /// The headers, including `:status`.
    pub headers: Vec<Header>,
    /// The chunks of the body, in order. None is empty.
    pub chunks: Vec<Vec<u8>>,
    /// The end of the response.
    pub ending: Ending,
}

impl Response {
    /// A response with its body in one chunk, and a content-length.
    pub fn new(status: u16, body: &[u8]) -> Self {
        let chunks = if body.is_empty() { vec![] } else { vec![body.to_vec()] };
        let headers = vec![
            (":status".to_owned(), status.to_string().into_bytes()),
            ("content-length".to_owned(), body.len().to_string().into_bytes()),
        ];
        Self { headers, chunks, ending: Ending::WithData }
    }

    /// Splits the body into chunks of this size in bytes.
    #[must_use]
    pub fn cut(mut self, size: usize, ending: Ending) -> Self {
        let body = self.chunks.concat();
        self.chunks = body.chunks(size.max(1)).map(<[u8]>::to_vec).collect();
        self.ending = ending;
        self
    }

    /// Whether the headers end the stream. Envoy does not call the body callback then.
    pub fn ends_with_headers(&self) -> bool {
        let nothing = header(&self.headers, "content-length") == Some(b"0");
        match self.ending {
            Ending::WithData => self.chunks.is_empty(),
            Ending::EmptyChunk => self.chunks.is_empty() && nothing,
            Ending::Trailers(_) | Ending::Abort => false,
        }
    }
}

/// The outcome of an exchange for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    /// A complete response.
    #[default]
    Complete,
    /// A reset, which the client notices.
    Broken,
    /// The client waits forever.
    Hang,
    /// Envoy crashes.
    Crash,
    /// The filter trapped: every stream on its VM is lost.
    Trap,
    /// Not a valid HTTP response: a wrong length, a split header, or a body where none is allowed.
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

/// One exchange, as the origin, the client and the access log see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The request headers that the origin received, if it received a request.
    pub origin: Option<Vec<Header>>,
    /// The filter's own requests to clusters.
    pub call: Option<HttpCall>,
    /// The response status, if headers reached the client.
    pub status: Option<u16>,
    /// The response headers, without pseudo-headers.
    pub headers: Vec<Header>,
    /// The body that the client received.
    pub body: Vec<u8>,
    /// The outcome.
    pub outcome: Outcome,
    /// The cause, if the outcome is not [`Outcome::Complete`].
    pub why: String,
    /// Filter state, by the name under which the access log reads it (`wasm.…`).
    pub state: BTreeMap<String, String>,
    /// The node's counters after the exchange.
    pub counters: BTreeMap<String, u64>,
}

impl Seen {
    /// A response header's first value as text.
    pub fn header(&self, name: &str) -> Option<String> {
        header(&self.headers, name).map(|value| String::from_utf8_lossy(value).into_owned())
    }
}
