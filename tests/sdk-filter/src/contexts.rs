//! Contexts of the SDK that wrap the filter's.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{self, ContextType, MapType};

use crate::pairs::Pair;

/// Set of context ids.
pub type Numbers = hashbrown::HashSet<u32>;

/// Result of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Continue with the stream.
    Continue,
    /// Pause the stream.
    Pause,
}

impl From<Action> for types::Action {
    fn from(action: Action) -> Self {
        match action {
            Action::Continue => Self::Continue,
            Action::Pause => Self::Pause,
        }
    }
}

/// A plugin on one worker.
pub trait Root {
    /// Reads the configuration; `false` rejects it.
    fn on_configure(&self) -> bool;
    /// Handles a tick.
    fn on_tick(&self);
    /// Creates the context of a new stream.
    fn create_http(&self, id: u32) -> Box<dyn Http>;
}

/// A stream.
pub trait Http {
    /// Handles the request headers.
    fn on_request_headers(&mut self, end_of_stream: bool) -> Action;
    /// Handles a chunk of the request body.
    fn on_request_body(&mut self, size: usize, end_of_stream: bool) -> Action;
    /// Handles the request trailers.
    fn on_request_trailers(&mut self) -> Action;
    /// Handles the response to an HTTP call.
    fn on_http_call_response(&mut self, headers: &[Pair<'_>]);
    /// Handles the response headers.
    fn on_response_headers(&mut self, end_of_stream: bool) -> Action;
    /// Handles a chunk of the response body.
    fn on_response_body(&mut self, size: usize, end_of_stream: bool) -> Action;
    /// Handles the response trailers.
    fn on_response_trailers(&mut self) -> Action;
    /// Runs at the end of the stream.
    fn on_log(&mut self);
}

thread_local! {
    static ALIVE: RefCell<Numbers> = RefCell::default();
}

/// Whether a stream exists.
pub fn is_alive(id: u32) -> bool {
    ALIVE.with_borrow(|alive| alive.contains(&id))
}

/// Sends a request without a body to a cluster. The SDK passes the response to the right context. Its header values are
/// strings: bytes that are not UTF-8 become replacement characters.
pub fn dispatch_http_call<'a>(
    _stream: u32,
    cluster: &str,
    headers: impl Iterator<Item = Pair<'a>> + Clone,
    timeout: u32,
) -> bool {
    let owned: Vec<_> = headers.map(|(name, value)| (name, String::from_utf8_lossy(value))).collect();
    let headers = owned.iter().map(|(name, value)| (*name, value.as_ref())).collect();
    hostcalls::dispatch_http_call(cluster, headers, None, Vec::new(), Duration::from_millis(timeout.into())).is_ok()
}

/// Root context of the SDK that wraps the filter's.
pub struct Plugin(Rc<dyn Root>);

impl Plugin {
    /// Wraps this root.
    pub fn new(root: Rc<dyn Root>) -> Self {
        Self(root)
    }
}

impl Context for Plugin {}

impl RootContext for Plugin {
    fn on_configure(&mut self, _size: usize) -> bool {
        self.0.on_configure()
    }

    fn on_tick(&mut self) {
        self.0.on_tick();
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        ALIVE.with_borrow_mut(|alive| alive.insert(id));
        Some(Box::new(Stream { id, http: self.0.create_http(id) }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// HTTP context of the SDK that wraps the filter's.
struct Stream {
    id: u32,
    http: Box<dyn Http>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        ALIVE.with_borrow_mut(|alive| alive.remove(&self.id));
    }
}

impl Context for Stream {
    fn on_http_call_response(&mut self, _token: u32, count: usize, _body: usize, _trailers: usize) {
        let headers = if count == 0 { Vec::new() } else { answer() };
        let pairs: Vec<Pair<'_>> = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        self.http.on_http_call_response(&pairs);
    }
}

fn answer() -> Vec<(String, Vec<u8>)> {
    hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).unwrap_or_default()
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> types::Action {
        self.http.on_request_headers(end_of_stream).into()
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> types::Action {
        self.http.on_request_body(size, end_of_stream).into()
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> types::Action {
        self.http.on_request_trailers().into()
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> types::Action {
        self.http.on_response_headers(end_of_stream).into()
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> types::Action {
        self.http.on_response_body(size, end_of_stream).into()
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> types::Action {
        self.http.on_response_trailers().into()
    }

    fn on_log(&mut self) {
        self.http.on_log();
    }
}
