//! Contexts of one worker: plugins and streams, by context id.
//!
//! During a callback, a host call may cause the host to end a stream, including the current one, and to report that at
//! once (`proxy_on_log`, `proxy_on_delete`). The table is therefore never borrowed while a callback runs.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use crate::host;
use crate::pairs::Pair;

/// Result of a callback, by its ABI number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Action {
    /// Continue with the stream.
    Continue = 0,
    /// Pause the stream.
    Pause = 1,
}

/// A plugin on one worker. Its callbacks take `&self`: streams share it, and the host may end one during a callback.
pub trait Root {
    /// Reads the configuration ([`host::configuration`]). `false` rejects it, also in `envoy --mode validate`.
    fn on_configure(&self) -> bool;
    /// Runs once per period of [`host::tick_every`].
    fn on_tick(&self);
    /// Creates the context of a new stream.
    fn create_http(&self, id: u32) -> Box<dyn Http>;
}

/// A stream: a request and its response. Dropped when the host deletes its context.
pub trait Http {
    /// Handles the request headers. `end_of_stream`: neither body nor trailers follow.
    fn on_request_headers(&mut self, end_of_stream: bool) -> Action;
    /// Handles a chunk of the request body. The host's buffer holds `size` bytes.
    fn on_request_body(&mut self, size: usize, end_of_stream: bool) -> Action;
    /// Handles the request trailers. No chunk before them had `end_of_stream` set.
    fn on_request_trailers(&mut self) -> Action;
    /// Handles the response to [`dispatch_http_call`]: its headers, empty if the call failed. This stream's context is
    /// the effective one.
    fn on_http_call_response(&mut self, headers: &[Pair<'_>]);
    /// Handles the response headers.
    fn on_response_headers(&mut self, end_of_stream: bool) -> Action;
    /// Handles a chunk of the response body. The host's buffer holds `size` bytes.
    fn on_response_body(&mut self, size: usize, end_of_stream: bool) -> Action;
    /// Handles the response trailers.
    fn on_response_trailers(&mut self) -> Action;
    /// Runs at the end of the stream, whether complete or reset.
    fn on_log(&mut self);
}

/// Creates the root of the plugin with this context id.
pub type Factory = fn(u32) -> Rc<dyn Root>;

thread_local! {
    static FACTORY: Cell<Option<Factory>> = const { Cell::new(None) };
    static CONTEXTS: RefCell<Contexts> = RefCell::default();
}

/// Map by context id or call token. The host assigns them in sequence, so the hash need not resist collision attacks.
type ByNumber<T> = HashMap<u32, T, BuildHasherDefault<Spread>>;

/// Set of context ids.
pub type Numbers = HashSet<u32, BuildHasherDefault<Spread>>;

/// Hasher for such ids.
#[derive(Debug, Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32((*byte).into()));
    }

    fn write_u32(&mut self, number: u32) {
        // Fibonacci hashing: 2^64 divided by the golden ratio.
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[derive(Default)]
struct Contexts {
    roots: ByNumber<Rc<dyn Root>>,
    streams: ByNumber<Stream>,
    /// Stream that waits for a call's response, by the call's token.
    calls: ByNumber<u32>,
    /// Token of the call that a stream waits for. A stream has at most one, so it is found without a search when the
    /// stream ends.
    tokens: ByNumber<u32>,
}

/// Table entry of a stream.
enum Stream {
    /// Idle: none of its callbacks is running.
    Here(Box<dyn Http>),
    /// A callback is running; the flags record the host's reports in the meantime.
    Running { logged: bool, deleted: bool },
}

/// Sets the factory for the roots of this worker.
pub(crate) fn set_factory(factory: Factory) {
    FACTORY.set(Some(factory));
}

/// Creates a context: a plugin's root (parent 0), or a stream of the plugin `parent`.
pub(crate) fn create(id: u32, parent: u32) {
    if parent == 0 {
        let root = FACTORY.get().map(|factory| factory(id));
        let before = CONTEXTS.with_borrow_mut(|contexts| root.and_then(|root| contexts.roots.insert(id, root)));
        drop(before);
    } else if let Some(root) = root(parent) {
        let stream = Stream::Here(root.create_http(id));
        let before = CONTEXTS.with_borrow_mut(|contexts| contexts.streams.insert(id, stream));
        // The drop may access the table, so the table must not be borrowed.
        drop(before);
    }
}

/// Root of the plugin with this context id.
pub(crate) fn root(id: u32) -> Option<Rc<dyn Root>> {
    CONTEXTS.with_borrow(|contexts| contexts.roots.get(&id).cloned())
}

/// Runs a callback of a stream. `None` if the stream does not exist or one of its callbacks is running.
pub(crate) fn with_stream<T>(id: u32, callback: impl FnOnce(&mut dyn Http) -> T) -> Option<T> {
    let running = Stream::Running { logged: false, deleted: false };
    let before = CONTEXTS.with_borrow_mut(|contexts| match contexts.streams.get_mut(&id) {
        Some(stream @ Stream::Here(_)) => Some(std::mem::replace(stream, running)),
        _ => None,
    });
    let Some(Stream::Here(mut stream)) = before else { return None };
    let result = callback(stream.as_mut());
    if take_logged(id) {
        stream.on_log();
    }
    let dropped = CONTEXTS.with_borrow_mut(|contexts| match contexts.streams.get_mut(&id) {
        Some(place @ Stream::Running { deleted: false, .. }) => {
            *place = Stream::Here(stream);
            None
        }
        _ => {
            contexts.streams.remove(&id);
            Some(stream)
        }
    });
    drop(dropped);
    Some(result)
}

/// Whether the stream's end was reported during its callback. Clears the flag.
fn take_logged(id: u32) -> bool {
    CONTEXTS.with_borrow_mut(|contexts| match contexts.streams.get_mut(&id) {
        Some(Stream::Running { logged, .. }) => std::mem::take(logged),
        _ => false,
    })
}

/// Sends a request without a body to a cluster. The response is passed to `stream` ([`Http::on_http_call_response`]).
/// `timeout` is in milliseconds. `false` if the host rejects the call.
#[must_use]
pub fn dispatch_http_call<'a>(
    stream: u32,
    cluster: &str,
    headers: impl Iterator<Item = Pair<'a>> + Clone,
    timeout: u32,
) -> bool {
    let Some(token) = host::http_call(cluster, headers, timeout) else { return false };
    CONTEXTS.with_borrow_mut(|contexts| {
        contexts.calls.insert(token, stream);
        contexts.tokens.insert(stream, token);
    });
    true
}

/// Passes the response with `count` headers to the stream that waits for `token`, if it still exists.
pub(crate) fn on_http_call_response(token: u32, count: usize) {
    // The headers belong to the root context, which is effective until the stream's is set.
    let buffer = if count == 0 { Vec::new() } else { host::header_buffer(host::Map::Call) };
    let headers = host::headers(&buffer);
    let stream = CONTEXTS.with_borrow_mut(|contexts| {
        let stream = contexts.calls.remove(&token)?;
        contexts.tokens.remove(&stream);
        Some(stream)
    });
    if let Some(id) = stream.filter(|id| host::set_effective_context(*id)) {
        let _ = with_stream(id, |http| http.on_http_call_response(&headers));
    }
}

/// Whether a stream exists and has not been deleted.
pub fn is_alive(id: u32) -> bool {
    let over = |stream: &Stream| matches!(stream, Stream::Running { deleted: true, .. });
    CONTEXTS.with_borrow(|contexts| contexts.streams.get(&id).is_some_and(|stream| !over(stream)))
}

/// Handles the end of a stream; deferred if one of its callbacks is running.
pub(crate) fn log(id: u32) {
    let later = CONTEXTS.with_borrow_mut(|contexts| match contexts.streams.get_mut(&id) {
        Some(Stream::Running { logged, .. }) => {
            *logged = true;
            true
        }
        _ => false,
    });
    if !later {
        let _ = with_stream(id, |http| http.on_log());
    }
}

/// Deletes a context; deferred if one of its callbacks is running.
pub(crate) fn delete(id: u32) {
    let gone = CONTEXTS.with_borrow_mut(|contexts| {
        if let Some(token) = contexts.tokens.remove(&id) {
            contexts.calls.remove(&token);
        }
        if let Some(Stream::Running { deleted, .. }) = contexts.streams.get_mut(&id) {
            *deleted = true;
            return (None, None);
        }
        (contexts.streams.remove(&id), contexts.roots.remove(&id))
    });
    // The drop may access the table, so the table must not be borrowed.
    drop(gone);
}

#[cfg(test)]
mod tests;
