//! One stream as its filter sees it: the host calls, and when Envoy refuses them.

use std::collections::BTreeMap;

use crate::message::{Header, HttpCall, Request, Upstream, header};

/// The number of a filter's own request.
pub(crate) const CALL: u32 = 1;

/// What a callback asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Go on.
    Continue,
    /// Stop here.
    Pause,
}

/// A host call's refusal, by its number in the ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// There is no such value.
    NotFound = 1,
    /// Not now, or not so: what a late header change gets.
    BadArgument = 2,
    /// It cannot be done.
    InternalFailure = 10,
}

/// The header maps of a stream, by their numbers in the ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Map {
    /// `HttpRequestHeaders`.
    RequestHeaders = 0,
    /// `HttpResponseHeaders`.
    ResponseHeaders = 2,
    /// `HttpResponseTrailers`.
    ResponseTrailers = 3,
    /// `HttpCallResponseHeaders`.
    CallResponseHeaders = 6,
}

/// Which callback is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Request,
    Head,
    Body,
    Trailers,
    Log,
}

/// An answer of the filter's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalReply {
    /// Status code.
    pub status: u16,
    /// Headers in order, duplicates kept.
    pub headers: Vec<Header>,
    /// The body's exact bytes.
    pub body: Vec<u8>,
}

/// One stream during its callbacks.
#[derive(Debug)]
pub struct Stream {
    pub(crate) phase: Phase,
    /// The request does not end with its headers.
    pub(crate) has_body: bool,
    pub(crate) request: Vec<Header>,
    pub(crate) response: Vec<Header>,
    pub(crate) trailers: Vec<Header>,
    /// The response's headers have not been let go.
    pub(crate) head_held: bool,
    /// What the body callback may read and replace.
    pub(crate) body: Vec<u8>,
    /// The last body callback paused: the body is Envoy's buffer, and still there when trailers come.
    pub(crate) body_paused: bool,
    pub(crate) reply: Option<LocalReply>,
    pub(crate) reset: bool,
    pub(crate) resumed: bool,
    /// What the filter asks a cluster, and what Envoy will say to it.
    pub(crate) call: Option<(HttpCall, u16)>,
    /// The answer's headers, while the filter is told of it.
    pub(crate) answer: Option<Vec<Header>>,
    clusters: BTreeMap<String, Upstream>,
    pub(crate) state: BTreeMap<String, String>,
    properties: BTreeMap<String, Vec<u8>>,
}

impl Stream {
    /// A stream whose request's headers have just come.
    pub fn new(request: Request) -> Self {
        let text = |name: &str| header(&request.headers, name).unwrap_or_default().to_vec();
        let target = text(":path");
        let cut = target.iter().position(|byte| *byte == b'?');
        let path = target.get(..cut.unwrap_or(target.len())).unwrap_or_default().to_vec();
        let query = cut.and_then(|at| target.get(at + 1..)).unwrap_or_default().to_vec();
        // Names as in the ABI: the parts of a property's path, joined by NUL.
        let client = request.client.map(|client| ("source\0address", client.into_bytes()));
        let route = request
            .route_policy
            .map(|policy| ("xds\0route_metadata\0filter_metadata\0playlock\0policy", policy.into_bytes()));
        let properties = [
            ("request\0id", text("x-request-id")),
            ("request\0path", target),
            ("request\0url_path", path),
            ("request\0query", query),
            ("request\0host", text(":authority")),
            ("request\0scheme", text(":scheme")),
            ("request\0method", text(":method")),
        ];
        Self {
            phase: Phase::Request,
            has_body: request.has_body,
            request: request.headers,
            response: Vec::new(),
            trailers: Vec::new(),
            head_held: false,
            body: Vec::new(),
            body_paused: false,
            reply: None,
            reset: false,
            resumed: false,
            call: None,
            answer: None,
            clusters: request.clusters,
            state: BTreeMap::new(),
            properties: properties
                .into_iter()
                .chain(client)
                .chain(route)
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        }
    }

    /// A stand-in while the stream itself is within a callback.
    #[cfg(feature = "wasm")]
    pub(crate) fn idle() -> Self {
        Self::new(Request {
            headers: Vec::new(),
            client: None,
            clusters: BTreeMap::new(),
            route_policy: None,
            has_body: false,
        })
    }

    /// A map while the filter may see it: what has gone is gone, until the log.
    fn map(&self, map: Map) -> Option<&Vec<Header>> {
        let log = self.phase == Phase::Log;
        match map {
            Map::RequestHeaders => (self.phase == Phase::Request || log).then_some(&self.request),
            Map::ResponseHeaders => (self.head_held || log).then_some(&self.response),
            Map::ResponseTrailers => (self.phase == Phase::Trailers || log).then_some(&self.trailers),
            Map::CallResponseHeaders => self.answer.as_ref(),
        }
    }

    fn map_mut(&mut self, map: Map) -> Result<&mut Vec<Header>, Status> {
        if self.phase == Phase::Log || self.map(map).is_none() {
            return Err(Status::BadArgument);
        }
        Ok(match map {
            Map::RequestHeaders => &mut self.request,
            Map::ResponseHeaders => &mut self.response,
            Map::ResponseTrailers => &mut self.trailers,
            Map::CallResponseHeaders => return Err(Status::BadArgument),
        })
    }

    /// All headers of a map. One that has gone reads as empty, without an error.
    pub fn headers(&self, map: Map) -> Vec<Header> {
        self.map(map).cloned().unwrap_or_default()
    }

    /// The first header of this name.
    pub fn header(&self, map: Map, name: &str) -> Result<Vec<u8>, Status> {
        let headers = self.map(map).ok_or(Status::BadArgument)?;
        header(headers, &name.to_ascii_lowercase()).map(<[u8]>::to_vec).ok_or(Status::NotFound)
    }

    /// Removes every header of this name.
    pub fn remove_header(&mut self, map: Map, name: &str) -> Result<(), Status> {
        let name = name.to_ascii_lowercase();
        self.map_mut(map)?.retain(|(key, _)| *key != name);
        Ok(())
    }

    /// Sets the one value of this header.
    pub fn set_header(&mut self, map: Map, name: &str, value: &[u8]) -> Result<(), Status> {
        self.remove_header(map, name)?;
        self.add_header(map, name, value)
    }

    /// Adds a header beside those of its name.
    pub fn add_header(&mut self, map: Map, name: &str, value: &[u8]) -> Result<(), Status> {
        self.map_mut(map)?.push((name.to_ascii_lowercase(), value.to_vec()));
        Ok(())
    }

    /// Replaces a map.
    pub fn set_headers(&mut self, map: Map, headers: Vec<Header>) -> Result<(), Status> {
        *self.map_mut(map)? = headers;
        Ok(())
    }

    /// The body as this callback may see it.
    pub fn body(&self, start: usize, size: usize) -> Result<Vec<u8>, Status> {
        if !self.has_body() {
            return Err(Status::NotFound);
        }
        let end = start.saturating_add(size).min(self.body.len());
        Ok(self.body.get(start..end).unwrap_or_default().to_vec())
    }

    /// Replaces (from the start: all, or nothing = prepend) or appends (from the end).
    pub fn set_body(&mut self, start: usize, size: usize, bytes: &[u8]) -> Result<(), Status> {
        if !self.has_body() {
            return Err(Status::BadArgument);
        }
        if start == 0 && size == 0 {
            self.body.splice(..0, bytes.iter().copied());
        } else if start == 0 && size >= self.body.len() {
            self.body = bytes.to_vec();
        } else if start >= self.body.len() {
            self.body.extend_from_slice(bytes);
        } else {
            return Err(Status::BadArgument);
        }
        Ok(())
    }

    /// In trailers only a body that was paused is still there to be changed.
    fn has_body(&self) -> bool {
        match self.phase {
            Phase::Body => true,
            Phase::Trailers => self.body_paused,
            Phase::Request | Phase::Head | Phase::Log => false,
        }
    }

    /// Answers in place of the origin, or of what it answered.
    pub fn send_local_reply(&mut self, reply: LocalReply) {
        // Envoy carries out the first one and ignores the rest.
        self.reply.get_or_insert(reply);
    }

    /// Breaks the stream off.
    pub fn reset(&mut self) {
        self.reset = true;
    }

    /// Goes on with a stream that was paused.
    pub fn resume(&mut self) {
        self.resumed = true;
    }

    /// Asks a cluster; the answer comes in a callback of its own. One at a time here.
    pub fn dispatch(&mut self, call: HttpCall) -> Result<u32, Status> {
        let upstream = *self.clusters.get(&call.cluster).ok_or(Status::BadArgument)?;
        let named = |name| header(&call.headers, name).is_some_and(|value| !value.is_empty());
        if ![":method", ":path", ":authority"].into_iter().all(named) || call.milliseconds == 0 {
            return Err(Status::BadArgument);
        }
        let status = match upstream {
            Upstream::Answers(status) => status,
            Upstream::Refuses => 503,
            Upstream::IsSilent => 504,
            Upstream::IsEmpty => return Err(Status::InternalFailure),
        };
        self.call = Some((call, status));
        Ok(CALL)
    }

    /// A property, by its path's parts joined by NUL.
    pub fn property(&self, path: &str) -> Result<Vec<u8>, Status> {
        self.properties.get(path).cloned().ok_or(Status::NotFound)
    }

    /// Writes filter state.
    pub fn set_property(&mut self, path: &str, value: &[u8]) {
        self.state.insert(format!("wasm.{path}"), String::from_utf8_lossy(value).into_owned());
    }
}
