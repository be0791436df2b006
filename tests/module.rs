//! What the release module asks of its host: nothing but the proxy-wasm ABI and three WASI calls.

use std::collections::BTreeSet;

use playlock_host::wasm;
use playlock_host::wasmtime::ExternType;

/// All that may be imported from WASI: what every proxy-wasm host provides.
const WASI: [&str; 3] = ["environ_get", "environ_sizes_get", "random_get"];

#[test]
fn imports_only_the_abi_and_three_wasi_calls() {
    let module = wasm::module().unwrap_or_else(|why| panic!("{why}"));
    let foreign: BTreeSet<String> = module
        .imports()
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
    let module = wasm::module().unwrap_or_else(|why| panic!("{why}"));
    for import in module.imports() {
        assert!(matches!(import.ty(), ExternType::Func(_)), "{}.{}", import.module(), import.name());
    }
}

#[test]
fn exports_what_envoy_calls() {
    let module = wasm::module().unwrap_or_else(|why| panic!("{why}"));
    let exports: BTreeSet<&str> = module.exports().map(|export| export.name()).collect();
    for name in [
        "memory",
        "malloc",
        "_initialize",
        "proxy_abi_version_0_2_1",
        "proxy_on_vm_start",
        "proxy_on_configure",
        "proxy_on_context_create",
        "proxy_on_request_headers",
        "proxy_on_response_headers",
        "proxy_on_response_body",
        "proxy_on_response_trailers",
        "proxy_on_log",
        "proxy_on_done",
        "proxy_on_delete",
    ] {
        assert!(exports.contains(name), "{name} is not exported");
    }
}
