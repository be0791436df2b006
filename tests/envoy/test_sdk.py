"""The trial of the public SDK, in the real Envoy: the filter of tests/sdk-filter, beside the one that is shipped."""

from concurrent.futures import ThreadPoolExecutor

import places
import pytest
from curl import fetch
from edge import Edge, document, environment, policy
from hls import Viewer
from proxy import Proxy, bootstrap, wasm_filter
from test_batching import bodies, plain_of

OURS, SDK = places.WASM, places.REPOSITORY / "target/playlock-sdk.wasm"
MODULES = pytest.mark.parametrize("module", [pytest.param(OURS, id="ours"), pytest.param(SDK, id="sdk")])


@pytest.fixture
def started(site, origins, tmp_path):
    """Starts Envoys of the test's own with a module, ended after it."""
    edges = []

    def start(module, config=None, upstream="h1", buffer=None, listener=None):
        filters = wasm_filter(config or document(), environment(), False)
        filters["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"] = str(module)
        directory = tmp_path / f"envoy{len(edges)}"
        directory.mkdir()
        made = bootstrap(origins[upstream].port, upstream, [filters], directory / "access.log", buffer=buffer)
        if listener:
            made["static_resources"]["listeners"][0]["per_connection_buffer_limit_bytes"] = listener
        edges.append(Edge(Proxy(directory, made), site, False, upstream))
        return edges[-1]

    yield start
    for edge in edges:
        edge.proxy.stop()
        assert edge.proxy.process.returncode == 0, "Envoy did not end by being told to"


@MODULES
def test_nested(started, module):
    edge = started(module, dict(document(policy()), batching=True), buffer=65536, listener=16384)
    segments = bodies(*[2_000_000] * 8)
    viewer = Viewer()
    items = viewer.playlist(edge.link(edge.site.stream("nested", **segments))).segments
    viewer.key(items[0].key)
    with ThreadPoolExecutor(len(items)) as pool:
        answers = list(pool.map(lambda item: fetch(item.url), items))
    print([(a.status, a.exit, len(a.body)) for a in answers])
    print(edge.proxy.log_text()[-3000:])
    assert edge.proxy.complaint() is None
    assert "batching ends" in edge.proxy.log_text()
