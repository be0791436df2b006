//! The filter's entry: hands Envoy's callbacks to the root context.
#![allow(missing_docs, reason = "`proxy_wasm::main!` exports `_initialize` without a line of its own")]

mod host;
mod http;
mod metrics;
mod root;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(root::Root::default()));
}}
