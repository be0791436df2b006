//! The metrics service: what each Envoy runs, and the requests that it refused.

use std::sync::Arc;
use std::time::Duration;

use envoy_types::pb::envoy::service::metrics::v3::metrics_service_server::MetricsService;
use envoy_types::pb::envoy::service::metrics::v3::{StreamMetricsMessage, StreamMetricsResponse};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use tonic::{Request, Response, Status, Streaming};

use super::operations::Operations;
use super::published::Current;
use super::reports::Reporter;
use super::shared::Shared;
use super::tally::Tally;
use crate::control::{NodeEvent, RefusalCount};
use crate::log::{self, Level};
use crate::network::Network;

/// Longest time until the first message of a stream: the longest usual time between two of Envoy's.
const FIRST_MESSAGE: Duration = Duration::from_secs(60);

/// Least time between two reports of one Envoy, however often it sends.
const REVISION_EVERY: Duration = Duration::from_millis(250);

/// Time between two additions of one Envoy's refusals to the database.
const REFUSALS_EVERY: Duration = Duration::from_secs(5);

/// The service.
pub struct Metrics<O> {
    shared: Arc<Shared>,
    control: O,
}

impl<O: Operations> Metrics<O> {
    /// Creates the service.
    pub fn new(shared: Arc<Shared>, control: O) -> Self {
        Self { shared, control }
    }
}

#[tonic::async_trait]
impl<O: Operations> MetricsService for Metrics<O> {
    async fn stream_metrics(
        &self,
        request: Request<Streaming<StreamMetricsMessage>>,
    ) -> Result<Response<StreamMetricsResponse>, Status> {
        let (network, permit) = self.shared.admit(&request)?;
        let (shared, control) = (Arc::clone(&self.shared), self.control.clone());
        // A task of its own is not cancelled when the Envoy goes: the last refusals are stored.
        let serving = tokio::spawn(async move {
            let served = serve(&shared, &control, network, request.into_inner()).await;
            drop(permit);
            served
        });
        serving.await.unwrap_or_else(|error| Err(Status::internal(error.to_string())))?;
        Ok(Response::new(StreamMetricsResponse {}))
    }
}

/// Serves one stream until the Envoy or this server ends it.
async fn serve<O: Operations>(
    shared: &Shared,
    control: &O,
    network: Network,
    mut messages: Streaming<StreamMetricsMessage>,
) -> Result<(), Status> {
    let first = timeout(FIRST_MESSAGE, messages.message()).await;
    let Some(mut first) = first.map_err(|_| Status::deadline_exceeded("no message within 60 s"))?? else {
        return Ok(());
    };
    let node = first.identifier.take().and_then(|it| it.node).unwrap_or_default();
    let mut stream = Stream {
        published: shared.published.of(network),
        reporter: Reporter::new(&shared.reports, network, &node)?,
        tally: Tally::default(),
        reported: None,
        unsaved: Vec::new(),
    };
    stream.take(&first);
    drop((first, node));
    let ended = stream.run(control, shared, &mut messages).await;
    stream.report();
    stream.save(control).await;
    ended
}

/// One Envoy's stream.
struct Stream {
    published: Current,
    reporter: Reporter,
    tally: Tally,
    reported: Option<i64>,
    /// Refusals that could not be stored.
    unsaved: Vec<RefusalCount>,
}

impl Stream {
    async fn run<O: Operations>(
        &mut self,
        control: &O,
        shared: &Shared,
        messages: &mut Streaming<StreamMetricsMessage>,
    ) -> Result<(), Status> {
        let (mut revision, mut refusals) = (every(REVISION_EVERY), every(REFUSALS_EVERY));
        loop {
            tokio::select! {
                message = messages.message() => match message? {
                    Some(message) => self.take(&message),
                    None => return Ok(()),
                },
                _ = revision.tick(), if self.tally.revision() != self.reported => self.report(),
                _ = refusals.tick() => self.save(control).await,
                () = shared.ending() => return Err(Status::unavailable("the server is shutting down")),
            }
        }
    }

    fn take(&mut self, message: &StreamMetricsMessage) {
        let resource = self.published.borrow().clone();
        self.tally.add(&message.envoy_metrics, resource.as_deref());
    }

    fn report(&mut self) {
        if let Some(revision) = self.tally.revision().filter(|it| self.reported != Some(*it)) {
            self.reported = Some(revision);
            self.reporter.report(NodeEvent::InForce(revision));
        }
    }

    async fn save<O: Operations>(&mut self, control: &O) {
        if self.unsaved.is_empty() {
            self.unsaved = self.tally.refusals();
        }
        if self.unsaved.is_empty() {
            return;
        }
        let Reporter { network, node, .. } = &self.reporter;
        match control.record_refusals(*network, node, &self.unsaved).await {
            Ok(()) => self.unsaved.clear(),
            Err(error) => {
                let fields = [("network", network.name()), ("node", node), ("error", &error.to_string())];
                log::write(Level::Error, "xds.refusals_delayed", &fields);
            }
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
