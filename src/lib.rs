//! The filter's entry. The functions that the host calls are those of `playlock_proxy_wasm`, around what this crate puts
//! into them.

mod http;
mod metrics;
mod root;
mod worker;

playlock_proxy_wasm::filter!(root::create);
