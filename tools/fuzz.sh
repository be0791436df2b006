#!/usr/bin/env bash
# Owns `make fuzz`: runs targets one after the other, and prints what came of it. What was found and the growing corpus
# lie under target/fuzz.
#   tools/fuzz.sh SECONDS [TARGET...]      each target so long (default: every target)
#   tools/fuzz.sh coverage [TARGET...]     lines of the core that the corpus so far comes through
# SANITIZER=address looks for misuse of memory too, at half the speed: the core has no unsafe code.
. "$(dirname "$0")/lib.sh"

fuzz=$root/target/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
mkdir -p "$fuzz"

mapfile -t all < <(for file in fuzz/fuzz_targets/*.rs; do basename "$file" .rs; done)
what=${1:-60}
[ $# = 0 ] || shift
targets=("${@:-${all[@]}}")
for target in "${targets[@]}"; do
  [ -f "fuzz/fuzz_targets/$target.rs" ] || fail "there is no target $target: ${all[*]}"
done

tools/setup.sh fuzz

# with_nightly COMMAND...: with what only nightly compilers take. Without rustup's, the stable one is asked to take it.
with_nightly() {
  if command -v rustup >/dev/null && rustup run nightly rustc -V >/dev/null 2>&1; then
    RUSTUP_TOOLCHAIN=nightly "$@"
  else
    RUSTC_BOOTSTRAP=1 "$@"
  fi
}

build() {
  with_nightly target/fuzz-tools/bin/cargo-fuzz build --fuzz-dir fuzz --target-dir "$fuzz/build" \
    --sanitizer "${SANITIZER:-none}"
}

# run TARGET: one line of the table; 1 if something was found.
run() {
  local target=$1 log="$fuzz/$1.log" corpus="$fuzz/corpus/$1" artifacts="$fuzz/artifacts/$1" found=0
  mkdir -p "$corpus" "$artifacts"
  local dictionary=()
  [ ! -f "fuzz/dictionaries/$target.dict" ] || dictionary=(-dict="fuzz/dictionaries/$target.dict")
  "$fuzz/build/$host/release/$target" -max_total_time="$what" -max_len=4096 -timeout=20 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$artifacts/" "${dictionary[@]}" \
    "$corpus" "fuzz/seeds/$target" >"$log" 2>&1 || found=1
  # `cov:` counts edges, `ft:` also how often and with what values each was taken.
  awk -v target="$target" -v found="$found" '
    /^INFO: Loaded .* inline 8-bit counters/ { split($0, part, "("); edges = part[2] + 0 }
    match($0, /cov: [0-9]+/) { covered = substr($0, RSTART + 5, RLENGTH - 5) }
    match($0, /ft: [0-9]+/) { features = substr($0, RSTART + 4, RLENGTH - 4) }
    /^stat::number_of_executed_units/ { runs = $2 }
    /^stat::average_exec_per_sec/ { speed = $2 }
    END { printf "%-10s %12d %8d %7d of %-7d %9d  %s\n", target, runs, speed, covered, edges, features, found ? "FOUND" : "none" }
  ' "$log"
  return "$found"
}

coverage() {
  local flags="-C instrument-coverage" profdata cov binary="$fuzz/coverage/debug/examples/replay" version
  version=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
  profdata=$(command -v "llvm-profdata-$version" llvm-profdata | head -n 1)
  cov=$(command -v "llvm-cov-$version" llvm-cov | head -n 1)
  [ -n "$profdata" ] && [ -n "$cov" ] || fail "llvm-profdata and llvm-cov are missing: sudo apt-get install llvm-$version"
  rm -f "$fuzz"/profile-*
  RUSTFLAGS=$flags step "the properties, compiled to count" fuzz-coverage \
    cargo build --manifest-path fuzz/Cargo.toml --no-default-features --example replay --target-dir "$fuzz/coverage"
  for target in "${targets[@]}"; do
    mkdir -p "$fuzz/corpus/$target"
    LLVM_PROFILE_FILE="$fuzz/profile-$target.raw" "$binary" "$target" "fuzz/seeds/$target" "$fuzz/corpus/$target"
  done
  "$profdata" merge --sparse -o "$fuzz/profile.data" "$fuzz"/profile-*.raw
  "$cov" report "$binary" --instr-profile="$fuzz/profile.data" --show-functions=false --show-branch-summary=false \
    --sources crates/core/src crates/aes128/src
}

if [ "$what" = coverage ]; then
  coverage
  exit
fi
[[ $what =~ ^[0-9]+$ ]] || fail "usage: tools/fuzz.sh SECONDS|coverage [TARGET...]"

step "the targets (target/fuzz/build)" fuzz-build build
printf '\n%-10s %12s %8s %18s %9s  %s\n' target executions per/s 'edges covered' features findings
status=0
touch "$fuzz/since"
for target in "${targets[@]}"; do
  run "$target" || status=1
done
for target in "${targets[@]}"; do
  for finding in "$fuzz/artifacts/$target"/*; do
    [ -f "$finding" ] && [ "$finding" -nt "$fuzz/since" ] || continue
    printf '\n%s\n  cargo run --manifest-path fuzz/Cargo.toml --no-default-features --target-dir target --example replay -- %s %s\n' \
      "found: $finding" "$target" "$finding"
  done
done
exit "$status"
