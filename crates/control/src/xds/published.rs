//! The policies of each network as resources, encoded once when they change.

use std::sync::Arc;
use std::time::Duration;

use playlock_config::sealed::{KEY, PREVIOUS_KEY};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::operations::Operations;
use super::resource::{Filter, Resource};
use crate::control::Candidate;
use crate::documents::seal::Sealer;
use crate::log::{self, Level};
use crate::network::Network;

/// A network's resource as it changes; `None` until the first.
pub type Current = watch::Receiver<Option<Arc<Resource>>>;

/// The keys under which the networks' secrets are sealed. Without one, secrets are inline: protected by TLS on their way,
/// but shown by the Envoy's `/config_dump`.
#[derive(Default)]
pub struct Seal {
    /// Of staging.
    pub staging: Option<Arc<Sealer>>,
    /// Of production.
    pub production: Option<Arc<Sealer>>,
}

impl Seal {
    fn of(&self, network: Network) -> Option<Arc<Sealer>> {
        match network {
            Network::Staging => self.staging.clone(),
            Network::Production => self.production.clone(),
        }
    }
}

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
    pub fn new<O: Operations>(
        control: O,
        filter: Filter,
        seal: Seal,
        mark: Arc<str>,
    ) -> (Self, impl Future<Output = ()> + Send) {
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
                    complete &= update(&control, network, revision, to, &filter, seal.of(network), &mark).await;
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
    sealer: Option<Arc<Sealer>>,
    mark: &Arc<str>,
) -> bool {
    if revision == 0 || to.borrow().as_ref().is_some_and(|resource| resource.revision() == revision) {
        return true;
    }
    match control.candidate(network).await {
        Ok(candidate) => {
            // Sealing compiles the document.
            let job = spawn_blocking(move || sealed(candidate, sealer.as_deref()));
            let Some(candidate) = job.await.ok().flatten() else {
                // Envoys keep the revision that they have. Only another revision can change this.
                let fields = [("network", network.name()), ("revision", &revision.to_string())];
                log::write(Level::Error, "xds.document_not_sealed", &fields);
                return true;
            };
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

/// The document with sealed secrets, and the variable that opens them.
fn sealed(candidate: Candidate, sealer: Option<&Sealer>) -> Option<Candidate> {
    let Some(sealer) = sealer else { return Some(candidate) };
    let document = sealer.seal(&candidate.document)?.into();
    let mut variables = candidate.variables.clone();
    variables.extend([KEY, PREVIOUS_KEY].map(str::to_owned));
    Some(Candidate { document, variables, ..candidate })
}
