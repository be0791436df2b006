"""Tests byte-range playlists: each range of the origin's file becomes a separate resource at the edge, and the stream
plays."""

from urllib.parse import urlsplit

import pytest

from support.byteranges import single_file
from support.hls import Viewer
from support.playback import frames, played
from support.ways import ALL, HOLD


@pytest.mark.parametrize("edge", ALL, indirect=True)
@pytest.mark.parametrize("ranges", [True, False], ids=["range", "no-range"])
@pytest.mark.parametrize("kind", ["ts", "cmaf"])
def test_every_range_decrypts_to_its_part_of_the_file(edge, site, kind, ranges):
    """Also where the origin ignores Range and sends the whole file each time."""
    path, parts = single_file(site, kind, ranges)
    viewer = Viewer()
    playlist = viewer.playlist(edge.link(path))
    assert "BYTERANGE" not in playlist.text
    assert len({item.url for item in playlist.items}) == len(parts) == len(playlist.items)
    for item, part in zip(playlist.items, parts):
        response = viewer.get(item.url)
        assert int(response.header("content-length")) == len(response.body)
        assert response.header("content-range") is None and response.header("etag") is None
        assert viewer.plain(item, response) == part
        assert item.init or response.body[:16] != part[:16]
    file = urlsplit(playlist.segments[0].url).path
    assert all(request.header("range") for request in edge.asked(file))


@pytest.mark.parametrize("edge", HOLD, indirect=True)
@pytest.mark.parametrize("kind", ["ts", "cmaf"])
def test_ffmpeg_decodes_the_very_same_frames(edge, site, origins, kind):
    path, _ = single_file(site, kind)
    plain = frames(f"http://127.0.0.1:{origins['h1'].port}{path}", "-map", "0:v")
    assert len(plain) > 500
    assert frames(edge.link(path), "-map", "0:v") == plain


@pytest.mark.parametrize("edge", HOLD[:1], indirect=True)
@pytest.mark.parametrize("kind", ["ts", "cmaf"])
def test_hls_js_in_chromium_plays_to_the_end(edge, site, kind, tmp_path):
    path, _ = single_file(site, kind)
    report = played(edge.link(path), tmp_path / "profile")
    assert not report["fatal"] and not report["mediaError"] and not report["errors"], report
    assert report["duration"] > 20 and report["currentTime"] >= report["duration"] - 0.1, report
    assert report["frames"] > 0


@pytest.mark.parametrize("edge", HOLD, indirect=True)
def test_a_range_past_the_end_is_a_clear_error(edge, site):
    site.put("/short/all.ts", bytes(100), ranges=True)
    path = site.put("/short/index.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n#EXT-X-BYTERANGE:50@60\nall.ts\n"
                                         "#EXTINF:4,\n#EXT-X-BYTERANGE:50@200\nall.ts\n#EXT-X-ENDLIST\n")
    for item in Viewer().playlist(edge.link(path)).segments:
        response = edge.get(item.url)
        assert (response.status, response.exit) == (502, 0)
        assert b'"type":"byterange"' in response.body


@pytest.mark.parametrize("edge", HOLD[:1], indirect=True)
def test_a_range_of_ones_own_choice_is_refused(edge, site):
    """The signature covers range and path: neither another range nor another file is accepted with it."""
    path, _ = single_file(site, "ts")
    url = Viewer().playlist(edge.link(path)).segments[0].url
    first, _, rest = url.partition("plk=media~")
    for altered in (f"{first}plk=media~r1@0~{rest.split('~', 1)[1]}", f"{first}plk=clear~{rest}", url.replace("all.ts", "other.ts")):
        edge.site.requests.clear()
        response = edge.get(altered)
        assert response.status == 403 and b'"type":"parameter"' in response.body, altered
        assert not edge.asked()
