#!/usr/bin/env bash
# Owns the building of the filter: leaves the modules at target/playlock.wasm and target/playlock-strict.wasm.
#   WASM_TOOLCHAIN=rustup|debian tools/wasm.sh [one|test]
# FEATURES=cat,jwt leaves the other formats of access tokens and SPEKE out, FEATURES= all but EdgeAuth; unset, the filter has all.
# Either toolchain may be forced; one: only target/playlock.wasm; test: the cipher's own modules too.
. "$(dirname "$0")/lib.sh"
. tools/toolchain.sh

builds=target/wasm
formats=()
[ -z "${FEATURES+set}" ] || formats=(--no-default-features --features "$FEATURES")

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
  build "$2" --package playlock "${formats[@]}"
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

choose || fail "no Rust here can build for $target${WASM_TOOLCHAIN:+ (WASM_TOOLCHAIN=$WASM_TOOLCHAIN)}: run make setup FOR=wasm"
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
