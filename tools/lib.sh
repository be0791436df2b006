# shellcheck shell=bash
# Owns what every script here shares: the project's root, timed steps with a log each, and stamps that say which
# inputs a step was last done for. Sourced, not run.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
mkdir -p target/stamps target/log

# Says what went wrong and ends.
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# step WHAT LOG COMMAND...: one line, "set-up: WHAT … 3s"; the command's output goes to target/log/LOG.log and
# its end is shown if the command fails.
step() {
  local what=$1 log="target/log/$2.log" began=$SECONDS
  shift 2
  printf 'set-up: %s … ' "$what"
  if "$@" >"$log" 2>&1; then
    printf '%ss\n' "$((SECONDS - began))"
  else
    printf 'failed after %ss\n' "$((SECONDS - began))"
    tail -n 25 "$log" | sed 's/^/  | /' >&2
    fail "$what failed; the whole log is $log"
  fi
}

# ready WHAT: the line of a step that has nothing to do.
ready() {
  printf 'set-up: %s … ready\n' "$1"
}

# stamp_of FILE... : one hash over the files' contents and where the project lies (a virtual environment cannot
# be moved).
stamp_of() {
  { printf '%s\n' "$root"; cat "$@"; } | sha256sum | cut -c1-32
}

# done_for NAME STAMP: whether step NAME was last done for these inputs.
done_for() {
  [ -f "target/stamps/$1" ] && [ "$(cat "target/stamps/$1")" = "$2" ]
}

# mark NAME STAMP: it now was.
mark() {
  printf '%s\n' "$2" >"target/stamps/$1"
}

# apt COMMAND...: apt-get as root, by sudo if that asks for no password.
apt() {
  if [ "$(id -u)" = 0 ]; then
    DEBIAN_FRONTEND=noninteractive apt-get "$@"
  else
    sudo -n env DEBIAN_FRONTEND=noninteractive apt-get "$@"
  fi
}

# can_apt: whether apt would work at all.
can_apt() {
  command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

# apt_install PACKAGE... : with fresh lists, for a machine that has never had any.
apt_install() {
  apt update -q && apt install -y -q --no-install-recommends "$@"
}

# debian_unpacked FOLDER PACKAGE...: these packages' files below a folder: unpacked, not installed, so that no service
# starts.
debian_unpacked() {
  local folder=$root/$1
  shift
  rm -rf "$folder"
  mkdir -p "$folder/archives"
  (cd "$folder/archives" && { apt-get download "$@" || { apt update -q && apt-get download "$@"; }; })
  for archive in "$folder"/archives/*.deb; do dpkg -x "$archive" "$folder"; done
}

# run WHAT COMMAND...: one line and then the command's own output; goes on after a failure, so that one run shows
# everything.
failed=()
run() {
  local what=$1
  shift
  printf '\n== %s\n' "$what"
  "$@" || failed+=("$what")
}

# verdict NAME: the last line, after every `run`; ends with 1 if one of them failed.
verdict() {
  printf '\n'
  if [ ${#failed[@]} != 0 ]; then
    printf '%s: FAILED:%s\n' "$1" "$(printf ' %s;' "${failed[@]}")"
    exit 1
  fi
  echo "$1: all good"
}
