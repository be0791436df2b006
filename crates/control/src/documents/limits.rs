//! Limits of the Media Security Policy API, which are stricter than the filter's.

use playlock_core::bytes::cidr;
use serde_json::Value;

use super::json::{at, finding, is_true};
use super::places;
use crate::error::Finding;

/// Objects that require `enabled`.
const SECTIONS: [&str; 7] = [
    "tokenAuth",
    "mediaEncryption",
    "contentTargeting",
    "contentTargeting.geoProtection",
    "contentTargeting.ipAccess",
    "contentTargeting.referer",
    "playerVerification",
];
/// Players of a policy.
const MAX_PLAYERS: usize = 30;

/// All members of a policy beyond the limits. Passwords that equal the `stored` ones pass: a policy that was imported
/// with a longer one can be edited.
pub fn check(policy: &Value, stored: Option<&Value>) -> Vec<Finding> {
    let mut found = Vec::new();
    for section in SECTIONS {
        let path: Vec<_> = section.split('.').collect();
        if at(policy, &path).and_then(Value::as_object).is_some_and(|section| !section.contains_key("enabled")) {
            found.push(finding(&format!("{section}.enabled"), "missing, expected a boolean"));
        }
    }
    for member in ["password", "transitionPassword"] {
        password(policy, stored, member, &mut found);
    }
    if is_true(policy, &["tokenAuth", "enabled"]) && needs_password(policy) {
        required(policy, &["tokenAuth", "password"], "tokenAuth is enabled", &mut found);
    }
    coverage(policy, &mut found);
    geo(policy, &mut found);
    addresses(policy, &["contentTargeting", "ipAccess", "ips"], &mut found);
    addresses(policy, &["contentTargeting", "geoProtection", "overrideIps"], &mut found);
    for (section, flag, url) in [
        ("geoProtection", "geoRedirectOnDenyEnabled", "geoRedirectOnDenyURL"),
        ("ipAccess", "ipRedirectOnDenyEnabled", "denyOnIPRedirectURL"),
        ("referer", "referrerRedirectEnabled", "referrerRedirectURL"),
    ] {
        if is_true(policy, &["contentTargeting", section, flag]) {
            required(policy, &["contentTargeting", section, url], &format!("{flag} is true"), &mut found);
        }
    }
    if is_true(policy, &["playerVerification", "supportPlayerEnabled"]) {
        required(policy, &["playerVerification", "email"], "supportPlayerEnabled is true", &mut found);
    }
    let players = at(policy, &["playerVerification", "players"]).and_then(Value::as_array).map_or(0, Vec::len);
    if players > MAX_PLAYERS {
        let detail = format!("found {players}, expected at most {MAX_PLAYERS}");
        found.push(finding("playerVerification.players", &detail));
    }
    found
}

fn needs_password(policy: &Value) -> bool {
    match at(policy, &["tokenAuth", "formats"]).and_then(Value::as_array) {
        Some(formats) => formats.iter().any(|format| format == "edgeauth"),
        None => true,
    }
}

fn required(policy: &Value, path: &[&str], why: &str, found: &mut Vec<Finding>) {
    let member = path.join(".");
    match at(policy, path) {
        None => found.push(finding(&member, &format!("missing, expected a value: {why}"))),
        Some(Value::String(text)) if text.is_empty() => {
            found.push(finding(&member, &format!("empty, expected a value: {why}")));
        }
        Some(_) => {}
    }
}

fn password(policy: &Value, stored: Option<&Value>, member: &str, found: &mut Vec<Finding>) {
    let path = ["tokenAuth", member];
    let Some(Value::String(text)) = at(policy, &path) else { return };
    if stored.and_then(|stored| at(stored, &path)).and_then(Value::as_str) == Some(text) {
        return;
    }
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let length = text.chars().count();
    if !is_hex || !(2..=32).contains(&length) || !length.is_multiple_of(2) {
        let kind = if is_hex { "hex digits" } else { "characters that are not all hex digits" };
        let detail = format!("found {length} {kind}, expected an even number of hex digits, 2 to 32");
        found.push(finding(&path.join("."), &detail));
    }
}

fn coverage(policy: &Value, found: &mut Vec<Finding>) {
    let Some(Value::String(text)) = at(policy, &["mediaEncryption", "percentageCoverage"]) else { return };
    let plain = !text.starts_with(['0', '+']) && text.parse::<u8>().is_ok_and(|share| (1..=100).contains(&share));
    if !plain && !matches!(text.as_str(), "ALL" | "AUTO") {
        let detail = format!("found {text:?}, expected \"ALL\", \"AUTO\" or \"1\" to \"100\"");
        found.push(finding("mediaEncryption.percentageCoverage", &detail));
    }
}

fn geo(policy: &Value, found: &mut Vec<Finding>) {
    let section = ["contentTargeting", "geoProtection"];
    let Some(geo) = at(policy, &section) else { return };
    let items = |member: &str| geo.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let path = |member: &str, index: usize, code: &str| format!("{}.{member}[{index}].{code}", section.join("."));
    let text = |item: &Value, member: &str| item.get(member).and_then(Value::as_str).map(str::to_owned);
    for (index, item) in items("countries").iter().enumerate() {
        if let Some(code) = text(item, "countryCode").filter(|code| !places::is_country(code)) {
            let detail = format!("found {code:?}, expected a code of GET /countries (ISO 3166-1 alpha-2)");
            found.push(finding(&path("countries", index, "countryCode"), &detail));
        }
    }
    for (index, item) in items("regions").iter().enumerate() {
        let (Some(country), Some(region)) = (text(item, "countryCode"), text(item, "regionCode")) else { continue };
        if !places::is_country(&country) {
            let detail = format!("found {country:?}, expected a code of GET /countries (ISO 3166-1 alpha-2)");
            found.push(finding(&path("regions", index, "countryCode"), &detail));
        } else if !places::is_region(&country, &region) {
            let detail = format!("found {region:?}, expected a code of GET /regions for {country} (ISO 3166-2)");
            found.push(finding(&path("regions", index, "regionCode"), &detail));
        }
    }
    for (index, item) in items("dmas").iter().enumerate() {
        let is_code = |code: &String| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(code) = text(item, "dmaCode").filter(|code| !is_code(code)) {
            let detail = format!("found {code:?}, expected three digits");
            found.push(finding(&path("dmas", index, "dmaCode"), &detail));
        }
    }
}

fn addresses(policy: &Value, path: &[&str], found: &mut Vec<Finding>) {
    for (index, item) in at(policy, path).and_then(Value::as_array).into_iter().flatten().enumerate() {
        if let Some(text) = item.as_str().filter(|text| cidr::block(text).is_none()) {
            let detail = format!("found {text:?}, expected an IP address or a CIDR block");
            found.push(finding(&format!("{}[{index}]", path.join(".")), &detail));
        }
    }
}
