#!/usr/bin/env bash
# Owns `make test`: set-up, the filter, then every test. Later parts run even if an earlier one failed, and the
# last lines say what passed. PYTEST_WORKERS=1 runs one Envoy test at a time.
#   tools/test.sh [players [PYTEST-OPTION...]]     (players: only the player matrix; --write updates docs/players.md)
. "$(dirname "$0")/lib.sh"

summary=() status=0 only=${1:-}
[ $# = 0 ] || shift
case $only in
  "" | players) ;;
  *) fail "usage: tools/test.sh [players [PYTEST-OPTION...]]" ;;
esac

# part NAME COMMAND...: runs one part and remembers how it went.
part() {
  local name=$1 began=$SECONDS verdict=passed
  shift
  printf '\n== %s\n' "$name"
  "$@" || { verdict=FAILED status=1; }
  summary+=("$(printf '%-28s %-7s %4ss' "$name" "$verdict" "$((SECONDS - began))")")
}

# tests NAME PYTEST-OPTION...: one run of pytest; its figures go to target/log/NAME.xml.
tests() {
  local name=$1
  shift
  target/venv/bin/python -m pytest -c "tests/${name%%-*}/pytest.ini" --durations=10 --durations-min=1 \
    --junit-xml="target/log/$name.xml" "$@"
}

rm -f target/log/{envoy,envoy-alone,control,players}.xml
# Without these two there is nothing to test.
tools/setup.sh test
tools/wasm.sh test

if [ -z "$only" ]; then
  part "Rust (cargo test)" cargo test --workspace
  part "The same module again" tools/reproducible.sh
  # What is fuzzed, with what has been found and without a fuzzer.
  part "Properties (cargo test)" cargo test --manifest-path fuzz/Cargo.toml --no-default-features --target-dir target
  # Other people's tools read what the libraries make; the examples were built by `cargo test`.
  part "Oracles (pytest)" target/venv/bin/python -m pytest -q -n "$(nproc)" -p no:cacheprovider crates/speke/tests/oracle \
    crates/cmaf/tests/oracles crates/dash/tests/oracle crates/xml/tests/oracle
  # Envoys and their clients mostly wait: more processes than cores.
  part "Envoy (pytest)" tests envoy -n "${PYTEST_WORKERS:-$(($(nproc) + 1))}" -m "not alone" tests/vectors tests/envoy
  part "Envoy, undisturbed (pytest)" tests envoy-alone -m alone tests/envoy
  # Its servers and their clients mostly wait, too.
  part "Control plane (pytest)" tests control -n "${PYTEST_WORKERS:-$(($(nproc) + 1))}" tests/control
  part "Benchmarks, a tiny round" tools/bench.sh tiny
fi
# Otherwise `cargo test` has built the command.
[ -z "$only" ] || cargo build --quiet --package playlock-cli
part "Players (pytest)" tests players tests/players "$@"

printf '\n== the slowest tests\n'
target/venv/bin/python tools/slowest.py target/log/{envoy,envoy-alone,control,players}.xml
printf '\n== make test\n'
printf '%s\n' "${summary[@]}"
[ "$status" = 0 ] && echo "all passed" || echo "FAILED"
exit "$status"
