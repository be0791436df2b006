"""A plain HLS origin: files of a directory and scripted responses, over HTTP/1.1 or cleartext HTTP/2.

It has the usual features of origins (ETag, digests, ranges, conditional requests), so that a header that the edge fails to
remove has a visible effect. It records every request.
"""

import dataclasses
import hashlib
import socket
import threading
import time
from base64 import b64encode
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import h2.config
import h2.connection
import h2.events
import h2.exceptions

TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t", ".m4s": "video/iso.segment", ".mp4": "video/mp4",
    ".aac": "audio/aac", ".vtt": "text/vtt", ".mpd": "application/dash+xml", ".html": "text/html", ".js": "text/javascript",
}
PIECE = 16000


@dataclass
class Reply:
    """What to answer. `framing`: `length` (Content-Length), `chunked` (none; HTTP/2 just ends the stream), `none` (of
    what has no body). `stop`: break the connection (HTTP/2: the stream) off after so many bytes. `ranges`: heed Range.
    `pause`: seconds before each piece; `until`: an event to wait for before the last one (both HTTP/1.1). `first`: so many
    bytes by themselves, and the rest a moment later (HTTP/1.1)."""

    body: bytes = b""
    headers: tuple = ()
    status: int = 200
    framing: str = "length"
    piece: int = PIECE
    trailers: tuple = ()
    stop: int | None = None
    ranges: bool = False
    pause: float = 0
    until: threading.Event | None = None
    first: int = 0

    def of(self, request):
        """The reply, or the part of it that a request asks for."""
        wanted = request.header("range") or ""
        outdated = request.header("if-range") not in (None, dict(self.headers).get("ETag"))
        if not self.ranges or outdated or "," in wanted or not wanted.startswith("bytes="):
            return self
        first, _, last = wanted[6:].partition("-")
        first, last = int(first or 0), int(last or len(self.body) - 1)
        if first >= len(self.body):
            return Reply(b"", (("Content-Range", f"bytes */{len(self.body)}"),), status=416)
        part = self.body[first:last + 1]
        place = ("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(self.body)}")
        return dataclasses.replace(self, body=part, headers=(*self.headers, place), status=206)

    def pieces(self):
        body = self.body if self.stop is None else self.body[:self.stop]
        if self.first:
            return [body[:self.first], body[self.first:]]
        return [body[i:i + self.piece] for i in range(0, len(body), self.piece)]

    def fields(self):
        """Headers as (lower-case name, value)."""
        fields = [(name.lower(), value) for name, value in self.headers]
        if self.framing == "length" and self.status != 304:
            fields.append(("content-length", str(len(self.body))))
        return fields


@dataclass
class Request:
    """A request as the origin received it."""

    method: str
    target: str
    headers: list
    protocol: str

    def header(self, name):
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else None


class Site:
    """The files that the origins serve, and the requests that they received."""

    def __init__(self, root=None):
        self.root = Path(root) if root else None
        self.replies = {}
        self.requests = []

    def put(self, path, body=b"", **how):
        """Serves a reply at a path, with a file's headers unless others are given."""
        body = body.encode() if isinstance(body, str) else body
        how.setdefault("headers", self.validators(path, body))
        self.replies[path] = Reply(body, **how)
        return path

    def stream(self, folder, **segments):
        """Serves a media playlist of segments that are put beside it; an underscore stands for a dot. Returns
        the playlist's path. Values are bodies, or (body, dict of what `put` takes)."""
        lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:4"]
        for name, body in segments.items():
            body, how = body if isinstance(body, tuple) else (body, {})
            name = name.replace("_", ".")
            self.put(f"/{folder}/{name}", body, **how)
            lines += ["#EXTINF:4,", name]
        return self.put(f"/{folder}/index.m3u8", "\n".join(lines + ["#EXT-X-ENDLIST", ""]))

    def copy(self, kind, folder):
        """Serves the programme `kind` below another folder, too. Returns its path there."""
        for file in (self.root / kind).rglob("*"):
            if file.is_file():
                self.put(f"/{folder}/{file.relative_to(self.root)}", file.read_bytes(), ranges=True)
        return f"/{folder}/{kind}"

    def file(self, path):
        """The origin's bytes at a path."""
        path = urlsplit(path).path
        if path in self.replies:
            return self.replies[path].body
        return (self.root / unquote(path).lstrip("/")).read_bytes()

    @staticmethod
    def validators(path, body):
        digest = b64encode(hashlib.sha256(body).digest()).decode()
        return (
            ("Content-Type", TYPES.get(Path(path).suffix, "application/octet-stream")),
            ("ETag", f'"{hashlib.sha256(body).hexdigest()[:16]}"'),
            ("Last-Modified", "Tue, 05 Aug 2025 10:00:00 GMT"),
            ("Accept-Ranges", "bytes"),
            ("Digest", f"SHA-256={digest}"),
            ("Content-Digest", f"sha-256=:{digest}:"),
            ("Repr-Digest", f"sha-256=:{digest}:"),
            ("Content-MD5", b64encode(hashlib.md5(body).digest()).decode()),
            ("Cache-Control", "public, max-age=3600"),
            ("X-Origin", "kept"),
        )

    def answer(self, request):
        """Records a request and returns the reply to it."""
        self.requests.append(request)
        path = urlsplit(request.target).path
        # An origin may address what it has by the query, too.
        for known in (request.target, path):
            if known in self.replies:
                return self.replies[known].of(request)
        file = self.root / unquote(path).lstrip("/") if self.root else None
        if not file or ".." in path or not file.is_file():
            return Reply(b"the origin has no such file\n", (("Content-Type", "text/plain"),), status=404)
        body = file.read_bytes()
        headers = self.validators(path, body)
        if request.header("if-none-match") == dict(headers)["ETag"] or request.header("if-modified-since"):
            return Reply(b"", headers, status=304)
        return Reply(body, headers, ranges=True).of(request)


class Http1:
    """The site over HTTP/1.1."""

    def __init__(self, site):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                fields = [(name.lower(), value) for name, value in self.headers.items()]
                reply = site.answer(Request(self.command, self.path, fields, "h1"))
                self.send_response(reply.status)
                for name, value in reply.fields():
                    self.send_header(name, value)
                chunked = reply.framing == "chunked"
                if chunked:
                    self.send_header("transfer-encoding", "chunked")
                    if reply.trailers:
                        self.send_header("trailer", ", ".join(name for name, _ in reply.trailers))
                self.end_headers()
                if self.command == "HEAD" or reply.status in (204, 304):
                    return
                pieces = reply.pieces()
                for number, piece in enumerate(pieces, 1):
                    if reply.pause or (reply.first and number == 2):
                        time.sleep(reply.pause or 0.3)
                    if reply.until and number == len(pieces):
                        reply.until.wait()
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
                if reply.stop is not None:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                elif chunked:
                    self.wfile.write(b"0\r\n")
                    for name, value in reply.trailers:
                        self.wfile.write(f"{name}: {value}\r\n".encode())
                    self.wfile.write(b"\r\n")

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            # Of the five that are usual, a burst leaves connections that Envoy has and this server never got: on a busy machine
            # the kernel answers with SYN cookies and forgets. Envoy keeps them, and the request that takes one gets a 503.
            request_queue_size = 512

            def handle_error(self, *_):
                pass  # the edge hung up: it does so for every response it resets

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Http2:
    """The site over cleartext HTTP/2 (prior knowledge), with trailers where a reply has some."""

    def __init__(self, site):
        self.site = site
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
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = h2.config.H2Configuration(client_side=False, header_encoding=None)
        connection = h2.connection.H2Connection(config)
        connection.initiate_connection()
        sending = {}  # stream → [reply, bytes left]
        with peer:
            try:
                peer.sendall(connection.data_to_send())
                while data := peer.recv(65536):
                    for event in connection.receive_data(data):
                        if isinstance(event, h2.events.RequestReceived):
                            self._begin(connection, event, sending)
                        elif isinstance(event, h2.events.StreamReset):
                            sending.pop(event.stream_id, None)
                        elif isinstance(event, h2.events.ConnectionTerminated):
                            return
                    # A piece of each in turn, as servers do.
                    while any([self._send(connection, stream, sending) for stream in list(sending)]):
                        pass
                    peer.sendall(connection.data_to_send())
            except (OSError, h2.exceptions.ProtocolError):
                return

    def _begin(self, connection, event, sending):
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]
        pseudo = dict(fields)
        request = Request(pseudo[":method"], pseudo[":path"], [f for f in fields if f[0][0] != ":"], "h2")
        reply = self.site.answer(request)
        bodyless = request.method == "HEAD" or reply.status == 304 or (not reply.body and not reply.trailers)
        fields = [(":status", str(reply.status))] + reply.fields()
        connection.send_headers(event.stream_id, self._bytes(fields), end_stream=bodyless)
        if not bodyless:
            sending[event.stream_id] = [reply, b"".join(reply.pieces())]

    @staticmethod
    def _bytes(fields):
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]

    @staticmethod
    def _send(connection, stream, sending):
        """Sends the next piece. False if the peer's window is full."""
        reply, left = sending[stream]
        size = min(connection.local_flow_control_window(stream), connection.max_outbound_frame_size, reply.piece)
        if left and size <= 0:
            return False
        if left:
            connection.send_data(stream, left[:size])
            sending[stream][1] = left = left[size:]
        if left:
            return True
        del sending[stream]
        if reply.stop is not None:
            connection.reset_stream(stream, error_code=2)
        elif reply.trailers:
            connection.send_headers(stream, Http2._bytes((n.lower(), v) for n, v in reply.trailers), end_stream=True)
        else:
            connection.end_stream(stream)
        return True
