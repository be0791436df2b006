"""The film of the tests of leases: two minutes in segments of a second, small enough for dozens of players at once, and the
hash of each of its pictures."""

import functools
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import programme
from live import Files, Live
from programme import Part, Rendition
from support import places

SECONDS, FPS = 120, 10
PERIOD = 2  # segments, of a second each, to a key period
HEAD = WINDOW = 12  # segments that a live playlist shows, all of which have passed when the first viewer arrives
CODEC = "avc1.42c00b"


@dataclass(frozen=True)
class Film:
    """Both packagings, and the place of each picture by its hash: pictures are numbered from 0."""

    ts: Rendition
    fmp4: Rendition
    pictures: dict


def master(media="v/index.m3u8"):
    stream = f'#EXT-X-STREAM-INF:BANDWIDTH=200000,CODECS="{CODEC}",RESOLUTION=160x90,FRAME-RATE={FPS}.000'
    return "\n".join(["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-INDEPENDENT-SEGMENTS", stream, media, ""]).encode()


@functools.cache
def film():
    """Encodes it once."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.mp4"
        programme.ffmpeg("-f", "lavfi", "-i", f"testsrc2=size=160x90:rate={FPS}:duration={SECONDS}", "-c:v", "libx264", "-preset",
                         "ultrafast", "-profile:v", "baseline", "-level:v", "1.1", "-pix_fmt", "yuv420p", "-bf", 0, "-g", FPS,
                         "-keyint_min", FPS, "-sc_threshold", 0, "-threads", 1, whole)
        made = {}
        for kind, ending in (("mpegts", "ts"), ("fmp4", "m4s")):
            programme.ffmpeg("-i", whole, "-c", "copy", "-f", "hls", "-hls_time", 1, "-hls_list_size", 0, "-hls_segment_type", kind,
                             "-hls_segment_filename", f"{folder}/seg%d.{ending}", f"{folder}/{ending}.m3u8")
            bodies = [(Path(folder) / f"seg{number}.{ending}").read_bytes() for number in range(SECONDS)]
            init = (Path(folder) / "init.mp4").read_bytes() if kind == "fmp4" else None
            made[ending] = Rendition(tuple(Part(f"seg{number}.{ending}", body, 1.0) for number, body in enumerate(bodies)), init)
        command = [places.tool("ffmpeg", install="ffmpeg"), "-v", "error", "-nostdin", "-threads", "1", "-i", str(whole),
                   "-fps_mode", "passthrough", "-f", "framemd5", "-"]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    hashes = [line.rpartition(",")[2].strip() for line in lines if not line.startswith("#")]
    assert len(set(hashes)) == len(hashes) == SECONDS * FPS, "every picture is another"
    return Film(made["ts"], made["m4s"], {value: number for number, value in enumerate(hashes)})


def live(kind="ts"):
    """The film as a live stream."""
    return Live(master(), {"v": getattr(film(), kind)}, head=HEAD, window=WINDOW)


def vod(kind="ts", seconds=SECONDS):
    """The film, or its beginning, as files."""
    rendition = getattr(film(), kind)
    segments = rendition.segments[:seconds]
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:1", "#EXT-X-PLAYLIST-TYPE:VOD"]
    lines += ['#EXT-X-MAP:URI="init.mp4"'] if rendition.init else []
    lines += [line for one in segments for line in (f"#EXTINF:{one.seconds:.5f},", one.name)]
    package = {"master.m3u8": master(), "v/index.m3u8": "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()}
    package |= {"v/init.mp4": rendition.init} if rendition.init else {}
    return Files(package | {f"v/{one.name}": one.body for one in segments})


def key_period(url):
    """The key period that a key's URL names, behind its policy and session."""
    return int(re.search(r"plk=key~[^~&]+~[^~&]+~(\d+)~", url)[1])
