//! playlock's filter on `proxy-wasm` 0.2.5, the public Rust SDK: the same `src/`, on a host layer with the interface of
//! `crates/proxy-wasm` that makes every call through the SDK. `docs/decisions/sdk.md` lists its failures and its cost.

extern crate self as playlock_proxy_wasm;

pub mod contexts;
pub mod headers;
pub mod host;
mod wasi;

#[path = "../../../src/http.rs"]
mod http;
#[path = "../../../src/metrics.rs"]
mod metrics;
#[path = "../../../src/root.rs"]
mod root;
#[path = "../../../src/worker.rs"]
mod worker;

pub use contexts::{Action, Http, Root};

/// Header pairs.
pub mod pairs {
    /// Name and value of a header.
    pub type Pair<'a> = (&'a str, &'a [u8]);
}

proxy_wasm::main! {{
    std::panic::set_hook(Box::new(|panic| host::critical(&panic.to_string())));
    proxy_wasm::set_root_context(|id| Box::new(contexts::Plugin::new(root::create(id))));
}}
