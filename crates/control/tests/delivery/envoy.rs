//! A client that speaks like Envoy.

use envoy_types::pb::envoy::config::core::v3::{Node, TypedExtensionConfig};
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use envoy_types::pb::envoy::service::extension::v3::extension_config_discovery_service_client::ExtensionConfigDiscoveryServiceClient as Client;
use envoy_types::pb::google::protobuf::StringValue;
use envoy_types::pb::google::rpc;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

pub const TYPE_URL: &str = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";

/// One discovery stream.
pub struct Envoy {
    requests: mpsc::UnboundedSender<DiscoveryRequest>,
    responses: Streaming<DiscoveryResponse>,
}

pub fn node(id: &str) -> Node {
    Node { id: id.to_owned(), cluster: "production".to_owned(), ..Node::default() }
}

pub fn first(id: &str, version: &str) -> DiscoveryRequest {
    DiscoveryRequest {
        node: Some(node(id)),
        version_info: version.to_owned(),
        resource_names: vec!["playlock".to_owned()],
        type_url: TYPE_URL.to_owned(),
        ..DiscoveryRequest::default()
    }
}

impl Envoy {
    /// Opens a stream with this request.
    pub async fn open(channel: &Channel, first: DiscoveryRequest) -> Result<Self, Status> {
        let (requests, receiver) = mpsc::unbounded_channel();
        requests.send(first).unwrap();
        let stream = UnboundedReceiverStream::new(receiver);
        let responses = Client::new(channel.clone()).stream_extension_configs(stream).await?.into_inner();
        Ok(Self { requests, responses })
    }

    /// The next response.
    pub async fn next(&mut self) -> Result<DiscoveryResponse, Status> {
        self.responses.message().await.map(|response| response.expect("the stream ended"))
    }

    /// Accepts or refuses a response; `accepted` is the version in force.
    pub fn answer(&self, response: &DiscoveryResponse, accepted: &str, refused: Option<&str>) {
        let error_detail =
            refused.map(|message| rpc::Status { code: 13, message: message.to_owned(), details: Vec::new() });
        let request = DiscoveryRequest {
            version_info: accepted.to_owned(),
            resource_names: vec!["playlock".to_owned()],
            type_url: TYPE_URL.to_owned(),
            response_nonce: response.nonce.clone(),
            error_detail,
            ..DiscoveryRequest::default()
        };
        self.requests.send(request).unwrap();
    }
}

/// The document in a response.
pub fn document(response: &DiscoveryResponse) -> String {
    assert_eq!((response.type_url.as_str(), response.resources.len()), (TYPE_URL, 1));
    let extension = TypedExtensionConfig::decode(response.resources[0].value.as_slice()).unwrap();
    let wasm = Wasm::decode(extension.typed_config.unwrap().value.as_slice()).unwrap();
    let configuration = wasm.config.unwrap().configuration.unwrap();
    StringValue::decode(configuration.value.as_slice()).unwrap().value
}
