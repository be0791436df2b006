"""Tests batching: with chunks of several streams encrypted together, every stream gets its own bytes in order, and none
waits long for another."""

import http.client
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from support.crowd import LARGE, Crowd, batches, bodies, opened, plain_of
from support.curl import Response, fetch
from support.edge import document, policy
from support.multiplex import together
from support.ways import STREAMED

# What the cluster gives at a time; the proxy's default of 1 MiB for a paused response leaves room for many of them.
BUFFER = 65536
SIZES = [1, 15, 16, 17, 1023, 1024, 65535, 65536, 65537, 131_072, 131_088, 300_000, 999_999, LARGE]


@pytest.fixture(params=["h1", "h2"])
def batched(edges, request):
    """An edge that encrypts streams together."""
    return edges(dict(document(policy()), batching=True), STREAMED, request.param, buffer=BUFFER)


@pytest.mark.parametrize("http", ["1.1", "2"])
def test_every_stream_gets_its_own_bytes(batched, http):
    segments = bodies(*SIZES, *[LARGE] * 6)
    viewer, items = opened(batched, segments, http)
    before = batches(batched)
    with ThreadPoolExecutor(len(items)) as pool:
        answers = list(pool.map(lambda item: fetch(item.url, http=http), items))
    assert [(a.status, a.exit) for a in answers] == [(200, 0)] * len(items)
    for item, answer, plain in zip(items, answers, plain_of(segments)):
        assert len(answer.body) == (len(plain) // 16 + 1) * 16
        assert viewer.plain(item, answer) == plain
    assert batches(batched) > before, "nothing was encrypted together"


def test_streams_of_one_connection(batched):
    """All streams of one HTTP/2 connection at once: a resumed stream writes to the same socket."""
    segments = bodies(*SIZES)
    viewer, items = opened(batched, segments)
    targets = [item.url.removeprefix(batched.url) for item in items]
    answers, _ = together(urlsplit(batched.url).port, targets)
    for item, target, plain in zip(items, targets, plain_of(segments)):
        status, body = answers[target]
        assert status == 200 and viewer.plain(item, Response(200, [], body)) == plain


def test_one_stream_alone_is_never_held(batched):
    segments = bodies(LARGE)
    viewer, (item,) = opened(batched, segments)
    before = batches(batched)
    for _ in range(3):
        assert viewer.plain(item) == plain_of(segments)[0]
    assert batches(batched) == before


def read(response, size):
    """Reads a number of bytes of a response as they arrive."""
    body = b""
    while len(body) < size:
        piece = response.read1(size - len(body))
        assert piece, f"it ended after {len(body)} bytes"
        body += piece
    return body


def test_an_origin_that_stalls_keeps_nothing_back(edges):
    """Data that the origin sent before it stalled arrives while it stalls: the origin continues only after all of it
    has been received."""
    edge = edges(dict(document(policy()), batching=True), STREAMED, buffer=BUFFER)
    size = 48_000
    with Crowd(edge):
        before = batches(edge)
        for number in range(20):
            gate, plain = threading.Event(), random.Random(number).randbytes(2 * size)
            viewer, (item,) = opened(edge, {"stall_ts": (plain, {"piece": size, "until": gate})})
            parts = urlsplit(item.url)
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
            connection.request("GET", f"{parts.path}?{parts.query}")
            response = connection.getresponse()
            first = read(response, size)
            gate.set()
            body = first + response.read()
            connection.close()
            assert viewer.plain(item, Response(200, [], body)) == plain
        assert batches(edge) > before, "nothing was encrypted together"


def test_viewers_that_leave_do_not_disturb_others(batched):
    segments = bodies(LARGE)
    _, (item,) = opened(batched, segments)
    parts = urlsplit(item.url)
    with Crowd(batched):
        for number in range(40):
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
            connection.request("GET", f"{parts.path}?{parts.query}")
            response = connection.getresponse()
            read(response, 16 + 9_973 * number)
            # Closed with bytes unread: a reset.
            response.close()
            connection.close()


def test_a_broken_origin_breaks_its_own_stream_only(batched):
    plain = random.Random(7).randbytes(400_000)
    with Crowd(batched):
        for stop in range(1, 400_000, 39_999):
            viewer, (item,) = opened(batched, {"broken_ts": (plain, {"stop": stop})})
            answer = fetch(item.url)
            cipher = Cipher(algorithms.AES128(viewer.key(item.key)), modes.CBC(item.iv)).encryptor()
            assert answer.broken and len(answer.body) <= stop
            assert cipher.update(plain).startswith(answer.body)


def test_trailers_among_others(edges):
    edge = edges(dict(document(policy()), batching=True), STREAMED, "h2", buffer=BUFFER)
    plain = random.Random(8).randbytes(400_000)
    with Crowd(edge):
        for framing in ("length", "chunked"):
            for _ in range(5):
                segment = (plain, {"framing": framing, "trailers": (("x-checksum", "1"),)})
                viewer, (item,) = opened(edge, {"trailed_ts": segment})
                answer = fetch(item.url, http="2")
                if framing == "length":
                    assert viewer.plain(item, answer) == plain
                else:
                    assert answer.broken, "the padding block cannot be sent, and that must show"


def test_chunks_that_are_too_large_end_it(edges):
    """With the cluster's default buffer of 1 MiB no chunk may be held: batching is switched off, and the log reports
    it."""
    edge = edges(dict(document(policy()), batching=True))
    segments = bodies(*[8_000_000] * 4)
    viewer, items = opened(edge, segments)
    with ThreadPoolExecutor(len(items)) as pool:
        answers = list(pool.map(lambda item: fetch(item.url), items))
    assert [(answer.status, answer.exit) for answer in answers] == [(200, 0)] * len(items)
    for item, answer, plain in zip(items, answers, plain_of(segments)):
        assert viewer.plain(item, answer) == plain
    assert "batching ends on this worker" in edge.proxy.log_text()
