//! An Envoy external processor (gRPC over a Unix socket) that encrypts every response body with AES-128-CBC and PKCS#7
//! padding and one fixed key: the cost of playlock's encryption if it runs natively, outside the proxy.
//!   extproc SOCKET

use envoy_types::pb::envoy::service::ext_proc::v3::{
    BodyMutation, BodyResponse, CommonResponse, HeadersResponse, HttpBody, ProcessingRequest, ProcessingResponse,
    body_mutation,
    external_processor_server::{ExternalProcessor, ExternalProcessorServer},
    processing_request, processing_response,
};
use playlock_aes128::{BLOCK, CbcEncryptor};
use tokio_stream::wrappers::UnixListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

const KEY: [u8; BLOCK] = *b"peers' fixed key";
const IV: [u8; BLOCK] = [0; BLOCK];
/// The body's messages are as large as Envoy's buffer.
const MESSAGE: usize = 4 << 20;
/// Windows of HTTP/2: the default of 64 KiB would stall the streams.
const WINDOW: u32 = 16 << 20;

/// One response's body being encrypted.
struct Body {
    message: CbcEncryptor,
    carry: Vec<u8>,
}

impl Body {
    fn push(&mut self, chunk: HttpBody) -> Vec<u8> {
        let mut bytes = chunk.body;
        if !self.carry.is_empty() {
            bytes.splice(..0, self.carry.drain(..));
        }
        if chunk.end_of_stream {
            let padding = BLOCK - bytes.len() % BLOCK;
            bytes.resize(bytes.len() + padding, u8::try_from(padding).unwrap_or(16));
        }
        let whole = bytes.len() - bytes.len() % BLOCK;
        self.carry.extend_from_slice(&bytes[whole..]);
        bytes.truncate(whole);
        self.message.encrypt_blocks(bytes.as_chunks_mut::<BLOCK>().0);
        bytes
    }
}

struct Processor;

#[tonic::async_trait]
impl ExternalProcessor for Processor {
    type ProcessStream = std::pin::Pin<Box<dyn Stream<Item = Result<ProcessingResponse, Status>> + Send>>;

    async fn process(
        &self,
        request: Request<Streaming<ProcessingRequest>>,
    ) -> Result<Response<Self::ProcessStream>, Status> {
        let mut body = Body { message: CbcEncryptor::new(&KEY, &IV), carry: Vec::with_capacity(BLOCK) };
        let answers = request.into_inner().map(move |asked| {
            let response = match asked?.request {
                Some(processing_request::Request::ResponseHeaders(_)) => {
                    processing_response::Response::ResponseHeaders(HeadersResponse::default())
                }
                Some(processing_request::Request::ResponseBody(chunk)) => {
                    let mutation = BodyMutation { mutation: Some(body_mutation::Mutation::Body(body.push(chunk))) };
                    let common = CommonResponse { body_mutation: Some(mutation), ..CommonResponse::default() };
                    processing_response::Response::ResponseBody(BodyResponse { response: Some(common) })
                }
                _ => return Err(Status::invalid_argument("only response headers and bodies")),
            };
            Ok(ProcessingResponse { response: Some(response), ..ProcessingResponse::default() })
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: extproc SOCKET")?;
    let _ = std::fs::remove_file(&path);
    let listener = tokio::net::UnixListener::bind(path)?;
    let service =
        ExternalProcessorServer::new(Processor).max_decoding_message_size(MESSAGE).max_encoding_message_size(MESSAGE);
    tonic::transport::Server::builder()
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .add_service(service)
        .serve_with_incoming(UnixListenerStream::new(listener))
        .await?;
    Ok(())
}
