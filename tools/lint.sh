#!/usr/bin/env bash
# Owns `make lint`: every check that reads the sources of this project without running them. Installs nothing.
. "$(dirname "$0")/lib.sh"

lint=target/lint
{ [ -x $lint/venv/bin/ruff ] && [ -x $lint/node/node_modules/.bin/biome ]; } ||
  fail "the linters are not installed: run make setup, or make setup FOR=lint"

fuzz=(--manifest-path fuzz/Cargo.toml) sdk=(--manifest-path tests/sdk-filter/Cargo.toml)
run "format (cargo fmt)" cargo fmt --all --check
run "format of the properties (cargo fmt)" cargo fmt "${fuzz[@]}" --check
run "format of the trial of the SDK (cargo fmt)" cargo fmt "${sdk[@]}" --check
run "Python (ruff)" $lint/venv/bin/ruff check --quiet
run "shell (shellcheck)" $lint/venv/bin/shellcheck tools/*.sh .ci/run
run "JavaScript (biome)" $lint/node/node_modules/.bin/biome lint --config-path biome.jsonc --error-on-warnings
run "Rust (cargo clippy)" cargo clippy --quiet --workspace --all-targets -- -D warnings
# Without the modules' runtime other code is compiled: see tests/host.
run "Rust of make unit (cargo clippy)" cargo clippy --quiet --package playlock-host --all-targets -- -D warnings
run "Rust of the properties (cargo clippy)" \
  cargo clippy --quiet "${fuzz[@]}" --no-default-features --target-dir target --all-targets -- -D warnings
run "Rust of the trial of the SDK (cargo clippy)" cargo clippy --quiet "${sdk[@]}" --target-dir target -- -D warnings
run "mutants (fuzz/mutants.py --list)" python3 fuzz/mutants.py --list
run "documentation (cargo doc)" env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --workspace --features playlock-host/wasm --document-private-items
verdict "make lint"
