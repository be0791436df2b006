"""A large segment streams: Envoy's memory does not grow with it."""

import random
import subprocess

import places
import pytest
from conftest import ALL
from curl import Response
from hls import Viewer

MEGABYTE = 1 << 20


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
