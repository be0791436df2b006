"""Tests requests of players and caches: conditional requests, HEAD, and requests after a redirect."""

from urllib.parse import urljoin, urlsplit

import pytest

from support.byteranges import single_file
from support.hls import Viewer
from support.playback import packets
from support.ways import ALL, HELD_OR_NOT

EVERY = pytest.mark.parametrize("edge", ALL, indirect=True)
BOTH = pytest.mark.parametrize("features", HELD_OR_NOT, indirect=True)
MODIFIED = "Tue, 05 Aug 2025 10:00:00 GMT"


@EVERY
@pytest.mark.parametrize("condition", [
    {"If-None-Match": None}, {"If-Modified-Since": MODIFIED}, {"If-Match": '"x"'},
    {"If-Unmodified-Since": "Mon, 05 Aug 2024 10:00:00 GMT"}, {"Range": "bytes=0-15", "If-Range": None},
    {"Range": "bytes=0-15", "If-Range": MODIFIED},
], ids=["if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "if-range-date"])
def test_a_condition_on_what_is_not_the_origins(edge, condition):
    """The validators are of other bytes: playlist and segment are sent in full, regardless of the viewer's
    conditions."""
    viewer = Viewer()
    playlist = viewer.playlist(edge.link("/cmaf/v180/index.m3u8"))
    reload = f"{edge.url}/cmaf/v180/index.m3u8?hdntl={playlist.segments[0].url.partition('hdntl=')[2]}"
    for url, plain in ((reload, None), (playlist.segments[0].url, playlist.segments[0])):
        etag = dict(edge.site.validators("x", edge.site.file(url)))["ETag"]
        edge.site.requests.clear()
        response = edge.get(url, {name: value or etag for name, value in condition.items()})
        assert (response.status, response.exit) == (200, 0), response.body[:200]
        assert response.body == viewer.get(url).body
        if plain:
            assert viewer.plain(plain, response) == edge.site.file(url)
        assert all(edge.asked()[0].header(name) is None for name in condition)


@EVERY
def test_a_condition_on_an_init_section_is_the_origins_to_answer(edge):
    viewer = Viewer()
    url = viewer.playlist(edge.link("/cmaf/v180/index.m3u8")).items[0].url
    file, etag = edge.site.file(url), viewer.get(url).header("etag")
    for condition, status, body in [
        ({"If-None-Match": etag}, 304, b""),
        ({"If-None-Match": '"other"'}, 200, file),
        ({"If-Modified-Since": MODIFIED}, 304, b""),
        ({"Range": "bytes=4-7", "If-Range": etag}, 206, b"ftyp"),
        ({"Range": "bytes=4-7", "If-Range": '"other"'}, 200, file),
        ({"Range": "bytes=0-1,4-5"}, 200, file),
        ({"Range": "bytes=999999-"}, 416, b""),
    ]:
        response = edge.get(url, condition)
        assert (response.status, response.exit, response.body) == (status, 0, body), condition
    site = edge.site
    site.put("/odd/zipped/init.mp4", b"\x1f\x8bzip", headers=(("Content-Type", "video/mp4"), ("Content-Encoding", "gzip")))
    lines = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:4,\nseg.m4s\n#EXT-X-ENDLIST\n'
    url = viewer.playlist(edge.link(site.put("/odd/zipped/index.m3u8", lines))).items[0].url
    response = edge.get(url, {"Accept-Encoding": "gzip"})
    assert (response.status, response.body, response.header("content-encoding")) == (200, b"\x1f\x8bzip", "gzip")


@EVERY
@pytest.mark.parametrize("ranges", [True, False], ids=["range", "no-range"])
def test_head_of_a_byte_range(edge, site, ranges):
    """The length is that of the range's ciphertext, regardless of the origin's response."""
    path, parts = single_file(site, "cmaf", ranges)
    viewer = Viewer()
    for item, part in list(zip(viewer.playlist(edge.link(path)).items, parts))[:3]:
        head = edge.get(item.url, method="HEAD")
        assert (head.status, head.exit, head.body) == (200, 0, b"")
        assert head.header("content-length") == str(len(part) if item.init else (len(part) // 16 + 1) * 16)
        assert head.header("content-length") == viewer.get(item.url).header("content-length")
        assert head.header("content-range") is None and head.header("etag") is None


@EVERY
@pytest.mark.parametrize("http", ["1.1", "2"])
def test_head_promises_nothing_that_get_does_not_keep(edge, site, http):
    """Without a length, of nothing at all, with a Range, of what is refused or not there."""
    path = site.stream("heads", long_ts=(b"x" * 5000, {"framing": "chunked"}), none_ts=b"",
                       part_ts=(b"y" * 5000, {"ranges": True}))
    viewer = Viewer(http)
    long, none, part = [item.url for item in viewer.playlist(edge.link(path)).segments]
    for url, length in ((long, None), (none, "16"), (part, "5008")):
        head = edge.get(url, method="HEAD", http=http)
        assert (head.status, head.exit) == (200, 0), url
        assert head.header("content-length") == length, url
        assert viewer.get(url).header("content-length") == length, url
    head = edge.get(part, {"Range": "bytes=16-31"}, method="HEAD", http=http)
    assert (head.status, head.header("content-length")) == (200, "5008"), "a Range is of GET only"
    for url, status in ((part.partition("?")[0], 403), (part.replace("part.ts", "gone.ts"), 404)):
        head, whole = edge.get(url, method="HEAD", http=http), edge.get(url, http=http)
        assert (head.status, head.exit) == (whole.status, 0) == (status, 0)
        assert head.header("content-length") in (None, whole.header("content-length"))


def moved(site, folder, kind, ranges):
    """The 180p or one-file rendition, of which everything has moved: master and media playlist to another folder, each
    file to yet another, the first by an absolute path, the second by a relative one. Returns (path, plain path)."""
    if ranges:
        plain, _ = single_file(site, kind, below=f"/{folder}")
    else:
        plain = f"{site.copy(kind, folder)}/v180/index.m3u8"
    source, name = plain.rpartition("/")[0], plain.split("/")[-2]
    site.put(f"/{folder}/start/index.m3u8", status=302, headers=(("Location", f"/{folder}/there/{name}/index.m3u8?v=1"),))
    site.put(f"/{folder}/there/{name}/index.m3u8", site.file(plain))
    for path in [path for path in site.replies if path.startswith(f"{source}/") and not path.endswith(".m3u8")]:
        file = path.rpartition("/")[2]
        site.put(f"/{folder}/there/{name}/{file}", status=307, headers=(("Location", f"../../store/{name}/{file}"),))
        site.put(f"/{folder}/store/{name}/{file}", site.file(path), ranges=True)
    return f"/{folder}/start/index.m3u8", plain


MOVED = pytest.mark.parametrize("folder, kind, ranges", [
    ("vod", "ts", False), ("segments", "cmaf", False), ("sequence", "cmaf", False), ("segments", "cmaf", True),
    ("vod", "ts", True),
], ids=["ts", "rotation", "numbers", "rotation-ranges", "ranges"])


@BOTH
@MOVED
def test_ffmpeg_follows_redirects(features, site, origins, folder, kind, ranges):
    """The signed properties of a resource apply at its new URL."""
    path, plain = moved(site, folder, kind, ranges)
    there = packets(f"http://127.0.0.1:{origins['h1'].port}{plain}")
    assert len(there) > 500
    assert packets(features.link(path)) == there
    assert any(request.target.startswith(f"/{folder}/store/") for request in features.asked())
    assert not any("plk" in request.target or "hdnt" in request.target for request in features.asked())


@BOTH
def test_a_redirect_opens_nothing_else(features, site):
    """The token on Location is the session's: it is good for what the session covers; what is said of one file is not
    good for another."""
    path, _ = moved(site, "segments", "cmaf", False)
    site.put("/segments/start/out.m3u8", status=302, headers=(("Location", "/vod/out/index.m3u8"),))
    site.stream("vod/out", seg_ts=b"x")
    first = features.get(features.link("/segments/start/out.m3u8"))
    out = features.get(urljoin(features.url, first.header("location")))
    assert out.status == 403, "another policy's session"
    at = urljoin(features.url, features.get(features.link(path)).header("location"))
    playlist = Viewer().playlist(at)
    answer = features.get(playlist.segments[3].url)
    assert answer.status == 307 and answer.header("cache-control") == "private, no-store"
    location = urljoin(playlist.segments[3].url, answer.header("location"))
    assert location.count("plk=") == location.count("hdntl=") == 1 and urlsplit(location).path == "/segments/store/v180/seg3.m4s"
    assert features.get(location).status == 200
    assert features.get(location.replace("seg3", "seg2")).status == 403
