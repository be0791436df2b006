#!/usr/bin/env bash
# Owns `make soak`: thousands of viewers on one Envoy, for minutes, and a verdict (tests/envoy/soak.py); its figures go to
# target/soak.json.
#   tools/soak.sh [--seconds N] [--viewers N] [--write]     (--write puts them into docs/reliability.md)
. "$(dirname "$0")/lib.sh"

tools/setup.sh soak
tools/wasm.sh
exec target/venv/bin/python tests/envoy/soak.py --json target/soak.json "$@"
