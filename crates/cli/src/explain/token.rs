//! The tokens that the session check looked at: where each was sent, its fields, and whether it is accepted.

use playlock_core::http::reply::Reason;
use playlock_core::policy::Opening;
use playlock_core::request::access_token::{AccessCarrier, SentAccess};
use playlock_core::request::check::{TokenSeen, TokenSent};
use playlock_core::request::visit::Visit;
use playlock_core::session::jar::{self, Carrier, Sent};
use playlock_core::token::STEPS;

use super::explanation::{Explanation, Mark};
use crate::fields::{self, Row};

const SESSION: &str = "session token";
const ACCESS: &str = "access token";

/// No session token was sent.
pub fn no_session_token(explanation: &mut Explanation<'_>, named: bool, visit: &Visit<'_>) {
    let rules = &visit.policy.session;
    let transport = match (rules.transport.in_query(), rules.transport.in_cookie()) {
        (true, true) => "query parameter or cookie",
        (true, false) => "query parameter",
        (false, true) => "cookie",
        (false, false) => "path",
    };
    let text = match visit.incoming.target.values(&rules.name).next().filter(|_| named) {
        Some(reference) => {
            format!("the URL names the cookie {}, which was not sent", jar::cookie_name(&rules.name, reference))
        }
        None if rules.transport.in_path() => format!("none in the {transport}"),
        None => format!("none in the {transport} {}", rules.name),
    };
    explanation.say(SESSION, Mark::Note, text);
}

/// No access token was sent, or none is needed.
pub fn no_access_token(explanation: &mut Explanation<'_>, visit: &Visit<'_>) {
    let text = match visit.policy.opening() {
        Opening::Free => "this policy needs none: any viewer gets a session".to_owned(),
        Opening::AccessToken(access) => {
            let names = access.formats.iter().map(|format| match &format.header {
                Some(header) => format!("parameter {}, cookie {} or header {header}", format.parameter, format.cookie),
                None => format!("parameter {} or cookie {}", format.parameter, format.cookie),
            });
            format!("none in {}", names.collect::<Vec<_>>().join(", nor in "))
        }
    };
    explanation.say(ACCESS, Mark::Note, text);
}

/// A token was verified.
pub fn seen(explanation: &mut Explanation<'_>, token: &TokenSeen<'_>, visit: &Visit<'_>) {
    let (name, carrier, sent) = match token.sent {
        TokenSent::Session(Sent { token, carrier }) => {
            let name = &visit.policy.session.name;
            let carrier = match carrier {
                Carrier::Cookie(reference) => format!("cookie {}", jar::cookie_name(name, reference)),
                Carrier::Query => format!("query parameter {name}"),
                Carrier::Path => "path".to_owned(),
            };
            (SESSION, carrier, token)
        }
        TokenSent::Access(sent) => (ACCESS, access_carrier(&sent), sent.token),
    };
    match token.verified {
        Ok(()) => explanation.say(name, Mark::Good, format!("in the {carrier}: valid")),
        Err(reason) => {
            explanation.say(name, Mark::Note, format!("in the {carrier}: {}: {}", reason.word(), reason.title()));
        }
    }
    let spoken = fields::read(sent, visit.incoming.head.now);
    let rows = spoken.as_ref().map(|spoken| spoken.rows.as_slice()).unwrap_or_default();
    for (field, value, meaning) in rows.iter().filter(|(field, ..)| !is_signature(field)) {
        explanation.detail(format!("{field}={value}: {meaning}"));
    }
    if let TokenSent::Access(sent) = token.sent
        && let Some(claim) =
            sent.format.verifier.refused_claim(sent.token, visit.incoming, visit.policy.reserved_parameters())
    {
        explanation.detail(format!("refused by the claim {claim}"));
    }
    for step in steps(token.verified.err(), rows) {
        explanation.detail(step);
    }
}

/// Whether a field is the signature, which explains nothing.
fn is_signature(field: &str) -> bool {
    matches!(field, "hmac" | "Signature" | "signature" | "tag")
}

fn access_carrier(sent: &SentAccess<'_>) -> String {
    match sent.carrier {
        AccessCarrier::PathSegment => "path".to_owned(),
        AccessCarrier::Query => format!("query parameter {}", sent.format.parameter),
        AccessCarrier::PathParameter => format!("path parameter {}", sent.format.parameter),
        AccessCarrier::Cookie => format!("cookie {}", sent.format.cookie),
        AccessCarrier::Metadata => "metadata of the proxy".into(),
        AccessCarrier::Header => format!("header {}", sent.format.header.as_deref().unwrap_or_default()),
    }
}

/// The steps of verifying a token up to the one that failed, with the field that it failed by.
fn steps(failure: Option<Reason>, rows: &[Row]) -> Vec<String> {
    let mut steps = Vec::new();
    for (name, reasons) in STEPS {
        match failure {
            // The values of these headers are part of the signed text.
            Some(Reason::Header) if name == "signature" && rows.iter().any(|(field, ..)| field == "Headers") => {
                steps.push("header: header, by Headers".into());
                break;
            }
            Some(reason) if reasons.contains(&reason) => {
                let field = rows.iter().map(|(field, ..)| field.as_str()).find(|field| of(reason).contains(field));
                let by = field.map(|field| format!(", by {field}")).unwrap_or_default();
                steps.push(format!("{name}: {}{by}", reason.word()));
                break;
            }
            _ => steps.push(format!("{name}: good")),
        }
    }
    steps
}

/// The fields that a reason is about, of all formats.
fn of(reason: Reason) -> &'static [&'static str] {
    match reason {
        Reason::Early => &["st", "Starts", "nbf"],
        Reason::Expired => &["exp", "Expires", "lifetime"],
        Reason::Audience => &["aud"],
        Reason::Geo => &["catgeoiso3166"],
        Reason::Ip => &["ip", "IPRanges", "catnip", "cdniip", "network"],
        Reason::Header => &["header", "cath"],
        Reason::Path => &["acl", "paths", "PathGlobs", "URLPrefix", "FullPath", "catu", "cdniuc"],
        _ => &[],
    }
}
