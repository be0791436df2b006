"""Tests headers: the request headers that reach the origin, and the origin's response headers that reach the viewer."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from support.hls import Viewer
from support.ways import ALL

pytestmark = pytest.mark.parametrize("edge", ALL, indirect=True)
OF_THE_PLAINTEXT = ("etag", "digest", "content-digest", "repr-digest", "content-md5", "accept-ranges")


@pytest.fixture
def session(edge):
    """(viewer, media playlist) of the CMAF programme."""
    viewer = Viewer()
    return viewer, viewer.playlist(edge.link("/cmaf/v180/index.m3u8"))


@pytest.mark.parametrize("http", ["1.1", "2"])
def test_the_origin_sees_a_plain_request(edge, session, http):
    """No parameters of playlock; no range, condition or coding for resources that are rewritten or encrypted;
    everything else as sent."""
    viewer, playlist = session
    headers = {"Range": "bytes=0-9", "If-None-Match": "*", "If-Modified-Since": "Tue, 05 Aug 2025 10:00:00 GMT",
               "If-Range": '"x"', "Accept-Encoding": "gzip, br", "X-Of-The-Viewer": "yes", "Cookie": "theirs=1"}
    for url in (edge.link("/cmaf/v180/index.m3u8?x=1&y=%2F"), playlist.segments[0].url + "&x=1"):
        edge.site.requests.clear()
        response = edge.get(url, headers, http)
        assert (response.status, response.exit) == (200, 0), response.body
        (request,) = edge.asked()
        assert not any(word in request.target for word in ("hdnts", "hdntl", "plk", "hmac")), request.target
        for name in ("range", "if-none-match", "if-modified-since", "if-range", "accept-encoding"):
            assert request.header(name) is None, (name, request)
        assert request.header("x-of-the-viewer") == "yes" and request.header("cookie") == "theirs=1"
        if "x=1" in url:
            assert "x=1" in request.target


def test_nothing_that_speaks_of_the_plaintext_is_left(edge, session):
    """An ETag or digest of the plaintext would be wrong for the ciphertext, and would reveal something."""
    viewer, playlist = session
    for url in (edge.link("/cmaf/master.m3u8"), playlist.url, playlist.segments[0].url):
        response = viewer.get(url)
        for name in OF_THE_PLAINTEXT:
            assert response.all(name) == [], (url, name)
        assert response.header("x-origin") == "kept"
        assert response.header("content-type")


def test_an_init_section_is_a_plain_file(edge, session):
    """It is served in clear, so ranges and validators are the origin's."""
    url = session[1].items[0].url
    edge.site.requests.clear()
    part = edge.get(url, {"Range": "bytes=4-7"})
    assert (part.status, part.body) == (206, b"ftyp")
    (request,) = edge.asked()
    assert request.target == "/cmaf/v180/init.mp4" and request.header("range") == "bytes=4-7"
    whole = edge.get(url)
    assert whole.header("etag") and edge.get(url, {"If-None-Match": whole.header("etag")}).status == 304


def test_shared_caches_keep_nothing_of_a_session(edge, session):
    viewer, playlist = session
    assert viewer.get(edge.link("/cmaf/master.m3u8")).header("cache-control") == "private, no-store"
    assert viewer.get(playlist.url).header("cache-control") == "private, no-store"
    key = viewer.get(playlist.keys[0].url)
    assert key.header("cache-control").startswith("private") and "max-age=" in key.header("cache-control")
    assert "no-store" not in key.header("cache-control")
    for item in playlist.items[:2]:
        assert viewer.get(item.url).header("cache-control").startswith("private")


def test_the_key_request_ignores_ranges_and_conditions(edge, session):
    """ffmpeg sends the segment's Range to the key."""
    viewer, playlist = session
    answer = edge.get(playlist.keys[0].url, {"Range": "bytes=0-3", "If-None-Match": "*"})
    assert (answer.status, len(answer.body)) == (200, 16)
    assert answer.header("content-type") == "application/octet-stream"
    assert not edge.asked("/serve.key")


def test_parameters_in_any_order_and_escaping(edge, session):
    """Players sort and re-encode queries."""
    viewer, playlist = session
    for item, name in ((playlist.keys[0].url, None), (playlist.segments[0].url, "/cmaf/v180/seg0.m4s"),
                       (playlist.items[0].url, "/cmaf/v180/init.mp4")):
        parts = urlsplit(item)
        query = urlencode(list(reversed(parse_qsl(parts.query))))
        again = viewer.get(parts._replace(query=query).geturl())
        assert again.body == viewer.get(item).body, name
