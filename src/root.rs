//! A plugin on one worker: compiles the configuration into policies, and creates a context for each request.

use std::cell::RefCell;
use std::rc::Rc;

use playlock_core::policy::Policies;
use playlock_proxy_wasm::{Http, Root, host};

use crate::http;
use crate::metrics::Metrics;
use crate::worker::Worker;

/// Root context of the plugin.
struct Plugin {
    id: u32,
    configured: RefCell<Configured>,
}

/// State of one configuration, shared by its streams.
#[derive(Debug, Clone, Default)]
struct Configured {
    policies: Option<Rc<Policies>>,
    metrics: Rc<Metrics>,
    worker: Rc<Worker>,
}

/// Creates the plugin for this context id, not yet configured.
pub fn create(id: u32) -> Rc<dyn Root> {
    Rc::new(Plugin { id, configured: RefCell::default() })
}

impl Root for Plugin {
    fn on_configure(&self) -> bool {
        let environment = host::environment();
        let env = |name: &str| environment.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
        let document = host::configuration();
        match playlock_config::parse(&document, &env) {
            Ok((policies, warnings)) => {
                announce(&start(&policies, &document));
                warnings.iter().for_each(|warning| host::warn(warning));
                let metrics = Rc::new(Metrics::define(&policies));
                let worker = Rc::new(Worker::new(self.id, Rc::clone(&metrics), policies.batching));
                self.configured.replace(Configured { policies: Some(Rc::new(policies)), metrics, worker });
                true
            }
            Err(error) => {
                host::error(&format!("configuration refused: {error}"));
                false
            }
        }
    }

    fn on_tick(&self) {
        // Not within the borrow: streams may resume here.
        let worker = Rc::clone(&self.configured.borrow().worker);
        worker.tick();
    }

    fn create_http(&self, id: u32) -> Box<dyn Http> {
        let Configured { policies, metrics, worker } = self.configured.borrow().clone();
        Box::new(http::Context::new(id, policies, metrics, worker))
    }
}

/// Logs a line once for all workers, unless it is the last line logged this way for a plugin of this name.
fn announce(text: &str) {
    let mut key = b"playlock.announced.".to_vec();
    key.extend(host::property(b"plugin_name").ok().flatten().unwrap_or_default());
    let version = match host::shared(&key) {
        Some((last, _)) if last == text.as_bytes() => return,
        Some((_, version)) => version,
        None => 0,
    };
    if host::set_shared(&key, text.as_bytes(), version) {
        host::info(text);
    }
}

/// Log line of a successful start: version and configuration.
fn start(policies: &Policies, document: &[u8]) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let many = |count, one, more| format!("{count} {}", if count == 1 { one } else { more });
    let counts =
        [many(policies.len(), "policy", "policies"), many(policies.assignments(), "assignment", "assignments")];
    let batching = if policies.batching { "on" } else { "off (not configured)" };
    let revision = policies.revision.map(|revision| format!(", revision {revision}")).unwrap_or_default();
    let fingerprint = policies.fingerprint(document).map(|it| format!(", configuration {it}")).unwrap_or_default();
    format!("playlock {version}: {}, batching {batching}{revision}{fingerprint}", counts.join(", "))
}
