//! Answers that the filter gives itself, and the closed list of reasons for refusing.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write;

/// A header: its lower-case name and its value's bytes. Pseudo headers (`:path`) are headers too.
pub type Header = (String, Vec<u8>);

/// An answer of the filter's own, in place of the origin's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status code.
    pub status: u16,
    /// Headers without pseudo headers and without `content-length`, which the proxy adds.
    pub headers: Vec<Header>,
    /// The body, in bytes as sent.
    pub body: Vec<u8>,
    /// Why, if this is a refusal.
    pub reason: Option<Reason>,
}

impl Reply {
    /// A refusal as a problem document (RFC 9457): `type` is the reason's word, `instance` the request's id. With
    /// `redirect`, an absolute URL, the client is sent there (302).
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

/// A header of ours.
pub fn header(name: &str, value: &str) -> Header {
    (name.into(), value.as_bytes().to_vec())
}

/// Appends bytes that a client may have chosen as the inside of a JSON string; at most 128 of them.
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
        /// Why a request or a response was refused: one word, the same in the answer, the counter and the
        /// access log.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Reason {
            $($(#[$doc])* $name,)+
        }

        impl Reason {
            /// All of them, in the order of [`Reason::index`].
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The word that stands in the answer's `type`, the counter's name and the access log.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// The status code of the refusal while the headers are not out.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// What it means, in a sentence without its full stop.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

reasons! {
    /// Servers could disagree on which path the target names.
    Target "target" 400 "The request target does not normalise to one path";
    /// A request with a body, or one of which that cannot be told.
    Body "body" 400 "A request to read something has no body";
    /// Neither GET nor HEAD.
    Method "method" 405 "Only GET and HEAD are answered here";
    /// No assignment covers host and path.
    Unassigned "unassigned" 403 "No policy is assigned to this path";
    /// The client's address is denied, or not known where that counts.
    Address "address" 403 "This client address may not watch";
    /// The client's place is denied, or not known where that counts.
    Geo "geo" 403 "This may not be watched from here";
    /// Behind a proxy of a kind that is denied.
    Proxy "proxy" 403 "This may not be watched through a proxy";
    /// From the page of another site, or of none where one is needed.
    Referer "referer" 403 "This may not be watched on that site";
    /// No token where one is needed.
    Missing "missing" 403 "A token is needed and none was sent";
    /// The same token was sent twice in one place.
    Duplicate "duplicate" 403 "A token or parameter was sent more than once";
    /// The token breaks the grammar.
    Malformed "malformed" 403 "The token cannot be read";
    /// The HMAC is of an algorithm that the policy does not allow.
    Algorithm "algorithm" 403 "The token's algorithm is not allowed";
    /// The HMAC does not fit token, key and path.
    Signature "signature" 403 "The token's signature does not verify";
    /// A session token in the access token's place or the other way round.
    Swapped "swapped" 403 "This token is of the other kind: access and session tokens are not interchangeable";
    /// An access token, and neither path nor media type are a playlist's.
    Content "content" 403 "An access token opens playlists only, and this is none by its path and content type";
    /// Past `exp`.
    Expired "expired" 403 "The token has expired";
    /// Before `st`.
    Early "early" 403 "The token is not valid yet";
    /// The token's ACL does not cover the path.
    Path "path" 403 "The token does not cover this path";
    /// The token is for another client address or network.
    Ip "ip" 403 "The token is for another client address";
    /// The header that the session is bound to is not there, is there twice, or is another.
    Header "header" 403 "The session is bound to another value of a request header";
    /// A session token for this access token would be too long for players.
    Oversize "oversize" 403 "The token's fields are too long for a session token";
    /// Session or access token are on a list of the policy's.
    Revoked "revoked" 403 "The session or its access token has been revoked";
    /// The player does not name itself, or is not one of the policy's, or no longer.
    Player "player" 403 "This player is not one that may play";
    /// A parameter of ours does not carry our MAC for this path.
    Parameter "parameter" 403 "A signed parameter of this URL does not verify";
    /// The key or the cookie of another session, or nothing that says which of several it is.
    Session "session" 403 "This belongs to another session, or does not say to which of several";
    /// The authorizer said no.
    Authorizer "authorizer" 403 "This session may not have the key";
    /// The authorizer could not be asked, or could not say.
    Unanswered "unanswered" 503 "Whether this session may have the key could not be found out";
    /// The origin answered a status that was not asked for (206, 304).
    Unasked "unasked" 502 "The origin answered with a partial or conditional response that was not asked for";
    /// The origin compressed what must be rewritten or encrypted.
    Encoding "encoding" 502 "The origin applied a content coding that was not asked for";
    /// What should be a playlist does not begin with `#EXTM3U`.
    Playlist "playlist" 502 "The origin's playlist is not a playlist";
    /// A line beyond the limit, or too many lines before a segment's URI.
    Line "line" 502 "The origin's playlist has a line that is too long";
    /// The origin's media is encrypted already.
    Encrypted "encrypted" 502 "The origin's media is already encrypted";
    /// A byte range in the playlist that cannot be read, or that the origin's file does not have.
    Byterange "byterange" 502 "The origin does not have the byte range that its playlist names";
    /// A variable in a URI of the playlist is defined neither there nor in the master playlist that led to it, or the viewer
    /// chose its value and the URI is of a resource that goes out in clear, or of media where keys rotate.
    Variable "variable" 502 "The origin's playlist uses a variable that is not defined, or a viewer's value where it may not decide";
    /// A steering manifest or asset list that is no JSON object, or beyond the limit.
    Document "document" 502 "The origin's steering manifest or asset list is not a JSON object, or too long";
    /// The body is not as long as its `content-length` says.
    Length "length" 502 "The origin's body does not have the length it announced";
    /// Trailers came where the body's end had to be known before them.
    Trailers "trailers" 502 "The origin sent trailers after a body of unknown length";
}

impl Reason {
    /// Its place in [`Reason::ALL`].
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
