//! playlock's core with a simulated origin: rewrites a playlist and responds to a URL.

use std::rc::Rc;

use playlock_core::exchange::Exchange;
use playlock_core::http::reply::{Header, Reason, Reply};
use playlock_core::http::route::Kind;
use playlock_core::policy::Policies;
use playlock_core::step::{BodyStep, HeadStep, HeaderEdits, Known, Request, RequestStep};
use url::Url;

use crate::site::HOSTS;
use crate::transport::Transport;

/// A time at which the token is valid.
const NOW: u64 = 1_700_000_000;
const PASSWORD: &str = "52a152a152a152a152a152a152a152a1";
/// Signed with that password, by PyPI's `akamai-edgeauth`.
const ACCESS: &str =
    "st=1700000000~exp=1700003600~acl=/*~hmac=c422a632243136e9d7c5a75a024ba64e19956643e859eb56f0c158a7dc5b6721";

/// A configured filter.
pub struct Edge {
    /// The way in which URIs identify the session.
    pub transport: Transport,
    policies: Rc<Policies>,
    /// Whether segments are encrypted.
    pub encrypts: bool,
    /// Whether keys rotate.
    pub rotates: bool,
    /// Whether media that the origin has encrypted is forwarded.
    pub passes_encrypted: bool,
}

/// The result of a request for a URL.
pub struct Answer {
    /// The kind of the request, as determined by the filter.
    pub kind: Kind,
    /// The path and query that the origin receives.
    pub path: String,
    /// The Range header that the origin receives.
    pub range: Option<String>,
    exchange: Exchange,
}

impl Edge {
    /// A filter with one policy for all paths, with this transport and `mediaEncryption`.
    ///
    /// # Errors
    /// The fault of a rejected configuration.
    pub fn new(transport: Transport, media_encryption: &str) -> Result<Self, String> {
        let hosts: Vec<String> = HOSTS.iter().map(|host| format!("\"{host}\"")).collect();
        let config = format!(
            r#"{{"policies": [{{"policyName": "corpus",
                "tokenAuth": {{"enabled": true, "password": "{PASSWORD}", "hosts": [{}],
                  "sessionTokenTransport": "{}"}},
                "mediaEncryption": {media_encryption}}}],
              "assignments": [{{"policyName": "corpus", "path": "/..."}}]}}"#,
            hosts.join(", "),
            transport.word()
        );
        let (policies, _) = playlock_config::parse(config.as_bytes(), &|_| None).map_err(|error| error.to_string())?;
        let encrypts = policies.iter().next().is_some_and(|(_, policy)| policy.encryption.is_some());
        let passes_encrypted = media_encryption.contains("passthrough");
        let rotates = media_encryption.contains("keyRotation");
        Ok(Self { transport, policies: Rc::new(policies), encrypts, rotates, passes_encrypted })
    }

    /// `url` with the access token.
    pub fn entry(url: &Url) -> Url {
        let mut url = url.clone();
        url.query_pairs_mut().append_pair("hdnts", ACCESS);
        url
    }

    /// Rewrites the playlist `input` at `url`, which contains a token, in chunks of the sizes in `cuts`.
    ///
    /// # Errors
    /// The filter's reason for refusing the playlist; `Err(Err(_))` for anything unexpected.
    pub fn playlist(
        &self,
        url: &Url,
        input: &[u8],
        cuts: &mut dyn FnMut() -> usize,
    ) -> Result<Vec<u8>, Result<Reason, String>> {
        let unexpected = |what: String| Err(what);
        let answer =
            self.request(url).map_err(|reply| reply.reason.ok_or_else(|| "a reply to a playlist".to_owned()))?;
        let mut exchange = answer.exchange;
        let headers = [header(":status", "200"), header("content-type", "application/vnd.apple.mpegurl")];
        match exchange.on_response_head(&headers, input.is_empty()) {
            HeadStep::Forward(_) => {}
            HeadStep::Reply(reply) => return Err(reply.reason.ok_or_else(|| "a reply to a playlist".to_owned())),
            HeadStep::Hold(_) => return Err(unexpected("held without holdHeaders".to_owned())),
        }
        let (mut out, mut rest) = (Vec::with_capacity(input.len() * 4), input);
        loop {
            let (chunk, after) = rest.split_at(cuts().clamp(1, rest.len().max(1)).min(rest.len()));
            rest = after;
            match exchange.on_body(chunk.to_vec(), rest.is_empty()) {
                BodyStep::Replace(bytes) => out.extend(bytes.into_vec()),
                BodyStep::Reset(reason) => return Err(Ok(reason)),
                other => return Err(unexpected(format!("{other:?} in a playlist"))),
            }
            if rest.is_empty() {
                return Ok(out);
            }
        }
    }

    /// A GET of `url`.
    ///
    /// # Errors
    /// The filter's own reply.
    pub fn request(&self, url: &Url) -> Result<Answer, Reply> {
        self.request_target(url, &url[url::Position::BeforePath..url::Position::AfterQuery])
    }

    /// A GET of `target` from the host of `url`.
    ///
    /// # Errors
    /// The filter's own reply.
    pub fn request_target(&self, url: &Url, target: &str) -> Result<Answer, Reply> {
        let path = target.to_owned();
        let headers = [
            header(":method", "GET"),
            header(":scheme", url.scheme()),
            header(":authority", url.host_str().unwrap_or_default()),
            header(":path", &path),
        ];
        let request = Request { headers: &headers, attributes: &Known::default(), now: NOW, end_of_stream: true };
        // The same session for everyone: what is compared must not depend on chance.
        let (mut exchange, step) = Exchange::open(&self.policies, &request, &mut || [7; 16]);
        match step {
            RequestStep::Reply(reply) => Err(reply),
            RequestStep::Ask(_) | RequestStep::Collect => Err(exchange.on_answer(None)),
            RequestStep::Forward(edits) => {
                let path = set(&edits, ":path").unwrap_or(path);
                Ok(Answer { kind: exchange.kind(), path, range: set(&edits, "range"), exchange })
            }
        }
    }
}

impl Answer {
    /// The viewer's response if the origin sends `body`; `of` is its position in the file for a range request.
    ///
    /// # Errors
    /// The filter's action, if there is no such response.
    pub fn serve(mut self, body: &[u8], complete: bool) -> Result<Vec<u8>, String> {
        let status = if self.range.is_some() { "206" } else { "200" };
        let mut headers = vec![header(":status", status), header("content-type", "video/mp2t")];
        if let Some(range) = self.range.as_deref().and_then(|range| range.strip_prefix("bytes=")) {
            headers.push(header("content-range", &format!("bytes {range}/*")));
        }
        match self.exchange.on_response_head(&headers, false) {
            HeadStep::Forward(_) => {}
            other => return Err(format!("{other:?}")),
        }
        if self.exchange.passes_body() {
            return Ok(body.to_vec());
        }
        match self.exchange.on_body(body.to_vec(), complete) {
            BodyStep::Replace(bytes) => Ok(bytes.into_vec()),
            BodyStep::Forward => Ok(body.to_vec()),
            other => Err(format!("{other:?}")),
        }
    }
}

fn header(name: &str, value: &str) -> Header {
    (name.to_owned(), value.as_bytes().to_vec())
}

fn set(edits: &HeaderEdits, name: &str) -> Option<String> {
    let (_, value) = edits.set.iter().find(|(found, _)| found == name)?;
    String::from_utf8(value.clone()).ok()
}
