"""Sends requests as bytes: one HTTP/1.1 or cleartext HTTP/2 connection for input that no well-behaved client sends."""

import socket

import h2.config
import h2.connection
import h2.events

from support.curl import Response

WAIT = 30


class Wire:
    """A keep-alive HTTP/1.1 connection. It reconnects if the peer has closed it."""

    def __init__(self, port):
        self.port, self.socket, self.left = port, None, b""

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket, self.left = None, b""

    def ask(self, target, fields=(), method=b"GET", host=b"edge.example", body=b"", version=b"HTTP/1.1"):
        """Sends a request of these bytes. `fields`: (name, value) in bytes; without a `host` there is no such line."""
        fields = ([(b"Host", host)] if host is not None else []) + list(fields)
        lines = [b" ".join([method, target, version])] + [name + b": " + value for name, value in fields]
        return self.send(b"\r\n".join(lines) + b"\r\n\r\n" + body, method)

    def send(self, request, method=b"GET"):
        """The response to these bytes; status 0 if there is none."""
        if not self.socket:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)
        try:
            self.socket.sendall(request)
            return self._response(method)
        except (ConnectionError, EOFError, TimeoutError) as error:
            self.close()
            return Response(0, [], b"", 28 if isinstance(error, TimeoutError) else 56, str(error))

    def _response(self, method):
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        if status in (100, 102, 103):
            return self._response(method)
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in head[1:] if line)]
        named = dict(headers)
        if method == b"HEAD" or status in (204, 304):
            body = b""
        elif named.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self._until(b"\r\n"), 16):
                body += self._exactly(size + 2)[:-2]
            self._until(b"\r\n")
        elif "content-length" in named:
            body = self._exactly(int(named["content-length"]))
        else:
            body = self._rest()
        if named.get("connection") == "close":
            self.close()
        return Response(status, headers, body)

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the connection was closed")
        self.left += data

    def _until(self, mark):
        while mark not in self.left:
            self._more()
        found, _, self.left = self.left.partition(mark)
        return found

    def _exactly(self, size):
        while len(self.left) < size:
            self._more()
        found, self.left = self.left[:size], self.left[size:]
        return found

    def _rest(self):
        try:
            while True:
                self._more()
        except (EOFError, ConnectionError):
            found = self.left
            self.close()
            return found


class Wire2:
    """A cleartext HTTP/2 connection for one request at a time, with headers unchanged."""

    def __init__(self, port):
        self.port, self.socket, self.connection = port, None, None

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def ask(self, target, fields=(), method=b"GET", host=b"edge.example", body=None):
        """As `Wire.ask`. `body`: the headers do not end the stream, and DATA frames with these pieces follow, the last of
        which does."""
        if not self.socket:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)
            config = h2.config.H2Configuration(client_side=True, header_encoding=None, validate_outbound_headers=False,
                                               normalize_outbound_headers=False)
            self.connection = h2.connection.H2Connection(config)
            self.connection.initiate_connection()
        stream = self.connection.get_next_available_stream_id()
        head = [(b":method", method), (b":path", target), (b":scheme", b"http")]
        head += [(b":authority", host)] if host is not None else []
        self.connection.send_headers(stream, head + [(name.lower(), value) for name, value in fields], end_stream=body is None)
        pieces = list(body or ())
        status, headers, body = 0, [], b""
        try:
            # The first piece comes at once with the headers.
            for number, piece in enumerate(pieces, 1):
                self.connection.send_data(stream, piece, end_stream=number == len(pieces))
                self.socket.sendall(self.connection.data_to_send())
            self.socket.sendall(self.connection.data_to_send())
            while data := self.socket.recv(65536):
                for event in self.connection.receive_data(data):
                    if getattr(event, "stream_id", stream) != stream:
                        continue
                    if isinstance(event, h2.events.ResponseReceived):
                        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]
                        status = int(dict(headers)[":status"])
                    elif isinstance(event, h2.events.DataReceived):
                        body += event.data
                        self.connection.acknowledge_received_data(event.flow_controlled_length, stream)
                    elif isinstance(event, h2.events.StreamEnded):
                        return Response(status, headers, body)
                    elif isinstance(event, h2.events.StreamReset):
                        return Response(0, headers, body, 92, "the stream was reset")
                    elif isinstance(event, h2.events.ConnectionTerminated):
                        self.close()
                        return Response(0, headers, body, 92, "the connection was ended")
                self.socket.sendall(self.connection.data_to_send())
        except ConnectionError as error:
            self.close()
            return Response(0, headers, body, 56, str(error))
        self.close()
        return Response(status, headers, body, 56, "the connection was closed")
