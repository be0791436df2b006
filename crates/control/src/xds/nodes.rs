//! The nodes of this server: what each has refused, and how many streams it has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::refusals::Refusals;
use crate::network::Network;

/// Nodes without a stream whose refusals are remembered.
const REMEMBERED: usize = 10_000;

/// A node's name: its network, and `node.id`.
type Key = (Network, Arc<str>);

/// All nodes that have a stream, or have refused something.
#[derive(Debug, Default)]
pub struct Nodes {
    nodes: Mutex<HashMap<Key, Arc<Node>>>,
}

/// One node.
#[derive(Debug, Default)]
struct Node {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    streams: usize,
    refusals: Refusals,
}

/// One stream of a node. Dropped when it ends.
#[derive(Debug)]
pub struct Stream<'a> {
    nodes: &'a Nodes,
    key: Key,
    node: Arc<Node>,
}

impl Nodes {
    /// Registers a stream.
    pub fn open(&self, network: Network, node: &Arc<str>) -> Stream<'_> {
        let key = (network, Arc::clone(node));
        let node = Arc::clone(held(&self.nodes).entry(key.clone()).or_default());
        held(&node.state).streams += 1;
        Stream { nodes: self, key, node }
    }
}

impl Stream<'_> {
    /// Lends the node's refusals.
    pub fn with<T>(&self, f: impl FnOnce(&mut Refusals) -> T) -> T {
        f(&mut held(&self.node.state).refusals)
    }

    /// Ends the stream. Returns whether the node has no other one.
    pub fn end(self) -> bool {
        let mut nodes = held(&self.nodes.nodes);
        let mut state = held(&self.node.state);
        state.streams = state.streams.saturating_sub(1);
        let last = state.streams == 0;
        if last && (state.refusals.is_empty() || nodes.len() > REMEMBERED) {
            nodes.remove(&self.key);
        }
        last
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
