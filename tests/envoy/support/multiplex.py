"""Sends many concurrent requests on one cleartext HTTP/2 connection, which not every Debian curl does reliably."""

import socket

import h2.config
import h2.connection
import h2.events


def together(port, targets):
    """Requests all targets before reading any response: target → (status, body, order of the first pieces)."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    connection.initiate_connection()
    streams = {}
    for target in targets:
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, [(":method", "GET"), (":path", target), (":scheme", "http"),
                                         (":authority", f"127.0.0.1:{port}")], end_stream=True)
        streams[stream] = target
    status, bodies, ended, pieces = {}, {target: b"" for target in targets}, set(), []
    with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
        peer.sendall(connection.data_to_send())
        while len(ended) < len(streams):
            data = peer.recv(65536)
            assert data, "the edge closed the connection"
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    status[streams[event.stream_id]] = int(dict(event.headers)[":status"])
                elif isinstance(event, h2.events.DataReceived):
                    bodies[streams[event.stream_id]] += event.data
                    pieces.append(event.stream_id)
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    ended.add(event.stream_id)
                elif isinstance(event, h2.events.StreamReset):
                    raise AssertionError(f"{streams[event.stream_id]} was reset: {event.error_code}")
            peer.sendall(connection.data_to_send())
    return {target: (status[target], bodies[target]) for target in targets}, pieces
