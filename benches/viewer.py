"""A viewer's session through playlock: finds the paths to request and checks the responses."""

import re
import urllib.request
from urllib.parse import urlsplit
from xml.etree import ElementTree

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import variants  # noqa: F401  (makes the tests' modules findable)
from support import tokens


def get(url):
    """A body."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def link(path):
    """The path with an access token."""
    return f"{path}?hdnts={tokens.by_python(acl='/*')}"


def target(uri):
    """Path and query of a URI in a playlist."""
    parts = urlsplit(uri)
    path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
    return f"{path}?{parts.query}"


def by_mpd(edge, name):
    """The target of a file as its MPD of this name leads to it, in a session of its own."""
    root = ElementTree.fromstring(get(edge.url + link(f"/{name}.mpd")))
    (media,) = (one.attrib["media"] for one in root.iter() if one.tag.endswith("}SegmentURL"))
    return target(media)


def check_samples(edge, path, plain, scheme):
    """That an Envoy encrypts a file's samples by a scheme."""
    body = get(edge.url + path)
    middle = plain[len(plain) // 2:][:2048]
    # An index at the file's end (mfra) is left out.
    if not re.search(b"enc[av]", body) or scheme not in body or middle in body or len(body) < 0.99 * len(plain):
        raise RuntimeError(f"{edge.name} does not encrypt {path.partition('?')[0]} as it should: nothing to measure")


class Viewer:
    """One session, opened at a media playlist in the origin's root. `in_path`: its token goes into the path."""

    def __init__(self, edge, path, in_path=False):
        text = get(edge.url + link(path)).decode()
        self.key = target(re.search(r'#EXT-X-KEY:.*URI="([^"]+)"', text)[1])
        self.iv = bytes.fromhex(re.search(r"IV=0x([0-9A-Fa-f]+)", text)[1])
        self.segment = target(next(line for line in text.splitlines() if line and not line.startswith("#")))
        session = re.search(r"hdntl=([^&\"\s]+)", text)
        # The texts before and behind a path.
        self.prefix, self.session = (f"/~{session[1]}", "") if in_path else ("", session[0])

    def resumed(self, path):
        """The target of a path in this session."""
        return f"{self.prefix}{path}?{self.session}".removesuffix("?")

    def check(self, edge, path, plaintext, encrypted=True):
        """That an Envoy serves this session the segment under `path`, padded and encrypted as it should be."""
        padding = 16 - len(plaintext) % 16
        expected = plaintext + bytes([padding]) * padding
        if encrypted:
            cipher = Cipher(algorithms.AES128(get(edge.url + self.key)), modes.CBC(self.iv)).encryptor()
            expected = cipher.update(expected) + cipher.finalize()
        if get(edge.url + f"{path}?{self.session}") != expected:
            raise RuntimeError(f"{edge.name} does not serve {path} as it should: nothing to measure")
