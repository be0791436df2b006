"""Owns the demo's stand-in for the customer's own site: it makes access tokens, as a site would for a viewer that it
knows, and hands them out at /player/token. For the page's attacks it also hands out a token that is over, and asks the
edge from another address at /player/elsewhere, as a browser cannot."""

import http.client
import json
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from akamai.edgeauth import EdgeAuth

STREAMS = {"ts": "/ts/master.m3u8", "cmaf": "/cmaf/master.m3u8", "dash": "/cmaf/manifest.mpd"}
# One token for all of a stream's files. It only has to last until the player has asked for its first playlist or MPD.
ACLS = {"ts": "/ts/*", "cmaf": "/cmaf/*", "dash": "/cmaf/*"}
PAGE_SECONDS = 60
# A token of ten minutes ago, as one finds it in a history or a forum.
EXPIRED_SECONDS = 600
# All of 127.0.0.0/8 is this machine; this is in another network than any viewer's address.
ELSEWHERE = "127.9.9.9"
# Nothing that the edge would read as another path, such as this route itself: no `%`, backslash or dots that lead up.
ELSEWHERE_TARGET = re.compile(r"(?!.*\.\.)(?:/~[A-Za-z0-9_-]+)?/(?:(?:ts|cmaf)/[A-Za-z0-9/._-]*|serve\.key)(?:\?[!-~]*)?")
ELSEWHERE_BYTES, ELSEWHERE_TIMEOUT = 1024, 5

Answer = tuple[int, dict[str, object]]


def tokenised(password: str, stream: str, seconds: int) -> str:
    """The path of a stream's master playlist or MPD with an access token that ends in so many seconds from now."""
    edge_auth = EdgeAuth(token_name="hdnts", key=password, end_time=int(time.time()) + seconds)
    return f"{STREAMS[stream]}?hdnts={edge_auth.generate_acl_token(ACLS[stream])}"


class Site:
    """Answers on loopback; the edge's proxy passes /player/token and /player/elsewhere on to it. `edge`: where that is."""

    def __init__(self, password: str, port: int, edge: tuple[str, int]) -> None:
        self._password, self._edge = password, edge
        routes: dict[str, Callable[[str], Answer]] = {"/player/token": self._token, "/player/elsewhere": self._elsewhere}

        class Handler(BaseHTTPRequestHandler):
            """Two routes, nothing logged."""

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                route = routes.get(url.path, lambda _: (404, {"title": "not found"}))
                status, document = route(url.query)
                body = json.dumps(document).encode()
                self.send_response(status)
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
        """As `tokenised`, with this site's password."""
        return tokenised(self._password, stream, seconds)

    def _token(self, _: str) -> Answer:
        """What the page gets: the time here, and for each stream its URL without a token, with one, with one that is over."""
        return 200, {
            "now": int(time.time()),
            "streams": {
                name: {"open": path, "tokenised": self.url(name, PAGE_SECONDS), "expired": self.url(name, -EXPIRED_SECONDS)}
                for name, path in STREAMS.items()
            },
        }

    def _elsewhere(self, query: str) -> Answer:
        """What the edge answers to a GET of `target` that comes from another address: status, type, and the body's
        beginning in hex."""
        (target,) = parse_qs(query).get("target", [""])[:1]
        if not ELSEWHERE_TARGET.fullmatch(target):
            return 400, {"title": "target must be the path and query of something protected"}
        connection = http.client.HTTPConnection(*self._edge, timeout=ELSEWHERE_TIMEOUT, source_address=(ELSEWHERE, 0))
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            return 200, {"from": ELSEWHERE, "status": answer.status, "type": answer.getheader("content-type", ""),
                         "body": answer.read(ELSEWHERE_BYTES).hex()}
        except (OSError, http.client.HTTPException) as failure:
            return 502, {"title": f"the edge could not be asked from {ELSEWHERE}: {failure}"}
        finally:
            connection.close()

    def close(self) -> None:
        """Stops answering and frees the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
