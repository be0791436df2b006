//! Several configurations in one VM, as when Envoy updates a filter: a root context for each, ticks and gauges.

use super::{Context, Vm};
use crate::envoy::{Envoy, Trap};
use crate::message::{Request, Response, Seen};

impl Vm {
    /// Configures another root context with this document. Returns its id, or `None` if the filter refuses it.
    pub fn configure_another(&mut self, config: &str) -> Option<u32> {
        self.contexts += 1;
        let root = self.contexts;
        self.store.data_mut().config = config.to_owned().into_bytes();
        self.store.data_mut().effective = root;
        let size = config.len() as u32;
        let configured = self.call::<(u32, u32), ()>("proxy_on_context_create", (root, 0));
        let configured = configured.and_then(|()| self.call::<(u32, u32), u32>("proxy_on_configure", (root, size)));
        matches!(configured, Ok(accepted) if accepted != 0).then_some(root)
    }

    /// The tick period of a root context in milliseconds; 0 if it has no ticks.
    pub fn tick_period(&self, root: u32) -> u32 {
        self.store.data().ticks.get(&root).copied().unwrap_or_default()
    }

    /// Ticks.
    ///
    /// # Errors
    /// The callback traps.
    pub fn tick(&mut self, root: u32) -> Result<(), String> {
        self.store.data_mut().effective = root;
        self.call::<u32, ()>("proxy_on_tick", root).map_err(|Trap(why)| why)
    }

    /// A request under the configuration of a root context.
    pub fn exchange_under(&mut self, root: u32, request: Request, origin: Response) -> Seen {
        self.contexts += 1;
        let id = self.contexts;
        Envoy::new(false).exchange(&mut Context { vm: self, id, root }, request, &mut |_| origin.clone())
    }

    /// The value of a metric, if the filter has defined it.
    pub fn metric(&self, name: &str) -> Option<u64> {
        self.store.data().metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value)
    }
}
