"""An origin that interprets paths as various servers do, and records every byte of its requests.

The request header `x-reading` lists the interpretations to apply. Of the files that they yield, one outside `/free/` is
served first.
"""

import re
import socket
import threading
from dataclasses import dataclass


def unescaped(path):
    return re.sub(rb"%([0-9a-fA-F]{2})", lambda found: bytes([int(found[1], 16)]), path)


def resolved(path):
    """Resolves dots and merges slashes; a path above the root becomes the root."""
    parts = []
    for part in path.split(b"/"):
        if part == b"..":
            parts[-1:] = []
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/" + b"/".join(parts)


def once(path):
    """Decodes once, then resolves slashes and dots, as nginx does."""
    return resolved(unescaped(path))


def raw(path):
    """The path unchanged."""
    return path


def servlet(path):
    """Removes the parameters of each segment, before and after decoding."""
    cut = re.sub(rb";[^/]*", b"", path)
    return resolved(re.sub(rb";[^/]*", b"", unescaped(cut)))


def windows(path):
    """Backslashes are slashes, case is ignored, and trailing dots and spaces of a name and its streams are dropped."""
    path = unescaped(path).replace(b"\\", b"/").lower()
    path = re.sub(rb"::?\$data|:[^/]*", b"", path)
    return resolved(b"/".join(part if part in (b".", b"..") else part.rstrip(b". ") for part in path.split(b"/")))


def c_string(path):
    """Ends the path at a NUL."""
    return resolved(unescaped(path).split(b"\0")[0])


def twice(path):
    """Decodes until nothing changes, including overlong UTF-8, and folds full-width forms."""
    for _ in range(4):
        path = unescaped(path)
    path = path.replace(b"\xc0\xae", b".").replace(b"\xc0\xaf", b"/").replace(b"\xe0\x80\xae", b".")
    for form, plain in (("．", b"."), ("․", b"."), ("／", b"/"), ("∕", b"/")):
        path = path.replace(form.encode(), plain)
    return resolved(path.replace(b"\\", b"/"))


def whole(path):
    """The query is part of the name of the file, or the fragment is not."""
    return resolved(unescaped(path).split(b"#")[0])


READINGS = {way.__name__: way for way in (once, raw, servlet, windows, c_string, twice, whole)}


@dataclass
class Asked:
    """A request as received, and the file that was returned."""

    head: bytes
    served: str | None

    @property
    def line(self):
        return self.head.split(b"\r\n", 1)[0]

    def all(self, name):
        """All values of a header."""
        fields = [line.partition(b":") for line in self.head.split(b"\r\n")[1:] if line]
        return [value.strip() for field, _, value in fields if field.lower() == name]


class RawOrigin:
    """The origin. `files`: bodies by path."""

    def __init__(self, files):
        self.files, self.asked = files, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        data = b""
        with peer:
            try:
                while True:
                    while b"\r\n\r\n" not in data:
                        more = peer.recv(65536)
                        if not more:
                            return
                        data += more
                    head, _, data = data.partition(b"\r\n\r\n")
                    peer.sendall(self._answer(head))
            except OSError:
                return

    def _answer(self, head):
        asked = Asked(head, None)
        method, _, target = asked.line.rpartition(b" ")[0].partition(b" ")
        # Absolute form: the path begins behind the authority.
        target = re.sub(rb"^[a-z]+://[^/?#]*", b"", target)
        names = b",".join(asked.all(b"x-reading")).decode() or "once"
        paths = [READINGS[name](target if name == "whole" else target.split(b"?")[0]) for name in names.split(",")]
        found = [path.decode("latin-1") for path in paths if path.decode("latin-1") in self.files]
        asked.served = min(found, key=lambda path: path.startswith("/free/"), default=None)
        self.asked.append(asked)
        if not asked.served:
            return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
        body = self.files[asked.served]
        kind = b"application/vnd.apple.mpegurl" if asked.served.endswith(".m3u8") else b"video/mp2t"
        fields = [b"HTTP/1.1 200 OK", b"content-type: " + kind, b"content-length: %d" % len(body),
                  b"x-served: " + asked.served.encode("latin-1")]
        return b"\r\n".join(fields) + b"\r\n\r\n" + (b"" if method == b"HEAD" else body)
