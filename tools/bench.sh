#!/usr/bin/env bash
# Owns `make bench`: builds what is compared, and measures. Everything lies under target/bench/; the result is
# target/bench.json.
#   tools/bench.sh [kernel|segments|samples|requests|growth|peers|all]... [--rounds N]
#   tools/bench.sh tiny     a short round of every part, which only shows that they measure (target/bench-tiny.json)
. "$(dirname "$0")/lib.sh"

arguments=("$@")
tools/setup.sh bench
mkdir -p target/bench/wasm

# Builds the filter and leaves its functions, the chosen toolchain and the flavours' features here.
. tools/wasm.sh ""

# wants PART: whether it is to be measured; without a part's name all are.
wants() {
  local word named=
  for word in "${arguments[@]}"; do
    case $word in
      "$1" | all) return 0 ;;
      [a-z]*) named=1 ;;
    esac
  done
  [ -z "$named" ]
}

# variant NAME FEATURES ARGUMENTS...: builds and puts the module into target/bench/wasm/.
variant() {
  local name=$1 features=$2
  shift 2
  build "$features" --quiet "$@"
  keep "$built/$target/release/${name%%-*}.wasm" "bench/wasm/$name.wasm"
}

# without_cipher: builds the filter with a cipher that leaves the bytes as they are, to know what the rest costs. From a
# copy of the sources, under another name, and in target directories of its own: to cargo, packages at the same place in
# two workspaces are the same, and `make wasm` would find this cipher built already. No switch of the product turns
# encryption off.
without_cipher() {
  local builds=target/bench/identity-build
  copy_without_cipher
  build "$relaxed" --quiet --package identity --manifest-path "$copy/Cargo.toml"
  keep "$built/$target/release/identity.wasm" bench/wasm/identity.wasm
}

# The sources with that cipher, in the folder $copy.
copy_without_cipher() {
  local kernel=crates/aes128/src/vpaes
  copy=$root/target/bench/identity
  rm -rf "$copy"
  mkdir -p "$copy"
  # With their times: what has not changed is not built again.
  cp -r --preserve=timestamps Cargo.toml Cargo.lock src crates tests "$copy"
  rm -r "${copy:?}/$kernel"
  mkdir "$copy/$kernel"
  cp --preserve=timestamps benches/wasm/identity.rs "$copy/$kernel/mod.rs"
  sed -i 's/^name = "playlock"$/name = "identity"/' "$copy/Cargo.toml" "$copy/Cargo.lock"
  touch --reference=Cargo.toml "$copy/Cargo.toml"
  touch --reference=Cargo.lock "$copy/Cargo.lock"
}

# Without simd128 the crate aes128 has RustCrypto's cipher in wasm too.
portable=-simd128
cp target/playlock.wasm target/bench/wasm/playlock-relaxed.wasm
cp target/playlock-strict.wasm target/bench/wasm/playlock-strict.wasm
if [ "${arguments[*]}" = tiny ]; then
  # Without the builds that take minutes.
  for crate in noop answer kernel; do
    variant "$crate-relaxed" "$relaxed" --manifest-path "benches/wasm/$crate/Cargo.toml"
  done
  variant kernel-strict "$strict" --manifest-path benches/wasm/kernel/Cargo.toml
  # Of the filter without its cipher, only what a change of the cipher can break.
  builds=target/bench/identity-build
  copy_without_cipher
  build "$relaxed" --quiet --package playlock-aes128 --manifest-path "$copy/Cargo.toml"
  exec target/venv/bin/python benches/main.py --tiny
fi
build "$portable" --quiet --package playlock
keep "$built/$target/release/playlock.wasm" bench/wasm/playlock-portable.wasm
without_cipher
for crate in noop answer kernel; do
  variant "$crate-relaxed" "$relaxed" --manifest-path "benches/wasm/$crate/Cargo.toml"
done
variant kernel-strict "$strict" --manifest-path benches/wasm/kernel/Cargo.toml
variant kernel-portable "$portable" --manifest-path benches/wasm/kernel/Cargo.toml
if wants peers || wants samples; then
  cargo build --quiet --release --manifest-path benches/peers/extproc/Cargo.toml --target-dir target/bench/extproc
fi

printf '\n'
exec target/venv/bin/python benches/main.py "$@"
