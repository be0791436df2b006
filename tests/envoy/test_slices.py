"""Tests client Range requests on encrypted segments, as sent by resuming players and caches: the response is that range of
the ciphertext."""

import random

import pytest

from support.hls import Viewer
from support.origin import Reply
from support.ways import ALL, HOLD

SIZE = 100_003
PADDED = 100_016


@pytest.mark.parametrize("edge", ALL, indirect=True)
@pytest.mark.parametrize("http", ["1.1", "2"])
@pytest.mark.parametrize("ranges", [True, False], ids=["range", "no-range"])
def test_a_range_is_the_same_part_of_the_whole(edge, site, ranges, http):
    """Also where the origin ignores Range. Where it does not, it is asked for no more than up to the last block."""
    path = site.stream("slices", seg_ts=(random.Random(1).randbytes(SIZE), {"ranges": ranges}))
    url = Viewer().playlist(edge.link(path)).segments[0].url
    whole = edge.get(url, http=http).body
    assert len(whole) == PADDED
    for wanted, first, last, asked in [
        ("bytes=0-0", 0, 0, "bytes=0-15"),
        ("bytes=5-99", 5, 99, "bytes=0-111"),
        ("bytes=70000-70015", 70_000, 70_015, "bytes=0-70015"),
        ("bytes=99990-100015", 99_990, 100_015, "bytes=0-100015"),
        ("bytes=0-999999", 0, PADDED - 1, "bytes=0-999999"),
        ("bytes=50000-", 50_000, PADDED - 1, None),
        ("bytes=-17", PADDED - 17, PADDED - 1, None),
    ]:
        site.requests.clear()
        response = edge.get(url, {"Range": wanted}, http)
        assert (response.status, response.exit) == (206, 0), (wanted, response)
        assert response.header("content-range") == f"bytes {first}-{last}/{PADDED}", wanted
        assert response.header("content-length") == str(last - first + 1)
        assert response.body == whole[first:last + 1], wanted
        assert [request.header("range") for request in edge.asked("/slices/seg.ts")] == [asked]


@pytest.mark.parametrize("edge", ALL, indirect=True)
def test_what_cannot_be_a_part_is_whole_or_416(edge, site):
    path = site.stream("slices", seg_ts=(random.Random(1).randbytes(SIZE), {"ranges": True}))
    url = Viewer().playlist(edge.link(path)).segments[0].url
    whole = edge.get(url).body
    for wanted in ("bytes=0-1,5-6", "bytes=7-3", "items=0-1"):
        response = edge.get(url, {"Range": wanted})
        assert (response.status, response.exit) == (200, 0) and response.body == whole, wanted
    response = edge.get(url, {"Range": f"bytes={PADDED}-"})
    assert (response.status, response.exit, response.body) == (416, 0, b"")
    assert response.header("content-range") == f"bytes */{PADDED}"


@pytest.mark.parametrize("edge", HOLD, indirect=True)
@pytest.mark.parametrize("ranges", [True, False], ids=["range", "no-range"])
def test_no_range_makes_the_origin_send_what_its_viewer_does_not_get(edge, site, ranges):
    """The bytes that the origin sends in vain for a Range are bounded: otherwise the viewer gets the whole resource."""
    size, most = 12 << 20, 4 << 20
    body = random.Random(2).randbytes(size)
    path = site.stream("amplified", seg_ts=(body, {"ranges": ranges}))
    url = Viewer().playlist(edge.link(path)).segments[0].url
    whole = edge.get(url).body
    assert len(whole) == size + 16
    for wanted, status in [
        ("bytes=-1", 200), (f"bytes={size}-", 200), (f"bytes={size}-{size}", 200), (f"bytes={most + 1}-", 200),
        (f"bytes={most}-", 206), (f"bytes={most}-{most}", 206 if ranges else 200), ("bytes=0-0", 206 if ranges else 200),
        (f"bytes=-{size}", 206), (f"bytes={size + 16}-", 416), (f"bytes=0-{10 * size}", 206),
    ]:
        site.requests.clear()
        response = edge.get(url, {"Range": wanted})
        assert (response.status, response.exit) == (status, 0), (wanted, response)
        (asked,) = edge.asked("/amplified/seg.ts")
        sent = len(Reply(body, ranges=ranges).of(asked).body)
        # The origin's connection is closed before the body of a 416 has come.
        assert status == 416 or sent - len(response.body) <= most + 16, (wanted, sent, len(response.body))
        if status == 206:
            first, last = map(int, response.header("content-range").removeprefix("bytes ").split("/")[0].split("-"))
            assert (len(response.body), response.body == whole[first:last + 1]) == (last - first + 1, True), (wanted, response.headers, len(response.body))
        elif status == 200:
            assert response.body == whole and response.header("content-range") is None, wanted
    head = edge.get(url, {"Range": "bytes=-1"}, method="HEAD")
    assert (head.status, head.header("content-length")) == (200, str(size + 16))


def test_a_range_of_a_byte_range_resource_is_the_whole_of_that(edge, site):
    """It is a file of its own, which is never longer than what its playlist says."""
    body = random.Random(3).randbytes(6 << 20)
    site.put("/pieces/all.ts", body, ranges=True)
    playlist = site.put("/pieces/index.m3u8", "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n"
                        f"#EXT-X-BYTERANGE:1000@{5 << 20}\nall.ts\n#EXT-X-ENDLIST\n")
    url = Viewer().playlist(edge.link(playlist)).segments[0].url
    for wanted in ("bytes=-1", "bytes=1007-", "bytes=0-0"):
        site.requests.clear()
        response = edge.get(url, {"Range": wanted})
        assert (response.status, response.exit, len(response.body)) == (200, 0, 1008), (wanted, response)
        (asked,) = edge.asked("/pieces/all.ts")
        assert asked.header("range") == f"bytes={5 << 20}-{(5 << 20) + 999}"
