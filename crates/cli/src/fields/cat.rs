//! The claims of Common Access Tokens (CTA-5007).

use playlock_core::token::cat;
use playlock_core::token::format::Format;

use super::{Role, TokenFields, add, ends, starts};
use crate::time;

/// Whether `text` is such a token.
pub fn is_one(text: &str) -> bool {
    cat::fields(text).is_some()
}

/// Parses a token; `None` if it is none.
pub fn read(text: &str, now: u64) -> Option<TokenFields> {
    let (mut rows, mut times, mut algorithm) = (Vec::new(), (None, None), "HS256");
    for (name, value) in cat::fields(text)? {
        // Times may have a fraction.
        let at = value.split('.').next().and_then(|seconds| seconds.parse().ok());
        let meaning = match (name.as_str(), at) {
            ("exp", Some(at)) => {
                times.1 = Some(at);
                ends(at, now)
            }
            ("nbf", Some(at)) => {
                times.0 = Some(at);
                starts(at, now)
            }
            ("iat", Some(at)) => format!("issued {}, {}", time::local(at), time::distance(at, now)),
            ("cti", _) => id(&value),
            _ => meaning(&name).into(),
        };
        if name == "alg" {
            algorithm = if value == "HS256" { "HMAC-SHA-256" } else { "ECDSA on P-256" };
        }
        add(&mut rows, &name, value, meaning);
    }
    add(&mut rows, "tag", "…", algorithm);
    Some(TokenFields {
        role: Role::Access,
        formats: vec![Format::Cat],
        text: text.to_owned(),
        rows,
        times,
        ip: None,
        covers: None,
    })
}

/// The meaning of the token's id, which is bytes.
fn id(hex: &str) -> String {
    let text = base16ct::lower::decode_vec(hex).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()));
    format!("id of the token, for revocation{}", text.map(|text| format!(": {text}")).unwrap_or_default())
}

fn meaning(name: &str) -> &'static str {
    match name {
        "alg" => "algorithm of the signature",
        "kid" => "id of the key",
        "iss" => "issuer",
        "sub" => "subject, or the payload",
        "aud" => "audience",
        "cnf" => "confirmation: the key that the client must have",
        "or" => "one of these sets of claims must hold",
        "nor" => "none of these sets of claims may hold",
        "and" => "all of these sets of claims must hold",
        "enc" => "encrypted claims",
        "crit" => "claims that must be understood",
        "catreplay" => "reuse: 0 permitted, 1 prohibited, 2 detected",
        "catpor" => "probability of rejection",
        "catv" => "version of the claims",
        "catnip" => "only for these networks",
        "catu" => {
            "only URLs of which these parts match: 3 is the path, 8 the extension; in them 0 exact, 1 prefix, 2 suffix"
        }
        "catm" => "only these methods",
        "catalpn" => "only these protocols",
        "cath" => "only with these request headers",
        "catgeoiso3166" => "only from these countries or regions",
        "geohash" | "catgeocoord" | "catgeoalt" => "only from this place",
        "cattpk" | "cattprint" => "only from a TLS client with this key or fingerprint",
        "catdpop" => "proof of possession",
        "catif" | "catifdata" => "the response if a claim fails",
        "catr" => "renewal: 0 is how, 1 the lifetime of the next token in seconds, 2 how long before the end",
        _ => "a claim that the filter does not know",
    }
}
