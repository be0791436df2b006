//! The SDK's contexts around the filter's.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{self, ContextType, MapType};

use crate::pairs::Pair;

/// A set of contexts' numbers.
pub type Numbers = hashbrown::HashSet<u32>;

/// The result of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Go on.
    Continue,
    /// Stop here.
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

/// One plugin on one worker.
pub trait Root {
    /// The configuration has come.
    fn on_configure(&self) -> bool;
    /// A tick has come.
    fn on_tick(&self);
    /// A new stream.
    fn create_http(&self, id: u32) -> Box<dyn Http>;
}

/// One stream.
pub trait Http {
    /// The request's headers have come.
    fn on_request_headers(&mut self, end_of_stream: bool) -> Action;
    /// The answer to a call has come.
    fn on_http_call_response(&mut self, headers: &[Pair<'_>]);
    /// The response's headers have come.
    fn on_response_headers(&mut self, end_of_stream: bool) -> Action;
    /// More of the response's body has come.
    fn on_response_body(&mut self, size: usize, end_of_stream: bool) -> Action;
    /// The response's trailers have come.
    fn on_response_trailers(&mut self) -> Action;
    /// The stream is over.
    fn on_log(&mut self);
}

thread_local! {
    static ALIVE: RefCell<Numbers> = RefCell::default();
}

/// Whether a stream is still there.
pub fn is_alive(id: u32) -> bool {
    ALIVE.with_borrow(|alive| alive.contains(&id))
}

/// Sends a request without a body to a cluster. The SDK knows which context waits for the answer. Its header values are
/// text: what is not UTF-8 goes out with replacement characters.
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

/// The SDK's root around the filter's.
pub struct Plugin(Rc<dyn Root>);

impl Plugin {
    /// Around this root.
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

/// The SDK's context around the filter's.
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
