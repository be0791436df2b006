"""Owns the demo's stand-in for the customer's own site: it makes access tokens, as a site would for a viewer
that it knows, and hands one out at /player/token."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from akamai.edgeauth import EdgeAuth

STREAMS = {"ts": "/ts/master.m3u8", "cmaf": "/cmaf/master.m3u8"}
# One token for all of a stream's files. It only has to last until the player has asked for its first playlist.
ACL = ["/ts/*", "/cmaf/*"]
PAGE_SECONDS = 60


class Site:
    """Answers on loopback; the edge's proxy passes /player/token on to it."""

    def __init__(self, password: str, port: int) -> None:
        self._password = password
        site = self

        class Handler(BaseHTTPRequestHandler):
            """One route, nothing logged."""

            def do_GET(self) -> None:
                found = self.path.partition("?")[0] == "/player/token"
                body = json.dumps(site.answer() if found else {"title": "not found"}).encode()
                self.send_response(200 if found else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.send_header("cache-control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Envoy's access log has it already."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def url(self, stream: str, seconds: int) -> str:
        """The path of a stream's master playlist with a fresh access token."""
        edge_auth = EdgeAuth(token_name="hdnts", key=self._password, window_seconds=seconds)
        return f"{STREAMS[stream]}?hdnts={edge_auth.generate_acl_token(ACL)}"

    def answer(self) -> dict[str, object]:
        """What the page gets."""
        return {
            "seconds": PAGE_SECONDS,
            "streams": {name: {"open": path, "tokenised": self.url(name, PAGE_SECONDS)} for name, path in STREAMS.items()},
        }

    def close(self) -> None:
        """Stops answering and frees the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
