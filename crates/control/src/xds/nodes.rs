//! The nodes of this server: what each has refused, and how many streams it has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::refusals::Refusals;
use crate::network::Network;

/// Nodes of one network that have streams to one server at most.
pub const CONNECTED: usize = 10_000;

/// Nodes that are remembered. Beyond it, all later ones are treated as if they had refused what a forgotten one has.
const REMEMBERED: usize = 10_000;

/// A node's name: its network, and `node.id`.
type Key = (Network, Arc<str>);

/// All nodes that have a stream, or have refused something.
#[derive(Debug)]
pub struct Nodes {
    known: Mutex<Known>,
    /// Nodes of one network that may have streams.
    most: usize,
}

#[derive(Debug, Default)]
struct Known {
    nodes: HashMap<Key, Arc<Node>>,
    /// Nodes that have streams, of staging and production.
    connected: [usize; 2],
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

impl Known {
    /// The number of nodes of a network that have streams.
    fn connected(&mut self, network: Network) -> &mut usize {
        let [staging, production] = &mut self.connected;
        match network {
            Network::Staging => staging,
            Network::Production => production,
        }
    }
}

impl Nodes {
    /// None. At most `most` of one network may have streams.
    pub fn new(most: usize) -> Self {
        Self { known: Mutex::default(), most }
    }

    /// The nodes of one network that may have streams.
    pub const fn most(&self) -> usize {
        self.most
    }

    /// Registers a stream; `None` if too many other nodes of the network have one. Names are claims, and those of one
    /// network never take the places of the other's.
    pub fn open(&self, network: Network, node: &Arc<str>) -> Option<Stream<'_>> {
        let key = (network, Arc::clone(node));
        let mut known = held(&self.known);
        let is_connected = known.nodes.get(&key).is_some_and(|node| held(&node.state).streams > 0);
        if !is_connected {
            let connected = known.connected(network);
            if *connected >= self.most {
                return None;
            }
            *connected += 1;
        }
        let floor = known.floor;
        let node = Arc::clone(known.nodes.entry(key.clone()).or_insert_with(|| {
            let state = State { streams: 0, refusals: Refusals::with_floor(floor) };
            Arc::new(Node { state: Mutex::new(state) })
        }));
        held(&node.state).streams += 1;
        drop(known);
        Some(Stream { nodes: self, key, node })
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
        if last {
            let connected = known.connected(self.key.0);
            *connected = connected.saturating_sub(1);
        }
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
        let nodes = Nodes::new(CONNECTED);
        let refuse = |stream: &Stream<'_>| {
            stream.with(|refusals| refusals.refuse(&"1".into(), 0, Duration::ZERO, Backoff::default()));
        };
        let spaces = |name: &str| {
            let stream = nodes.open(Network::Staging, &name.into()).unwrap();
            let spaces = stream.with(|refusals| refusals.spaces("1"));
            assert!(stream.end());
            spaces
        };
        let first = nodes.open(Network::Staging, &"edge".into()).unwrap();
        let second = nodes.open(Network::Staging, &"edge".into()).unwrap();
        refuse(&first);
        assert!(!first.end());
        assert!(second.end());
        assert_eq!((spaces("edge"), spaces("other")), (1, 0));
        assert_eq!(held(&nodes.known).nodes.len(), 1);
        for number in 0..=REMEMBERED {
            let stream = nodes.open(Network::Staging, &number.to_string().into()).unwrap();
            refuse(&stream);
            stream.end();
        }
        assert_eq!(held(&nodes.known).nodes.len(), REMEMBERED);
        assert_eq!((spaces("edge"), spaces("other"), spaces(&REMEMBERED.to_string())), (1, 1, 1));
    }

    #[test]
    fn invented_names_take_the_places_of_no_connected_node_and_of_no_other_network() {
        let nodes = Nodes::new(3);
        let open = |network: Network, name: &str| nodes.open(network, &name.into());
        let mut streams: Vec<_> = ["edge", "edge", "a", "b"].map(|name| open(Network::Staging, name)).into();
        assert!(streams.iter().all(Option::is_some));
        assert!((0..100).all(|number| open(Network::Staging, &number.to_string()).is_none()));
        // Those that are connected may have more streams, and the other network has its own places.
        streams.push(open(Network::Staging, "edge"));
        streams.push(open(Network::Production, "0"));
        assert!(streams.iter().all(Option::is_some));
        assert_eq!(held(&nodes.known).nodes.len(), 4);
        for stream in streams.drain(..2).flatten() {
            stream.end();
        }
        assert!(open(Network::Staging, "0").is_none());
        for stream in streams.drain(..).flatten() {
            stream.end();
        }
        assert!(held(&nodes.known).nodes.is_empty());
        assert_eq!(held(&nodes.known).connected, [0, 0]);
        assert!(open(Network::Staging, "0").is_some());
    }
}
