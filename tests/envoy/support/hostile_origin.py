"""An origin that plays a case of hostile.toml over HTTP/1.1 or cleartext HTTP/2, exact to the byte and frame.

Paths without a case are served normally, from `good`. It runs on its own event loop, in a thread or, for heavy load, in a
process.
"""

import asyncio
import contextlib
import re
import socket
import struct
import threading
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from hyperframe.frame import DataFrame, HeadersFrame

from support.hostile import MEDIA, TYPES

MEGABYTE = 1 << 20


def alone(cluster):
    """Gives every request to a cluster its own connection, so that a broken one affects no other case."""
    (options,) = cluster["typed_extension_protocol_options"].values()
    options["common_http_protocol_options"] = {"max_requests_per_connection": 1}


class Origin:
    """Serves the cases below /POLICY/FOLDER/, and `good` (path → bytes). `gone`: paths whose download was abandoned."""

    def __init__(self, table, good=None, listen=("h1", "h2")):
        self.cases = {case.folder: case for case in table}
        self.good = good if good is not None else {}
        self.asked, self.gone = [], []
        self.loop = asyncio.new_event_loop()
        self.ports, self.servers = {}, []
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(listen, ready), daemon=True)
        self.thread.start()
        ready.wait()

    def _run(self, listen, ready):
        async def start():
            for protocol in listen:
                serve = {"h1": self._http1, "h2": self._http2}[protocol]
                server = await asyncio.start_server(self._guarded(serve), "127.0.0.1", 0, backlog=4096)
                self.ports[protocol] = server.sockets[0].getsockname()[1]
                self.servers.append(server)
            ready.set()

        asyncio.set_event_loop(self.loop)
        self.loop.create_task(start())
        self.loop.run_forever()

    def stop(self):
        def end():
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.call_later(0.05, self.loop.stop)

        self.loop.call_soon_threadsafe(end)
        self.thread.join()

    @staticmethod
    def _guarded(serve):
        async def guarded(reader, writer):
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await serve(reader, writer)
            writer.close()

        return guarded

    def find(self, target):
        """The path, its case, and its good file."""
        path = urlsplit(target).path
        folder = path.split("/")[2] if path.count("/") > 2 else ""
        return path, self.cases.get(folder), self.good.get(path)

    # HTTP/1.1

    async def _http1(self, reader, writer):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
            path, case, good = self.find(target)
            self.asked.append(path)
            if case is None:
                status, body = (200, good) if good is not None else (404, b"the origin has no such file\n")
                kind = TYPES.get(path.rpartition(".")[2], "text/plain") if good is not None else "text/plain"
                writer.write(f"HTTP/1.1 {status} OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
                             + (b"" if method == "HEAD" else body))
                await writer.drain()
            elif not await self._act1(case, path, writer):
                return

    async def _act1(self, case, path, writer):
        """Answers as the case says. Whether the connection goes on."""
        sock = writer.get_extra_info("socket")
        if case.raw is not None:
            text = case.raw.encode("latin-1")
            writer.write(re.sub(rb"\{body\}", lambda _: case.whole(path), text))
        else:
            chunked = case.framing == "chunked"
            lines = [f"HTTP/1.1 {case.status} As It Says", *(f"{name}: {value}" for name, value in case.fields(path))]
            if case.framing == "length":
                lines.append(f"content-length: {len(case.whole(path)) + case.length}")
            elif chunked:
                lines.append("transfer-encoding: chunked")
            head = "\r\n".join([*lines, "", ""]).encode("latin-1")
            writer.write(case.before.encode("latin-1") + head)
            for piece in case.pieces(path):
                for start in range(0, len(piece), MEGABYTE):
                    part = piece[start:start + MEGABYTE]
                    writer.write(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
                    try:
                        await writer.drain()
                    except OSError:
                        self.gone.append(path)
                        raise
            if case.late:
                await writer.drain()
                await asyncio.sleep(0.05)
            if chunked and not case.end:
                writer.write(b"0\r\n" + "".join(f"{line}\r\n" for line in case.trailers).encode() + b"\r\n")
        if case.end == "reset":
            # What is written must have left before the reset discards it.
            await writer.drain()
            await asyncio.sleep(0.05)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        await writer.drain()
        return not case.end and case.framing != "close" and case.raw is None

    # HTTP/2

    async def _http2(self, reader, writer):
        config = h2.config.H2Configuration(client_side=False, header_encoding=None, validate_outbound_headers=False,
                                           normalize_outbound_headers=False, validate_inbound_headers=False)
        connection = h2.connection.H2Connection(config)
        # Envoy opens more at once than the library's hundred before it has heard of that limit.
        connection.local_settings = h2.settings.Settings(client=False, initial_values={
            h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 100_000, h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 65_535})
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        state = Multiplexed(connection, writer)
        try:
            while data := await reader.read(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        pseudo = dict(event.headers)
                        target, method = pseudo[b":path"].decode("latin-1"), pseudo[b":method"].decode()
                        task = asyncio.ensure_future(self._answer2(state, event.stream_id, target, method))
                        state.tasks[event.stream_id] = task
                    elif isinstance(event, h2.events.StreamReset):
                        if task := state.tasks.pop(event.stream_id, None):
                            task.cancel()
                state.window.set()
                state.flush()
                await writer.drain()
        finally:
            for task in state.tasks.values():
                task.cancel()

    async def _answer2(self, state, stream, target, method):
        path, case, good = self.find(target)
        self.asked.append(path)
        try:
            if case is None:
                body = good if good is not None else b"the origin has no such file\n"
                kind = TYPES.get(path.rpartition(".")[2], "text/plain") if good is not None else "text/plain"
                fields = [(":status", "200" if good is not None else "404"), ("content-type", kind), ("content-length", str(len(body)))]
                state.head(stream, fields)
                await state.data(stream, b"" if method == "HEAD" else body)
                state.end(stream)
            else:
                await self._act2(case, path, state, stream)
        except h2.exceptions.ProtocolError:
            pass
        except (asyncio.CancelledError, OSError):
            # The stream was reset, or the connection with it.
            self.gone.append(path)
        state.tasks.pop(stream, None)

    async def _act2(self, case, path, state, stream):
        if case.frames == "goaway first":
            state.connection.close_connection(error_code=2, last_stream_id=0)
            state.flush()
            state.writer.close()
            return
        if case.frames == "data first":
            state.raw(DataFrame(stream, data=MEDIA[:16000]))
            return
        if case.end == "reset" and case.stop == 0 and case.before == "":
            state.connection.reset_stream(stream, error_code=2)
            state.flush()
            return
        fields = [(":status", str(case.status)), *((name.lower(), value) for name, value in case.fields(path))]
        if case.framing == "length":
            fields.append(("content-length", str(len(case.whole(path)) + case.length)))
        for line in filter(None, case.before.split("\r\n\r\n")):
            state.raw(state.headers(stream, [(":status", line.split(" ")[1])]))
        state.head(stream, fields)
        for piece in case.pieces(path):
            await state.data(stream, piece)
        state.flush()
        if case.late:
            await asyncio.sleep(0.05)
        if case.frames == "head again":
            state.raw(state.headers(stream, fields))
        elif case.frames == "status in trailers":
            state.raw(state.headers(stream, [(":status", "200"), ("x-checksum", "1")], end=True))
        elif case.frames == "goaway":
            state.connection.close_connection(error_code=2)
            state.flush()
            state.writer.close()
        elif case.end == "reset":
            state.connection.reset_stream(stream, error_code=0 if case.frames == "no error" else 2)
            state.flush()
        elif case.end == "fin":
            state.writer.close()
        elif case.trailers:
            pairs = [tuple(part.strip().lower() for part in line.split(":", 1)) for line in case.trailers]
            state.raw(state.headers(stream, pairs, end=True))
        else:
            state.end(stream)


class Multiplexed:
    """The sending half of an HTTP/2 connection."""

    def __init__(self, connection, writer):
        self.connection, self.writer = connection, writer
        self.tasks, self.window = {}, asyncio.Event()

    def flush(self):
        if data := self.connection.data_to_send():
            self.writer.write(data)

    def raw(self, frame):
        """Sends a frame that the library would refuse to send."""
        self.flush()
        self.writer.write(frame.serialize())

    def headers(self, stream, fields, end=False):
        frame = HeadersFrame(stream, self.connection.encoder.encode([(n.encode("latin-1"), v.encode("latin-1")) for n, v in fields]))
        frame.flags.add("END_HEADERS")
        if end:
            frame.flags.add("END_STREAM")
        return frame

    def head(self, stream, fields):
        """Queues headers, which are sent with the next frame or flush: the order in which the peer sees a fault in the
        headers and in the body must not vary."""
        self.connection.send_headers(stream, [(n.encode("latin-1"), v.encode("latin-1")) for n, v in fields])

    async def data(self, stream, body):
        """Sends data as fast as the peer accepts it."""
        view = memoryview(body)
        while view:
            size = min(self.connection.local_flow_control_window(stream), self.connection.max_outbound_frame_size, len(view))
            if size <= 0:
                self.flush()
                self.window.clear()
                await self.window.wait()
                continue
            self.connection.send_data(stream, bytes(view[:size]))
            view = view[size:]
            self.flush()
            await self.writer.drain()

    def end(self, stream):
        self.connection.end_stream(stream)
        self.flush()
