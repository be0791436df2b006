"""Tests EXT-X-DEFINE: a program with variables in its URIs plays, and the expanded URIs carry tokens."""

from urllib.parse import urljoin, urlsplit

import pytest

from support.hls import Viewer
from support.playback import packets, played
from support.ways import HELD_OR_NOT

BOTH = pytest.mark.parametrize("features", HELD_OR_NOT, indirect=True)
ONE = pytest.mark.parametrize("features", HELD_OR_NOT[:1], indirect=True)


def programme(site):
    """The 180p rendition of the CMAF programme: the master takes a folder's name from its own URL's query, and the
    media playlist imports it with one that the master makes of it. The init section goes out in clear, so the playlist
    itself says where it is. Returns the master's path and query."""
    at = site.copy("cmaf", "vod/defined")
    text = site.file(f"{at}/v180/index.m3u8").decode().replace("#EXT-X-VERSION:7\n", "\n".join([
        "#EXT-X-VERSION:11", '#EXT-X-DEFINE:IMPORT="media"', '#EXT-X-DEFINE:IMPORT="rendition"',
        '#EXT-X-DEFINE:NAME="mark",VALUE="?a=1&b=2"', ""]))
    text = text.replace('"init.mp4"', '"init.mp4{$mark}"')
    folder = {True: "{$media}", False: "/vod/defined/cmaf/{$rendition}"}
    text = "\n".join(f"{folder[line < 'seg3']}/{line}{{$mark}}" if line.startswith("seg") else line
                     for line in text.split("\n"))
    site.put(f"{at}/v180/defined.m3u8", text)
    master = "\n".join([
        "#EXTM3U", "#EXT-X-VERSION:11", '#EXT-X-DEFINE:QUERYPARAM="rendition"',
        f'#EXT-X-DEFINE:NAME="media",VALUE="{at}/{{$rendition}}"',
        '#EXT-X-STREAM-INF:BANDWIDTH=125277,CODECS="avc1.4d400d",RESOLUTION=320x180', "{$rendition}/defined.m3u8", ""])
    return f"{site.put(f'{at}/defined.m3u8', master)}?rendition=v180"


@BOTH
def test_every_uri_is_expanded_and_carries_one_token(features, site):
    path, viewer = programme(site), Viewer()
    master = viewer.playlist(features.link(path))
    (playlist,) = [viewer.playlist(url) for url in master.variants]
    assert [urlsplit(item.url).path for item in playlist.items] == [
        f"/vod/defined/cmaf/v180/{name}" for name in ("init.mp4", *(f"seg{n}.m4s" for n in range(6)))]
    site.requests.clear()
    for item in playlist.items:
        assert item.url.count("hdntl=") == 1 and "{$" not in item.url
        assert viewer.plain(item) == site.file(item.url)
    assert {urlsplit(request.target).query for request in features.asked()} == {"a=1&b=2"}


@BOTH
def test_ffmpeg_finds_the_very_same_frames(features, site, origins):
    """It does not support variables, and does not need to."""
    path = programme(site)
    plain = packets(f"http://127.0.0.1:{origins['h1'].port}/cmaf/v180/index.m3u8")
    assert len(plain) > 500
    assert packets(features.link(path)) == plain


@ONE
def test_hls_js_in_chromium_plays_to_the_end(features, site, tmp_path):
    """It supports variables, and the definitions are unchanged."""
    report = played(features.link(programme(site)), tmp_path / "profile")
    assert not report["fatal"] and not report["mediaError"] and not report["errors"], report
    assert report["duration"] > 20 and report["currentTime"] >= report["duration"] - 0.1, report
    assert report["frames"] > 0 and {request["status"] for request in report["requests"]} == {200}


@BOTH
def test_a_playlist_that_has_moved_imports_still(features, site):
    """The variables in the URL of the media playlist are part of the redirect."""
    path, viewer = programme(site), Viewer()
    old = "/vod/defined/cmaf/v180/defined.m3u8"
    site.put("/vod/defined/cmaf/moved/defined.m3u8", site.file(old))
    site.put(old, status=302, headers=(("Location", "../moved/defined.m3u8"),))
    (variant,) = viewer.playlist(features.link(path)).variants
    moved = viewer.playlist(urljoin(variant, features.get(variant).header("location")))
    assert len(moved.segments) == 6 and viewer.plain(moved.segments[0]) == site.file("/cmaf/v180/seg0.m4s")
    # Without it there is nothing to import.
    session = moved.segments[0].url.partition("hdntl=")[2]
    bare = features.get(f"/vod/defined/cmaf/moved/defined.m3u8?hdntl={session}")
    assert (bare.status, bare.exit) == (502, 0) or bare.broken
    assert features.proxy.logged(bare.id)["reason"] == "variable"


@ONE
def test_another_rendition_by_the_query(features, site):
    """The viewer chooses the value; a signature for one playlist is not valid for another."""
    path = programme(site).replace("v180", "v360")
    site.put("/vod/defined/cmaf/v360/defined.m3u8", site.file("/vod/defined/cmaf/v180/defined.m3u8"))
    (playlist,) = Viewer().media(features.link(path))
    assert {urlsplit(item.url).path.rpartition("/")[0] for item in playlist.items} == {"/vod/defined/cmaf/v360"}
    other = features.get(playlist.url.replace("/v360/", "/v180/"))
    assert other.status == 403 and b'"type":"parameter"' in other.body
