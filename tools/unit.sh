#!/usr/bin/env bash
# Owns `make unit`: the tests that need neither the module nor wasmtime, a browser or Envoy. Installs nothing.
#   tools/unit.sh [NAME]...     only tests whose names contain one of these
. "$(dirname "$0")/lib.sh"

# Only these packages: with others beside them, cargo would build wasmtime for the feature `wasm` of playlock-host.
cargo test --quiet --package playlock-core --package playlock-config --package playlock-host --package playlock-cli --tests -- "$@"
