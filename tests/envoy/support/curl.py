"""Sends one request with the curl command line, over HTTP/1.1 or cleartext HTTP/2, and returns the response."""

import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from support import places

BROKEN = {18, 52, 56, 92}  # partial file, empty reply, receive error, HTTP/2 stream error


@dataclass
class Response:
    """A response as the client received it."""

    status: int
    headers: list
    body: bytes
    exit: int = 0
    error: str = ""
    trailers: list = field(default_factory=list)

    def all(self, name):
        """All values of a header."""
        return [value for key, value in self.headers if key == name.lower()]

    def header(self, name):
        """The only value of a header; None if it is missing."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def id(self):
        """The request's id, as Envoy assigned it."""
        return self.header("x-request-id")

    @property
    def broken(self):
        """Whether the client could tell that the response is incomplete."""
        return self.exit in BROKEN

    @property
    def text(self):
        return self.body.decode()


def fetch(url, headers=None, http="1.1", method=None, seconds=60, source=None, body=None):
    """Sends one request, with the path unchanged and without following redirects, from the address `source` if
    given."""
    with tempfile.TemporaryDirectory() as scratch:
        head, received = Path(scratch, "head"), Path(scratch, "body")
        command = [places.tool("curl", install="curl"), "--silent", "--show-error", "--globoff", "--path-as-is",
                   "--noproxy", "*", "--max-time", str(seconds), "--dump-header", str(head), "--output", str(received),
                   "--http2-prior-knowledge" if http == "2" else "--http1.1"]
        if method == "HEAD":
            command.append("--head")
        elif method:
            command += ["--request", method]
        if body is not None:
            command += ["--data-binary", "@-"]
        if source:
            command += ["--interface", source]
        for name, value in (headers or {}).items():
            command += ["--header", f"{name}: {value}"]
        run = subprocess.run(command + [url], input=body, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        lines = head.read_bytes().decode("latin-1").split("\r\n") if head.exists() else []
        content = received.read_bytes() if received.exists() and method != "HEAD" else b""
    status = int(lines[0].split()[1]) if lines and lines[0].startswith("HTTP/") else 0
    end = lines.index("") if "" in lines else len(lines)

    def pairs(part):
        return [(n.strip().lower(), v.strip()) for n, _, v in (line.partition(":") for line in part if line)]

    return Response(status, pairs(lines[1:end]), content, run.returncode, run.stderr.decode(errors="replace").strip(), pairs(lines[end + 1:]))
