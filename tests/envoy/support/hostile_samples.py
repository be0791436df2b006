"""The cases of hostile-samples.toml: bodies whose samples are to be encrypted, and what is secret in them."""

import gzip
import itertools
import struct
from pathlib import Path

import tomllib

from support import hostile, places

AUDIO = (places.REPOSITORY / "crates/cmaf/tests/vectors/aac.mp4").read_bytes()
# Bytes that cannot be alike by chance; a window of so many holds an encrypted block of audio.
WINDOW = 32
HTML = b"<!DOCTYPE html><title>Welcome</title>" + b"<p>Please accept our terms.</p>" * 200


def boxes(file):
    """The boxes of a file: type, position, size."""
    at = 0
    while at < len(file):
        size = int.from_bytes(file[at:at + 4], "big")
        yield file[at + 4:at + 8], at, size
        at += size


def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def fragment(sizes, data, count=None):
    """A `moof` with samples of these sizes, and an `mdat`."""
    def moof(offset):
        run = struct.pack(">III", 0x201, len(sizes) if count is None else count, offset) + b"".join(struct.pack(">I", size) for size in sizes)
        track = box(b"traf", box(b"tfhd", struct.pack(">II", 0x20000, 1)), box(b"trun", run))
        return box(b"moof", box(b"mfhd", struct.pack(">II", 0, 7)), track)
    return moof(len(moof(0)) + 8) + box(b"mdat", data)


FIRST = next(at for kind, at, _ in boxes(AUDIO) if kind == b"moof")
INIT, FRAGMENTS = AUDIO[:FIRST], AUDIO[FIRST:]
MDAT = [AUDIO[at:at + size] for kind, at, size in boxes(AUDIO) if kind == b"mdat"]
SOUND = b"\xff" + MDAT[0][8:1007]
SECRET = {mdat[at:at + WINDOW] for mdat in MDAT for at in range(8, len(mdat) - WINDOW + 1)}
BODIES = {
    "audio": lambda: [AUDIO],
    "cut": lambda: [AUDIO[:9001]],
    "gzip": lambda: [gzip.compress(AUDIO, mtime=0)],
    "html": lambda: [HTML],
    "webvtt": lambda: [b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"],
    "eleven bytes": lambda: [AUDIO[:11]],
    "mdat alone": lambda: [MDAT[0]],
    "mdat behind init": lambda: [INIT + MDAT[0]],
    "bytes of no sample": lambda: [INIT + fragment([500], SOUND)],
    "media behind": lambda: [AUDIO + SOUND],
    "large samples": lambda: [INIT + fragment([500, 1000], SOUND)],
    "overflowing samples": lambda: [INIT + fragment([0xFFFFFFFF, 0xFFFFFFFF, 1002], SOUND)],
    "many samples": lambda: [INIT + fragment([500, 500], SOUND, 0xFFFFFFFF)],
    "small box": lambda: [b"\0\0\0\x07ftyp" + AUDIO],
    "giant box": lambda: [b"\0\0\0\1moof" + b"\xff" * 8 + MDAT[0]],
    "encrypted": lambda: [AUDIO.replace(b"mp4a", b"enca", 1)],
    "encrypted fragment": lambda: [FRAGMENTS.replace(b"tfdt", b"senc", 1)],
    "progressive": lambda: [INIT.replace(b"mvex", b"free") + MDAT[0]],
    "endless moof": lambda: itertools.chain([struct.pack(">I4s", 100 << 20, b"moof")], itertools.repeat(SOUND, 100_000)),
    "endless moov": lambda: itertools.chain([INIT[:INIT.index(b"moov") - 4], struct.pack(">I4s", 100 << 20, b"moov")],
                                            itertools.repeat(SOUND, 100_000)),
    "large sound": lambda: itertools.chain([INIT, nal_fragment(100 << 20)], itertools.repeat(SOUND, 20_000)),
    # Without an init section: with it, the samples are those of its track.
    "large sample": lambda: itertools.chain([nal_fragment(100 << 20)], itertools.repeat(SOUND, 100_000)),
    "endless fragments": lambda: itertools.chain([INIT], itertools.repeat(FRAGMENTS)),
}


def nal_fragment(size):
    """The beginning of a fragment with one sample of one NAL unit."""
    head = fragment([size], b"")[:-8]
    return head + struct.pack(">I4sI", size + 8, b"mdat", size - 4) + b"\x25"


class Case(hostile.Case):
    """A line of the table."""

    def pieces(self, path):
        if self.bytes is not None or self.body in hostile.BODIES and self.body not in BODIES:
            return super().pieces(path)
        pieces = BODIES[self.body or "audio"]()
        return pieces if self.stop is None else [b"".join(pieces)[:self.stop]]


def cases():
    """All lines of the table."""
    table = tomllib.loads((Path(__file__).parent / "hostile-samples.toml").read_text())["cases"]
    return [Case(folder=f"c{number}", **(row | {"ask": row["ask"].split()})) for number, row in enumerate(table)]


def leaks(body):
    """Whether a part of the origin's audio is in a response."""
    return any(body[at:at + WINDOW] in SECRET for at in range(len(body) - WINDOW + 1)) or SOUND[:WINDOW] in body or SOUND[100:132] in body
