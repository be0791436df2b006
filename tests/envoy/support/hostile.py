"""The cases of hostile.toml: the origin's headers and bodies, and the outcome that the client must see. Media is
recognizable wherever it appears (`MARK`).
"""

import dataclasses
import gzip
import itertools
import re
from dataclasses import dataclass, field
from pathlib import Path

import tomllib

CASES = Path(__file__).parent / "hostile.toml"
MARK = b"PLAINTEXT"
# Packets as MPEG-TS has them, in part.
MEDIA = b"".join(b"PLAINTEXT%06d" % number + (b"\x47" if number % 12 else b"\x10") for number in range(6000))
PLAYLIST = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n" + \
    b"".join(b"#EXTINF:4,\nmedia%d.ts\n" % number for number in range(2000)) + b"#EXT-X-ENDLIST\n"
# Init section and byte range: what is asked for beside segments and playlists.
RANGE = (16_000, 40_000)  # offset, length
TYPES = {"m3u8": "application/vnd.apple.mpegurl", "ts": "video/mp2t", "mp4": "video/mp4", "m4s": "video/iso.segment"}
# File by what is asked for.
FILES = {"segment": "seg.ts", "playlist": "bad.m3u8", "opening": "bad.m3u8", "init": "init.mp4", "range": "all.m4s", "head": "seg.ts"}


def repeated(text, times, head=b"", tail=b""):
    """A number of copies of a line, numbered if it contains `%d`, in pieces of many lines."""
    yield head
    numbered = b"%d" in text
    for start in range(0, times, 4000):
        numbers = range(start, min(start + 4000, times))
        yield b"".join(text % number for number in numbers) if numbered else text * len(numbers)
    yield tail


HEAD = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n"
ENTRY = b"#EXTINF:4.000,\n" + b"of-a-long-programme/" * 3 + b"media%09d.ts\n"
GIANT = 11_500_000  # entries: a gigabyte
SEGMENT = b"#EXTINF:4,\nmedia.ts\n#EXT-X-ENDLIST\n"
KEY = b'#EXT-X-KEY:METHOD=AES-128,URI="key%d.bin"\n#EXTINF:4,\nmedia.ts\n'
# Bodies that do not fit into a line of the table: pieces, made while they are sent.
BODIES = {
    "media": lambda: [MEDIA],
    "playlist": lambda: [PLAYLIST],
    "short": lambda: [MEDIA[:2000]],
    "short playlist": lambda: [PLAYLIST[:1200]],
    "gzip": lambda: [gzip.compress(MEDIA, mtime=0)],
    "gzipped playlist": lambda: [gzip.compress(PLAYLIST, mtime=0)],
    "utf-16": lambda: [PLAYLIST.decode().encode("utf-16")],
    "bom": lambda: [b"\xef\xbb\xbf" + PLAYLIST],
    "crlf": lambda: [PLAYLIST.replace(b"\n", b"\r\n")],
    "cr": lambda: [PLAYLIST.replace(b"\n", b"\r")],
    "nul": lambda: [PLAYLIST.replace(b"#EXTINF:4,\nmedia8", b"#EXTINF:4,\x00\nmedia8")],
    "nul in a uri": lambda: [PLAYLIST.replace(b"media7.ts", b"med\x00ia.ts")],
    "nul before": lambda: [b"\x00" + PLAYLIST],
    "words": lambda: [b"in the origin's own words\n"],
    "endless media": lambda: itertools.repeat(MEDIA),
    "endless playlist": lambda: repeated(ENTRY, 1 << 40, HEAD),
    "long playlist": lambda: repeated(ENTRY, 2_000_000, HEAD, b"#EXT-X-ENDLIST\n"),
    "playlist of 20 MB": lambda: repeated(ENTRY, 220_000, HEAD, b"#EXT-X-ENDLIST\n"),
    "giant playlist": lambda: repeated(ENTRY, GIANT, HEAD, b"#EXT-X-ENDLIST\n"),
    "endless line": lambda: itertools.chain([HEAD, b"#EXTINF:4,\n"], itertools.repeat(b"x" * 65536, 1600), [b"\n" + SEGMENT]),
    "endless tag": lambda: itertools.chain([HEAD, b"#EXT-X-UNKNOWN:"], itertools.repeat(b"x" * 65536, 1600), [b"\n" + SEGMENT]),
    "endless first line": lambda: itertools.chain([b"#EXTM3U "], itertools.repeat(b"x" * 65536, 1600), [b"\n" + SEGMENT]),
    "tags": lambda: repeated(b"#EXT-X-DATERANGE:ID=\"%d\",START-DATE=\"2026-01-01T00:00:00Z\"\n", 1_000_000, HEAD, SEGMENT),
    "tags of one segment": lambda: repeated(b"#EXT-X-UNKNOWN:%d\n", 1_000_000, HEAD + b"#EXTINF:4,\n", b"media.ts\n#EXT-X-ENDLIST\n"),
    "variants": lambda: repeated(b"#EXT-X-STREAM-INF:BANDWIDTH=1\nv%d.m3u8\n", 100_000, b"#EXTM3U\n"),
    "definitions": lambda: repeated(b'#EXT-X-DEFINE:NAME="v%d",VALUE="x"\n', 1_000_000, HEAD, SEGMENT),
    "empty definitions": lambda: repeated(b'#EXT-X-DEFINE:NAME="",VALUE=""\n', 2_000_000, HEAD, SEGMENT),
    "keys": lambda: repeated(KEY, 10_000, HEAD, b"#EXT-X-ENDLIST\n"),
    "maps": lambda: repeated(b'#EXT-X-MAP:URI="init%d.mp4"\n#EXTINF:4,\nmedia.ts\n', 100_000, HEAD, b"#EXT-X-ENDLIST\n"),
    "empty lines": lambda: repeated(b"\n", 2_000_000, HEAD, SEGMENT),
    "blanks before": lambda: repeated(b" ", 5_000_000, b"", HEAD + SEGMENT),
}


@dataclass
class Case:
    """The origin's behaviour, and the result that the client must see. See hostile.toml."""

    origin: str
    ask: list
    h1: str = ""
    h2: str = ""
    status: int = 200
    headers: list = field(default_factory=list)
    type: str | None = None
    body: str | None = None
    bytes: str | None = None
    framing: str = "length"
    length: int = 0
    stop: int | None = None
    end: str = ""
    raw: str | None = None
    before: str = ""
    frames: str = ""
    trailers: list = field(default_factory=list)
    policy: str = "vod"
    late: bool = False
    large: bool = False
    folder: str = ""

    def sees(self, protocol):
        """The result that the client sees over HTTP/1.1 (`h1`) or HTTP/2."""
        return {"h1": self.h1, "h2": self.h2}[protocol]

    def pieces(self, path):
        """The body, in pieces."""
        name = self.body or ("playlist" if path.endswith(".m3u8") else "media")
        pieces = [self.bytes.encode("latin-1")] if self.bytes is not None else BODIES[name]()
        if self.stop is None:
            return pieces
        body = b"".join(pieces)
        return [body[:self.stop]]

    def whole(self, path):
        """The body of a case that is not large."""
        return b"".join(dataclasses.replace(self, stop=None).pieces(path))

    def fields(self, path):
        """Headers without framing, as (name, value)."""
        said = [re.sub(r"{(\d+)}", lambda size: "x" * int(size[1]), line) for line in self.headers]
        said = [line.replace("{n}", str(len(self.whole(path)))) for line in said]
        given = [tuple(part.strip(" ") for part in line.split(":", 1)) for line in said]
        names = {name.lower() for name, _ in given}
        kind = TYPES[path.rpartition(".")[2]] if self.type is None else self.type
        return given if "content-type" in names or not kind else [("content-type", kind), *given]


def cases():
    """All cases of the table."""
    table = tomllib.loads(CASES.read_text())["cases"]
    made = []
    for number, row in enumerate(table):
        row["ask"] = row["ask"].split()
        made.append(Case(folder=f"c{number}", **row))
    return made


def good_list(of, below=None):
    """A playlist that names everything that these cases request, in the folders of their policies or in another."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:4"]
    offset, length = RANGE
    for case in of:
        at = f"/{below or case.policy}/{case.folder}"
        lines += [f'#EXT-X-MAP:URI="{at}/init.mp4"', "#EXTINF:4,", f"{at}/seg.ts", "#EXTINF:4,",
                  f"#EXT-X-BYTERANGE:{length}@{offset}", f"{at}/all.m4s"]
    return "\n".join([*lines, "#EXTINF:4,", "good.ts", "#EXT-X-ENDLIST", ""]).encode()
