#!/bin/sh
# Owns where the browser is: prints the path of the first Chromium or Chrome found, or fails.
for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
  if path=$(command -v "$name"); then
    echo "$path"
    exit 0
  fi
done
echo "no chromium, chromium-browser or google-chrome in PATH" >&2
exit 1
