//! The contexts of one worker: plugins by their roots' numbers, streams by theirs.
//!
//! While a callback runs, a call of its own into the host may make the host end a stream, its own or another, and report
//! that at once (`proxy_on_log`, `proxy_on_delete`). So nothing of this table is borrowed while a callback runs.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use crate::host;
use crate::pairs::Pair;

/// The result of a callback, by its number in the ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Action {
    /// Go on.
    Continue = 0,
    /// Stop here.
    Pause = 1,
}

/// One plugin on one worker. Its callbacks take `&self`: the host may end streams, which know it, while one runs.
pub trait Root {
    /// The configuration has come ([`host::configuration`]). `false` refuses it, also in `envoy --mode validate`.
    fn on_configure(&self) -> bool;
    /// The period of [`host::tick_every`] has passed.
    fn on_tick(&self);
    /// A new stream.
    fn create_http(&self, id: u32) -> Box<dyn Http>;
}

/// One stream: a request and its response. It is dropped when the host deletes it.
pub trait Http {
    /// The request's headers have come; `end_of_stream`: and nothing follows them.
    fn on_request_headers(&mut self, end_of_stream: bool) -> Action;
    /// The answer to [`dispatch_http_call`] has come: its headers, none if the call failed. This stream's context is in
    /// effect.
    fn on_http_call_response(&mut self, headers: &[Pair<'_>]);
    /// The response's headers have come.
    fn on_response_headers(&mut self, end_of_stream: bool) -> Action;
    /// More of the response's body has come; `size` bytes of it are in the host's buffer.
    fn on_response_body(&mut self, size: usize, end_of_stream: bool) -> Action;
    /// The response's trailers have come.
    fn on_response_trailers(&mut self) -> Action;
    /// The stream is over, however it ended.
    fn on_log(&mut self);
}

/// Makes a plugin's root from its number.
pub type Factory = fn(u32) -> Rc<dyn Root>;

thread_local! {
    static FACTORY: Cell<Option<Factory>> = const { Cell::new(None) };
    static CONTEXTS: RefCell<Contexts> = RefCell::default();
}

/// By numbers that the host counts up: no one can choose them, so they need no more than to be spread.
type ByNumber<T> = HashMap<u32, T, BuildHasherDefault<Spread>>;

/// A set of such numbers.
pub type Numbers = HashSet<u32, BuildHasherDefault<Spread>>;

/// Their hash.
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
    /// Which stream waits for the answer under a token.
    calls: ByNumber<u32>,
    /// Under which token a stream waits: a stream has one call at most, so that none has to be looked for when it ends.
    tokens: ByNumber<u32>,
}

/// A stream's place in the table.
enum Stream {
    /// None of its callbacks is running.
    Here(Box<dyn Http>),
    /// One of its callbacks is running, and what the host has reported meanwhile.
    Running { logged: bool, deleted: bool },
}

/// Makes the roots of this worker from now on.
pub(crate) fn set_factory(factory: Factory) {
    FACTORY.set(Some(factory));
}

/// The host has made a context: a plugin's root (no parent), or a stream of the plugin `parent`.
pub(crate) fn create(id: u32, parent: u32) {
    if parent == 0 {
        let root = FACTORY.get().map(|factory| factory(id));
        let before = CONTEXTS.with_borrow_mut(|contexts| root.and_then(|root| contexts.roots.insert(id, root)));
        drop(before);
    } else if let Some(root) = root(parent) {
        let stream = Stream::Here(root.create_http(id));
        let before = CONTEXTS.with_borrow_mut(|contexts| contexts.streams.insert(id, stream));
        // A context, when it is dropped, must find the table free.
        drop(before);
    }
}

/// The plugin of this number.
pub(crate) fn root(id: u32) -> Option<Rc<dyn Root>> {
    CONTEXTS.with_borrow(|contexts| contexts.roots.get(&id).cloned())
}

/// Runs a callback of a stream. `None` if there is none of this number, or if one of its callbacks is running.
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

/// Whether the stream's end was reported while its callback ran; only once.
fn take_logged(id: u32) -> bool {
    CONTEXTS.with_borrow_mut(|contexts| match contexts.streams.get_mut(&id) {
        Some(Stream::Running { logged, .. }) => std::mem::take(logged),
        _ => false,
    })
}

/// Sends a request without a body to a cluster, and expects its answer for `stream`
/// ([`Http::on_http_call_response`]). The timeout is in milliseconds. `false` if the host did not take it.
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

/// The answer under `token` has come, with so many headers: the stream's that waits for it, if it still does.
pub(crate) fn on_http_call_response(token: u32, count: usize) {
    // They are the root's, whose context is in effect until the stream's is.
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

/// Whether a stream is still there.
pub fn is_alive(id: u32) -> bool {
    let over = |stream: &Stream| matches!(stream, Stream::Running { deleted: true, .. });
    CONTEXTS.with_borrow(|contexts| contexts.streams.get(&id).is_some_and(|stream| !over(stream)))
}

/// A stream is over. If one of its callbacks is running, that is carried out after it.
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

/// The host drops a context. If one of its callbacks is running, that is carried out after it.
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
    // A context, when it is dropped, must find the table free.
    drop(gone);
}

#[cfg(test)]
mod tests;
