//! Entry point of the filter. `playlock_proxy_wasm` exports the functions that the host calls.

mod http;
mod metrics;
mod root;
mod worker;

playlock_proxy_wasm::filter!(root::create);
