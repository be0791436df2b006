#!/usr/bin/env bash
# Generates the demo's content: 24 s of clock and beeps, encoded once and packaged twice (MPEG-TS and CMAF) into content/.
# It is not part of any build, and its output is committed. Requires ffmpeg with libx264, a DejaVu font (Debian:
# fonts-dejavu-core) and Python 3.
set -euo pipefail
cd "$(dirname "$0")"

font=$(fc-match -f '%{file}' 'DejaVu Sans Mono:bold')
out=content
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out/ts" "$out/cmaf"

seconds=24
fps=25
segment=4

# The clock starts with a blank for its sign, hence the shift to the left. A dot that crosses the picture once a second shows dropped and repeated frames at a glance; the clock is what
# the sound and the subtitles are compared with.
picture() { # width height label
  local w=$1 h=$2 label=$3
  cat <<F
gradients=s=${w}x${h}:r=${fps}:d=${seconds}:n=3:c0=0x14213d:c1=0x274c77:c2=0x3d2352:seed=7:speed=0.02[bg];
smptehdbars=s=${w}x$((h / 6)):r=${fps}:d=${seconds}[bars];
color=0xfca311:s=$((h / 20))x$((h / 20)):r=${fps}:d=${seconds}[dot];
[bg][bars]overlay=0:H-h[a];
[a][dot]overlay=x='mod(t\,1)*(W-w)':y='H*0.72'[b];
[b]drawtext=fontfile=${font}:text='%{pts\\:hms}':fontsize=$((h / 5)):fontcolor=white:x=(w-tw)/2-$((h / 16)):y=h*0.28,
drawtext=fontfile=${font}:text='playlock demo':fontsize=$((h / 16)):fontcolor=0xfca311:x=(w-tw)/2:y=h*0.12,
drawtext=fontfile=${font}:text='${label}  frame %{n}':fontsize=$((h / 18)):fontcolor=0xe5e5e5:x=(w-tw)/2:y=h*0.56,
format=yuv420p[v]
F
}

encode() { # width height kbit/s level
  # No B frames: then presentation and decoding times are equal and both packagings start at the same instant.
  ffmpeg -v error -y -filter_complex "$(picture "$1" "$2" "$1x$2")" -map '[v]' -t "$seconds" \
    -c:v libx264 -profile:v main -level:v "$4" -preset veryslow -b:v "$3k" -maxrate "$3k" -bufsize "$(($3 * 2))k" \
    -bf 0 -g "$((fps * segment))" -keyint_min "$((fps * segment))" -sc_threshold 0 -threads 1 \
    -fflags +bitexact -flags:v +bitexact -map_metadata -1 "$work/v$2.mp4"
}

encode 640 360 300 3.0
encode 320 180 80 1.3

# A high beep on each second, a low one on each half. A frame short, so that the encoder's priming does not push a
# stray frame into a segment of its own.
ffmpeg -v error -y -f lavfi -t 23.97 -i \
  "aevalsrc='0.35*sin(2*PI*880*t)*lt(mod(t\,1)\,0.09)+0.25*sin(2*PI*523.25*t)*between(mod(t\,1)\,0.5\,0.59)':s=48000:c=mono" \
  -c:a aac -b:a 48k -fflags +bitexact -flags:a +bitexact -map_metadata -1 "$work/audio.mp4"

package() { # input directory hls-options...
  local input=$1 dir=$2
  shift 2
  mkdir -p "$dir"
  ffmpeg -v error -y -i "$input" -map 0 -c copy -fflags +bitexact -f hls -hls_time "$segment" \
    -hls_playlist_type vod -hls_list_size 0 -hls_flags independent_segments "$@" "$dir/index.m3u8"
}

for h in 360 180; do
  package "$work/v$h.mp4" "$out/ts/v$h" -hls_segment_type mpegts \
    -hls_segment_filename "$out/ts/v$h/seg%d.ts"
  package "$work/v$h.mp4" "$out/cmaf/v$h" -hls_segment_type fmp4 -hls_fmp4_init_filename init.mp4 \
    -hls_segment_options movflags=+cmaf -hls_segment_filename "$out/cmaf/v$h/seg%d.m4s"
done
package "$work/audio.mp4" "$out/cmaf/audio" -hls_segment_type fmp4 -hls_fmp4_init_filename init.mp4 \
  -hls_segment_options movflags=+cmaf -hls_segment_filename "$out/cmaf/audio/seg%d.m4s"

# What ffmpeg does not package: packed audio with its ID3 time stamp, segmented WebVTT, master playlists.
ffmpeg -v error -y -i "$work/audio.mp4" -c copy -fflags +bitexact -f adts "$work/audio.aac"
start=$(ffprobe -v error -select_streams v -show_entries packet=pts -read_intervals '%+#1' -of csv=p=0 "$out/ts/v360/seg0.ts" | head -n 1 | tr -d ,)
python3 package.py --adts "$work/audio.aac" --out "$out" --ts-start "$start" --seconds "$seconds" --segment "$segment"
du -sh "$out/ts" "$out/cmaf"
