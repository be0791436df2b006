//! A request as every check reads it: parsed once, when its headers have come.

use alloc::vec::Vec;
use core::cell::OnceCell;
use core::net::{IpAddr, SocketAddr};

use crate::http::authority::Scheme;
use crate::http::headers;
use crate::http::ja4::Ja4;
use crate::http::message::{Attributes, Request};
use crate::http::path_parameter::PathParameter;
use crate::http::plain_target::PlainTarget;
use crate::http::reply::{Header, Reason};
use crate::http::target::{BadTarget, Target};

/// The query parameter that carries the filter's own signed statements.
pub const SIGNED_PARAMETER: &str = "plk";

/// A request method, as far as the filter tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// OPTIONS.
    Options,
    /// POST.
    Post,
    /// Any other.
    Other,
}

impl Method {
    fn parse(sent: &[u8]) -> Self {
        match sent {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"OPTIONS" => Self::Options,
            b"POST" => Self::Post,
            _ => Self::Other,
        }
    }

    /// Whether it only reads: GET or HEAD.
    pub fn reads(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

/// Everything about a request except its target.
pub struct RequestHead<'a> {
    /// All headers in order, pseudo headers among them.
    pub headers: &'a [Header],
    /// `:method`.
    pub method: Method,
    /// `:path`, if there is exactly one.
    pub raw_target: Option<&'a [u8]>,
    /// `:authority`; empty if it is missing or not UTF-8.
    pub authority: &'a str,
    /// The viewer's scheme.
    pub scheme: Scheme,
    /// `x-request-id`.
    pub request_id: Option<&'a [u8]>,
    /// The media type is gRPC's.
    pub grpc: bool,
    /// The request ends with its headers, whichever way they are read.
    pub bodiless: bool,
    /// `range`, if there is exactly one and no `if-range` makes it conditional.
    pub range: Option<&'a [u8]>,
    /// The [`headers::CONDITIONAL`] headers that were sent, each once.
    pub conditional: Vec<&'a str>,
    /// `origin`, if it is UTF-8.
    pub origin: Option<&'a str>,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
    attributes: &'a dyn Attributes,
    client: OnceCell<Option<IpAddr>>,
    route_policy: OnceCell<Option<Vec<u8>>>,
    ja4: OnceCell<Option<Ja4>>,
    protocol: OnceCell<Option<Vec<u8>>>,
}

/// Counts a header that must not be sent twice.
#[derive(Default)]
struct Sole<'a> {
    value: Option<&'a [u8]>,
    repeated: bool,
}

impl<'a> Sole<'a> {
    fn add(&mut self, value: &'a [u8]) {
        self.repeated |= self.value.replace(value).is_some();
    }

    fn get(&self) -> Option<&'a [u8]> {
        self.value.filter(|_| !self.repeated)
    }
}

impl<'a> RequestHead<'a> {
    /// Reads the headers in one pass.
    pub fn read(request: &Request<'a>) -> Self {
        let (mut method, mut authority, mut request_id, mut origin) = (None, None, None, None);
        let (mut path, mut range) = (Sole::default(), Sole::default());
        let (mut https, mut if_range, mut framed) = (false, false, false);
        let mut conditional = Vec::new();
        for (name, value) in request.headers {
            let (name, value) = (name.as_str(), value.as_slice());
            match name {
                ":method" => _ = method.get_or_insert(value),
                ":path" => path.add(value),
                ":authority" => _ = authority.get_or_insert(value),
                // Over HTTP/2 `:scheme` is what the peer writes, and a load balancer may write `http` for what came by TLS;
                // Envoy passes on `x-forwarded-proto` from trusted hops and sets it itself otherwise. A viewer who lies
                // harms only itself.
                ":scheme" | "x-forwarded-proto" => https |= value.eq_ignore_ascii_case(b"https"),
                "x-request-id" => _ = request_id.get_or_insert(value),
                "origin" => _ = origin.get_or_insert(value),
                "content-type" | "content-length" | "transfer-encoding" => framed = true,
                "range" => range.add(value),
                "if-range" => if_range = true,
                _ => {}
            }
            if headers::CONDITIONAL.contains(&name) && !conditional.contains(&name) {
                conditional.push(name);
            }
        }
        let text = |value: Option<&'a [u8]>| value.and_then(|value| core::str::from_utf8(value).ok());
        Self {
            headers: request.headers,
            method: Method::parse(method.unwrap_or_default()),
            raw_target: path.get(),
            authority: text(authority).unwrap_or_default(),
            scheme: if https { Scheme::Https } else { Scheme::Http },
            request_id,
            grpc: framed && headers::is_grpc(request.headers),
            bodiless: request.end_of_stream && !(framed && headers::announce_body(request.headers)),
            range: range.get().filter(|_| !if_range),
            conditional,
            origin: text(origin),
            now: request.now,
            attributes: request.attributes,
            client: OnceCell::new(),
            route_policy: OnceCell::new(),
            ja4: OnceCell::new(),
            protocol: OnceCell::new(),
        }
    }

    /// The client's address as the proxy trusts it. The proxy is asked at most once.
    pub fn client(&self) -> Option<IpAddr> {
        *self.client.get_or_init(|| self.attributes.client_address().as_deref().and_then(client_address))
    }

    /// The name of the policy that the proxy's route gives. The proxy is asked at most once.
    pub fn route_policy(&self) -> Option<&[u8]> {
        self.route_policy.get_or_init(|| self.attributes.route_policy()).as_deref()
    }

    /// The fingerprint of the connection's TLS client; `None` if the proxy has none. The proxy is asked at most once.
    pub fn ja4(&self) -> Option<&Ja4> {
        self.ja4.get_or_init(|| self.attributes.ja4().as_deref().and_then(Ja4::parse)).as_ref()
    }

    /// A value in the metadata that the proxy's filters have written, by the names that lead to it.
    pub fn metadata(&self, path: &[&str]) -> Option<Vec<u8>> {
        self.attributes.metadata(path)
    }

    /// The protocol of the request, such as `HTTP/2`. The proxy is asked at most once.
    pub fn protocol(&self) -> Option<&[u8]> {
        self.protocol.get_or_init(|| self.attributes.protocol()).as_deref()
    }

    /// The value of a header that was sent exactly once.
    pub fn sole(&self, name: &str) -> Option<&'a [u8]> {
        at_most_one(headers::all(self.headers, name)).ok().flatten()
    }
}

/// A request whose target names exactly one path.
pub struct Incoming<'a> {
    /// The rest of the request.
    pub head: &'a RequestHead<'a>,
    /// The target, without the tokens in its path.
    pub target: Target<'a>,
    /// The token in the first segment of the path, percent-encoded, without its marker; [`Reason::Duplicate`] if there
    /// are two.
    pub path_token: Result<Option<&'a str>, Reason>,
    /// The access token in a path parameter; [`Reason::Duplicate`] if there are several.
    pub path_parameter: Result<Option<PathParameter<'a>>, Reason>,
    /// The target as text, without the tokens in its path; `None` if there were none.
    pub plain_target: Option<&'a str>,
    /// The value of [`SIGNED_PARAMETER`], still percent-encoded; [`Reason::Duplicate`] if there are several.
    pub signed: Result<Option<&'a str>, Reason>,
}

impl<'a> Incoming<'a> {
    /// Parses the target of `head`, which has no token in its path.
    ///
    /// # Errors
    /// [`BadTarget`], also if there is not exactly one target.
    pub fn parse(head: &'a RequestHead<'a>) -> Result<Self, BadTarget> {
        let target = Target::parse(head.raw_target.ok_or(BadTarget)?)?;
        let signed = at_most_one(target.values(SIGNED_PARAMETER));
        Ok(Self { head, target, path_token: Ok(None), path_parameter: Ok(None), plain_target: None, signed })
    }

    /// Parses the target of `head` without the tokens in its path.
    ///
    /// # Errors
    /// [`BadTarget`].
    pub fn parse_plain(head: &'a RequestHead<'a>, plain: &'a PlainTarget<'a>) -> Result<Self, BadTarget> {
        let target = Target::parse(plain.bytes())?;
        let signed = at_most_one(target.values(SIGNED_PARAMETER));
        let (path_token, path_parameter) = (plain.token(), plain.parameter);
        Ok(Self { head, target, path_token, path_parameter, plain_target: plain.changed(), signed })
    }
}

/// The only one of `values`. With two, what the filter checks and what others read could differ.
///
/// # Errors
/// [`Reason::Duplicate`]
pub fn at_most_one<T>(mut values: impl Iterator<Item = T>) -> Result<Option<T>, Reason> {
    let value = values.next();
    if values.next().is_some() { Err(Reason::Duplicate) } else { Ok(value) }
}

/// The address in `ip:port`, `[ip]:port` or `ip`.
pub fn client_address(client: &[u8]) -> Option<IpAddr> {
    let text = core::str::from_utf8(client).ok()?;
    text.parse::<SocketAddr>().map(|address| address.ip()).or_else(|_| text.parse()).ok()
}
