//! The claims of a token: labels, names, and the reason why one of them refuses a request.

use alloc::format;
use alloc::string::{String, ToString};

use super::cbor::{Entry, Value};
use crate::http::reply::Reason;

macro_rules! claims {
    ($($constant:ident $label:literal $name:literal;)+) => {
        $(#[doc = concat!("Label of `", $name, "`.")] pub const $constant: i64 = $label;)+

        /// Labels and names of all claims that the filter knows, enforced or not.
        const NAMES: &[(i64, &str)] = &[$(($label, $name),)+];
    };
}

// RFC 8392 section 4, RFC 8747, CTA-5007.
claims! {
    ISS 1 "iss";
    SUB 2 "sub";
    AUD 3 "aud";
    EXP 4 "exp";
    NBF 5 "nbf";
    IAT 6 "iat";
    CTI 7 "cti";
    CNF 8 "cnf";
    OR 41 "or";
    NOR 42 "nor";
    AND 43 "and";
    ENC 44 "enc";
    CRIT 45 "crit";
    GEOHASH 282 "geohash";
    CATREPLAY 308 "catreplay";
    CATPOR 309 "catpor";
    CATV 310 "catv";
    CATNIP 311 "catnip";
    CATU 312 "catu";
    CATM 313 "catm";
    CATALPN 314 "catalpn";
    CATH 315 "cath";
    CATGEOISO3166 316 "catgeoiso3166";
    CATGEOCOORD 317 "catgeocoord";
    CATGEOALT 318 "catgeoalt";
    CATTPK 319 "cattpk";
    CATIFDATA 320 "catifdata";
    CATDPOP 321 "catdpop";
    CATIF 322 "catif";
    CATR 323 "catr";
    CATTPRINT 324 "cattprint";
}

/// The claims of a set, in order.
pub type Set<'v, 'a> = &'v [Entry<'a>];

/// The name of a claim; its label, if it has no name that is known.
pub fn name(key: &Value<'_>) -> String {
    match (key.integer(), key) {
        (Some(label), _) => match NAMES.iter().find(|(known, _)| *known == label) {
            Some((_, name)) => (*name).into(),
            None => label.to_string(),
        },
        (None, Value::Text(text)) => format!("{text:?}"),
        (None, _) => "a label that is neither an integer nor a text".into(),
    }
}

/// Whether the filter knows the claim with this label.
pub fn is_known(label: i64) -> bool {
    NAMES.iter().any(|(known, _)| *known == label)
}

/// Whether an unknown claim may restrict the token, so that ignoring it would widen it: CTA-5007 and its drafts take
/// labels from 256 to 511, composites and `crit` from 40 to 47, and some issuers write names in place of labels.
pub fn may_restrict(key: &Value<'_>) -> bool {
    match (key.integer(), key) {
        (Some(label), _) => matches!(label, 40..48 | 256..512),
        (None, Value::Text(text)) => text.starts_with("cat") || NAMES.iter().any(|(_, name)| name == text),
        (None, _) => true,
    }
}

/// A claim that refuses the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Reason of the refusal.
    pub reason: Reason,
    /// Name of the claim; `None` if the token as a whole is refused.
    pub claim: Option<String>,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, claim: None }
    }
}

/// Result of a claim that does not hold.
#[derive(Debug)]
pub enum Failure {
    /// The request does not satisfy the claim.
    Unmet(Reason),
    /// Whether the request satisfies it cannot be decided: the claim is not enforced, is malformed, or depends on a
    /// fact that is not known. The token is refused even where another claim set would do (`or`, `nor`).
    Undecided(Reason, Option<String>),
}

impl Failure {
    /// A claim that the filter does not enforce.
    pub const NOT_ENFORCED: Self = Self::Undecided(Reason::Claim, None);
    /// A claim whose value has the wrong type or form.
    pub const MALFORMED: Self = Self::Undecided(Reason::Malformed, None);

    /// The refusal by the claim `key`. A claim within a composite names itself.
    pub fn of(self, key: &Value<'_>) -> Refusal {
        match self {
            Self::Unmet(reason) | Self::Undecided(reason, None) => Refusal { reason, claim: Some(name(key)) },
            Self::Undecided(reason, claim) => Refusal { reason, claim },
        }
    }

    /// `Ok` if `holds`, otherwise a claim that the request does not satisfy.
    pub fn unless(holds: bool, reason: Reason) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self::Unmet(reason)) }
    }
}
