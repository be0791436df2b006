//! Properties of signatures: whatever is signed cannot be changed, and no header has a second spelling.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use playlock_edgegrid::{
    Authorization, Credentials, MAX_BODY, MAX_HEADER, ParseError, Part, RANDOM_BYTES, Refusal, SignFault,
    SignedRequest, Signer, new_nonce, verify,
};

const NOW: i64 = 1_395_430_461;

const REQUEST: SignedRequest<'static> = SignedRequest {
    method: "POST",
    scheme: "https",
    authority: "localhost:8443",
    target: "/config-media-security/v2/policies?a=%20b",
    headers: &[("X-First", "one two"), ("X-Second", "three")],
    body: b"{\"policyName\":\"vod\"}",
};

fn credentials() -> Credentials {
    Credentials::from_random(&[0x5a; RANDOM_BYTES])
}

fn sign(credentials: &Credentials, request: &SignedRequest<'_>) -> String {
    Signer { credentials, max_body: MAX_BODY }.sign(request, NOW, &new_nonce([7; 16])).unwrap()
}

fn check(header: &str, request: &SignedRequest<'_>) -> Result<(), Refusal> {
    verify(&Authorization::parse(header)?, credentials().client_secret(), request, MAX_BODY)
}

/// The text with each bit of each byte flipped, each byte left out, and each byte doubled, as far as that is UTF-8.
fn changed(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let flipped = (0..bytes.len() * 8).map(|bit| {
        let mut other = bytes.to_vec();
        other[bit / 8] ^= 1 << (bit % 8);
        other
    });
    let shorter = (0..bytes.len()).map(|at| [&bytes[..at], &bytes[at + 1..]].concat());
    let longer = (0..bytes.len()).map(|at| [&bytes[..=at], &bytes[at..]].concat());
    let all: Vec<_> = flipped.chain(shorter).chain(longer).filter_map(|it| String::from_utf8(it).ok()).collect();
    assert!(all.len() > bytes.len() * 8);
    all
}

#[test]
fn a_signed_request_verifies() {
    assert_eq!(check(&sign(&credentials(), &REQUEST), &REQUEST), Ok(()));
}

#[test]
fn each_changed_byte_of_the_header_is_refused() {
    let header = sign(&credentials(), &REQUEST);
    for other in changed(&header) {
        assert!(check(&other, &REQUEST).is_err(), "{other}");
    }
}

#[test]
fn each_changed_byte_of_a_signed_part_is_refused() {
    let header = sign(&credentials(), &REQUEST);
    for method in changed(REQUEST.method) {
        assert!(check(&header, &SignedRequest { method: &method, ..REQUEST }).is_err(), "{method}");
    }
    for scheme in changed(REQUEST.scheme) {
        assert!(check(&header, &SignedRequest { scheme: &scheme, ..REQUEST }).is_err(), "{scheme}");
    }
    for authority in changed(REQUEST.authority) {
        assert!(check(&header, &SignedRequest { authority: &authority, ..REQUEST }).is_err(), "{authority}");
    }
    for target in changed(REQUEST.target) {
        assert!(check(&header, &SignedRequest { target: &target, ..REQUEST }).is_err(), "{target}");
    }
    for body in changed("{\"policyName\":\"vod\"}") {
        assert!(check(&header, &SignedRequest { body: body.as_bytes(), ..REQUEST }).is_err(), "{body}");
    }
    assert!(check(&header, &SignedRequest { body: b"", ..REQUEST }).is_err());
}

#[test]
fn each_changed_byte_of_a_signed_header_is_refused() {
    let header = sign(&credentials(), &REQUEST);
    // The names' case does not count, nor does how much white space there is.
    let same = [("x-first", " one \t two "), ("X-SECOND", "three")];
    assert_eq!(check(&header, &SignedRequest { headers: &same, ..REQUEST }), Ok(()));
    for value in changed("one two").iter().filter(|value| !value.contains("  ")) {
        let headers = [("x-first", value.as_str()), ("x-second", "three")];
        assert!(check(&header, &SignedRequest { headers: &headers, ..REQUEST }).is_err(), "{value:?}");
    }
    for name in changed("x-first").iter().filter(|name| !name.eq_ignore_ascii_case("x-first")) {
        let headers = [(name.as_str(), "one two"), ("x-second", "three")];
        assert!(check(&header, &SignedRequest { headers: &headers, ..REQUEST }).is_err(), "{name:?}");
    }
    let wrong: [&[(&str, &str)]; 5] = [
        &[],
        &[("x-first", "one two")],
        &[("x-second", "three"), ("x-first", "one two")],
        &[("x-first", "one two\tx-second:three")],
        &[("x-first:one two\tx-second", "three")],
    ];
    for headers in wrong {
        assert!(check(&header, &SignedRequest { headers, ..REQUEST }).is_err(), "{headers:?}");
    }
}

/// No byte can move from one part into the next: a tab, which separates them, is in none.
#[test]
fn parts_with_white_space_are_refused_and_not_signed() {
    let header = sign(&credentials(), &REQUEST);
    let cases = [
        (SignedRequest { method: "POST\thttps", ..REQUEST }, Part::Method),
        (SignedRequest { method: "", ..REQUEST }, Part::Method),
        (SignedRequest { scheme: "", ..REQUEST }, Part::Scheme),
        (SignedRequest { scheme: "https\tlocalhost", ..REQUEST }, Part::Scheme),
        (SignedRequest { authority: "", ..REQUEST }, Part::Authority),
        (SignedRequest { authority: "localhost:8443\t/", ..REQUEST }, Part::Authority),
        (SignedRequest { target: "", ..REQUEST }, Part::Target),
        (SignedRequest { target: "*", ..REQUEST }, Part::Target),
        (SignedRequest { target: "https://localhost/", ..REQUEST }, Part::Target),
        (SignedRequest { target: "/a\t", ..REQUEST }, Part::Target),
        (SignedRequest { target: "/a b", ..REQUEST }, Part::Target),
        (SignedRequest { target: "/ä", ..REQUEST }, Part::Target),
        (SignedRequest { headers: &[("", "a")], ..REQUEST }, Part::HeaderName),
        (SignedRequest { headers: &[("a\tb", "a")], ..REQUEST }, Part::HeaderName),
        (SignedRequest { headers: &[("a:b", "a")], ..REQUEST }, Part::HeaderName),
    ];
    for (request, part) in cases {
        assert_eq!(check(&header, &request), Err(Refusal::Request(part)), "{request:?}");
        let signer = Signer { credentials: &credentials(), max_body: MAX_BODY };
        assert_eq!(signer.sign(&request, NOW, "nonce"), Err(SignFault::Request(part)), "{request:?}");
    }
}

#[test]
fn another_secret_is_refused() {
    let other = Credentials::from_random(&[0x5b; RANDOM_BYTES]);
    let header = sign(&credentials(), &REQUEST);
    let parsed = Authorization::parse(&header).unwrap();
    assert_eq!(verify(&parsed, other.client_secret(), &REQUEST, MAX_BODY), Err(Refusal::Signature));
}

/// TLS protects these: documentation, not a wish.
#[test]
fn bodies_of_put_and_patch_and_long_tails_are_not_signed() {
    for method in ["PUT", "PATCH"] {
        let request = SignedRequest { method, ..REQUEST };
        assert_eq!(check(&sign(&credentials(), &request), &SignedRequest { body: b"other", ..request }), Ok(()));
    }
    let body = vec![b'x'; MAX_BODY + 1];
    let header = sign(&credentials(), &SignedRequest { body: &body, ..REQUEST });
    assert_eq!(check(&header, &SignedRequest { body: &body[..MAX_BODY], ..REQUEST }), Ok(()));
    assert!(check(&header, &SignedRequest { body: &body[..MAX_BODY - 1], ..REQUEST }).is_err());
}

#[test]
fn a_header_has_one_spelling() {
    let good = sign(&credentials(), &REQUEST);
    let field = |name: &'static str| ParseError::Field(name);
    let cases = [
        (String::new(), ParseError::Scheme),
        (good.to_lowercase(), ParseError::Scheme),
        (good.replace("EG1-HMAC-SHA256 ", "EG1-HMAC-SHA256  "), field("client_token")),
        (good.replace("EG1-HMAC-SHA256 ", "EG1-HMAC-SHA256\t"), ParseError::Scheme),
        (good.replace("client_token=", "client_token=a;client_token="), field("access_token")),
        (good.replace("access_token=", "client_token=a;access_token="), field("access_token")),
        (good.replace("timestamp=", "access_token=a;timestamp="), field("timestamp")),
        (good.replace("nonce=", "timestamp=20140321T19:34:21+0000;nonce="), field("nonce")),
        (good.replace("signature=", "nonce=a;signature="), field("signature")),
        (good.replace("signature=", "signature=a;signature="), ParseError::Signature),
        (good.replace("client_token=akab", "client_token=ak ab"), field("client_token")),
        (good.replace("client_token=akab", "client_token=\"akab"), field("client_token")),
        (good.replace("client_token=", "CLIENT_TOKEN="), field("client_token")),
        (good.replace("client_token=akab", &format!("client_token={}", "a".repeat(128))), field("client_token")),
        (good.replace(";access_token", "; access_token"), field("access_token")),
        (good.replace(";access_token", ",access_token"), field("client_token")),
        (good.replace("+0000", "+0100"), ParseError::Timestamp),
        (good.replace("+0000", "Z"), ParseError::Timestamp),
        (good.replace("nonce=", &format!("nonce={}", "n".repeat(128))), field("nonce")),
        (good.replace("nonce=", "nonce=\u{e4}"), field("nonce")),
        (good.replace(";signature", ";;signature"), field("signature")),
        (good.replace(";signature", "; signature"), field("signature")),
        (format!("{good};"), ParseError::Signature),
        (format!("{good} "), ParseError::Signature),
        (format!("{good}="), ParseError::Signature),
        (good.trim_end_matches('=').into(), ParseError::Signature),
        (good.replace('=', "=\n"), field("client_token")),
        (format!("{good}{}", "=".repeat(MAX_HEADER)), ParseError::Length(good.len() + MAX_HEADER)),
    ];
    for (header, error) in cases {
        assert_eq!(Authorization::parse(&header).err(), Some(error), "{header}");
    }
    // Reordered fields, even if signed like that.
    let (first, rest) = good.strip_prefix("EG1-HMAC-SHA256 ").unwrap().split_once(';').unwrap();
    let (second, rest) = rest.split_once(';').unwrap();
    let swapped = format!("EG1-HMAC-SHA256 {second};{first};{rest}");
    assert_eq!(Authorization::parse(&swapped).err(), Some(field("client_token")));
}

/// The last character of the signature has two bits that encode nothing: set, they would be a second spelling.
#[test]
fn unused_bits_of_the_signature_are_zero() {
    let header = sign(&credentials(), &REQUEST);
    let (rest, last) = header.strip_suffix('=').unwrap().split_at(header.len() - 2);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = alphabet.iter().position(|it| [*it] == last.as_bytes()).unwrap();
    for other in &alphabet[value + 1..value + 4] {
        let spelled = format!("{rest}{}=", char::from(*other));
        assert_eq!(Authorization::parse(&spelled).err(), Some(ParseError::Signature));
    }
}

#[test]
fn a_signature_is_not_printed() {
    let header = sign(&credentials(), &REQUEST);
    let printed = format!("{:?}", Authorization::parse(&header).unwrap());
    assert!(!printed.contains("signature"), "{printed}");
}

#[test]
fn nonces_and_times_that_no_server_would_read_are_not_signed() {
    let credentials = credentials();
    let signer = Signer { credentials: &credentials, max_body: MAX_BODY };
    assert_eq!(signer.sign(&REQUEST, NOW, "a;b"), Err(SignFault::Nonce));
    assert_eq!(signer.sign(&REQUEST, NOW, ""), Err(SignFault::Nonce));
    assert_eq!(signer.sign(&REQUEST, -1, "a"), Err(SignFault::Time));
}
