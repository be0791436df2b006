#!/usr/bin/env bash
# Owns `make test`: set-up, the filter, then every test. Later parts run even if an earlier one failed, and the
# last lines say what passed.
. "$(dirname "$0")/lib.sh"

summary=() status=0

# part NAME COMMAND...: runs one part and remembers how it went.
part() {
  local name=$1 began=$SECONDS verdict=passed
  shift
  printf '\n== %s\n' "$name"
  "$@" || { verdict=FAILED status=1; }
  summary+=("$(printf '%-28s %-7s %4ss' "$name" "$verdict" "$((SECONDS - began))")")
}

# Without these two there is nothing to test.
tools/setup.sh test
tools/wasm.sh test

part "Rust (cargo test)" cargo test --workspace
part "Envoy and players (pytest)" target/venv/bin/python -m pytest -c tests/envoy/pytest.ini tests/vectors tests/envoy

printf '\n== make test\n'
printf '%s\n' "${summary[@]}"
[ "$status" = 0 ] && echo "all passed" || echo "FAILED"
exit "$status"
