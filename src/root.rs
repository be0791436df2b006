//! One plugin on one worker: configuration into policies, and a context for each request.

use std::rc::Rc;

use playlock_core::policy::Policies;

use crate::host;
use crate::http::Http;
use crate::metrics::Metrics;
use crate::worker::Worker;

/// The plugin's root.
#[derive(Debug)]
pub struct Root {
    id: u32,
    policies: Option<Rc<Policies>>,
    metrics: Rc<Metrics>,
    worker: Rc<Worker>,
}

impl Root {
    /// The plugin whose context has this number, not configured yet.
    pub fn new(id: u32) -> Self {
        Self { id, policies: None, metrics: Rc::default(), worker: Rc::default() }
    }

    /// Takes the configuration. `false` if it is refused.
    pub fn on_configure(&mut self) -> bool {
        let environment = host::environment();
        let env = |name: &str| environment.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
        let document = host::configuration();
        match playlock_core::config::parse(&document, &env) {
            Ok((policies, warnings)) => {
                host::announce(&start(&policies, &document));
                warnings.iter().for_each(|warning| host::warn(warning));
                self.metrics = Rc::new(Metrics::define(&policies));
                self.worker = Rc::new(Worker::new(self.id, Rc::clone(&self.metrics), policies.batching));
                self.policies = Some(Rc::new(policies));
                true
            }
            Err(error) => {
                host::error(&format!("configuration refused: {error}"));
                false
            }
        }
    }

    /// A new stream.
    pub fn stream(&self, id: u32) -> Http {
        Http::new(id, self.policies.clone(), Rc::clone(&self.metrics), Rc::clone(&self.worker))
    }

    /// What its streams share.
    pub fn worker(&self) -> Rc<Worker> {
        Rc::clone(&self.worker)
    }
}

/// The line of a good start: what runs with which configuration.
fn start(policies: &Policies, document: &[u8]) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let many = |count, one, more| format!("{count} {}", if count == 1 { one } else { more });
    let counts =
        [many(policies.len(), "policy", "policies"), many(policies.assignments(), "assignment", "assignments")];
    let batching = if policies.batching { "on" } else { "off (not configured)" };
    let revision = policies.revision(document).map(|revision| format!(", configuration {revision}"));
    format!("playlock {version}: {}, batching {batching}{}", counts.join(", "), revision.unwrap_or_default())
}
