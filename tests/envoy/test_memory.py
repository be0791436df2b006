"""Tests memory: large segments and playlists are streamed, and Envoy's memory does not grow with their size."""

import random
import re
import subprocess

import pytest

from support import places
from support.curl import Response
from support.hls import Viewer
from support.ways import ALL, HOLD

MEGABYTE = 1 << 20
pytestmark = pytest.mark.alone


@pytest.mark.parametrize("edge", ALL, indirect=True)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_twenty_megabytes_to_a_slow_viewer(edge, framing, tmp_path):
    body = random.Random(20).randbytes(20 * MEGABYTE)
    path = edge.site.stream("large", warm_ts=body[:MEGABYTE], seg_ts=(body, {"framing": framing}))
    viewer = Viewer()
    warm, item = viewer.playlist(edge.link(path)).segments
    assert viewer.plain(warm) == body[:MEGABYTE]
    resident, highest = edge.proxy.memory()
    file = tmp_path / "segment"
    subprocess.run([places.tool("curl", install="curl"), "-sS", "--globoff", "--noproxy", "*", "--limit-rate", "12M", "-o", str(file),
                    item.url], check=True, timeout=60)
    after, peak = edge.proxy.memory()
    print(f"resident {resident >> 20} → {after >> 20} MiB, highest {highest >> 20} → {peak >> 20} MiB")
    assert viewer.plain(item, Response(200, [], file.read_bytes())) == body
    assert peak - highest < 12 * MEGABYTE, "it must not hold the segment"


def long_playlist(size):
    """A playlist of that many bytes, a hundred to a segment."""
    head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n"
    segments = (f"#EXTINF:4.000000,\n{'of-a-long-programme/' * 3}seg{n:09}.ts\n" for n in range(size // 100))
    return f"{head}{''.join(segments)}#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("edge", HOLD, indirect=True)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_long_playlist_after_a_short_beginning(edge, framing):
    """Held headers wait for the beginning. What then comes at once, and what is made of it, is more than Envoy buffers for
    a paused response; it must not matter."""
    text = long_playlist(MEGABYTE - 1000)
    path = edge.site.put("/large/slow.m3u8", text, framing=framing, first=20)
    response = edge.get(edge.link(path))
    assert (response.status, response.exit) == (200, 0)
    rewritten = re.sub(r"#EXT-X-KEY:[^\n]*\n", "", response.text)
    assert re.sub(r"\?hdntl=[^\s]*", "", rewritten) == text


@pytest.mark.parametrize("edge", HOLD, indirect=True)
@pytest.mark.parametrize("how, rate", [
    ({}, "16M"), ({"framing": "chunked", "piece": 100_003, "pause": 0.01}, "1G"),
], ids=["slow-viewer", "slow-origin"])
def test_a_playlist_of_ten_megabytes(edge, how, rate, tmp_path):
    """A hundred thousand segments: each has the token, all are under one key, and Envoy's buffers of 1 MiB do not matter."""
    warm = edge.site.put("/large/warm.m3u8", long_playlist(MEGABYTE))
    assert edge.get(edge.link(warm)).status == 200
    text = long_playlist(10 * MEGABYTE)
    path = edge.site.put("/large/index.m3u8", text, **how)
    resident, highest = edge.proxy.memory()
    file = tmp_path / "playlist"
    subprocess.run([places.tool("curl", install="curl"), "-sS", "--fail", "--globoff", "--noproxy", "*", "--limit-rate", rate,
                    "-o", str(file), edge.link(path)], check=True, timeout=60)
    after, peak = edge.proxy.memory()
    print(f"resident {resident >> 20} → {after >> 20} MiB, highest {highest >> 20} → {peak >> 20} MiB")
    rewritten = file.read_text()
    assert rewritten.count("hdntl=") > 100_000
    rewritten, keys = re.subn(r"#EXT-X-KEY:[^\n]*\n", "", rewritten)
    assert keys == 1 and re.sub(r"\?hdntl=[^\s]*", "", rewritten) == text
    assert peak - highest < 12 * MEGABYTE, "it must not hold the playlist"
