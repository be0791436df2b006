//! The nodes of this server: what each has refused, and how many streams it has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::refusals::Refusals;
use crate::network::Network;

/// Nodes that are remembered. Beyond it, all later ones are treated as if they had refused what a forgotten one has.
const REMEMBERED: usize = 10_000;

/// A node's name: its network, and `node.id`.
type Key = (Network, Arc<str>);

/// All nodes that have a stream, or have refused something.
#[derive(Debug, Default)]
pub struct Nodes {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    nodes: HashMap<Key, Arc<Node>>,
    /// No node that has been forgotten has refused a document with so many spaces.
    floor: u32,
}

/// One node.
#[derive(Debug)]
struct Node {
    state: Mutex<State>,
}

#[derive(Debug)]
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
        let mut known = held(&self.known);
        let floor = known.floor;
        let node = Arc::clone(known.nodes.entry(key.clone()).or_insert_with(|| {
            let state = State { streams: 0, refusals: Refusals::with_floor(floor) };
            Arc::new(Node { state: Mutex::new(state) })
        }));
        held(&node.state).streams += 1;
        drop(known);
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
        let mut known = held(&self.nodes.known);
        let mut state = held(&self.node.state);
        state.streams = state.streams.saturating_sub(1);
        let last = state.streams == 0;
        if last && (state.refusals.is_empty() || known.nodes.len() > REMEMBERED) {
            known.floor = known.floor.max(state.refusals.ceiling());
            known.nodes.remove(&self.key);
        }
        last
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::xds::refusals::Backoff;

    #[test]
    fn refusals_outlive_streams_and_even_forgotten_ones_have_an_effect() {
        let nodes = Nodes::default();
        let refuse = |stream: &Stream<'_>| {
            stream.with(|refusals| refusals.refuse(&"1".into(), 0, Duration::ZERO, Backoff::default()));
        };
        let spaces = |name: &str| {
            let stream = nodes.open(Network::Staging, &name.into());
            let spaces = stream.with(|refusals| refusals.spaces("1"));
            assert!(stream.end());
            spaces
        };
        let first = nodes.open(Network::Staging, &"edge".into());
        let second = nodes.open(Network::Staging, &"edge".into());
        refuse(&first);
        assert!(!first.end());
        assert!(second.end());
        assert_eq!((spaces("edge"), spaces("other")), (1, 0));
        assert_eq!(held(&nodes.known).nodes.len(), 1);
        for number in 0..=REMEMBERED {
            let stream = nodes.open(Network::Staging, &number.to_string().into());
            refuse(&stream);
            stream.end();
        }
        assert_eq!(held(&nodes.known).nodes.len(), REMEMBERED);
        assert_eq!((spaces("edge"), spaces("other"), spaces(&REMEMBERED.to_string())), (1, 1, 1));
    }
}
