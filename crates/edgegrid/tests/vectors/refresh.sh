#!/usr/bin/env bash
# Owns the vectors beside it: fetches those of Akamai's clients, and has the client of npm sign bodies longer than it hashes.
# Run by hand.
#   crates/edgegrid/tests/vectors/refresh.sh
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" edgegrid-python==2.0.9
python3 -m zipfile -e "$work"/edgegrid_python-2.0.9-*.whl "$work/python"
cp "$work/python/akamai/edgegrid/test/testcases.json" python-cases.json
cp "$work/python/akamai/edgegrid/test/testdata.json" python-data.json
cp "$work/python/edgegrid_python-2.0.9.dist-info/licenses/LICENSE" LICENSE-APACHE

npm install --prefix "$work" --ignore-scripts --no-audit --no-fund --no-save --silent akamai-edgegrid@4.0.4
cp "$work/node_modules/akamai-edgegrid/test/test_data.json" node-data.json
node long-bodies.mjs "$work/node_modules/akamai-edgegrid" >long-bodies.json
