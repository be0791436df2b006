#!/usr/bin/env bash
# Owns the building of the filter: picks a toolchain that can build for wasm32-unknown-unknown, installs one if
# there is none, and leaves the modules at target/playlock.wasm and target/playlock-strict.wasm.
#   WASM_TOOLCHAIN=rustup|debian tools/wasm.sh [one|test]
# Either toolchain may be forced; one: only target/playlock.wasm; test: what only the tests need, too.
. "$(dirname "$0")/lib.sh"

target=wasm32-unknown-unknown
builds=target/wasm
debian_packages=(rustc-web cargo-web rust-web-src)
minimum=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

# The default cargo's toolchain has the target's standard library.
have_rustup() {
  local libdir
  libdir=$(rustc --print target-libdir --target "$target" 2>/dev/null) || return 1
  [ -n "$(ls "$libdir" 2>/dev/null)" ]
}

# The newest wasm-ld that apt installed: rustc does not ship one in Debian.
debian_linker() {
  local found
  found=$(for f in /usr/bin/wasm-ld-[0-9]* /usr/bin/wasm-ld; do [ -x "$f" ] && basename "$f"; done | sort -t- -k3 -n | tail -n 1)
  [ -n "$found" ] && echo "$found"
}

# Debian has no wasm standard library that fits, but its source: cargo builds it along with the filter.
have_debian() {
  [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] && debian_linker >/dev/null &&
    dpkg -s rust-web-src >/dev/null 2>&1 && new_enough "$(/usr/bin/rustc --version | cut -d' ' -f2)"
}

new_enough() {
  [ "$(printf '%s\n' "$minimum" "$1" | sort -V | head -n 1)" = "$minimum" ]
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

# What is installed comes before what would have to be.
choose() {
  case ${WASM_TOOLCHAIN:-} in
    "") ;;
    rustup) { have_rustup || install_rustup; } && toolchain=rustup && return ;;
    debian) { have_debian || install_debian; } && toolchain=debian && return ;;
    *) fail "WASM_TOOLCHAIN is '$WASM_TOOLCHAIN': rustup or debian is expected" ;;
  esac
  if [ -z "${WASM_TOOLCHAIN:-}" ]; then
    if have_rustup; then toolchain=rustup && return; fi
    if have_debian || install_debian; then toolchain=debian && return; fi
    if install_rustup; then toolchain=rustup && return; fi
  fi
  local lld
  lld=$(newest_lld)
  fail "no Rust here can build for $target${WASM_TOOLCHAIN:+ (WASM_TOOLCHAIN=$WASM_TOOLCHAIN)}. Either run
    rustup target add $target
or, on a Debian whose rustc-web is $minimum or newer,
    sudo apt-get update && sudo apt-get install -y ${debian_packages[*]} ${lld:-lld}
and then this again. See target/log/ for what was tried."
}

# build FEATURES ARGUMENTS...: one cargo build for the target with these target features. Each toolchain and each set of
# features has a target directory of its own: sharing one would build the module anew at every change of hands.
# The module must not depend on where the project and cargo's sources lie, so their paths stand in it under other names.
build() {
  local unit=$'\x1f'
  local flags="-Ctarget-feature=$1$unit--remap-path-prefix=$root=/playlock"
  flags+="$unit--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
  built=$builds/$toolchain/${1//[^a-z0-9-]/_}
  shift
  if [ "$toolchain" = rustup ]; then
    CARGO_ENCODED_RUSTFLAGS=$flags cargo build --release --target "$target" --target-dir "$built" "$@"
  else
    # rustup's variables must not leak into Debian's cargo. The standard library built from source is a
    # nightly feature, hence RUSTC_BOOTSTRAP.
    env -u RUSTC -u RUSTFLAGS -u RUSTUP_TOOLCHAIN -u CARGO -u RUSTC_WRAPPER PATH=/usr/bin:/bin RUSTC_BOOTSTRAP=1 \
      CARGO_ENCODED_RUSTFLAGS="$flags" CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$(debian_linker)" \
      /usr/bin/cargo build --release --target "$target" --target-dir "$built" -Z build-std=std,panic_abort "$@"
  fi
}

# keep FILE NAME: puts a file into target/. An unchanged module keeps its time stamp, so that nothing
# after it is done again.
keep() {
  [ -f "$1" ] || fail "there is no $1"
  cmp -s "$1" "target/$2" || cp "$1" "target/$2"
}

# module NAME FEATURES PURPOSE: builds the filter with these features and says how big it is.
module() {
  local began=$SECONDS
  build "$2" --package playlock
  keep "$built/$target/release/playlock.wasm" "$1"
  printf 'wasm: target/%s, %s bytes (%s gzipped), %ss, %s\n' "$1" "$(wc -c <"target/$1")" \
    "$(gzip -9c "target/$1" | wc -c)" "$((SECONDS - began))" "$3"
}

# describe: which compiler that is, for the closing line.
describe() {
  if [ "$toolchain" = rustup ]; then
    echo "$(rustc --version | cut -d' ' -f1,2), the default toolchain"
  else
    echo "$(/usr/bin/rustc --version | cut -d' ' -f1,2) of Debian, $(debian_linker)"
  fi
}

relaxed=+simd128,+relaxed-simd
strict=+simd128

choose
echo "wasm: building with $(describe)"
module playlock.wasm "$relaxed" "with relaxed SIMD, for Envoy"
[ "${1:-}" = one ] || module playlock-strict.wasm "$strict" "for hosts without relaxed SIMD"

# The cipher by itself, for its own tests.
if [ "${1:-}" = test ]; then
  build "$relaxed" --package playlock-aes128 --example probe
  keep "$built/$target/release/examples/probe.wasm" aes128.wasm
  build "$strict" --package playlock-aes128 --example probe
  keep "$built/$target/release/examples/probe.wasm" aes128-strict.wasm
fi

# The filter on the public SDK, for its trial.
if [ "${1:-}" = test ]; then
  build "$relaxed" --manifest-path tests/sdk-filter/Cargo.toml
  keep "$built/$target/release/playlock_sdk_filter.wasm" playlock-sdk.wasm
fi
