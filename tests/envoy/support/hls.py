"""A small HLS client: parses playlists, resolves URIs, and decrypts with the openssl command line."""

import re
import subprocess
from dataclasses import dataclass, field
from urllib.parse import urljoin

from support import curl, places

ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)')


def attributes(text):
    """The attribute list of a tag, without quotes."""
    return {name: value.strip('"') for name, value in ATTRIBUTE.findall(text)}


@dataclass(frozen=True)
class Key:
    """An EXT-X-KEY in force. Without an IV, each segment's IV is its media sequence number."""

    method: str
    url: str
    iv: bytes


@dataclass(frozen=True)
class Item:
    """A segment or an init section, with its key."""

    url: str
    key: Key | None
    init: bool = False
    number: int = 0

    @property
    def iv(self):
        """The IV: that of the key, or the media sequence number."""
        return self.key.iv or self.number.to_bytes(16, "big")


@dataclass
class Playlist:
    """The contents of a playlist, with resolved URIs."""

    url: str
    text: str
    variants: list = field(default_factory=list)
    items: list = field(default_factory=list)
    ended: bool = False

    @property
    def keys(self):
        return list(dict.fromkeys(item.key for item in self.items if item.key))

    @property
    def segments(self):
        return [item for item in self.items if not item.init]


def parse(text, url):
    """Parses a multivariant or media playlist that was fetched from `url`."""
    playlist, key, stream, number = Playlist(url, text), None, False, 0
    lines = text.splitlines()
    assert lines and lines[0] == "#EXTM3U", f"not a playlist: {text[:200]!r}"
    for line in lines:
        tag, _, rest = line.partition(":")
        named = attributes(rest) if tag.startswith("#EXT") else {}
        if tag == "#EXT-X-KEY":
            iv = bytes.fromhex(named["IV"][2:]) if "IV" in named else b""
            key = None if named["METHOD"] == "NONE" else Key(named["METHOD"], urljoin(url, named["URI"]), iv)
        elif tag == "#EXT-X-MEDIA-SEQUENCE":
            number = int(rest)
        elif tag == "#EXT-X-MAP":
            playlist.items.append(Item(urljoin(url, named["URI"]), key, init=True))
        elif tag in ("#EXT-X-MEDIA", "#EXT-X-I-FRAME-STREAM-INF") and "URI" in named:
            playlist.variants.append(urljoin(url, named["URI"]))
        elif tag == "#EXT-X-STREAM-INF":
            stream = True
        elif line == "#EXT-X-ENDLIST":
            playlist.ended = True
        elif line.strip() and not line.startswith("#"):
            if stream:
                playlist.variants.append(urljoin(url, line.strip()))
            else:
                playlist.items.append(Item(urljoin(url, line.strip()), key, number=number))
                number += 1
            stream = False
    playlist.variants = list(dict.fromkeys(playlist.variants))
    return playlist


def decrypt(body, key, iv):
    """Decrypts AES-128-CBC with PKCS#7 by openssl; wrong padding is an error."""
    command = [places.tool("openssl", install="openssl"), "enc", "-d", "-aes-128-cbc", "-K", key.hex(), "-iv", iv.hex()]
    run = subprocess.run(command, input=body, capture_output=True)
    assert run.returncode == 0, f"openssl cannot decrypt {len(body)} bytes: {run.stderr.decode().strip()}"
    return run.stdout


class Viewer:
    """A player that follows playlists and keeps the keys it has fetched. `numbered`: no EXT-X-KEY may have an IV."""

    def __init__(self, http="1.1", headers=None, base=None, numbered=False):
        self.http, self.headers, self.base, self.numbered = http, headers or {}, base, numbered
        self.keys = {}

    def get(self, url):
        """Fetches a URL unchanged (`base`: from another edge). Anything but a complete 200 is an error."""
        if self.base:
            url = re.sub(r"^http://[^/]+", self.base, url)
        response = curl.fetch(url, self.headers, self.http)
        assert (response.status, response.exit) == (200, 0), \
            f"{url}: {response.status}, curl {response.exit} {response.error}: {response.body[:300]!r}"
        return response

    def playlist(self, url):
        return parse(self.get(url).text, url)

    def media(self, url):
        """All media playlists of a multivariant playlist, or the media playlist itself."""
        first = self.playlist(url)
        return [self.playlist(variant) for variant in first.variants] if first.variants else [first]

    def key(self, key):
        assert key.method == "AES-128" and len(key.iv) == (0 if self.numbered else 16), key
        if key.url not in self.keys:
            self.keys[key.url] = self.get(key.url).body
        assert len(self.keys[key.url]) == 16, f"a key of {len(self.keys[key.url])} bytes"
        return self.keys[key.url]

    def plain(self, item, response=None):
        """The contents of a segment or init section, decrypted if it has a key."""
        response = response or self.get(item.url)
        return decrypt(response.body, self.key(item.key), item.iv) if item.key else response.body
