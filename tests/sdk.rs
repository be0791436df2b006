//! Trial of the public SDK: runs every case of `tests/cases/`, and every host fault below, on the module of
//! `tests/sdk-filter`. `tests/sdk-filter/failures.tsv` lists the expected failures with their reasons; the test fails
//! if any other case fails, or if a listed one passes. The filter's own modules pass all of them.
//! `docs/decisions/sdk.md` explains the results.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

use std::collections::BTreeMap;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use playlock_host::case;
use playlock_host::driver::Driver;
use playlock_host::envoy::Envoy;
use playlock_host::message::{Ending, Outcome, Request, Response, Seen};
use playlock_host::node::{Node, Setup};
use playlock_host::scenario;
use playlock_host::wasm::{self, Fault, Flavour, Vm};
use playlock_host::wasmtime::Module;

const FAILURES: &str = include_str!("sdk-filter/failures.tsv");

const MEDIA: &[u8] = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n";

/// Tests whether a module withstands a fault of its host.
type Withstands = fn(&Module) -> Result<(), String>;

/// Faults of a host that a module must withstand, by name.
const HOSTS: [(&str, Withstands); 9] = [
    ("a host without a clock", without_clock),
    ("a request header that cannot be changed", |it| survives(it, "proxy_remove_header_map_value", BAD_ARGUMENT)),
    ("a response header that cannot be changed", |it| survives(it, "proxy_replace_header_map_value", BAD_ARGUMENT)),
    ("a body that cannot be changed", |it| survives(it, "proxy_set_buffer_bytes", BAD_ARGUMENT)),
    ("filter state that cannot be set", |it| survives(it, "proxy_set_property", UNIMPLEMENTED)),
    ("a status that the ABI does not have", |it| survives(it, "proxy_set_property", 0xdead)),
    ("a stream that ends in its own callback", nested),
    ("a reply's header that is not UTF-8", latin_1),
    ("callbacks without use", callbacks),
];

const BAD_ARGUMENT: u32 = 2;
const UNIMPLEMENTED: u32 = 12;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let expected: BTreeMap<&str, &str> =
        FAILURES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t')).collect();
    let mut trials = Vec::new();
    for (name, case) in case::all().unwrap_or_else(|why| panic!("{why}")) {
        let trial = format!("case {name}");
        let reason = expected.get(trial.as_str()).copied();
        trials.push(Trial::test(trial, move || {
            judge(scenario::run(&name, &case, &[Driver::Native, Driver::Wasm(Flavour::Sdk)]), reason)
        }));
    }
    for (name, run) in HOSTS {
        for flavour in [Flavour::Relaxed, Flavour::Sdk] {
            let trial = format!("{name} ({flavour:?})");
            let reason = expected.get(name).copied().filter(|_| flavour == Flavour::Sdk);
            trials.push(Trial::test(trial, move || judge(wasm::module(flavour).and_then(run), reason)));
        }
    }
    let names: Vec<_> = trials.iter().map(|trial| trial.name().to_owned()).collect();
    let known = |name: &str| name.starts_with("envoy ") || names.iter().any(|known| known.starts_with(name));
    if let Some(name) = expected.keys().find(|name| !known(name)) {
        eprintln!("tests/sdk-filter/failures.tsv: there is no {name:?}");
        return ExitCode::FAILURE;
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Passes on success, or on a failure with the expected reason.
fn judge(result: Result<(), String>, expected: Option<&str>) -> Result<(), Failed> {
    match (result, expected) {
        (Ok(()), None) => Ok(()),
        (Err(why), Some(reason)) if why.contains(reason) => Ok(()),
        (Ok(()), Some(_)) => Err("passes now: take it out of tests/sdk-filter/failures.tsv".into()),
        (Err(why), Some(reason)) => Err(format!("fails for another reason than {reason:?}: {why}").into()),
        (Err(why), None) => Err(why.into()),
    }
}

fn start(module: &Module, fault: Option<Fault>) -> Result<Vm, String> {
    let config = serde_json::json!({
        "policies": [{"policyName": "vod", "mediaEncryption": {"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f"}}],
        "assignments": [{"policyName": "vod", "path": "/vod/..."}],
    });
    let setup = Setup { config: config.to_string(), env: BTreeMap::new(), now: 1_700_000_000, seed: 1 };
    Vm::start_on(module, &setup, fault).map_err(|refused| refused.0.join("\n"))
}

fn ask(vm: &mut Vm, target: &str, response: &Response) -> Seen {
    let mut request = Request::new("GET", target);
    request.headers.push(("accept-encoding".into(), b"gzip".to_vec()));
    vm.exchange(&Envoy::new(false), request, &mut |_| response.clone())
}

/// Checks that the next request also gets a response: no trap has ended the VM.
fn lives(vm: &mut Vm, seen: &Seen) -> Result<(), String> {
    if seen.outcome == Outcome::Trap {
        return Err(seen.why.clone());
    }
    let next = ask(vm, "/elsewhere", &Response::new(200, b""));
    if next.outcome == Outcome::Trap { Err(next.why) } else { Ok(()) }
}

/// Opens a session and returns the URL of one of its segments.
fn segment(vm: &mut Vm) -> Result<String, String> {
    let playlist = ask(vm, "/vod/a.m3u8", &Response::new(200, MEDIA));
    let text = String::from_utf8_lossy(&playlist.body).into_owned();
    let uri = text.lines().find(|line| line.starts_with("a.ts"));
    uri.map(|uri| format!("/vod/{uri}")).ok_or_else(|| format!("{} {text}", playlist.why))
}

fn expect<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found:?}, expected {expected:?}")) }
}

fn without_clock(module: &Module) -> Result<(), String> {
    let mut vm = start(module, None)?;
    vm.stop_clock();
    let seen = ask(&mut vm, "/vod/a.m3u8", &Response::new(200, MEDIA));
    lives(&mut vm, &seen)?;
    expect(seen.status, Some(500))
}

/// Requests a playlist while a function fails with this status; the response may be anything.
fn survives(module: &Module, function: &'static str, status: u32) -> Result<(), String> {
    let mut vm = start(module, Some(Fault::Status(function, status)))?;
    let mut response = Response::new(200, MEDIA);
    response.headers.push(("cache-control".into(), b"max-age=60".to_vec()));
    let seen = ask(&mut vm, "/vod/a.m3u8", &response);
    lives(&mut vm, &seen)
}

/// A segment whose padding block cannot be sent is reset in the trailers callback; the host then ends the stream at
/// once.
fn nested(module: &Module) -> Result<(), String> {
    let mut vm = start(module, Some(Fault::EndsStream("proxy_close_stream")))?;
    let target = segment(&mut vm)?;
    let mut response = Response::new(200, &[7; 100]).cut(50, Ending::Trailers(Vec::new()));
    response.headers.retain(|(name, _)| name != "content-length");
    let seen = ask(&mut vm, &target, &response);
    lives(&mut vm, &seen)?;
    expect(seen.outcome, Outcome::Broken)
}

/// For an empty segment, the filter sends its own response with the origin's media type.
fn latin_1(module: &Module) -> Result<(), String> {
    let mut vm = start(module, None)?;
    let target = segment(&mut vm)?;
    let mut response = Response::new(200, b"");
    response.headers.push(("content-type".into(), b"video/mp2t; note=\xe9".to_vec()));
    let seen = ask(&mut vm, &target, &response);
    lives(&mut vm, &seen)?;
    let found = seen.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_slice());
    expect(found, Some(&b"video/mp2t; note=\xe9"[..]))
}

/// Every exported callback costs a transition into the VM.
fn callbacks(module: &Module) -> Result<(), String> {
    expect(module.exports().filter(|export| export.name().starts_with("proxy_on_")).count(), 13)
}
