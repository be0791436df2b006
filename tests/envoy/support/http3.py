"""An HTTP/3 client (aioquic's QUIC): concurrent requests on one connection, each complete or reset."""

import asyncio
import contextlib
from functools import partial
from urllib.parse import urlsplit

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamReset

from support.curl import Response

WAIT = 60  # seconds
RESET = 92  # as curl calls a stream that was reset: see `curl.BROKEN`


class Requests(QuicConnectionProtocol):
    """The pending requests of a connection. `enough`: bytes of a body after which no more of it is read."""

    def __init__(self, *arguments, enough=float("inf"), **options):
        super().__init__(*arguments, **options)
        self.http, self.open, self.enough = H3Connection(self._quic), {}, enough

    def ask(self, method, authority, target, headers, body=None):
        """Sends a request; what comes of it, later. `body`: the headers do not end the stream, and this follows by itself."""
        stream = self._quic.get_next_available_stream_id()
        response, done = Response(0, [], bytearray()), asyncio.get_running_loop().create_future()
        self.open[stream] = response, done
        pseudo = {":method": method, ":scheme": "https", ":authority": authority, ":path": target}
        self.http.send_headers(stream, [(name.encode(), value.encode()) for name, value in {**pseudo, **headers}.items()],
                               body is None)
        self.transmit()
        if body is not None:
            self.http.send_data(stream, body, True)
            self.transmit()
        return done

    def quic_event_received(self, event):
        for seen in self.http.handle_event(event):
            response, done = self.open.get(getattr(seen, "stream_id", None), (None, None))
            if isinstance(seen, HeadersReceived) and response:
                found = [(name.decode(), value.decode()) for name, value in seen.headers]
                if found[0][0] == ":status":
                    response.status, response.headers = int(found[0][1]), found[1:]
                else:
                    response.trailers += found
            elif isinstance(seen, DataReceived) and response and not done.done():
                response.body += seen.data
            if response and (getattr(seen, "stream_ended", False) or len(response.body) > self.enough):
                self._end(response, done)
        if isinstance(event, StreamReset) and event.stream_id in self.open:
            self._break([event.stream_id], f"reset with {event.error_code:#x}")
        elif isinstance(event, ConnectionTerminated):
            self._break(list(self.open), event.reason_phrase or f"closed with {event.error_code:#x}")

    def _break(self, streams, why):
        for response, done in (self.open[stream] for stream in streams):
            if not done.done():
                response.exit, response.error = RESET, why
                self._end(response, done)

    @staticmethod
    def _end(response, done):
        if not done.done():
            response.body = bytes(response.body)
            done.set_result(response)


@contextlib.contextmanager
def connected(port, certificate, seconds, **how):
    """Returns a function that requests several targets of this machine's `port` at once, each as (method, target,
    headers[, body]), on one connection whose server has this certificate. It returns the responses in order.
    `how`: see `Requests`."""
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["h3"], server_name="localhost")
    configuration.load_verify_locations(cafile=certificate)
    loop = asyncio.new_event_loop()

    def run(work):
        return loop.run_until_complete(asyncio.wait_for(work, seconds))

    connecting = connect("127.0.0.1", port, configuration=configuration, create_protocol=partial(Requests, **how))
    connection = run(connecting.__aenter__())

    async def ask(requests):
        return await asyncio.gather(*(connection.ask(method, f"localhost:{port}", target, headers, *body)
                                      for method, target, headers, *body in requests))

    try:
        yield lambda *requests: run(ask(requests))
    finally:
        run(connecting.__aexit__(None, None, None))
        loop.close()


def fetch(port, certificate, url, headers=None, method=None, body=None):
    """Sends one request on a connection of its own, as `curl.fetch`."""
    with connected(port, certificate, WAIT) as ask:
        fields = {name.lower(): value for name, value in (headers or {}).items()}
        (response,) = ask((method or "GET", target(url), fields, *([] if body is None else [body])))
        return response


def target(url):
    """The request target of a URL."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
