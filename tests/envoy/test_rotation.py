"""Tests key rotation and sequence IVs: each segment uses the key and IV that the playlist names, on every node."""

from urllib.parse import urlsplit

import pytest

from support.byteranges import single_file
from support.hls import Viewer, decrypt
from support.playback import packets, played
from support.ways import HELD_OR_NOT

# The policy's folder → how many segments of 4 s there are to a key.
PERIODS = {"segments": 2, "time": 3, "sequence": 4}
EACH = pytest.mark.parametrize("folder", PERIODS)
BOTH = pytest.mark.parametrize("features", HELD_OR_NOT, indirect=True)
ONE = pytest.mark.parametrize("features", HELD_OR_NOT[:1], indirect=True)


def viewer(folder, **how):
    return Viewer(numbered=folder == "sequence", **how)


@BOTH
@pytest.mark.parametrize("folder, kind", [("segments", "cmaf"), ("time", "ts"), ("sequence", "cmaf")])
def test_every_segment_is_under_the_key_of_its_period(features, site, folder, kind):
    """In all renditions alike, and no key opens what is of another period."""
    at, one = site.copy(kind, folder), viewer(folder)
    playlists = one.media(features.link(f"{at}/master.m3u8"))
    assert len(playlists) == 4
    used = {}
    for playlist in playlists:
        periods = [index // PERIODS[folder] for index in range(len(playlist.segments))]
        order = list(dict.fromkeys(item.key for item in playlist.segments))
        assert [order.index(item.key) for item in playlist.segments] == periods, "the key changes with the period"
        assert playlist.text.count("#EXT-X-KEY:METHOD=AES-128") == len(order)
        for item, period in zip(playlist.segments, periods):
            assert used.setdefault(period, item.key) == item.key, "a period has one key in all renditions"
            assert one.plain(item) == site.file(item.url)
        for item in playlist.items:
            if item.init:
                assert item.key is None and one.plain(item) == site.file(item.url)
    assert len({one.key(key) for key in used.values()}) == len(used) == -(-6 // PERIODS[folder])
    assert {len(key.iv) for key in used.values()} == {0 if folder == "sequence" else 16}
    if folder != "sequence":
        assert len({key.iv for key in used.values()}) == len(used)
    last = playlists[0].segments[-1]
    with pytest.raises(AssertionError):
        assert decrypt(one.get(last.url).body, one.key(used[0]), last.iv) == site.file(last.url)


@EACH
def test_any_node_serves_any_period(nodes, site, folder):
    """The playlist from one Envoy, keys and segments from another: nothing about a period is kept anywhere."""
    at = site.copy("ts", folder)
    here, there = nodes
    assert here.url != there.url
    stayed, moved = viewer(folder), viewer(folder, base=there.url)
    (playlist,) = stayed.media(here.link(f"{at}/v180/index.m3u8"))
    for item in reversed(playlist.segments):
        assert moved.key(item.key) == stayed.key(item.key)
        assert moved.plain(item) == site.file(item.url)
    # The token of the first Envoy's session, in a reload from the second one.
    reload = f"{at}/v180/index.m3u8?hdntl={playlist.segments[0].url.partition('hdntl=')[2]}"
    texts = [one.get(reload).text for one in (here, there)]
    assert texts == [playlist.text, playlist.text]


@EACH
@ONE
def test_byte_ranges_rotate_too(features, site, folder):
    path, parts = single_file(site, "cmaf", below=f"/{folder}")
    one = viewer(folder)
    playlist = one.playlist(features.link(path))
    assert len({item.url for item in playlist.items}) == len(parts) == len(playlist.items)
    assert len(playlist.keys) == -(-6 // PERIODS[folder])
    for item, part in zip(playlist.items, parts):
        assert one.plain(item) == part


@ONE
def test_a_window_into_a_long_programme(features, site):
    """What is far into a live programme is counted from its media sequence number, in key and IV."""
    names = [f"s{number}_ts" for number in range(3)]
    path = site.stream("sequence/live", **{name: name.encode() * 50 for name in names})
    text = site.file(path).decode().replace("#EXT-X-TARGETDURATION:4", "#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:70001")
    site.put(path, text.replace("#EXT-X-ENDLIST\n", ""))
    one = viewer("sequence")
    # By way of the master playlist that a live one is answered with.
    (playlist,) = one.media(features.link(path))
    assert [item.number for item in playlist.segments] == [70001, 70002, 70003] and len(playlist.keys) == 1
    for item in playlist.segments:
        assert one.plain(item) == site.file(item.url)
        assert f"~n{item.number}~" in item.url


@EACH
@ONE
def test_ffmpeg_finds_the_very_same_frames(features, site, origins, folder):
    """fMP4, where a wrong IV shows, in files and in byte ranges."""
    for path in (f"{site.copy('cmaf', folder)}/v180/index.m3u8", single_file(site, "cmaf", below=f"/{folder}")[0]):
        plain = packets(f"http://127.0.0.1:{origins['h1'].port}{path}")
        assert len(plain) > 500
        assert packets(features.link(path)) == plain


@ONE
def test_hls_js_in_chromium_plays_to_the_end(features, site, tmp_path):
    """With rotation and IVs by number at once; it asks for each key once."""
    report = played(features.link(f"{site.copy('cmaf', 'sequence')}/v180/index.m3u8"), tmp_path / "profile")
    assert not report["fatal"] and not report["mediaError"] and not report["errors"], report
    assert report["duration"] > 20 and report["currentTime"] >= report["duration"] - 0.1, report
    assert report["frames"] > 0
    keys = [request["url"] for request in report["requests"] if urlsplit(request["url"]).path == "/serve.key"]
    assert len(keys) == len(set(keys)) == 2
