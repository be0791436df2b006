//! The extension discovery service (ECDS), state of the world, on a stream of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::config::core::v3::node::UserAgentVersionType;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use envoy_types::pb::envoy::service::extension::v3::extension_config_discovery_service_server::ExtensionConfigDiscoveryService;
use tokio::sync::mpsc;
use tokio::time::{Instant as Time, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use super::identity;
use super::offer::{Action, Event, Offer, Target};
use super::reports::Reporter;
use super::resource::Resource;
use super::shared::Shared;
use crate::control::NodeEvent;
use crate::log::{self, Level};
use crate::network::Network;

/// Longest time until the first request of a stream.
const FIRST_REQUEST: Duration = Duration::from_secs(10);

/// Longest reason of a refusal that is stored, in bytes.
const LONGEST_REASON: usize = 1024;

/// The service.
pub struct Ecds {
    shared: Arc<Shared>,
}

/// A response, which shares its resource with those of other streams until it is sent.
struct Push {
    resource: Arc<Resource>,
    spaces: u32,
    nonce: u64,
}

impl From<Push> for DiscoveryResponse {
    fn from(push: Push) -> Self {
        Self {
            version_info: push.resource.version().as_ref().to_owned(),
            resources: vec![push.resource.any(push.spaces)],
            type_url: Resource::type_url(),
            nonce: push.nonce.to_string(),
            ..Self::default()
        }
    }
}

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Ecds {
    /// Creates the service.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[tonic::async_trait]
impl ExtensionConfigDiscoveryService for Ecds {
    type StreamExtensionConfigsStream = Responses<DiscoveryResponse>;
    type DeltaExtensionConfigsStream = Responses<DeltaDiscoveryResponse>;

    async fn stream_extension_configs(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamExtensionConfigsStream>, Status> {
        let (network, permit) = self.shared.admit(&request)?;
        let (to, responses) = mpsc::channel(1);
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            if let Err(status) = serve(&shared, network, request.into_inner(), &to).await {
                // The Envoy has gone if it cannot get the status.
                let _ = to.send(Err(status)).await;
            }
            drop(permit);
        });
        let responses = ReceiverStream::new(responses).map(|push: Result<Push, Status>| push.map(Into::into));
        Ok(Response::new(Box::pin(responses)))
    }

    /// Not offered: a delta can remove the filter, and then every request is a 500.
    async fn delta_extension_configs(
        &self,
        _: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaExtensionConfigsStream>, Status> {
        Err(unimplemented("DELTA_GRPC"))
    }

    /// Not offered: a poll reports no refusal.
    async fn fetch_extension_configs(
        &self,
        _: Request<DiscoveryRequest>,
    ) -> Result<Response<DiscoveryResponse>, Status> {
        Err(unimplemented("REST"))
    }
}

fn unimplemented(found: &str) -> Status {
    Status::unimplemented(format!("api_type: found {found}, expected GRPC"))
}

/// Serves one stream until the Envoy or this server ends it.
async fn serve(
    shared: &Shared,
    network: Network,
    mut requests: Streaming<DiscoveryRequest>,
    to: &mpsc::Sender<Result<Push, Status>>,
) -> Result<(), Status> {
    let Some(mut first) = timeout(FIRST_REQUEST, requests.message())
        .await
        .map_err(|_| Status::deadline_exceeded("no request within 10 s"))??
    else {
        return Ok(());
    };
    let node = first.node.take().unwrap_or_default();
    let reporter = Reporter::new(&shared.reports, network, &node)?;
    let Some(stream) = shared.nodes.open(network, &reporter.node) else {
        log::write(Level::Error, "xds.too_many_nodes", &[("network", network.name()), ("node", &reporter.node)]);
        let most = shared.nodes.most();
        return Err(Status::resource_exhausted(format!(
            "nodes: {most} of {network} are connected; expected fewer on one server"
        )));
    };
    reporter.report(NodeEvent::Connected(version(&node)));
    if first.version_info.is_empty() {
        // A new process: the gauge is of the one before.
        reporter.report(NodeEvent::InForce(0));
    }
    let mut link = Link { shared, reporter: &reporter, stream: &stream, to, wake: None };
    let ended = match fault(&first, shared.filter.name()) {
        // Without an answer the Envoy keeps what it has. An error would make it ask again at once.
        Some(fault) => {
            let revision = shared.published.of(network).borrow().as_ref().map_or(0, |resource| resource.revision());
            log::write(
                Level::Warning,
                "xds.unknown",
                &[("network", network.name()), ("node", &reporter.node), ("fault", &fault)],
            );
            reporter.report(NodeEvent::Refused(revision, fault));
            link.ignore(&mut requests).await
        }
        None => link.offer(&first.version_info, &mut requests).await,
    };
    if stream.end() {
        reporter.report(NodeEvent::Disconnected);
    }
    ended
}

/// One stream's connections with the rest of the server.
struct Link<'a> {
    shared: &'a Shared,
    reporter: &'a Reporter,
    stream: &'a super::nodes::Stream<'a>,
    to: &'a mpsc::Sender<Result<Push, Status>>,
    wake: Option<Time>,
}

impl Link<'_> {
    /// Offers policies. `version`: accepted by the process before.
    async fn offer(&mut self, version: &str, requests: &mut Streaming<DiscoveryRequest>) -> Result<(), Status> {
        let mut published = self.shared.published.of(self.reporter.network);
        let mut resource = published.borrow_and_update().clone();
        let mut offer = Offer::new(resource.as_deref().map(target), self.shared.backoff);
        let mut event = Some(Event::Opened(version));
        let mut request;
        loop {
            if let Some(event) = event.take() {
                let now = self.shared.began.elapsed();
                let actions = self.stream.with(|refusals| offer.on(event, refusals, now));
                self.wake = None;
                for action in actions {
                    self.act(action, resource.as_ref()).await?;
                }
            }
            tokio::select! {
                message = requests.message() => {
                    let Some(message) = message? else { return Ok(()) };
                    request = message;
                    event = Some(Event::Answered {
                        nonce: &request.response_nonce,
                        error: request.error_detail.as_ref().map(|status| status.message.as_str()),
                    });
                }
                changed = published.changed() => {
                    changed.map_err(|_| ending())?;
                    resource.clone_from(&published.borrow_and_update());
                    event = resource.as_deref().map(target).map(Event::Published);
                }
                () = sleep_until(self.wake.unwrap_or_else(Time::now)), if self.wake.is_some() => {
                    event = Some(Event::Woken);
                }
                () = self.to.closed() => return Ok(()),
                () = self.shared.ending() => return Err(ending()),
            }
        }
    }

    /// Reads requests of a stream that gets no answer.
    async fn ignore(&mut self, requests: &mut Streaming<DiscoveryRequest>) -> Result<(), Status> {
        loop {
            tokio::select! {
                message = requests.message() => if message?.is_none() { return Ok(()) },
                () = self.to.closed() => return Ok(()),
                () = self.shared.ending() => return Err(ending()),
            }
        }
    }

    async fn act(&mut self, action: Action, resource: Option<&Arc<Resource>>) -> Result<(), Status> {
        match action {
            Action::Send { spaces, nonce } => {
                let Some(resource) = resource else { return Ok(()) };
                let push = Push { resource: Arc::clone(resource), spaces, nonce };
                self.to.send(Ok(push)).await.map_err(|_| ending())?;
                self.reporter.report(NodeEvent::Offered(resource.revision()));
            }
            Action::Acknowledged(revision) => self.reporter.report(NodeEvent::Acknowledged(revision)),
            Action::Refused(revision, reason) => {
                let reason = printable(&reason);
                let Reporter { network, node, .. } = self.reporter;
                let number = revision.to_string();
                let fields = [("network", network.name()), ("node", node), ("revision", &number), ("reason", &reason)];
                log::write(Level::Warning, "xds.refused", &fields);
                self.reporter.report(NodeEvent::Refused(revision, reason));
            }
            Action::Wake(at) => self.wake = Some(Time::from_std(self.shared.began + at)),
        }
        Ok(())
    }
}

fn target(resource: &Resource) -> Target {
    Target { revision: resource.revision(), version: Arc::clone(resource.version()) }
}

fn ending() -> Status {
    Status::unavailable("the server is shutting down")
}

/// Why a request cannot be answered at all.
fn fault(request: &DiscoveryRequest, name: &str) -> Option<String> {
    if request.type_url != Resource::type_url() {
        let found = printable(&request.type_url);
        return Some(format!("type_url: found {found:?}, expected {:?}", Resource::type_url()));
    }
    if !request.resource_names.iter().any(|it| it == name) {
        let found = request.resource_names.first().map(|it| identity::name(it)).unwrap_or_default();
        return Some(format!("name of the filter in http_filters: found {found:?}, expected {name:?} (--filter-name)"));
    }
    None
}

/// The text without control characters, cut to 1,024 bytes.
fn printable(text: &str) -> String {
    let mut printable = String::new();
    for char in text.chars() {
        if printable.len() + char.len_utf8() > LONGEST_REASON {
            break;
        }
        printable.push(if char.is_control() { ' ' } else { char });
    }
    printable
}

/// Envoy's version, such as `1.40.0`, as it claims.
fn version(node: &Node) -> String {
    match &node.user_agent_version_type {
        Some(UserAgentVersionType::UserAgentVersion(version)) => identity::name(version),
        Some(UserAgentVersionType::UserAgentBuildVersion(build)) => {
            let it = build.version.unwrap_or_default();
            format!("{}.{}.{}", it.major_number, it.minor_number, it.patch)
        }
        None => String::new(),
    }
}
