# shellcheck shell=bash
# Owns the choice of a Rust that can build for wasm32-unknown-unknown: the default toolchain (rustup's, or any other with the
# target's standard library), or Debian's. Sourced, not run, after lib.sh.
# WASM_TOOLCHAIN=rustup|debian forces one.

target=wasm32-unknown-unknown
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

# choose: puts the toolchain that is there, or the one that is forced and there, into `toolchain`; 1 if there is none.
choose() {
  case ${WASM_TOOLCHAIN:-} in
    "" | rustup | debian) ;;
    *) fail "WASM_TOOLCHAIN is '$WASM_TOOLCHAIN': rustup or debian is expected" ;;
  esac
  for toolchain in ${WASM_TOOLCHAIN:-rustup debian}; do
    if "have_$toolchain"; then return; fi
  done
  return 1
}
