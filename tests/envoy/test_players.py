"""Real players play the protected stream to its end and show what the origin's plain stream shows."""

import json
import os
import subprocess
from collections import Counter
from urllib.parse import urlsplit

import pytest

from conftest import HOLD
from support import places

pytestmark = pytest.mark.parametrize("edge", HOLD, indirect=True)


def frames(url, *maps):
    """The hash of every decoded frame of every video and audio rendition (or of the streams of `maps`), by ffmpeg."""
    command = [places.tool("ffmpeg", install="ffmpeg"), "-v", "error", "-nostdin", "-threads", "1",
               "-protocol_whitelist", "http,tcp,crypto", "-i", url, *(maps or ("-map", "0:v", "-map", "0:a")), "-f", "framehash", "-"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0 and not run.stderr, run.stderr
    return [line for line in run.stdout.splitlines() if not line.startswith("#")]


def packets(url):
    """The hash of every frame of the video as it is coded, which costs little."""
    return frames(url, "-map", "0:v", "-c", "copy")


@pytest.fixture(scope="module")
def plain_frames(origins):
    """What ffmpeg makes of the origin's own URL."""
    return {kind: frames(f"http://127.0.0.1:{origins['h1'].port}/{kind}/master.m3u8") for kind in ("ts", "cmaf")}


@pytest.mark.parametrize("kind", ["ts", "cmaf"])
def test_ffmpeg_decodes_the_very_same_frames(edge, plain_frames, kind):
    protected = frames(edge.link(f"/{kind}/master.m3u8"))
    assert len(plain_frames[kind]) > 1000
    assert protected == plain_frames[kind]


def played(url, profile, **how):
    """What hls.js in headless Chromium reports after playing a URL; `how`: further members of what play.mjs takes."""
    how = {
        "modules": str(places.node_modules("hls.js").parent),
        "chromium": places.tool("chromium", "chromium-browser", "google-chrome", install="chromium"),
        "profile": str(profile), "url": url, "rate": 8, **how,
    }
    places.node_modules("playwright-core")
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    run = subprocess.run([places.tool("node", install="nodejs"), str(places.REPOSITORY / "tests/envoy/play.mjs"), json.dumps(how)],
                         capture_output=True, text=True, timeout=120, env=environment)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


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
