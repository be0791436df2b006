"""Tests real players: they play the protected stream to its end and show the same as from the plain stream."""

from collections import Counter
from urllib.parse import urlsplit

import pytest

from support.playback import frames, played
from support.ways import HOLD

pytestmark = pytest.mark.parametrize("edge", HOLD, indirect=True)


@pytest.fixture(scope="module")
def plain_frames(origins):
    """The frames that ffmpeg decodes from the origin's own URL."""
    return {kind: frames(f"http://127.0.0.1:{origins['h1'].port}/{kind}/master.m3u8") for kind in ("ts", "cmaf")}


@pytest.mark.parametrize("kind", ["ts", "cmaf"])
def test_ffmpeg_decodes_the_very_same_frames(edge, plain_frames, kind):
    protected = frames(edge.link(f"/{kind}/master.m3u8"))
    assert len(plain_frames[kind]) > 1000
    assert protected == plain_frames[kind]


@pytest.mark.parametrize("kind", ["ts", "cmaf"])
def test_hls_js_in_chromium_plays_to_the_end(edge, kind, tmp_path):
    report = played(edge.link(f"/{kind}/master.m3u8"), tmp_path / "profile")
    assert not report["fatal"] and not report["mediaError"], report
    # hls.js says this of the programme's first packed-audio segment when it plays the origin's plain URL, too.
    assert [error for error in report["errors"] if "bufferAppendNoProgress  audio 0" not in error] == []
    assert report["duration"] > 20 and report["currentTime"] >= report["duration"] - 0.1, report
    assert report["frames"] > 0 and report["width"] > 0 and report["audio"] > 0, report
    assert {request["status"] for request in report["requests"]} == {200}
    paths = Counter(urlsplit(request["url"]).path for request in report["requests"])
    print("key requests:", paths["/serve.key"], "all requests:", sum(paths.values()))
    assert paths["/serve.key"] == 1, "hls.js asks once for a key that is the same for all renditions"
    assert not edge.asked("/serve.key")


def test_hls_js_gets_nothing_without_a_token(edge, tmp_path):
    report = played(f"{edge.url}/ts/master.m3u8", tmp_path / "profile")
    assert report["fatal"] and "manifestLoadError" in report["fatal"][0] and "403" in report["fatal"][0], report
    assert report["frames"] == 0
    assert not edge.asked("/ts/master.m3u8")
