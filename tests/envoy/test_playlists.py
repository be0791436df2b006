"""Tests irregular playlists: wrong types and names, byte order marks, unusual or missing line ends."""

import json
import re
import subprocess
from urllib.parse import urlsplit

import pytest

from support import places
from support.hls import Viewer, parse
from support.playback import packets
from support.ways import ALL, HELD_OR_NOT, HOLD

EVERY = pytest.mark.parametrize("edge", ALL, indirect=True)
USUAL = pytest.mark.parametrize("edge", HOLD, indirect=True)
BOTH = pytest.mark.parametrize("features", HELD_OR_NOT, indirect=True)
MPEGURL = "application/vnd.apple.mpegurl"
SEGMENT = b"what the customer sells" * 20
TEXT = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nseg.ts\n#EXT-X-ENDLIST\n"


def typed(site, path, body, content_type):
    return site.put(path, body, headers=(("Content-Type", content_type),) if content_type else ())


def session(edge):
    """The query of a session that was just opened."""
    site = edge.site
    site.put("/lies/seg.ts", SEGMENT)
    return urlsplit(Viewer().playlist(edge.link(site.put("/lies/index.m3u8", TEXT))).segments[0].url).query


@USUAL
@pytest.mark.parametrize("name, content_type", [
    ("a.m3u8", "text/plain"), ("a.M3U8", "video/mp2t"), ("a.m3u", None), ("a.b.m3u8;v=1", "application/octet-stream"),
    ("a.m3u8", "text/html; charset=x"),
])
def test_a_playlist_by_its_name_whatever_its_type(edge, site, name, content_type):
    site.put("/lies/seg.ts", SEGMENT)
    viewer = Viewer()
    (item,) = viewer.playlist(edge.link(typed(site, f"/lies/{name}", TEXT, content_type))).segments
    assert viewer.plain(item) == SEGMENT


@USUAL
@pytest.mark.parametrize("name, content_type", [
    ("list.php", MPEGURL), ("playlist", "Audio/MPEGURL; charset=utf-8"), ("seg.ts", "application/x-mpegURL"),
])
def test_a_playlist_by_its_type_whatever_its_name(edge, site, name, content_type):
    """Within a session, as from a master playlist: rewritten, not encrypted; also to a client that asks for a part."""
    query, viewer = session(edge), Viewer()
    url = f"{edge.url}{typed(site, f'/lies/{name}', TEXT.replace('seg', 'other'), content_type)}?{query}"
    site.put("/lies/other.ts", SEGMENT)
    master = f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{name}\n"
    (playlist,) = viewer.media(edge.link(site.put("/lies/master.m3u8", master)))
    (item,) = playlist.segments
    assert viewer.plain(item) == SEGMENT
    part = edge.get(url, {"Range": "bytes=0-20"})
    assert part.status in (200, 206, 502) and b"other.ts\n" not in part.body
    assert "hdntl=" in viewer.get(url).text


@USUAL
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_media_that_calls_itself_a_playlist(edge, site, framing):
    """None of it is served."""
    query = session(edge)
    site.put("/lies/seg.ts", SEGMENT, headers=(("Content-Type", MPEGURL),), framing=framing)
    response = edge.get(f"/lies/seg.ts?{query}")
    assert response.status == 502 or response.broken
    assert edge.proxy.logged(response.id)["reason"] == "playlist"
    assert SEGMENT[:9] not in response.body
    if edge.hold:
        assert response.status == 502 and json.loads(response.body)["type"] == "playlist"


@USUAL
def test_a_playlist_that_calls_itself_media(edge, site):
    """It is not parsed, but encrypted like any other bytes, so none of its URIs is visible."""
    viewer = Viewer()
    (item,) = viewer.playlist(edge.link(site.stream("lies", list_ts=TEXT.encode()))).segments
    response = viewer.get(item.url)
    assert b"EXTM3U" not in response.body
    assert viewer.plain(item, response) == TEXT.encode()


@USUAL
def test_an_init_section_that_is_a_playlist(edge, site):
    """What may come in clear is rewritten when it turns out to be a playlist; the session's token lets out no more."""
    site.put("/lies/seg.ts", SEGMENT)
    lines = TEXT.replace("#EXTINF", '#EXT-X-MAP:URI="init.mp4"\n#EXTINF')
    typed(site, "/lies/init.mp4", TEXT, MPEGURL)
    viewer = Viewer()
    init = viewer.playlist(edge.link(site.put("/lies/index.m3u8", lines))).items[0]
    assert init.init
    (item,) = viewer.playlist(init.url).segments
    assert item.key and viewer.plain(item) == SEGMENT


SHAPES = {
    "bom": lambda text: "\ufeff" + text,
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "no-final-newline": lambda text: text.removesuffix("\n"),
    "all": lambda text: "\ufeff" + text.replace("\n", "\r\n").removesuffix("\r\n"),
    "ends-with-a-uri": lambda text: text.removesuffix("\n#EXT-X-ENDLIST\n"),
}


@EVERY
@pytest.mark.parametrize("shape", SHAPES)
def test_line_ends_stay_and_all_segments_play(edge, site, shape):
    """As a whole, and in pieces that split every line."""
    at, viewer = site.copy("cmaf", "shapes"), Viewer()
    text = SHAPES[shape](site.file(f"{at}/v180/index.m3u8").decode())
    for how in ({}, {"framing": "chunked", "piece": 5}):
        playlist = viewer.playlist(edge.link(site.put(f"{at}/v180/{shape}.m3u8", text, **how)))
        assert len(playlist.items) == 7 and playlist.text.count("#EXT-X-KEY:METHOD=AES-128") == 1
        assert viewer.plain(playlist.segments[-1]) == site.file(playlist.segments[-1].url)
        assert set(re.findall(r"\r?\n", playlist.text)) == ({"\r\n"} if "\r" in text else {"\n"})
        assert playlist.text.endswith("\n") == text.endswith("\n") and "\ufeff" not in playlist.text
        assert all(item.key for item in playlist.segments) and all("hdntl=" in item.url for item in playlist.items)


@BOTH
@pytest.mark.parametrize("shape", ["bom", "all"])
def test_ffmpeg_finds_the_very_same_frames(features, site, origins, shape):
    at = site.copy("cmaf", "vod/shapes")
    path = site.put(f"{at}/v180/{shape}.m3u8", SHAPES[shape](site.file(f"{at}/v180/index.m3u8").decode()))
    plain = packets(f"http://127.0.0.1:{origins['h1'].port}{at}/v180/index.m3u8")
    assert len(plain) > 500
    assert packets(features.link(path)) == plain


@pytest.mark.parametrize("http", ["1.1", "2"])
@EVERY
def test_a_playlist_that_has_come_whole_says_how_long_it_is(edge, site, http):
    """With held headers, where the origin announces a length or ends with its first bytes; never a length that is not so."""
    site.put("/lengths/seg.ts", SEGMENT)
    long = TEXT.replace("#EXTINF:4,\nseg.ts\n", "#EXTINF:4,\nseg.ts\n" * 20000)
    live = TEXT.replace("#EXT-X-ENDLIST\n", "")
    for name, body, how in [
        ("vod", TEXT, {}), ("live", live, {}), ("chunked", TEXT, {"framing": "chunked"}), ("cut", TEXT, {"first": 10}),
        ("unended", TEXT.rstrip("\n"), {}), ("long", long, {}),
    ]:
        path = site.put(f"/lengths/{name}.m3u8", body, **how)
        opened = edge.get(edge.link(path), http=http)
        query = urlsplit(parse(opened.text, edge.url + path).items[0].url).query
        again = edge.get(f"{path}?{query}", http=http)
        for response in (opened, again):
            assert (response.status, response.exit) == (200, 0), (name, response)
            length = response.header("content-length")
            assert length in (None, str(len(response.body))), (name, length)
            if edge.hold and name in ("vod", "live", "unended"):
                assert length is not None, name
            if not edge.hold:
                assert length is None, name
        assert edge.get(f"{path}?{query}", method="HEAD", http=http).header("content-length") in (None, str(len(again.body)))


@pytest.mark.parametrize("edge", [HOLD[1]], indirect=True)
def test_ffmpeg_takes_a_playlist_with_a_length_for_whole(edge):
    """It reports an input/output error at the end of every chunked playlist."""
    for name in ("/ts/v180/index.m3u8", "/cmaf/v180/index.m3u8"):
        command = [places.tool("ffmpeg", install="ffmpeg"), "-nostdin", "-xerror", "-v", "error", "-i", edge.link(name), "-f", "null", "-"]
        run = subprocess.run(command, capture_output=True, text=True)
        assert (run.returncode, "Input/output error" in run.stderr) == (0, False), run.stderr


@BOTH
def test_playlists_that_only_the_policy_knows(features, site):
    """At a path of `playlistPaths` an access token opens a playlist of any name and type."""
    site.put("/named/seg.ts", SEGMENT)
    viewer = Viewer()
    for name in ("list.php", "list"):
        (item,) = viewer.playlist(features.link(typed(site, f"/named/{name}", TEXT, "text/plain"))).segments
        assert viewer.plain(item) == SEGMENT
    for name in ("other.php", "other"):
        refused = features.get(features.link(typed(site, f"/named/{name}", TEXT, "text/plain")))
        assert (refused.status, json.loads(refused.body)["type"]) == (403, "content"), name
