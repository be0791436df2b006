//! Tests the imports of the release modules: the proxy-wasm ABI, three WASI calls and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use playlock_host::envoy::Envoy;
use playlock_host::message::{Request, Response};
use playlock_host::node::{Node, Setup};
use playlock_host::wasm::{self, Flavour, Vm};
use playlock_host::wasmtime::{ExternType, Module};

/// All that may be imported from WASI: what every proxy-wasm host provides.
const WASI: [&str; 3] = ["environ_get", "environ_sizes_get", "random_get"];

fn modules() -> Result<Vec<&'static Module>, String> {
    Flavour::ALL.into_iter().map(wasm::module).collect()
}

#[test]
fn imports_only_the_abi_and_three_wasi_calls() {
    let foreign: BTreeSet<String> = modules()
        .unwrap()
        .iter()
        .flat_map(|module| module.imports())
        .filter(|import| match import.module() {
            "env" => !import.name().starts_with("proxy_"),
            "wasi_snapshot_preview1" => !WASI.contains(&import.name()),
            _ => true,
        })
        .map(|import| format!("{}.{}", import.module(), import.name()))
        .collect();
    assert_eq!(foreign, BTreeSet::new());
}

#[test]
fn imports_no_memory_table_or_global() {
    for import in modules().unwrap().iter().flat_map(|module| module.imports()) {
        assert!(matches!(import.ty(), ExternType::Func(_)), "{}.{}", import.module(), import.name());
    }
}

#[test]
fn exports_what_envoy_calls() {
    let modules = modules().unwrap();
    for name in [
        "memory",
        "malloc",
        "_initialize",
        "proxy_abi_version_0_2_1",
        "proxy_on_vm_start",
        "proxy_on_configure",
        "proxy_on_context_create",
        "proxy_on_request_headers",
        "proxy_on_request_body",
        "proxy_on_request_trailers",
        "proxy_on_response_headers",
        "proxy_on_response_body",
        "proxy_on_response_trailers",
        "proxy_on_http_call_response",
        "proxy_on_log",
        "proxy_on_delete",
        "proxy_on_tick",
    ] {
        assert!(modules.iter().all(|module| module.get_export(name).is_some()), "{name} is not exported");
    }
}

/// The host crosses into the VM for every callback that is exported.
#[test]
fn exports_no_callback_without_use() {
    let modules = modules().unwrap();
    let callbacks = |module: &Module| module.exports().filter(|export| export.name().starts_with("proxy_on_")).count();
    assert!(modules.iter().all(|module| callbacks(module) == 13));
}

/// Without a clock no token's end can be told, nor at the epoch: nothing passes, not even to what needs no token.
#[test]
fn a_host_without_a_clock_lets_nothing_pass() {
    let config = r#"{"policies": [{"policyName": "vod", "mediaEncryption": {"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f"}}],
        "assignments": [{"policyName": "vod", "path": "/vod"}], "default": "pass"}"#;
    let setup = Setup { config: config.to_owned(), env: BTreeMap::new(), now: 1_700_000_000, seed: 1 };
    for flavour in Flavour::ALL {
        let mut vm = Vm::start(wasm::module(flavour).unwrap(), &setup).unwrap();
        let status = |vm: &mut Vm, target: &str| {
            let body = b"#EXTM3U\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n";
            let seen = vm.exchange(&Envoy::new(false), Request::new("GET", target), &mut |_| Response::new(200, body));
            (seen.status, seen.origin.is_some())
        };
        assert_eq!(status(&mut vm, "/vod/a.m3u8"), (Some(200), true));
        for stop in [|vm: &mut Vm| vm.set_now(0), |vm: &mut Vm| vm.stop_clock()] {
            stop(&mut vm);
            assert_eq!(status(&mut vm, "/vod/a.m3u8"), (Some(500), false));
            assert_eq!(status(&mut vm, "/elsewhere"), (Some(500), false));
        }
        vm.set_now(setup.now);
        assert_eq!(status(&mut vm, "/vod/a.m3u8"), (Some(200), true));
    }
}
