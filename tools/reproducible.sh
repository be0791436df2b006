#!/usr/bin/env bash
# Owns `make reproducible`: builds the filter once more, from nothing, in another place and with cargo's own files in
# another, and compares it with target/playlock.wasm byte for byte.
. "$(dirname "$0")/lib.sh"

# A space, since a path may have one.
place="$root/target/reproducible/another place" cargo=${CARGO_HOME:-$HOME/.cargo}

# What would be committed; from an archive without its history, everything but what was built.
sources() {
  if [ -e .git ]; then
    # A file that was deleted and not committed is listed and is not there.
    git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
      if [ -e "$file" ]; then printf '%s\0' "$file"; fi
    done | tar --null --files-from=- --create
  else
    tar --create --exclude=./target .
  fi
}

tools/wasm.sh one
rm -rf "$root/target/reproducible"
mkdir -p "$place" "$place/cargo"
sources | tar --extract --directory "$place"
# Elsewhere, but nothing is fetched twice, and from where it is always fetched.
mkdir -p "$cargo/registry"
for file in registry config.toml config credentials.toml; do
  if [ -e "$cargo/$file" ]; then ln -s "$cargo/$file" "$place/cargo/$file"; fi
done

began=$SECONDS
(cd "$place" && CARGO_HOME="$place/cargo" tools/wasm.sh one >build.log 2>&1) || {
  tail -n 25 "$place/build.log" >&2
  fail "the build in another place failed; the whole log is $place/build.log"
}
if ! cmp target/playlock.wasm "$place/target/playlock.wasm"; then
  fail "two builds of the same sources differ: target/playlock.wasm and $place/target/playlock.wasm"
fi
printf 'reproducible: %s is what it was, built anew in another place in %ss\n' \
  "$(sha256sum target/playlock.wasm)" "$((SECONDS - began))"
rm -rf "$root/target/reproducible"
