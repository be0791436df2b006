#!/usr/bin/env bash
# Owns `make bench-report`: a Python with what draws (target/bench/venv, apart from that of demo and tests), and the
# report: target/bench.json into docs/performance.md.
. "$(dirname "$0")/lib.sh"

python_packages() {
  rm -rf target/bench/venv
  python3 -m venv target/bench/venv
  target/bench/venv/bin/python -m pip install --quiet --disable-pip-version-check -r tools/requirements-report.txt
}

tools/packages.sh python
stamp=$(stamp_of tools/requirements-report.txt)
if done_for bench-venv "$stamp" && target/bench/venv/bin/python -c '' 2>/dev/null; then
  ready "Python packages that draw (target/bench/venv)"
else
  mkdir -p target/bench
  step "Python packages that draw (target/bench/venv)" bench-venv python_packages
  mark bench-venv "$stamp"
fi
exec target/bench/venv/bin/python benches/report.py
