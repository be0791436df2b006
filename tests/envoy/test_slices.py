"""A client's Range on an encrypted segment: that part of the ciphertext, as players that resume and caches ask."""

import random

import pytest
from conftest import ALL
from hls import Viewer

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
