#!/usr/bin/env bash
# Owns `make bench-report`: target/bench.json into docs/performance.md, by a Python apart from that of demo and tests.
. "$(dirname "$0")/lib.sh"

tools/setup.sh report
exec target/bench/venv/bin/python benches/report.py
