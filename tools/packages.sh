#!/usr/bin/env bash
# Owns the system's packages: looks for the programs named on the command line and installs those that are
# missing, or says how to.
#   tools/packages.sh cc python node …
. "$(dirname "$0")/lib.sh"

# has NEED: whether the machine has it.
has() {
  case $1 in
    cc) command -v cc >/dev/null && [ -e /usr/include/stdlib.h ] ;;
    python) python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ;;
    node) command -v node >/dev/null && command -v npm >/dev/null ;;
    php) php -r 'exit(PHP_MAJOR_VERSION < 8);' 2>/dev/null ;;
    ruby) ruby -r openssl -e '' 2>/dev/null ;;
    chromium) tools/chromium.sh >/dev/null ;;
    firefox) command -v firefox-esr >/dev/null || command -v firefox >/dev/null ;;
    gstreamer) command -v gst-launch-1.0 >/dev/null && gst-inspect-1.0 --exists hlsdemux2 &&
      gst-inspect-1.0 --exists checksumsink && gst-inspect-1.0 --exists avdec_h264 ;;
    vlc) command -v vlc >/dev/null && compgen -G '/usr/lib*/*/vlc/plugins/demux/libadaptive_plugin.so' >/dev/null ;;
    postgresql) compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# packages_for NEED: what Debian and Ubuntu call it.
packages_for() {
  case $1 in
    cc) echo gcc libc6-dev ;;
    c++) echo g++ ;;
    python) echo python3 python3-venv ;;
    node)
      command -v node >/dev/null || echo nodejs
      echo npm
      ;;
    php) echo php-cli ;;
    firefox) echo firefox-esr ;;
    gstreamer) echo gstreamer1.0-tools gstreamer1.0-plugins-{base,good,bad} gstreamer1.0-libav ;;
    vlc) echo vlc-bin vlc-plugin-base ;;
    *) echo "$1" ;;
  esac
}

# Rust is the one thing that is not installed here: how is the user's choice.
command -v cargo >/dev/null || fail "cargo is missing: install Rust (https://rustup.rs), then run this again"

missing=() packages=()
for need in "$@"; do
  if ! has "$need"; then
    missing+=("$need")
    # shellcheck disable=SC2207  # package names are words
    packages+=($(packages_for "$need"))
  fi
done

what="system packages ($*)"
if [ ${#missing[@]} = 0 ]; then
  ready "$what"
  exit
fi

by_hand="missing: ${missing[*]}. Run: sudo apt-get update && sudo apt-get install -y ${packages[*]}"
can_apt || fail "$by_hand"
step "$what: installing ${packages[*]}" packages apt_install "${packages[@]}"
for need in "${missing[@]}"; do
  has "$need" || fail "$need is still not usable after installing ${packages[*]}. On Ubuntu, chromium may need: sudo snap install chromium"
done
