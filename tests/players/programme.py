"""The demo's program in every packaging that the players play. A package is {path: bytes}."""

import functools
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from support import places

SECONDS, FPS, WIDTH, HEIGHT = 24, 25, 320, 180
FRAMES = SECONDS * FPS
CUES = [f"second {second}" for second in range(SECONDS)]
RATE, SAMPLES = 48_000, 1024  # of AAC: samples in a second and in a frame
AUDIO = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Beeps",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",URI="audio/index.m3u8"'
SUBTITLES = ('#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Seconds",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,FORCED=NO,'
             'URI="subtitles/index.m3u8"')


def master(codec, media=(AUDIO,), video="v180/index.m3u8"):
    """A multivariant playlist of one rendition, so that every player plays the same."""
    groups = (',AUDIO="a"' if AUDIO in media else "") + (',SUBTITLES="s"' if SUBTITLES in media else "")
    stream = (f'#EXT-X-STREAM-INF:BANDWIDTH=250000,CODECS="{codec},mp4a.40.2",RESOLUTION={WIDTH}x{HEIGHT},'
              f"FRAME-RATE={FPS}.000{groups}")
    return "\n".join(["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-INDEPENDENT-SEGMENTS", *media, stream, video, ""]).encode()


def segmented(kind, subtitles=False):
    """`ts` (with separate packed audio) or `cmaf`: a file for each segment, as in the demo."""
    root, media = places.content() / kind, ["v180", "audio"] + ["subtitles"] * subtitles
    files = {f"{folder}/{file.name}": file.read_bytes() for folder in media for file in (root / folder).iterdir()}
    return {"master.m3u8": master("avc1.4d400d", (AUDIO, SUBTITLES) if subtitles else (AUDIO,)), **files}


def single_files(kind):
    """Every rendition as one file with byte ranges; every other offset is omitted."""
    package = segmented(kind)
    for folder in ("v180", "audio"):
        whole, lines, counted = b"", [], False
        text = package.pop(f"{folder}/index.m3u8").decode()
        names = [line for line in text.splitlines() if line and not line.startswith("#")]
        file = f"all{Path(names[0]).suffix.replace('.m4s', '.mp4')}"
        for line in text.splitlines():
            if line.startswith("#EXT-X-MAP"):
                whole = package.pop(f"{folder}/init.mp4")
                line = f'#EXT-X-MAP:URI="{file}",BYTERANGE="{len(whole)}@0"'
            elif line in names:
                body = package.pop(f"{folder}/{line}")
                lines.append(f"#EXT-X-BYTERANGE:{len(body)}" + ("" if counted else f"@{len(whole)}"))
                counted, line, whole = not counted, file, whole + body
            lines.append(line)
        package |= {f"{folder}/index.m3u8": "\n".join([*lines, ""]).encode(), f"{folder}/{file}": whole}
    return package


def encrypted(package):
    """The same, encrypted with AES-128 by a packager instead of playlock. Differences from the plain stream are then
    the player's."""
    key, iv, made = bytes(range(16)), bytes(range(16, 32)), dict(package)
    for path, body in package.items():
        if path.endswith("/index.m3u8"):
            tag = f'#EXT-X-KEY:METHOD=AES-128,URI="../key",IV=0x{iv.hex()}\n#EXTINF'
            made[path] = body.replace(b"#EXTINF", tag.encode(), 1)
        elif not path.endswith((".m3u8", "init.mp4")):
            pad = padding.PKCS7(128).padder()
            cipher = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
            made[path] = cipher.update(pad.update(body) + pad.finalize()) + cipher.finalize()
    return made | {"key": key}


@dataclass(frozen=True)
class Part:
    """A part of a segment, or a segment: its file, its bytes, its duration."""

    name: str
    body: bytes
    seconds: float
    parts: tuple = ()


@dataclass(frozen=True)
class Rendition:
    """The data from which a live origin builds a media playlist."""

    segments: tuple
    init: bytes | None = None


def ffmpeg(*arguments):
    run = subprocess.run([places.tool("ffmpeg", install="ffmpeg"), "-v", "error", "-nostdin", "-y", *map(str, arguments)],
                         capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr


def encode(folder, keyframes, *arguments):
    """Encodes the programme with a key frame after each of the given number of frames. `arguments` end in the
    output."""
    inputs = []
    for media in ("v180", "audio"):
        package = segmented("cmaf")
        whole = package[f"{media}/init.mp4"] + b"".join(package[f"{media}/seg{number}.m4s"] for number in range(6))
        (Path(folder) / f"{media}.mp4").write_bytes(whole)
        inputs += ["-i", Path(folder) / f"{media}.mp4"]
    ffmpeg(*inputs, "-c:a", "copy", "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-level:v", "1.3", "-bf", 0,
           "-g", keyframes, "-keyint_min", keyframes, "-sc_threshold", 0, "-threads", 1, *arguments)


@functools.cache
def live_ts(seconds=2):
    """MPEG-TS with picture and sound in segments of two seconds."""
    with tempfile.TemporaryDirectory() as folder:
        encode(folder, seconds * FPS, "-map", "0:v", "-map", "1:a", "-f", "hls", "-hls_time", seconds, "-hls_list_size", 0,
               "-hls_segment_filename", f"{folder}/seg%d.ts", f"{folder}/index.m3u8")
        bodies = [(Path(folder) / f"seg{number}.ts").read_bytes() for number in range(SECONDS // seconds)]
    return Rendition(tuple(Part(f"seg{number}.ts", body, float(seconds)) for number, body in enumerate(bodies)))


def boxes(data):
    """The top-level boxes of an MP4 file: (type, bytes)."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        yield data[at + 4:at + 8], data[at:at + size]
        at += size


def chunks(file):
    """A fragmented MP4 file as (init section, [moof + mdat])."""
    init, fragments = b"", []
    for kind, body in boxes(Path(file).read_bytes()):
        if kind in (b"ftyp", b"moov"):
            init += body
        elif kind == b"moof":
            fragments.append(body)
        elif kind == b"mdat":
            fragments[-1] += body
    return init, fragments


@functools.cache
def live_parts(part=10, parts=5):
    """CMAF renditions `video` and `audio` in segments of two seconds and parts of ten frames, each independent."""
    with tempfile.TemporaryDirectory() as folder:
        encode(folder, part, "-map", "0:v", "-movflags", "cmaf+frag_keyframe", "-f", "mp4", f"{folder}/v.mp4",
               "-map", "1:a", "-c:a", "copy", "-movflags", "cmaf+frag_every_frame", "-f", "mp4", f"{folder}/a.mp4")
        (video, pictures), (audio, sounds) = chunks(f"{folder}/v.mp4"), chunks(f"{folder}/a.mp4")
    assert len(pictures) == FRAMES // part, f"{len(pictures)} fragments"
    count = len(pictures)
    # Sound is cut at its frame that is nearest to the picture's.
    cuts = [round(number * part / FPS * RATE / SAMPLES) for number in range(count)] + [len(sounds)]
    return {
        "video": Rendition(tuple(grouped(pictures, [part / FPS] * count, parts)), video),
        "audio": Rendition(tuple(grouped([b"".join(sounds[a:b]) for a, b in zip(cuts, cuts[1:])],
                                         [(b - a) * SAMPLES / RATE for a, b in zip(cuts, cuts[1:])], parts)), audio),
    }


def grouped(bodies, seconds, parts):
    """Segments of the given number of parts each."""
    for number in range(len(bodies) // parts):
        span = range(number * parts, (number + 1) * parts)
        made = tuple(Part(f"seg{number}.{at}.m4s", bodies[i], seconds[i]) for at, i in enumerate(span))
        yield Part(f"seg{number}.m4s", b"".join(one.body for one in made), sum(one.seconds for one in made), made)


def codec(init):
    """The CODECS string of an init section's picture."""
    at = init.index(b"avcC") + 5
    return f"avc1.{init[at:at + 3].hex()}"
