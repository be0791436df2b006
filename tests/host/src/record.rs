//! The requests of all cases with their dependencies, for other tests that judge requests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::case::Case;
use crate::driver::Driver;
use crate::envoy::Envoy;
use crate::message::{Header, Request, Response, Seen};
use crate::node::{Node, Setup};
use crate::scenario::run_on;
use crate::way::Way;

/// One request of a case, as a node received it.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The inputs of the node; `now` is the time of the request.
    pub setup: Setup,
    /// The request.
    pub request: Request,
    /// The result.
    pub seen: Seen,
}

/// Every request of a case, run through the core.
///
/// # Errors
/// As [`crate::scenario::once`].
pub fn requests(case: &Case) -> Result<Vec<Sent>, String> {
    let way = Way { driver: Driver::Native, hold: case.held, chunk: 0, empty_end: false };
    let sent = Rc::new(RefCell::new(Vec::new()));
    run_on(case, way, &|node, setup| Box::new(Recorder { node, setup, sent: Rc::clone(&sent) }))?;
    Ok(sent.take())
}

struct Recorder {
    node: Box<dyn Node>,
    setup: Setup,
    sent: Rc<RefCell<Vec<Sent>>>,
}

impl Node for Recorder {
    fn set_now(&mut self, seconds: u64) {
        self.setup.now = seconds;
        self.node.set_now(seconds);
    }

    fn exchange(&mut self, envoy: &Envoy, request: Request, origin: &mut dyn FnMut(&[Header]) -> Response) -> Seen {
        let seen = self.node.exchange(envoy, request.clone(), origin);
        self.sent.borrow_mut().push(Sent { setup: self.setup.clone(), request, seen: seen.clone() });
        seen
    }

    fn counters(&self) -> BTreeMap<String, u64> {
        self.node.counters()
    }

    fn log(&self) -> Vec<String> {
        self.node.log()
    }
}
