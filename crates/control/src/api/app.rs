//! The state that requests share.

use std::ops::Deref;
use std::sync::Arc;

use playlock_edgegrid::Window;
use playlock_leases::Store;
use tokio::sync::Semaphore;

use super::counters::Counters;
use super::limits::Limits;
use super::memory::Documents;
use super::places::MarketAreas;
use crate::control::Control;
use crate::options::Why;

/// Bodies that are read at a time: 256 MiB of memory.
const BODIES: usize = 64;

/// The state that requests share.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// See [`App`].
pub struct Shared {
    /// The operations.
    pub control: Control,
    /// The time window of EdgeGrid signatures.
    pub window: Window,
    /// Explains a request.
    pub why: Option<Why>,
    /// The operator's Designated Market Areas.
    pub dmas: MarketAreas,
    /// The leases, if this server keeps them.
    pub leases: Option<Store>,
    /// Counters for metrics.
    pub counters: Arc<Counters>,
    /// Failed authentications.
    pub limits: Limits,
    /// Permits to read a body.
    pub bodies: Semaphore,
    /// Permits to parse one.
    pub documents: Documents,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// The state of a server.
    pub fn new(
        control: Control,
        window: Window,
        failures: u32,
        dmas: MarketAreas,
        why: Option<Why>,
        leases: Option<Store>,
    ) -> Self {
        Self(Arc::new(Shared {
            control,
            window,
            why,
            dmas,
            leases,
            counters: Arc::default(),
            limits: Limits::new(failures),
            bodies: Semaphore::new(BODIES),
            documents: Documents::default(),
        }))
    }
}
