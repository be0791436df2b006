#!/usr/bin/env bash
# Owns `make check`: `make lint`, and the licences, sources and advisories of the crates that are used.
. "$(dirname "$0")/lib.sh"

tools/setup.sh check

# The advisories live in a git repository of their own, which not every machine may fetch: then it is said, not
# hidden and not failed.
advisories() {
  if timeout 120 target/tools/bin/cargo-deny fetch db >target/log/advisories.log 2>&1; then
    target/tools/bin/cargo-deny --workspace check --disable-fetch advisories
  else
    echo "NOT CHECKED: the advisory database could not be fetched (target/log/advisories.log)"
  fi
}

run "lint (tools/lint.sh)" tools/lint.sh
# Everything that has a lock file: the product, and what fuzzes and measures it.
for lock in Cargo.lock */Cargo.lock */*/Cargo.lock */*/*/Cargo.lock; do
  [ -f "$lock" ] && [[ $lock != target/* ]] || continue
  run "licences, bans, sources of $lock (cargo deny)" target/tools/bin/cargo-deny --locked --workspace --config deny.toml \
    --manifest-path "$(dirname "$lock")/Cargo.toml" check --hide-inclusion-graph licenses bans sources
done
run "advisories (cargo deny)" advisories
verdict "make check"
