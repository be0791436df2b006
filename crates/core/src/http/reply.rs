//! Responses of the filter itself, and the closed list of reasons for refusals.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write;

/// A header: its lower-case name and the bytes of its value. Pseudo headers (`:path`) are headers too.
pub type Header = (String, Vec<u8>);

/// A response of the filter, in place of the origin's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status code.
    pub status: u16,
    /// Headers, without pseudo headers and without `content-length`, which the proxy adds.
    pub headers: Vec<Header>,
    /// The bytes of the body.
    pub body: Vec<u8>,
    /// The reason, for a refusal.
    pub reason: Option<Reason>,
}

impl Reply {
    /// A refusal as a problem document (RFC 9457).
    ///
    /// `type` is the reason's code, `instance` the request's id. With `redirect`, an absolute URL, the response is a
    /// 302 to it.
    pub fn refusal(reason: Reason, redirect: Option<&str>, request_id: Option<&[u8]>) -> Self {
        let status = if redirect.is_some() { 302 } else { reason.status() };
        let mut body = String::with_capacity(256);
        for piece in ["{\"type\":\"", reason.word(), "\",\"title\":\"", reason.title(), "\",\"status\":"] {
            body.push_str(piece);
        }
        // Writing to a String cannot fail.
        let _ = write!(body, "{status},\"instance\":\"");
        push_json_text(&mut body, request_id.unwrap_or_default());
        body.push_str("\"}\n");
        let mut headers = vec![header("content-type", "application/problem+json"), header("cache-control", "no-store")];
        if reason == Reason::Method {
            headers.push(header("allow", "GET, HEAD"));
        }
        headers.extend(redirect.map(|url| header("location", url)));
        Self { status, headers, body: body.into_bytes(), reason: Some(reason) }
    }
}

/// Builds a header from text.
pub fn header(name: &str, value: &str) -> Header {
    (name.into(), value.as_bytes().to_vec())
}

/// Appends up to 128 bytes, which a client may control, as the content of a JSON string.
fn push_json_text(out: &mut String, bytes: &[u8]) {
    for &byte in bytes.iter().take(128) {
        match byte {
            b'"' | b'\\' | b'<' | b'>' | b'&' | 0..=0x1f | 0x7f.. => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{byte:04x}");
            }
            _ => out.push(char::from(byte)),
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $word:literal $status:literal $title:literal;)+) => {
        /// The reason for a refusal: a code that is the same in the response, the counter and the access log.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Reason {
            $($(#[$doc])* $name,)+
        }

        impl Reason {
            /// All reasons, in the order of [`Reason::index`].
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The code in the response's `type`, the counter's name and the access log.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// The status of the refusal, as long as the response headers have not been sent.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// The meaning of the reason, as a sentence without its full stop.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

reasons! {
    /// Servers may disagree on the path that the target names.
    Target "target" 400 "The request target does not normalise to one path";
    /// The request has a body, or may have one.
    Body "body" 400 "A request to read something has no body";
    /// The method is neither GET nor HEAD.
    Method "method" 405 "Only GET and HEAD are answered here";
    /// No assignment covers the host and path.
    Unassigned "unassigned" 403 "No policy is assigned to this path";
    /// The proxy's routes for the path with and without the token in it name different policies.
    Route "route" 403 "The route of this path names another policy than the route of the path with the token";
    /// The client's address is denied, or unknown where the policy needs it.
    Address "address" 403 "This client address may not watch";
    /// The client's location is denied, or unknown where the policy needs it.
    Geo "geo" 403 "This may not be watched from here";
    /// The client is behind a proxy of a denied kind.
    Proxy "proxy" 403 "This may not be watched through a proxy";
    /// The request comes from another site's page, or has no Referer where one is required.
    Referer "referer" 403 "This may not be watched on that site";
    /// A required token is missing.
    Missing "missing" 403 "A token is needed and none was sent";
    /// A token or parameter occurs more than once in the same place.
    Duplicate "duplicate" 403 "A token or parameter was sent more than once";
    /// The token violates the grammar.
    Malformed "malformed" 403 "The token cannot be read";
    /// The policy does not allow the algorithm of the token's HMAC.
    Algorithm "algorithm" 403 "The token's algorithm is not allowed";
    /// The HMAC does not match token, key and path.
    Signature "signature" 403 "The token's signature does not verify";
    /// A session token in place of an access token, or the other way round.
    Swapped "swapped" 403 "This token is of the other kind: access and session tokens are not interchangeable";
    /// The request has an access token, but neither its path nor its media type is a playlist's.
    Content "content" 403 "An access token opens playlists only, and this is none by its path and content type";
    /// The token's `exp` has passed.
    Expired "expired" 403 "The token has expired";
    /// The token's `st` has not been reached.
    Early "early" 403 "The token is not valid yet";
    /// A claim of the token does not hold for the request, or is one that the filter does not enforce.
    Claim "claim" 403 "A claim of the token does not hold here, or is not enforced here";
    /// The token's ACL does not cover the path.
    Path "path" 403 "The token does not cover this path";
    /// The token is for another client address or network.
    Ip "ip" 403 "The token is for another client address";
    /// The token names audiences, and this service is none of them.
    Audience "audience" 403 "The token is for another audience";
    /// A header that the session is bound to is missing, repeated, or has another value.
    Header "header" 403 "The session is bound to another value of a request header";
    /// The session is bound to another TLS client, or the connection has no JA4 fingerprint.
    Fingerprint "fingerprint" 403 "The session is bound to a TLS client, and this one has another JA4 fingerprint or none";
    /// A session token for this access token would be longer than players accept.
    Oversize "oversize" 403 "The token's fields are too long for a session token";
    /// The policy revokes the session or its access token.
    Revoked "revoked" 403 "The session or its access token has been revoked";
    /// The player does not identify itself, is not in the policy's list, or is no longer accepted.
    Player "player" 403 "This player is not one that may play";
    /// A signed parameter has no valid MAC for this path.
    Parameter "parameter" 403 "A signed parameter of this URL does not verify";
    /// The key or cookie belongs to another session, or the request does not identify one of several sessions.
    Session "session" 403 "This belongs to another session, or does not say to which of several";
    /// A request of SPEKE has no token, or one of no requester.
    Requester "requester" 401 "Keys are given to requesters with a token";
    /// The requester may not have keys of this content, or not from this address.
    Rights "rights" 403 "This requester may not have these keys";
    /// The request is not one of SPEKE: its path, method, version, query, headers or length.
    Speke "speke" 400 "This is no request of SPEKE";
    /// The document of a request of SPEKE cannot be read or answered.
    Cpix "cpix" 422 "The CPIX document cannot be answered";
    /// The key URL of packaged content names an unknown secret, or no key.
    Key "key" 404 "No key has this URL";
    /// The body of a license request is not one of W3C ClearKey, or asks for too many keys.
    License "license" 400 "The license request cannot be read";
    /// The authorizer denied the key.
    Authorizer "authorizer" 403 "This session may not have the key";
    /// The authorizer: the viewer has as many sessions as allowed.
    Limit "limit" 403 "This viewer has as many sessions as allowed";
    /// The authorizer: the session has ended.
    Ended "ended" 403 "This session was ended and gets no further key";
    /// The authorizer: the session has keys of as many periods in advance as allowed.
    Ahead "ahead" 503 "This session has keys of as many periods in advance as allowed";
    /// The authorizer could not be reached, or gave no decision.
    Unanswered "unanswered" 503 "Whether this session may have the key could not be found out";
    /// The origin's status is one that was not requested (206, 304).
    Unasked "unasked" 502 "The origin answered with a partial or conditional response that was not asked for";
    /// The origin applied a content coding to a response that must be rewritten or encrypted.
    Encoding "encoding" 502 "The origin applied a content coding that was not asked for";
    /// The origin's playlist does not begin with `#EXTM3U`.
    Playlist "playlist" 502 "The origin's playlist is not a playlist";
    /// A line, or the lines before a segment's URI, exceed the limit.
    Line "line" 502 "The origin's playlist has a line that is too long";
    /// The origin has already encrypted the media.
    Encrypted "encrypted" 502 "The origin's media is already encrypted";
    /// A byte range in the playlist is malformed, or outside the origin's file.
    Byterange "byterange" 502 "The origin does not have the byte range that its playlist names";
    /// A URI in the playlist uses a variable that neither the playlist nor its multivariant playlist defines; or the
    /// viewer chose its value, and the URI is of a resource served in clear or of media under key rotation.
    Variable "variable" 502 "The origin's playlist uses a variable that is not defined, or a viewer's value where it may not decide";
    /// The origin's MPD is none, or has something that the rewriter refuses.
    Mpd "mpd" 502 "The origin's MPD is not an MPD, or has something that is not served";
    /// The response is an MPD, under a policy that encrypts.
    Dash "dash" 502 "This policy encrypts, but not MPDs: mediaEncryption has no scheme";
    /// A steering manifest or asset list is not a JSON object, or exceeds the limit.
    Document "document" 502 "The origin's steering manifest or asset list is not a JSON object, or too long";
    /// Media of an MPD is neither fragmented MP4 whose samples can be encrypted, nor text or an image.
    Samples "samples" 502 "The origin's media cannot be encrypted sample by sample";
    /// The body's length differs from its `content-length`.
    Length "length" 502 "The origin's body does not have the length it announced";
    /// The response has trailers, but the end of its body had to be known before them.
    Trailers "trailers" 502 "The origin sent trailers after a body of unknown length";
}

impl Reason {
    /// The reason's position in [`Reason::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_cannot_break_out_of_the_problem_document() {
        let reply = Reply::refusal(Reason::Missing, None, Some(b"a\"},\r\n<\xff"));
        let body = String::from_utf8(reply.body).unwrap();
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(value["type"], "missing");
        assert_eq!(value["status"], 403);
        assert_eq!(value["instance"], "a\"},\r\n<\u{ff}");
        assert!(!body.trim_end().contains(['\r', '\n', '<']));
    }

    #[test]
    fn words_are_single_and_distinct() {
        for (index, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(reason.index(), index);
            assert!(reason.word().bytes().all(|byte| byte.is_ascii_lowercase()));
            assert!(Reason::ALL[..index].iter().all(|other| other.word() != reason.word()));
        }
    }
}
