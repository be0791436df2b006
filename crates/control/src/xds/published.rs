//! The policies of each network as resources, encoded once when they change.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::operations::Operations;
use super::resource::{Filter, Resource};
use crate::log::{self, Level};
use crate::network::Network;

/// A network's resource as it changes; `None` until the first.
pub type Current = watch::Receiver<Option<Arc<Resource>>>;

/// Time after which a document that could not be read is read again.
const PAUSE: Duration = Duration::from_secs(1);

/// The resources of both networks.
#[derive(Debug, Clone)]
pub struct Published {
    staging: Current,
    production: Current,
}

impl Published {
    /// The resources, and the future that keeps them up to date. It ends when the control plane's changes end.
    pub fn new<O: Operations>(control: O, filter: Filter, mark: Arc<str>) -> (Self, impl Future<Output = ()> + Send) {
        let (staging, of_staging) = watch::channel(None);
        let (production, of_production) = watch::channel(None);
        let keep = async move {
            let mut changes = control.changes();
            loop {
                let now = *changes.borrow_and_update();
                let networks =
                    [(Network::Staging, now.staging, &staging), (Network::Production, now.production, &production)];
                let mut complete = true;
                for (network, revision, to) in networks {
                    complete &= update(&control, network, revision, to, &filter, &mark).await;
                }
                let pause = async { if complete { std::future::pending().await } else { sleep(PAUSE).await } };
                tokio::select! {
                    changed = changes.changed() => if changed.is_err() { return },
                    () = pause => {}
                }
            }
        };
        (Self { staging: of_staging, production: of_production }, keep)
    }

    /// The resource of one network.
    pub fn of(&self, network: Network) -> Current {
        match network {
            Network::Staging => self.staging.clone(),
            Network::Production => self.production.clone(),
        }
    }
}

/// Publishes the network's document if another revision is published. Returns whether none needs to be read again.
async fn update<O: Operations>(
    control: &O,
    network: Network,
    revision: i64,
    to: &watch::Sender<Option<Arc<Resource>>>,
    filter: &Filter,
    mark: &Arc<str>,
) -> bool {
    if revision == 0 || to.borrow().as_ref().is_some_and(|resource| resource.revision() == revision) {
        return true;
    }
    match control.candidate(network).await {
        Ok(candidate) => {
            let resource = Resource::new(&candidate, filter, mark);
            to.send_if_modified(|old| {
                let new = old.as_ref().is_none_or(|old| old.version() != resource.version());
                if new {
                    *old = Some(Arc::new(resource));
                }
                new
            });
            true
        }
        Err(error) => {
            let (revision, error) = (revision.to_string(), error.to_string());
            let fields = [("network", network.name()), ("revision", &revision), ("error", &error)];
            log::write(Level::Error, "xds.document_unreadable", &fields);
            false
        }
    }
}
