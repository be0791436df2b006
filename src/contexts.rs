//! The contexts of one worker: plugins by their roots' numbers, streams by theirs.
//!
//! While a callback runs, a call of its own into the host may make the host end a stream, its own or another, and say
//! so at once (`proxy_on_log`, `proxy_on_delete`). So nothing of this table is borrowed while a callback runs.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use crate::http::Http;
use crate::root::Root;

thread_local! {
    static CONTEXTS: RefCell<Contexts> = RefCell::default();
}

/// By numbers that the host counts up: no one can choose them, so they need no more than to be spread.
type ByNumber<T> = HashMap<u32, T, BuildHasherDefault<Spread>>;

/// A set of such numbers.
pub type Numbers = HashSet<u32, BuildHasherDefault<Spread>>;

/// Their hash.
#[derive(Default)]
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
    roots: ByNumber<Rc<RefCell<Root>>>,
    streams: ByNumber<Stream>,
    /// Which stream waits for the answer under a token.
    calls: ByNumber<u32>,
    /// Under which token a stream waits: a stream has one call at most, so that none has to be looked for when it ends.
    tokens: ByNumber<u32>,
}

/// A stream's place in the table.
enum Stream {
    /// None of its callbacks is running.
    Here(Box<Http>),
    /// One of its callbacks is running, and what the host has said meanwhile.
    Running { logged: bool, deleted: bool },
}

/// The host has made a context: a plugin's root (no parent), or a stream of the plugin `parent`.
pub fn create(id: u32, parent: u32) {
    if parent == 0 {
        let root = Rc::new(RefCell::new(Root::new(id)));
        CONTEXTS.with_borrow_mut(|contexts| contexts.roots.insert(id, root));
    } else if let Some(stream) = with_root(parent, |root| root.stream(id)) {
        CONTEXTS.with_borrow_mut(|contexts| contexts.streams.insert(id, Stream::Here(Box::new(stream))));
    }
}

/// Runs a callback of a plugin. `None` if there is none of this number.
pub fn with_root<T>(id: u32, callback: impl FnOnce(&mut Root) -> T) -> Option<T> {
    let root = CONTEXTS.with_borrow(|contexts| contexts.roots.get(&id).cloned())?;
    // The host calls no root back while it runs: roots only hear of configurations and ticks.
    root.try_borrow_mut().ok().map(|mut root| callback(&mut root))
}

/// Runs a callback of a stream. `None` if there is none of this number.
pub fn with_stream<T>(id: u32, callback: impl FnOnce(&mut Http) -> T) -> Option<T> {
    let running = Stream::Running { logged: false, deleted: false };
    let before = CONTEXTS.with_borrow_mut(|contexts| match contexts.streams.get_mut(&id) {
        Some(stream @ Stream::Here(_)) => Some(std::mem::replace(stream, running)),
        _ => None,
    });
    let Some(Stream::Here(mut stream)) = before else { return None };
    let began = stream.begins();
    let result = callback(&mut stream);
    stream.ends(began);
    let meanwhile = CONTEXTS.with_borrow_mut(|contexts| contexts.streams.remove(&id));
    let (logged, deleted) = match meanwhile {
        Some(Stream::Running { logged, deleted }) => (logged, deleted),
        _ => (false, true),
    };
    if logged {
        stream.on_log();
    }
    if !deleted {
        CONTEXTS.with_borrow_mut(|contexts| contexts.streams.insert(id, Stream::Here(stream)));
    }
    Some(result)
}

/// `stream` waits for an answer.
pub fn expect_answer(token: u32, stream: u32) {
    CONTEXTS.with_borrow_mut(|contexts| {
        contexts.calls.insert(token, stream);
        contexts.tokens.insert(stream, token);
    });
}

/// The answer has come: the stream that waits for it, if it still does.
pub fn answered(token: u32) -> Option<u32> {
    CONTEXTS.with_borrow_mut(|contexts| {
        let stream = contexts.calls.remove(&token)?;
        contexts.tokens.remove(&stream);
        Some(stream)
    })
}

/// Whether a stream is still there.
pub fn is_alive(id: u32) -> bool {
    let over = |stream: &Stream| matches!(stream, Stream::Running { deleted: true, .. });
    CONTEXTS.with_borrow(|contexts| contexts.streams.get(&id).is_some_and(|stream| !over(stream)))
}

/// A stream is over. If one of its callbacks is running, that is carried out after it.
pub fn log(id: u32) {
    let later = CONTEXTS.with_borrow_mut(|contexts| match contexts.streams.get_mut(&id) {
        Some(Stream::Running { logged, .. }) => {
            *logged = true;
            true
        }
        _ => false,
    });
    if !later {
        let _ = with_stream(id, Http::on_log);
    }
}

/// The host drops a context. If one of its callbacks is running, that is carried out after it.
pub fn delete(id: u32) {
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
    // What is dropped here has a look at the worker's batch, and must find the table free.
    drop(gone);
}
