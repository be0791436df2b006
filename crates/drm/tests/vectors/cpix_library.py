"""Makes cpix.json: pssh boxes and PlayReady headers of PyPI `cpix`, for combinations of their fields.

    python3 -m venv target/venv && target/venv/bin/pip install cpix==1.4.1
    target/venv/bin/python crates/drm/tests/vectors/cpix_library.py > crates/drm/tests/vectors/cpix.json
"""

import base64
import json
from itertools import product
from uuid import UUID

from cpix.drm import playready, widevine

KEYS = [
    ("0f083e4e-b831-4a3d-917e-ce78076e54aa", "00112233445566778899AABBCCDDEEFF"),
    ("ffeeddcc-bbaa-9988-7766-554433221100", "A0A1A2A3A4A5A6A7A8A9AAABACADAEAF"),
    ("00000000-0000-0000-0000-000000000001", "00000000000000000000000000000000"),
]
# Longer than 127 bytes: a length of two bytes in protobuf.
CONTENT_IDS = [None, "abc123", "Ä/" * 50]


def b64(data):
    """Base64 as text."""
    return base64.b64encode(data).decode()


def widevine_boxes():
    """Every combination of fields, in boxes of both versions."""
    for count, provider, content_id, scheme, version in product(
        (1, 3), (None, "widevine_test"), CONTENT_IDS, (None, "cenc", "cens", "cbc1", "cbcs"), (0, 1)
    ):
        kids = [kid for kid, _ in KEYS[:count]]
        as_bytes = [kid.encode() for kid in kids]
        box = widevine.generate_pssh(as_bytes, provider, content_id, version, scheme)
        yield {
            "kids": kids,
            "provider": provider,
            "contentId": content_id,
            "scheme": scheme,
            "version": version,
            "box": b64(box),
        }


def playready_boxes():
    """Headers 4.2 and 4.3. The library always writes LA_URL."""
    for count, algorithm, url, version in product(
        (1, 3), ("AESCTR", "AESCBC"), ("https://license.example/rightsmanager.asmx?a=1&b=<2>", "https://l.example/"), (0, 1)
    ):
        keys = [{"key_id": UUID(kid), "key": key} for kid, key in KEYS[:count]]
        header = playready.generate_wrmheader(keys, url, algorithm)
        yield {
            "keys": KEYS[:count],
            "algorithm": algorithm,
            "url": url,
            "version": version,
            "header": header.decode("utf-16le"),
            "object": b64(playready.generate_playready_object(header)),
            "box": b64(playready.generate_pssh(keys, url, algorithm, version=version)),
        }


def main():
    """Prints the vectors."""
    checksums = [[kid, key, playready.checksum(kid, key).decode()] for kid, key in KEYS]
    vectors = {
        "generator": "PyPI cpix 1.4.1",
        "widevine": list(widevine_boxes()),
        "playready": list(playready_boxes()),
        "checksums": checksums,
    }
    print(json.dumps(vectors, indent=1))


if __name__ == "__main__":
    main()
