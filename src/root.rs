//! The root context: configuration into policies, and an HTTP context for each request.

use std::rc::Rc;

use log::{error, warn};
use playlock_core::config::Policies;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use crate::host;
use crate::http::Http;
use crate::metrics::Metrics;

/// The plugin's root.
#[derive(Debug, Default)]
pub struct Root {
    policies: Option<Rc<Policies>>,
    metrics: Rc<Metrics>,
}

impl Context for Root {}

impl RootContext for Root {
    /// `false` makes Envoy refuse the configuration, also in `envoy --mode validate`.
    fn on_configure(&mut self, _size: usize) -> bool {
        let environment = host::environment();
        let env = |name: &str| environment.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
        match Policies::parse(&host::configuration(), &env) {
            Ok((policies, warnings)) => {
                for warning in warnings {
                    warn!("{warning}");
                }
                self.policies = Some(Rc::new(policies));
                self.metrics = Rc::new(Metrics::define());
                true
            }
            Err(error) => {
                error!("configuration refused: {error}");
                false
            }
        }
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Http::new(self.policies.clone(), Rc::clone(&self.metrics))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
