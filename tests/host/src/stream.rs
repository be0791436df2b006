//! One stream from the filter's perspective: the host calls, and the conditions under which Envoy refuses them.

use std::collections::BTreeMap;

use crate::message::{Ending, Header, HttpCall, Request, Upstream, header};

/// The id of a filter's own request.
pub(crate) const CALL: u32 = 1;

/// The result of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Continue.
    Continue,
    /// Pause.
    Pause,
}

/// The status of a rejected host call, with its number in the ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The value does not exist.
    NotFound = 1,
    /// Not allowed now, such as a late change of headers.
    BadArgument = 2,
    /// Not possible.
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

/// The callback that is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Request,
    RequestBody,
    Head,
    Body,
    Trailers,
    Log,
}

/// A local reply of the filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalReply {
    /// Status code.
    pub status: u16,
    /// Headers in order, including duplicates.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Vec<u8>,
}

/// One stream during its callbacks.
#[derive(Debug)]
pub struct Stream {
    pub(crate) phase: Phase,
    /// The request does not end with its headers.
    pub(crate) has_body: bool,
    /// The chunks of the request's body, and their end.
    pub(crate) request_body: (Vec<Vec<u8>>, Ending),
    pub(crate) request: Vec<Header>,
    pub(crate) response: Vec<Header>,
    pub(crate) trailers: Vec<Header>,
    /// The response headers have not been sent on.
    pub(crate) head_held: bool,
    /// The bytes that the body callback may read and replace.
    pub(crate) body: Vec<u8>,
    /// The last body callback paused: the body is in Envoy's buffer, also when trailers arrive.
    pub(crate) body_paused: bool,
    pub(crate) reply: Option<LocalReply>,
    pub(crate) reset: bool,
    pub(crate) resumed: bool,
    /// The filter's own request, and its result.
    pub(crate) call: Option<(HttpCall, u16)>,
    /// The headers of the response to it, during its callback.
    pub(crate) answer: Option<Vec<Header>>,
    clusters: BTreeMap<String, Upstream>,
    pub(crate) state: BTreeMap<String, String>,
    properties: BTreeMap<String, Vec<u8>>,
    rerouted_policy: Option<String>,
}

/// The property with the policy that the route names.
pub(crate) const ROUTE_POLICY: &str = "xds\0route_metadata\0filter_metadata\0playlock\0policy";

impl Stream {
    /// A stream whose request headers have just arrived.
    pub fn new(request: Request) -> Self {
        let text = |name: &str| header(&request.headers, name).unwrap_or_default().to_vec();
        let target = text(":path");
        let cut = target.iter().position(|byte| *byte == b'?');
        let path = target.get(..cut.unwrap_or(target.len())).unwrap_or_default().to_vec();
        let query = cut.and_then(|at| target.get(at + 1..)).unwrap_or_default().to_vec();
        // Names as in the ABI: the parts of a property's path, joined by NUL.
        let client = request.client.map(|client| ("source\0address", client.into_bytes()));
        let route = request.route_policy.map(|policy| (ROUTE_POLICY, policy.into_bytes()));
        let ja4 = request.ja4.map(|ja4| ("filter_state\0playlock.ja4", ja4.into_bytes()));
        let metadata = request.metadata.into_iter().map(|(names, text)| {
            let names = names.replace('.', "\0");
            (format!("metadata\0filter_metadata\0envoy.filters.http.jwt_authn\0{names}"), text.into_bytes())
        });
        let properties = [
            ("request\0id", text("x-request-id")),
            ("request\0path", target),
            ("request\0url_path", path),
            ("request\0query", query),
            ("request\0host", text(":authority")),
            ("request\0scheme", text(":scheme")),
            ("request\0method", text(":method")),
            ("request\0protocol", request.protocol.into_bytes()),
        ];
        Self {
            phase: Phase::Request,
            has_body: request.has_body,
            request_body: (request.body, request.ending),
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
            rerouted_policy: request.rerouted_policy,
            state: BTreeMap::new(),
            properties: properties
                .into_iter()
                .chain(client)
                .chain(route)
                .chain(ja4)
                .map(|(name, value)| (name.to_owned(), value))
                .chain(metadata)
                .collect(),
        }
    }

    /// A placeholder while the stream is inside a callback.
    #[cfg(feature = "wasm")]
    pub(crate) fn idle() -> Self {
        Self::new(Request {
            headers: Vec::new(),
            client: None,
            clusters: BTreeMap::new(),
            route_policy: None,
            rerouted_policy: None,
            ja4: None,
            protocol: String::new(),
            metadata: BTreeMap::new(),
            has_body: false,
            body: Vec::new(),
            ending: Ending::EmptyChunk,
        })
    }

    /// A map, while the filter may access it: not after it has been sent on, but again when the log is written.
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

    /// All headers of a map. A map that has been sent on is empty, without an error.
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

    /// Adds a header to those of the same name.
    pub fn add_header(&mut self, map: Map, name: &str, value: &[u8]) -> Result<(), Status> {
        self.map_mut(map)?.push((name.to_ascii_lowercase(), value.to_vec()));
        Ok(())
    }

    /// Replaces a map.
    pub fn set_headers(&mut self, map: Map, headers: Vec<Header>) -> Result<(), Status> {
        *self.map_mut(map)? = headers;
        Ok(())
    }

    /// The body, as visible to this callback.
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

    /// Whether the body that is visible is the request's.
    #[cfg(feature = "wasm")]
    pub(crate) fn reads_request(&self) -> bool {
        self.phase == Phase::RequestBody
    }

    /// In the trailers callback, only a paused body can be changed.
    fn has_body(&self) -> bool {
        match self.phase {
            Phase::RequestBody | Phase::Body => true,
            Phase::Trailers => self.body_paused,
            Phase::Request | Phase::Head | Phase::Log => false,
        }
    }

    /// Sends a local reply instead of the origin's response.
    pub fn send_local_reply(&mut self, reply: LocalReply) {
        // Envoy carries out the first one and ignores the rest.
        self.reply.get_or_insert(reply);
    }

    /// Resets the stream.
    pub fn reset(&mut self) {
        self.reset = true;
    }

    /// Resumes a paused stream.
    pub fn resume(&mut self) {
        self.resumed = true;
    }

    /// Sends a request to a cluster; its response arrives in another callback. One at a time.
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

    /// A property, by the parts of its path joined with NUL.
    pub fn property(&self, path: &str) -> Result<Vec<u8>, Status> {
        // Envoy chooses the route anew after the callback that changed the path.
        let rerouted = self.rerouted_policy.as_ref().filter(|_| path == ROUTE_POLICY && self.phase != Phase::Request);
        let rerouted = rerouted
            .filter(|_| header(&self.request, ":path") != self.properties.get("request\0path").map(Vec::as_slice));
        if let Some(policy) = rerouted {
            return Ok(policy.clone().into_bytes());
        }
        self.properties.get(path).cloned().ok_or(Status::NotFound)
    }

    /// Writes filter state.
    pub fn set_property(&mut self, path: &str, value: &[u8]) {
        self.state.insert(format!("wasm.{path}"), String::from_utf8_lossy(value).into_owned());
    }
}
