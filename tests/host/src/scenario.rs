//! Runs a case: through every driver, with and without held headers, with every chunking of the origin's body that Envoy
//! may produce, and compares the results.

use std::collections::BTreeMap;

use regex_lite::Regex;

use crate::case::{At, Capture, Case, Origin, Step, folder};
use crate::check::{Checked, check};
use crate::driver::Driver;
use crate::edge_auth::hex;
use crate::envoy::Envoy;
use crate::message::{Ending, Header, Outcome, Request, Response, Seen, Upstream};
use crate::node::{Node, Setup};
use crate::text::Text;
use crate::way::{Way, ways};

/// Larger bodies (in bytes) are not sent byte by byte, which takes long and shows nothing more.
const BYTEWISE: usize = 64 << 10;

/// Runs a case every way through these drivers, of which the first one is what the others are compared with. The error lists
/// the failures, each with step and way.
pub fn run(name: &str, case: &Case, drivers: &[Driver]) -> Result<(), String> {
    if case.step.is_empty() && case.refused.is_empty() && case.warned.is_empty() {
        return Err("neither a step nor a refusal nor a warning is expected".to_owned());
    }
    let mut failures: Vec<String> = Vec::new();
    let mut models: BTreeMap<bool, Vec<Seen>> = BTreeMap::new();
    for side_by_side in ways(drivers) {
        if case.held && side_by_side.iter().any(|way| !way.hold) {
            continue;
        }
        let mut outcomes = Vec::new();
        for way in side_by_side {
            match once(case, way) {
                Ok(seen) => outcomes.push((way, seen)),
                Err(why) => failures.push(format!("{name}, {way}: {why}")),
            }
        }
        let Some(((way, native), modules)) = outcomes.split_first() else { continue };
        let model = models.entry(way.hold).or_insert_with(|| native.clone());
        // How much has gone before a break depends on the cut, and so may whether headers were still held.
        let same = |left: &Seen, right: &Seen| {
            let broken = left.outcome == Outcome::Broken || right.outcome == Outcome::Broken;
            left == right || broken && left.state == right.state && left.origin == right.origin
        };
        for (way, wasm) in modules {
            compare(&format!("{name}, {way} against native"), native, wasm, |left, right| left == right, &mut failures);
        }
        for (way, seen) in &outcomes {
            compare(&format!("{name}, {way} against the body at once"), model, seen, same, &mut failures);
        }
    }
    // The same fault shows in many ways; the first few tell it.
    let more = failures.len().saturating_sub(4);
    failures.truncate(4);
    if more > 0 {
        failures.push(format!("… and {more} more"));
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

fn compare(what: &str, left: &[Seen], right: &[Seen], same: impl Fn(&Seen, &Seen) -> bool, failures: &mut Vec<String>) {
    for (index, (left, right)) in left.iter().zip(right).enumerate() {
        if !same(left, right) {
            failures.push(format!("{what}, step {}:\n  {}\n  {}", index + 1, brief(left), brief(right)));
        }
    }
}

/// A summary of an exchange, in one or two lines.
pub fn brief(seen: &Seen) -> String {
    let list = |headers: &[Header]| {
        let one = |(name, value): &Header| format!("{name}={}", String::from_utf8_lossy(value));
        headers.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let body = match std::str::from_utf8(&seen.body) {
        Ok(text) => format!("{text:?}"),
        Err(_) => format!("{} bytes {}…", seen.body.len(), hex(seen.body.get(..32).unwrap_or(&seen.body))),
    };
    let origin = seen.origin.as_deref().map_or("not asked".to_owned(), list);
    let status = seen.status.map_or("no status".to_owned(), |status| status.to_string());
    format!(
        "{} {status} [{}] {body}; {}; origin: {origin}; state: {:?}; counters: {:?}",
        seen.outcome,
        list(&seen.headers),
        seen.why,
        seen.state,
        seen.counters.iter().filter(|(_, count)| **count > 0).collect::<Vec<_>>()
    )
}

/// Runs a case in one way; the result of each step.
pub fn once(case: &Case, way: Way) -> Result<Vec<Seen>, String> {
    run_on(case, way, &|node, _| node)
}

/// [`once`], with each node as `wrap` makes it.
pub fn run_on(
    case: &Case,
    way: Way,
    wrap: &dyn Fn(Box<dyn Node>, Setup) -> Box<dyn Node>,
) -> Result<Vec<Seen>, String> {
    let start = |differs, seed| {
        let (node, setup) = start(case, differs, seed, way)?;
        Ok(wrap(node, setup))
    };
    let first: Started<Box<dyn Node>> = start(None, 0);
    if !case.refused.is_empty() {
        let Err(log) = first else { return Err("the configuration was taken".to_owned()) };
        let log = log?.join("\n");
        let missing = case.refused.iter().find(|part| !log.contains(part.as_str()));
        return missing.map_or(Ok(Vec::new()), |part| Err(format!("no {part:?} in the log:\n{log}")));
    }
    let first = first.map_err(refusal)?;
    let log = first.log().join("\n");
    if let Some(part) = case.warned.iter().find(|part| !log.contains(part.as_str())) {
        return Err(format!("no {part:?} in the log:\n{log}"));
    }
    let mut nodes = BTreeMap::from([(None, first)]);
    for (seed, (name, differs)) in case.node.iter().enumerate() {
        let node = start(Some(differs), seed as u64 + 1).map_err(refusal)?;
        nodes.insert(Some(name.clone()), node);
    }
    let mut values = BTreeMap::new();
    let mut all = Vec::new();
    for (index, step) in case.step.iter().enumerate() {
        let named = |why: String| format!("step {} ({}): {why}", index + 1, title(step));
        let node = nodes.get_mut(&step.node).ok_or_else(|| named("no such node".to_owned()))?;
        let seen = walk(case, step, node.as_mut(), &mut values, way).map_err(named)?;
        all.push(seen);
    }
    Ok(all)
}

fn title(step: &Step) -> &str {
    if step.about.is_empty() { &step.send } else { &step.about }
}

/// `Err(Ok(log))`: the configuration was rejected; `Err(Err(cause))`: the node could not be started.
type Started<T> = Result<T, Result<Vec<String>, String>>;

fn start(case: &Case, differs: Option<&crate::case::Differs>, seed: u64, way: Way) -> Started<(Box<dyn Node>, Setup)> {
    let config = case.configuration(differs, way.hold).map_err(Err)?;
    let setup = Setup { config, env: case.env(differs), now: case.now, seed };
    Ok((way.driver.start(&setup)?, setup))
}

fn refusal(refused: Result<Vec<String>, String>) -> String {
    refused.map_or_else(|why| why, |log| format!("the configuration was refused:\n{}", log.join("\n")))
}

/// One step on one node.
fn walk(
    case: &Case,
    step: &Step,
    node: &mut dyn Node,
    values: &mut BTreeMap<String, String>,
    way: Way,
) -> Result<Seen, String> {
    let mut text = Text { values: values.clone(), env: case.env(None), now: case.now };
    text.now = match &step.at {
        None => case.now,
        Some(At::Seconds(seconds)) => *seconds,
        Some(At::Relative(offset)) => text.expand(&format!("{{now{offset}}}"))?.parse().map_err(|_| "at: no time")?,
    };
    node.set_now(text.now);
    let request = request(step, &text, way)?;
    let head = request.is_head();
    let origins = step.origin.as_ref().map(|origin| body(origin, &text)).transpose()?;
    let response = match (&step.origin, &origins) {
        (Some(origin), Some(body)) => respond(origin, body, &text, way, head)?,
        _ => Response::new(599, b"the origin must not be asked"),
    };
    let mut seen = node.exchange(&Envoy::new(way.hold), request, &mut |_| response.clone());
    seen.counters = node.counters();
    exact_length(&mut seen, head)?;
    if seen.origin.is_none() && step.origin.is_some() {
        return Err(format!("the origin was not asked\n  {}", brief(&seen)));
    }
    if seen.origin.is_some() && step.origin.is_none() {
        return Err(format!("the origin was asked\n  {}", brief(&seen)));
    }
    let begun = request_clusters(step)?.values().any(|upstream| *upstream != Upstream::IsEmpty);
    if begun != seen.call.is_some() {
        return Err(format!("a cluster was {}asked\n  {}", if begun { "not " } else { "" }, brief(&seen)));
    }
    for (name, capture) in &step.capture {
        let value = take(&seen, capture).ok_or_else(|| format!("nothing to capture as {name}\n  {}", brief(&seen)))?;
        values.insert(name.clone(), value);
    }
    text.values.clone_from(values);
    let checked = Checked { seen: &seen, origins: origins.as_deref(), text: &text };
    let held = step.held.as_ref().filter(|_| way.hold);
    check(&step.expect, held, &checked).map_err(|why| format!("{why}\n  {}\n  log: {:?}", brief(&seen), node.log()))?;
    Ok(seen)
}

/// A rewritten playlist has its exact content-length or none; with held headers, that depends on the chunks. The header is
/// removed, so that all ways can be compared.
fn exact_length(seen: &mut Seen, head: bool) -> Result<(), String> {
    let is_playlist = seen.state.get("wasm.playlock.kind").is_some_and(|kind| kind == "playlist");
    if !is_playlist || head || seen.status != Some(200) {
        return Ok(());
    }
    match seen.header("content-length") {
        Some(length) if length != seen.body.len().to_string() => {
            Err(format!("content-length {length} of a playlist of {} bytes", seen.body.len()))
        }
        _ => {
            seen.headers.retain(|(name, _)| name != "content-length");
            Ok(())
        }
    }
}

fn request_clusters(step: &Step) -> Result<BTreeMap<String, Upstream>, String> {
    let upstream = |(name, how): (&String, &String)| {
        let upstream = match how.as_str() {
            "refused" => Upstream::Refuses,
            "timeout" => Upstream::IsSilent,
            "empty" => Upstream::IsEmpty,
            status => Upstream::Answers(status.parse().map_err(|_| format!("clusters: {status} is no status"))?),
        };
        Ok((name.clone(), upstream))
    };
    step.clusters.iter().map(upstream).collect()
}

fn request(step: &Step, text: &Text, way: Way) -> Result<Request, String> {
    let (method, target) = step.send.split_once(' ').ok_or("send: method and target")?;
    let mut request = Request::new(method, &text.expand(target)?);
    for (name, values) in &step.headers {
        if name.starts_with(':') {
            request.headers.retain(|(known, _)| known != name);
        }
        for value in values.all() {
            request.headers.push((name.clone(), text.expand(value)?.into_bytes()));
        }
    }
    request.route_policy.clone_from(&step.route_policy);
    request.rerouted_policy.clone_from(&step.rerouted_policy);
    request.ja4.clone_from(&step.ja4);
    if let Some(protocol) = &step.protocol {
        request.protocol.clone_from(protocol);
    }
    request.metadata.clone_from(&step.metadata);
    request.has_body = step.has_body || step.body_trailers || step.body.is_some() || step.body_bytes.is_some();
    let body = match (&step.body, step.body_bytes) {
        (Some(body), _) => text.expand(body)?.into_bytes(),
        (None, size) => vec![b'<'; size.unwrap_or(0)],
    };
    request.body = body.chunks(chunk_size(&body, way)).map(<[u8]>::to_vec).collect();
    request.ending = match (step.body_trailers, way.empty_end) {
        (true, _) => Ending::Trailers(Vec::new()),
        (false, true) => Ending::EmptyChunk,
        (false, false) => Ending::WithData,
    };
    if step.client.is_some() {
        request.client.clone_from(&step.client);
    }
    request.clusters = request_clusters(step)?;
    Ok(request)
}

fn body(origin: &Origin, text: &Text) -> Result<Vec<u8>, String> {
    match (&origin.body, &origin.file, origin.bytes) {
        (Some(body), None, None) => text.expand(body).map(String::into_bytes),
        (None, Some(file), None) => std::fs::read(folder().join(file)).map_err(|error| format!("{file}: {error}")),
        (None, None, Some(size)) => {
            // No period of 16, so that swapped or repeated blocks show.
            Ok((0..size as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect())
        }
        (None, None, None) => Ok(Vec::new()),
        _ => Err("origin: one of body, file, bytes".to_owned()),
    }
}

/// The size of a body's chunks in bytes, at least 1.
fn chunk_size(body: &[u8], way: Way) -> usize {
    match way.chunk {
        1 if body.len() > BYTEWISE => 4096,
        0 => body.len().max(1),
        size => size,
    }
}

fn respond(origin: &Origin, body: &[u8], text: &Text, way: Way, head: bool) -> Result<Response, String> {
    let mut response = Response::new(origin.status.unwrap_or(200), body);
    if origin.abort {
        // The length stays that of the whole.
        response.chunks = vec![body.get(..body.len() / 2).unwrap_or_default().to_vec()];
    }
    if origin.no_length {
        response.headers.retain(|(name, _)| name != "content-length");
    }
    for (name, values) in &origin.headers {
        response.headers.retain(|(known, _)| known != name);
        for value in values.all() {
            response.headers.push((name.clone(), text.expand(value)?.into_bytes()));
        }
    }
    let size = chunk_size(body, way);
    let ending = match &origin.trailers {
        _ if head => Ending::WithData,
        _ if origin.abort => Ending::Abort,
        Some(trailers) => {
            let trailers = trailers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes()));
            Ending::Trailers(trailers.collect())
        }
        None if way.empty_end => Ending::EmptyChunk,
        None => Ending::WithData,
    };
    Ok(response.cut(size, ending))
}

fn take(seen: &Seen, capture: &Capture) -> Option<String> {
    let first = |find: &str, text: &str| {
        let pattern = Regex::new(find).ok()?;
        Some(pattern.captures(text)?.get(1)?.as_str().to_owned())
    };
    match capture {
        Capture::Body(find) if find == "@hex" => Some(hex(&seen.body)),
        Capture::Body(find) => first(find, &String::from_utf8_lossy(&seen.body)),
        Capture::Header { header, find } => {
            let values = seen.headers.iter().filter(|(name, _)| name == header);
            values.into_iter().find_map(|(_, value)| first(find, &String::from_utf8_lossy(value)))
        }
    }
}
