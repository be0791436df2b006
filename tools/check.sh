#!/usr/bin/env bash
# Owns `make check`: every check that reads the sources without running them.
. "$(dirname "$0")/lib.sh"

deny_version=0.20.2

# run WHAT COMMAND...: one line and then the command's own output; goes on after a failure, so that one run
# shows everything.
failed=()
run() {
  local what=$1
  shift
  printf '\ncheck: %s\n' "$what"
  "$@" || failed+=("$what")
}

install_deny() {
  cargo install cargo-deny --version "$deny_version" --locked --root target/tools
}

if [ "$(target/tools/bin/cargo-deny --version 2>/dev/null)" = "cargo-deny $deny_version" ]; then
  ready "cargo-deny $deny_version (target/tools)"
else
  step "cargo-deny $deny_version (target/tools), compiled once" cargo-deny install_deny
fi

# The advisories live in a git repository of their own, which not every machine may fetch: then it is said, not
# hidden and not failed.
advisories() {
  if timeout 120 target/tools/bin/cargo-deny fetch db >target/log/advisories.log 2>&1; then
    target/tools/bin/cargo-deny --workspace check --disable-fetch advisories
  else
    echo "NOT CHECKED: the advisory database could not be fetched (target/log/advisories.log)"
  fi
}

fuzz=(--manifest-path fuzz/Cargo.toml)
sdk=(--manifest-path tests/sdk-filter/Cargo.toml)
run "format (cargo fmt)" cargo fmt --all --check
run "format of the properties (cargo fmt)" cargo fmt "${fuzz[@]}" --check
run "format of the trial of the SDK (cargo fmt)" cargo fmt "${sdk[@]}" --check
run "lints (cargo clippy)" cargo clippy --workspace --all-targets -- -D warnings
run "lints of the properties (cargo clippy)" cargo clippy "${fuzz[@]}" --no-default-features --target-dir target --all-targets -- -D warnings
run "lints of the trial of the SDK (cargo clippy)" cargo clippy "${sdk[@]}" --target-dir target -- -D warnings
run "documentation (cargo doc)" env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --workspace --document-private-items
# Everything that has a lock file: the product, and what fuzzes and measures it.
for lock in Cargo.lock */Cargo.lock */*/Cargo.lock */*/*/Cargo.lock; do
  [ -f "$lock" ] && [[ $lock != target/* ]] || continue
  run "licences, bans, sources of $lock (cargo deny)" target/tools/bin/cargo-deny --locked --workspace --config deny.toml \
    --manifest-path "$(dirname "$lock")/Cargo.toml" check --hide-inclusion-graph licenses bans sources
done
run "advisories (cargo deny)" advisories

printf '\n'
if [ ${#failed[@]} != 0 ]; then
  printf 'make check: FAILED:%s\n' "$(printf ' %s;' "${failed[@]}")"
  exit 1
fi
echo "make check: all good"
