"""Load clients on one event loop: HTTP/1.1 with one connection each, HTTP/2 with a shared connection, and one that
disconnects mid-body. They check framing: an incomplete response raises `Broken`."""

import asyncio
import socket
import struct
from dataclasses import dataclass

import h2.config
import h2.connection
import h2.events
import h2.exceptions

TIMEOUT = 180  # seconds after which a response counts as never
SLOWLY, LATER = 8192, 0.1  # bytes, and seconds between two such pieces, for those who read slowly


class Broken(Exception):
    """A response that is missing or did not end as it should."""


@dataclass
class Response:
    status: int
    body: bytes


class Http1:
    """A keep-alive connection. A slow one reads small pieces with a small receive buffer, and stops reading once all is
    `over`."""

    def __init__(self, reader, writer, slow, over):
        self.reader, self.writer, self.slow, self.over = reader, writer, slow, over

    @classmethod
    async def connect(cls, port, over, slow=False):
        peer = socket.socket()
        if slow:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOWLY)
        peer.setblocking(False)
        await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", port))
        return cls(*await asyncio.open_connection(sock=peer, limit=SLOWLY if slow else 1 << 18), slow, over)

    def close(self):
        self.writer.close()

    async def get(self, target):
        try:
            return await asyncio.wait_for(self._get(target), None if self.slow else TIMEOUT)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, asyncio.LimitOverrunError, ValueError, KeyError) as error:
            self.close()
            raise Broken(f"{target.partition('?')[0]}: {error!r}") from error

    async def _get(self, target):
        self.writer.write(f"GET {target} HTTP/1.1\r\nHost: edge\r\n\r\n".encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        status = int(head[0].split()[1])
        fields = dict(line.split(b": ", 1) for line in head[1:-2])
        if b"content-length" in fields:
            return Response(status, await self._read(int(fields[b"content-length"])))
        body = b""
        if fields[b"transfer-encoding"] != b"chunked":
            raise ValueError(fields)
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            body += await self._read(size)
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)
        return Response(status, body)

    async def _read(self, size):
        if not self.slow:
            return await self.reader.readexactly(size)
        body = bytearray()
        while len(body) < size:
            body += await self.reader.readexactly(min(SLOWLY, size - len(body)))
            await asyncio.sleep(LATER)
            if self.over.is_set():
                raise ValueError("it is over")
        return bytes(body)


async def left(port, target, size):
    """Asks over a connection of its own, reads so many bytes at most, and resets it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: edge\r\n\r\n".encode())
    await asyncio.wait_for(reader.read(size), TIMEOUT)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Http2:
    """A connection that several viewers share."""

    def __init__(self, port):
        self.port, self.waiting, self.writer, self.lock = port, {}, None, asyncio.Lock()

    async def join(self):
        """Adds a viewer."""
        async with self.lock:
            if not self.writer:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
                self.connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
                self.connection.initiate_connection()
                self.connection.increment_flow_control_window(1 << 24)
                self.task = asyncio.ensure_future(self._receive())
        return self

    def close(self):
        """Removes a viewer."""

    def end(self):
        if self.writer:
            self.task.cancel()
            self.writer.close()

    async def get(self, target):
        try:
            stream = self.connection.get_next_available_stream_id()
            self.connection.send_headers(stream, [(":method", "GET"), (":path", target), (":scheme", "http"), (":authority", "edge")],
                                         end_stream=True)
            answer = self.waiting[stream] = [0, bytearray(), asyncio.get_running_loop().create_future()]
            self.writer.write(self.connection.data_to_send())
            await asyncio.wait_for(answer[2], TIMEOUT)
            return Response(answer[0], bytes(answer[1]))
        except (OSError, asyncio.TimeoutError, h2.exceptions.ProtocolError, ConnectionError) as error:
            raise Broken(f"{target.partition('?')[0]} over HTTP/2: {error!r}") from error

    async def _receive(self):
        while data := await self.reader.read(1 << 18):
            for event in self.connection.receive_data(data):
                self._take(event)
            self.writer.write(self.connection.data_to_send())
        self.writer = None
        for *_, future in self.waiting.values():
            future.set_exception(ConnectionError("the edge closed the connection"))
        self.waiting.clear()

    def _take(self, event):
        answer = self.waiting.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.DataReceived):
            self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if not answer or answer[2].done():
            return
        if isinstance(event, h2.events.ResponseReceived):
            answer[0] = int(dict(event.headers)[":status"])
        elif isinstance(event, h2.events.DataReceived):
            answer[1] += event.data
        elif isinstance(event, h2.events.StreamEnded):
            answer[2].set_result(None)
            del self.waiting[event.stream_id]
        elif isinstance(event, h2.events.StreamReset):
            answer[2].set_exception(ConnectionError(f"reset: {event.error_code}"))
            del self.waiting[event.stream_id]
