//! The checks on a set of claims. Each claim is checked, ignored because it restricts nothing, or refuses the token.

use super::cbor::{self, Entry, Value};
use super::claims::{self, Failure, Refusal};
use super::facts::Facts;
use super::matching::{Subject, all_hold};
use super::{network, uri};
use crate::http::headers;
use crate::http::reply::Reason;

/// The position of a set of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The claims of the token.
    Token,
    /// A claim set in `and` or `or`.
    Composite,
    /// A claim set in `nor`, at any depth.
    Negated,
}

/// Checks the claims of a token. Times come first.
///
/// # Errors
/// The first claim that refuses the request.
pub fn check(set: claims::Set<'_, '_>, facts: &Facts<'_>) -> Result<(), Refusal> {
    let missing = |name: &str| Refusal { reason: Reason::Claim, claim: Some(name.into()) };
    // The standard leaves it to the issuer. A token without an end could never be let expire.
    if cbor::get(set, claims::EXP).is_none() {
        return Err(missing("exp"));
    }
    if facts.issuer.is_some() && cbor::get(set, claims::ISS).is_none() {
        return Err(missing("iss"));
    }
    if !facts.audience.is_empty() && cbor::get(set, claims::AUD).is_none() {
        return Err(missing("aud"));
    }
    each(set, facts, Place::Token).map_err(|(failure, key)| failure.of(key))
}

/// Checks every claim of a set.
fn each<'v, 'a>(set: claims::Set<'v, 'a>, facts: &Facts<'_>, place: Place) -> Result<(), (Failure, &'v Value<'a>)> {
    let is_time = |entry: &&Entry<'_>| matches!(entry.key.integer(), Some(claims::EXP | claims::NBF));
    let times = set.iter().filter(is_time);
    let others = set.iter().filter(|entry| !is_time(entry));
    let mut unmet = None;
    for entry in times.chain(others) {
        match one(entry, set, facts, place) {
            Ok(()) => {}
            // A claim that cannot be decided refuses the token, so it must be found in a composite.
            Err(failure @ Failure::Unmet(_)) if place != Place::Token => unmet = unmet.or(Some((failure, &entry.key))),
            Err(failure) => return Err((failure, &entry.key)),
        }
    }
    unmet.map_or(Ok(()), Err)
}

fn one(
    Entry { key, value, .. }: &Entry<'_>,
    set: claims::Set<'_, '_>,
    facts: &Facts<'_>,
    place: Place,
) -> Result<(), Failure> {
    let Some(label) = key.integer() else {
        return if claims::may_restrict(key) { Err(Failure::NOT_ENFORCED) } else { Ok(()) };
    };
    let at_top = |result| if place == Place::Token { result } else { Err(Failure::NOT_ENFORCED) };
    let form = |good: bool| if good { Ok(()) } else { Err(Failure::MALFORMED) };
    match label {
        claims::ISS => issuer(value, facts),
        claims::AUD => audience(value, facts),
        claims::EXP => {
            let end = value.seconds().ok_or(Failure::MALFORMED)?;
            Failure::unless(facts.now() < end.saturating_add(facts.skew), Reason::Expired)
        }
        claims::NBF => {
            let start = value.seconds().ok_or(Failure::MALFORMED)?;
            Failure::unless(facts.now().saturating_add(facts.skew) >= start, Reason::Early)
        }
        claims::SUB => form(value.text().is_some()),
        claims::IAT => form(value.seconds().is_some()),
        claims::CTI => form(value.bytes().is_some()),
        claims::OR | claims::NOR | claims::AND => composite(label, value, facts, place),
        claims::CRIT => critical(value, set),
        claims::CATREPLAY if *value == Value::Unsigned(0) => Ok(()),
        claims::CATV if *value == Value::Unsigned(1) => Ok(()),
        claims::CATNIP => network::check(value, facts),
        // A session cannot leave out paths.
        claims::CATU if place == Place::Negated => Err(Failure::NOT_ENFORCED),
        claims::CATU => uri::check(value, facts.incoming, facts.reserved),
        claims::CATM => method(value, facts),
        claims::CATALPN => protocol(value, facts),
        claims::CATH => request_headers(value, facts),
        claims::CATGEOISO3166 => location(value, facts),
        // Answers to a request that is refused: the filter has its own.
        claims::CATIF | claims::CATIFDATA => Ok(()),
        claims::CATR => at_top(form(value.map().is_some())),
        // The facts that they need are not known here, or they need state that nodes would have to share.
        claims::CNF | claims::ENC | claims::GEOHASH | claims::CATPOR => Err(Failure::NOT_ENFORCED),
        claims::CATGEOCOORD | claims::CATGEOALT | claims::CATTPK => Err(Failure::NOT_ENFORCED),
        claims::CATDPOP | claims::CATTPRINT => Err(Failure::NOT_ENFORCED),
        _ if claims::may_restrict(key) => Err(Failure::NOT_ENFORCED),
        _ => Ok(()),
    }
}

fn issuer(value: &Value<'_>, facts: &Facts<'_>) -> Result<(), Failure> {
    let issuer = value.text().ok_or(Failure::MALFORMED)?;
    Failure::unless(facts.issuer.is_none_or(|expected| expected == issuer), Reason::Claim)
}

fn audience(value: &Value<'_>, facts: &Facts<'_>) -> Result<(), Failure> {
    let is_ours = |value: &Value<'_>| {
        let name = value.text().ok_or(Failure::MALFORMED)?;
        Ok(facts.audience.is_empty() || facts.audience.iter().any(|ours| ours == name))
    };
    let found = match value {
        Value::Array(names) => names.iter().try_fold(false, |found, name| Ok(is_ours(name)? || found))?,
        name => is_ours(name)?,
    };
    Failure::unless(found, Reason::Claim)
}

/// `or`, `nor` and `and` over claim sets.
fn composite(label: i64, value: &Value<'_>, facts: &Facts<'_>, place: Place) -> Result<(), Failure> {
    let negated = place == Place::Negated || label == claims::NOR;
    let place = if negated { Place::Negated } else { Place::Composite };
    let sets = value.array().filter(|sets| !sets.is_empty()).ok_or(Failure::MALFORMED)?;
    let (mut met, mut unmet) = (0_usize, None);
    for set in sets {
        match each(set.map().ok_or(Failure::MALFORMED)?, facts, place) {
            Ok(()) => met = met.saturating_add(1),
            Err((Failure::Unmet(reason), _)) => unmet = unmet.or(Some(reason)),
            Err((Failure::Undecided(reason, claim), key)) => {
                return Err(Failure::Undecided(reason, claim.or_else(|| Some(claims::name(key)))));
            }
        }
    }
    match (label, unmet) {
        (claims::AND, Some(reason)) => Err(Failure::Unmet(reason)),
        (claims::OR, Some(reason)) if met == 0 => Err(Failure::Unmet(reason)),
        (claims::NOR, _) if met > 0 => Err(Failure::Unmet(Reason::Claim)),
        _ => Ok(()),
    }
}

/// `crit`: claims that must be understood. Those that the filter knows are enforced or refuse the token by themselves.
fn critical(value: &Value<'_>, set: claims::Set<'_, '_>) -> Result<(), Failure> {
    let keys = value.array().filter(|keys| !keys.is_empty()).ok_or(Failure::MALFORMED)?;
    let is_understood = |key: &Value<'_>| {
        let is_known = match key.integer() {
            Some(claims::CATIF | claims::CATIFDATA) | None => false,
            Some(label) => claims::is_known(label),
        };
        is_known && set.iter().any(|entry| entry.key == *key)
    };
    if keys.iter().all(is_understood) { Ok(()) } else { Err(Failure::NOT_ENFORCED) }
}

fn method(value: &Value<'_>, facts: &Facts<'_>) -> Result<(), Failure> {
    let methods = value.array().ok_or(Failure::MALFORMED)?;
    if methods.iter().any(|method| method.text().is_none()) {
        return Err(Failure::MALFORMED);
    }
    let sent = headers::text(facts.incoming.head.headers, ":method");
    Failure::unless(sent.is_some() && methods.iter().any(|method| method.text() == sent), Reason::Claim)
}

fn protocol(value: &Value<'_>, facts: &Facts<'_>) -> Result<(), Failure> {
    let name = |value: &Value<'_>| value.bytes().or(value.text().map(str::as_bytes)).map(<[u8]>::to_vec);
    let names = value.array().ok_or(Failure::MALFORMED)?.iter().map(name);
    let names = names.collect::<Option<alloc::vec::Vec<_>>>().ok_or(Failure::MALFORMED)?;
    let spoken = facts.alpn()?;
    Failure::unless(names.iter().any(|name| name == spoken), Reason::Claim)
}

fn request_headers(value: &Value<'_>, facts: &Facts<'_>) -> Result<(), Failure> {
    let wanted = value.map().filter(|wanted| !wanted.is_empty()).ok_or(Failure::MALFORMED)?;
    let mut met = true;
    for Entry { key, value, .. } in wanted {
        let name = key.text().ok_or(Failure::MALFORMED)?.to_ascii_lowercase();
        let mut sent = headers::all(facts.incoming.head.headers, &name);
        let sent = match (sent.next().map(core::str::from_utf8), sent.next()) {
            (Some(Ok(sent)), None) => sent,
            (None, _) => {
                // Its matches must still be ones that are understood.
                all_hold(value, &Subject::plain(""))?;
                met = false;
                continue;
            }
            _ => return Err(Failure::Undecided(Reason::Claim, None)),
        };
        met &= all_hold(value, &Subject::plain(sent))?;
    }
    Failure::unless(met, Reason::Claim)
}

fn location(value: &Value<'_>, facts: &Facts<'_>) -> Result<(), Failure> {
    let places = value.array().filter(|places| !places.is_empty()).ok_or(Failure::MALFORMED)?;
    let (country, region) = facts.place()?;
    let (mut found, mut unclear) = (false, false);
    for place in places {
        let place = place.text().ok_or(Failure::MALFORMED)?;
        let (wanted, within) = place.split_once('-').map_or((place, None), |(country, region)| (country, Some(region)));
        let here = wanted.eq_ignore_ascii_case(country);
        match (within, region) {
            (None, _) => found |= here,
            (Some(within), Some(region)) => found |= here && within.eq_ignore_ascii_case(region),
            (Some(_), None) => unclear |= here,
        }
    }
    match (found, unclear) {
        (true, _) => Ok(()),
        (false, true) => Err(Failure::Undecided(Reason::Geo, None)),
        (false, false) => Err(Failure::Unmet(Reason::Geo)),
    }
}
