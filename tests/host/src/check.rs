//! Compares an observed exchange with a case's expectations.

use std::collections::BTreeMap;

use crate::case::{Expect, Values};
use crate::cipher::decrypt;
use crate::edge_auth::unhex;
use crate::message::{Header, Seen};
use crate::text::Text;

/// An exchange to check.
pub struct Checked<'a> {
    /// The exchange.
    pub seen: &'a Seen,
    /// The origin's body.
    pub origins: Option<&'a [u8]>,
    /// The placeholders, including this step's captures.
    pub text: &'a Text,
}

/// Checks all expectations; those of `held` replace the same ones. The error is the first difference.
pub fn check(expect: &Expect, held: Option<&Expect>, checked: &Checked<'_>) -> Result<(), String> {
    // What only one of the two expects (or both) is merged; the one for held headers comes first.
    let pick = |get: fn(&Expect) -> Option<&String>| held.and_then(get).or_else(|| get(expect));
    let seen = checked.seen;
    let outcome = pick(|e| e.outcome.as_ref()).map_or("complete", String::as_str);
    let got = seen.outcome.to_string();
    if !outcome.split('|').any(|one| one == got) {
        return Err(format!("outcome: expected {outcome}, got {got} ({})", seen.why));
    }
    if let Some(status) = held.and_then(|e| e.status).or(expect.status) {
        let got = seen.status.map_or("none".to_owned(), |status| status.to_string());
        same("status", &got, &status.to_string())?;
    }
    for (name, get) in [
        ("reason", (|e| e.reason.as_ref()) as fn(&Expect) -> Option<&String>),
        ("kind", |e| e.kind.as_ref()),
        ("policy", |e| e.policy.as_ref()),
    ] {
        if let Some(word) = pick(get) {
            let got = seen.state.get(&format!("wasm.playlock.{name}"));
            same(&format!("filter state {name}"), got.map_or("", String::as_str), word)?;
        }
    }
    if let (Some(word), Some("application/problem+json")) =
        (pick(|e| e.reason.as_ref()), seen.header("content-type").as_deref())
    {
        problem(word, checked)?;
    }
    one(expect, checked)?;
    held.map_or(Ok(()), |held| one(held, checked))
}

/// The problem document must have the same reason code, status and request id.
fn problem(word: &str, checked: &Checked<'_>) -> Result<(), String> {
    let seen = checked.seen;
    if seen.body.is_empty() {
        return Ok(());
    }
    let document: serde_json::Value =
        serde_json::from_slice(&seen.body).map_err(|error| format!("problem document: {error}"))?;
    let field = |name: &str| document.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    same("the problem's type", field("type"), word)?;
    if document.get("status").and_then(serde_json::Value::as_u64) != seen.status.map(u64::from) {
        return Err("the problem's status is not the response's".to_owned());
    }
    if field("instance").is_empty() || field("title").is_empty() {
        return Err("the problem has no title or instance".to_owned());
    }
    Ok(())
}

fn one(expect: &Expect, checked: &Checked<'_>) -> Result<(), String> {
    let seen = checked.seen;
    let text = checked.text;
    headers("header", &expect.headers, &seen.headers, text)?;
    for (name, parts) in &expect.header_has {
        let all = values(&seen.headers, name).join("\n");
        for part in parts.all() {
            let part = text.expand(part)?;
            if !all.contains(&part) {
                return Err(format!("header {name}: no {part:?} in {all:?}"));
            }
        }
    }
    for name in &expect.header_absent {
        if !values(&seen.headers, name).is_empty() {
            return Err(format!("header {name} is there"));
        }
    }
    body(expect, checked)?;
    let origin = seen.origin.as_deref().unwrap_or_default();
    if let Some(target) = &expect.origin_target {
        same("the origin's target", &values(origin, ":path").join("\n"), &text.expand(target)?)?;
    }
    headers("the origin's header", &expect.origin_headers, origin, text)?;
    for name in &expect.origin_header_absent {
        if !values(origin, name).is_empty() {
            return Err(format!("the origin got header {name}"));
        }
    }
    let asked = seen.call.as_ref().map(|call| call.headers.as_slice()).unwrap_or_default();
    headers("the cluster's header", &expect.asked_headers, asked, text)?;
    for name in &expect.asked_header_absent {
        if !values(asked, name).is_empty() {
            return Err(format!("the cluster got header {name}"));
        }
    }
    if let Some(milliseconds) = expect.asked_for {
        let got = seen.call.as_ref().map(|call| call.milliseconds);
        same("the time for the cluster", &format!("{got:?}"), &format!("{:?}", Some(milliseconds)))?;
    }
    for [left, right] in &expect.same {
        same("same", &text.expand(left)?, &text.expand(right)?)?;
    }
    for [left, right] in &expect.differ {
        if text.expand(left)? == text.expand(right)? {
            return Err(format!("{left} and {right} do not differ: {:?}", text.expand(left)?));
        }
    }
    for (name, value) in &expect.counters {
        let got = seen.counters.get(name).ok_or_else(|| format!("no counter {name}"))?;
        same(&format!("counter {name}"), &got.to_string(), &value.to_string())?;
    }
    Ok(())
}

fn body(expect: &Expect, checked: &Checked<'_>) -> Result<(), String> {
    let seen = checked.seen;
    let got = String::from_utf8_lossy(&seen.body);
    if let Some(body) = &expect.body {
        same("body", &got, &checked.text.expand(body)?)?;
    }
    for part in &expect.body_has {
        let part = checked.text.expand(part)?;
        if !got.contains(&part) {
            return Err(format!("no {part:?} in the body"));
        }
    }
    for part in &expect.body_lacks {
        let part = checked.text.expand(part)?;
        if got.contains(&part) {
            return Err(format!("{part:?} in the body"));
        }
    }
    if let Some(size) = expect.body_bytes {
        same("the body's length", &seen.body.len().to_string(), &size.to_string())?;
    }
    if let Some(is) = expect.body_is_origins
        && (checked.origins == Some(&seen.body)) != is
    {
        return Err(format!("the body is {}the origin's", if is { "not " } else { "" }));
    }
    if let Some(key) = &expect.decrypts_to_origin {
        let digits = |text: &str| unhex(&checked.text.expand(text)?).ok_or_else(|| format!("{text}: no hex"));
        let plain = decrypt(&digits(&key.key)?, &digits(&key.iv)?, &seen.body)?;
        if Some(plain.as_slice()) != checked.origins {
            return Err("it decrypts, but not to the origin's body".to_owned());
        }
    }
    Ok(())
}

fn headers(what: &str, expect: &BTreeMap<String, Values>, got: &[Header], text: &Text) -> Result<(), String> {
    for (name, wanted) in expect {
        let wanted: Result<Vec<_>, _> = wanted.all().iter().map(|value| text.expand(value)).collect();
        same(&format!("{what} {name}"), &values(got, name).join("\n"), &wanted?.join("\n"))?;
    }
    Ok(())
}

fn values(headers: &[Header], name: &str) -> Vec<String> {
    let of = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    of.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
}

fn same(what: &str, got: &str, wanted: &str) -> Result<(), String> {
    if got == wanted { Ok(()) } else { Err(format!("{what}: expected {wanted:?}, got {got:?}")) }
}
