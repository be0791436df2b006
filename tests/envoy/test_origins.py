"""Tests unusual origins: for any response of the origin, the viewer gets a complete encrypted stream or a visible error."""

import gzip
import json
import random
from http.client import HTTPConnection
from urllib.parse import urljoin, urlsplit

import pytest

from support.hls import Viewer, decrypt
from support.ways import ALL

pytestmark = pytest.mark.parametrize("edge", ALL, indirect=True)
HTTP = pytest.mark.parametrize("http", ["1.1", "2"])
TRAILERS = (("X-Checksum", "abc"),)


def noise(size):
    return random.Random(size).randbytes(size)


def segment(edge, body, http="1.1", **how):
    """(viewer, the segment, its response) of a stream with this one segment."""
    path = edge.site.stream("odd", seg_ts=(body, how))
    viewer = Viewer(http)
    item = viewer.playlist(edge.link(path)).segments[0]
    return viewer, item, edge.get(item.url, http=http)


def whole(viewer, item, response, body):
    """Checks that the response is complete and decrypts to `body`."""
    assert (response.status, response.exit) == (200, 0), (response, response.error)
    assert len(response.body) == (len(body) // 16 + 1) * 16
    assert viewer.plain(item, response) == body


def broken(edge, response, plain, *words):
    """The viewer was told: a clean 502 of ours, or a response that breaks off; never plaintext, never a clean end."""
    if response.status == 502:
        assert response.exit == 0 and json.loads(response.body)["type"] in words
        assert edge.proxy.logged(response.id)["reason"] in words
    else:
        assert response.broken, f"{response.status}, curl {response.exit}, {len(response.body)} bytes"
    assert not plain or plain[:16] not in response.body


@HTTP
def test_with_a_length(edge, http):
    """Of any size, including empty bodies: padded, with the exact length."""
    sizes = [0, 1, 15, 16, 17, 4096, 16384, 300_001]
    path = edge.site.stream("odd", **{f"s{size}_ts": noise(size) for size in sizes})
    viewer = Viewer(http)
    for size, item in zip(sizes, viewer.playlist(edge.link(path)).segments):
        response = edge.get(item.url, http=http)
        assert response.header("content-length") == str((size // 16 + 1) * 16)
        whole(viewer, item, response, noise(size))


@HTTP
def test_without_a_length(edge, http):
    """Of any size, in chunks of any size."""
    shapes = [(0, 1), (1, 1), (1000, 7), (1024, 16), (1025, 16), (300_000, 16000), (40_000, 1000)]
    path = edge.site.stream("odd", **{f"s{size}x{piece}_ts": (noise(size), {"framing": "chunked", "piece": piece})
                                      for size, piece in shapes})
    viewer = Viewer(http)
    for (size, _), item in zip(shapes, viewer.playlist(edge.link(path)).segments):
        response = edge.get(item.url, http=http)
        assert response.header("content-length") is None or size == 0
        whole(viewer, item, response, noise(size))


@HTTP
def test_trailers_after_a_known_length(edge, http):
    """The padding block is sent with the last byte, before the trailers."""
    body = noise(100_000)
    viewer, item, response = segment(edge, body, http, framing="length" if edge.upstream == "h2" else "chunked", trailers=TRAILERS)
    whole(viewer, item, response, body)


@HTTP
@pytest.mark.parametrize("size", [0, 50, 100_000])
def test_trailers_after_an_unknown_length(edge, size, http):
    """HTTP/1.1 drops them: complete. Over HTTP/2 the end was not to be seen: broken, never short."""
    body = noise(size)
    viewer, item, response = segment(edge, body, http, framing="chunked", trailers=TRAILERS)
    if edge.upstream == "h1":
        whole(viewer, item, response, body)
    else:
        broken(edge, response, body, "trailers")


@HTTP
@pytest.mark.parametrize("end", ["#EXT-X-ENDLIST\n", "#EXT-X-ENDLIST", "#EXTINF:4,\n"])
@pytest.mark.parametrize("pieces", [16000, 10])
def test_trailers_after_a_playlist(edge, end, pieces, http):
    """What is settled by then is complete; else, as a line without its end, the response is broken."""
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nseg.ts\n" + end
    path = edge.site.put("/odd/trailing.m3u8", text, framing="chunked", piece=pieces, trailers=TRAILERS)
    # In a session: one that opens it is seen to its end first, if it is live.
    session = Viewer().playlist(edge.link(edge.site.stream("odd/session", seg_ts=b"x"))).segments[0].url.partition("hdntl=")[2]
    response = edge.get(f"{path}?hdntl={session}", http=http)
    if edge.upstream == "h1" or end == "#EXT-X-ENDLIST\n":
        assert (response.status, response.exit) == (200, 0), response
        assert response.text.count("#EXT-X-KEY:METHOD=AES-128") == 1 and response.text.endswith(end)
    else:
        broken(edge, response, b"", "trailers")


@HTTP
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_origin_that_dies_on_the_way(edge, framing, http):
    body = noise(100_000)
    for stop in (0, 5, 5000, 64_000):
        _, _, response = segment(edge, body, http, framing=framing, stop=stop)
        assert response.status != 200 or response.broken, f"curl {response.exit} with {len(response.body)} bytes"
        assert body[:16] not in response.body


@HTTP
def test_an_origin_that_dies_within_a_playlist(edge, http):
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n" + "#EXTINF:4,\nseg.ts\n" * 2000
    path = edge.site.put("/odd/dying.m3u8", text, framing="chunked", stop=20_000)
    response = edge.get(edge.link(path), http=http)
    assert response.status != 200 or response.broken


@HTTP
@pytest.mark.parametrize("coding", ["gzip", "br", "identity, br"])
@pytest.mark.parametrize("path", ["/odd/seg.ts", "/odd/zip.m3u8"])
def test_a_content_coding_that_nobody_asked_for(edge, path, coding, http):
    """Compressed playlists cannot be rewritten; compressed segments would be decrypted to garbage."""
    body = gzip.compress(b"#EXTM3U\n" + b"#EXTINF:4,\nseg.ts\n" * 100)
    headers = (("Content-Type", "application/vnd.apple.mpegurl" if path.endswith("m3u8") else "video/mp2t"),
               ("Content-Encoding", coding))
    if path.endswith("m3u8"):
        response = edge.get(edge.link(edge.site.put(path, body, headers=headers)), http=http)
    else:
        _, _, response = segment(edge, body, http, headers=headers)
    assert response.status == 502
    broken(edge, response, body, "encoding")


@HTTP
@pytest.mark.parametrize("status", [206, 304])
def test_a_part_that_nobody_asked_for(edge, status, http):
    headers = (("Content-Type", "video/mp2t"), ("Content-Range", "bytes 0-99/200")) if status == 206 else (("ETag", '"x"'),)
    body = noise(100) if status == 206 else b""
    _, _, response = segment(edge, body, http, status=status, headers=headers)
    assert response.status == 502
    broken(edge, response, body, "unasked")


@pytest.mark.parametrize("status", [204, 403, 404, 500, 503])
def test_an_origins_error_arrives_as_it_is(edge, status):
    """In clear, with its own body and headers, for every kind of request: it is not media."""
    text = b"" if status == 204 else b"the origin's own words about it, which are long enough to be seen\n"
    how = {"status": status, "headers": (("Content-Type", "text/plain"), ("ETag", '"e"'), ("Retry-After", "7"), ("Allow", "GET")),
           "framing": "none" if status == 204 else "length"}
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:4", '#EXT-X-MAP:URI="init.mp4"', "#EXTINF:4,", "seg.m4s", "#EXTINF:4,",
             "#EXT-X-BYTERANGE:16@0", "all.mp4", "#EXT-X-ENDLIST", ""]
    items = Viewer().playlist(edge.link(edge.site.put("/odd/failing/index.m3u8", "\n".join(lines)))).items
    assert len(items) == 3
    for name in ("init.mp4", "seg.m4s", "all.mp4", "bad.m3u8"):
        edge.site.put(f"/odd/failing/{name}", text, **how)
    for url in [*(item.url for item in items), edge.link("/odd/failing/bad.m3u8")]:
        response = edge.get(url)
        assert (response.status, response.exit, response.body) == (status, 0, text), url
        assert (response.header("etag"), response.header("retry-after"), response.header("allow")) == ('"e"', "7", "GET")
        # What a token let out in clear is private, nothing though it be.
        private = status == 204 and "init.mp4" in url
        assert response.header("content-type") == "text/plain"
        assert response.header("cache-control") == ("private" if private else None)
    head = edge.get(items[1].url, method="HEAD")
    assert (head.status, head.exit, head.header("etag")) == (status, 0, '"e"')
    response = edge.get(edge.link("/odd/nothing-here.m3u8"))
    assert (response.status, response.body) == (404, b"the origin has no such file\n")


@pytest.mark.parametrize("location, carried", [
    ("moved/index.m3u8", True), ("/odd/moved/index.m3u8?x=1", True), ("http://elsewhere.example/index.m3u8", False),
])
def test_a_redirect_takes_the_session_along(edge, location, carried):
    """To URLs of the edge, and to no others."""
    path = edge.site.put("/odd/old.m3u8", b"", status=302, headers=(("Location", location),))
    moved = edge.get(edge.link(path))
    assert moved.status == 302 and moved.header("location").startswith(location)
    assert ("hdntl=" in moved.header("location")) == carried
    if carried:
        edge.site.stream("odd/moved", seg_ts=noise(100))
        viewer = Viewer()
        item = viewer.playlist(urljoin(f"{edge.url}{path}", moved.header("location"))).segments[0]
        assert viewer.plain(item) == noise(100)


PLAYLISTS = {
    "playlist": ["<html>no</html>", "", "#EXTM3", "#EXTINF:4,\nseg.ts\n"],
    "encrypted": ['#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:4,\nseg.ts\n#EXT-X-ENDLIST\n'],
    "byterange": ["#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n#EXT-X-BYTERANGE:100\nseg.ts\n#EXT-X-ENDLIST\n"],
    "line": ["#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n" + "x" * 2_000_000 + "\n"],
}


@HTTP
@pytest.mark.parametrize("word, text", [(word, text) for word, texts in PLAYLISTS.items() for text in texts],
                         ids=[f"{word}{n}" for word, texts in PLAYLISTS.items() for n, _ in enumerate(texts)])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_playlist_that_cannot_be_protected(edge, word, text, framing, http):
    """With held headers an HTTP 502; without, a reset response (or a 502 if there was still time)."""
    path = edge.site.put("/odd/bad.m3u8", text, framing=framing)
    response = edge.get(edge.link(path), http=http)
    broken(edge, response, b"", word)
    if edge.hold and word != "line":  # that one shows when the head is long out
        assert response.status == 502
    assert b"seg.ts\n" not in response.body and b"<html>" not in response.body


def test_a_playlist_by_its_type_alone(edge):
    """Without an extension in the path only the response shows the kind: a playlist opens a session, anything else is
    refused."""
    text = edge.site.file("/ts/v180/index.m3u8")
    headers = (("Content-Type", "Application/X-MpegURL; charset=utf-8"),)
    viewer = Viewer()
    item = viewer.playlist(edge.link(edge.site.put("/ts/v180/playlist", text, headers=headers))).segments[0]
    assert viewer.plain(item) == edge.site.file("/ts/v180/seg0.ts")
    other = edge.get(edge.link(edge.site.put("/odd/something", b"x" * 99, headers=(("Content-Type", "video/mp2t"),))))
    assert other.status == 403 and b"xxx" not in other.body


@HTTP
def test_a_playlist_in_small_pieces(edge, http):
    """Lines are split anywhere."""
    text = edge.site.file("/cmaf/v180/index.m3u8")
    path = edge.site.put("/cmaf/v180/pieces.m3u8", text, framing="chunked", piece=3)
    viewer = Viewer(http)
    playlist = viewer.playlist(edge.link(path))
    assert len(playlist.segments) == text.count(b"#EXTINF")
    item = playlist.segments[0]
    assert viewer.plain(item) == edge.site.file(urlsplit(item.url).path)


def test_a_connection_goes_on_after_it_all(edge):
    """Two segments on one keep-alive connection: no stray bytes between them."""
    path = edge.site.stream("keep", a_ts=noise(1000), b_ts=(noise(2000), {"framing": "chunked"}), c_ts=noise(0))
    viewer = Viewer()
    items = viewer.playlist(edge.link(path)).segments
    connection = HTTPConnection("127.0.0.1", edge.proxy.port, timeout=20)
    for item, size in zip(items * 2, [1000, 2000, 0] * 2):
        connection.request("GET", item.url.partition(edge.url)[2])
        answer = connection.getresponse()
        body = answer.read()
        assert decrypt(body, viewer.key(item.key), item.key.iv) == noise(size)
    connection.close()
