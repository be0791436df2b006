"""Tests the filter's statistics in Envoy: counts, policies, Prometheus labels, the dashboard and the alerts."""

import json
import re
import threading
import time
from collections import Counter

import pytest

from support import places
from support.edge import document
from support.hls import Viewer
from support.prometheus import Prometheus, promtool
from support.proxy import WAIT
from support.proxy import labels as labels_of_examples

GRAFANA = places.REPOSITORY / "envoy/grafana"


@pytest.fixture(scope="module")
def counted(edges):
    """An Envoy of these tests alone, whose policy has a name with a dot in it."""
    made = document()
    made["policies"][0]["policyName"] = made["assignments"][0]["policyName"] = "tv.de"
    return edges(made)


def series(edge, name):
    """The samples of a metric in Prometheus' text format: the filter's labels → value."""
    found = Counter()
    for line in edge.proxy.admin("/stats/prometheus").splitlines():
        sample = re.fullmatch(rf"{name}\{{(.*)\}} (\d+)", line)
        if sample:
            labels = re.findall(r'playlock_([a-z]+)="([^"]*)"', sample[1])
            found[tuple(value for _, value in sorted(labels))] += int(sample[2])
    return found


def eventually(get, wanted):
    """Waits until `get` returns the wanted value; reports the last one otherwise."""
    until = time.monotonic() + WAIT
    while (got := get()) != wanted and time.monotonic() < until:
        time.sleep(0.05)
    assert got == wanted


def test_requests_by_policy_kind_and_verdict(counted):
    """Every request that has ended is counted once, and refusals by their reason, under the policy if it is known."""
    viewer = Viewer()
    link = counted.link("/ts/audio/index.m3u8")
    playlist = viewer.playlist(link)
    viewer.get(playlist.keys[0].url)
    sizes = [len(viewer.get(item.url).body) for item in playlist.segments[:3]]
    counted.get("/ts/audio/index.m3u8")
    counted.get("/ts/720p/../a.m3u8")
    counted.get(link + "0")
    expected = {("playlist", "tv_de", "allowed"): 1, ("key", "tv_de", "allowed"): 1, ("segment", "tv_de", "allowed"): 3,
                ("playlist", "tv_de", "refused"): 2}
    eventually(lambda: {labels: n for labels, n in series(counted, "playlock_requests").items() if n and len(labels) == 3},
               expected)
    assert series(counted, "playlock_requests")[("unknown", "refused")] == 1
    refused = {labels: n for labels, n in series(counted, "playlock_refused").items() if n}
    assert refused == {("tv_de", "missing"): 1, ("tv_de", "malformed"): 1, ("target",): 1}
    # What was encrypted: each segment without its padding of 1 to 16 bytes.
    (encrypted,) = (n for n in series(counted, "playlock_encrypted_bytes").values() if n)
    assert sum(sizes) - 16 * len(sizes) <= encrypted < sum(sizes)


def test_streams_that_are_under_way(counted, site):
    """The gauge counts responses in progress, and returns to zero when they have ended in any way."""
    go = threading.Event()
    viewer = Viewer()
    link = counted.link(site.stream("waits", whole_ts=(b"G" * 100_000, {"until": go}), broken_ts=(b"G" * 9000, {"stop": 10})))
    whole, broken = (item.url for item in viewer.playlist(link).segments)
    counted.get(broken.removeprefix(counted.url))
    eventually(lambda: counted.proxy.metrics()["playlock.active"], 0)
    waiting = threading.Thread(target=viewer.get, args=(whole,))
    waiting.start()
    eventually(lambda: counted.proxy.metrics()["playlock.active"], 1)
    go.set()
    waiting.join()
    eventually(lambda: counted.proxy.metrics()["playlock.active"], 0)


def test_time_in_the_filter(counted):
    """One request in 16 is timed."""
    for _ in range(64):
        counted.get("/ts/audio/index.m3u8")

    def timed():
        found = re.search(r"playlock_microseconds_count\{\} (\d+)", counted.proxy.admin("/stats/prometheus"))
        return int(found[1]) >= 4 if found else False

    eventually(timed, True)


def test_errors_of_the_origin(counted, site):
    """5xx responses of the origin, or of Envoy in its place."""
    link = counted.link(site.stream("ill", a_ts=(b"gone", {"status": 503}), b_ts=b"G" * 188, c_ts=(b"gone", {"status": 404})))
    before = series(counted, "playlock_encrypted_bytes")[("tv_de",)]
    for item in Viewer().playlist(link).segments:
        counted.get(item.url.removeprefix(counted.url))
    eventually(lambda: series(counted, "playlock_origin_errors")[("tv_de",)], 1)
    # Words are not media.
    eventually(lambda: series(counted, "playlock_encrypted_bytes")[("tv_de",)] - before, 188)


def test_the_dashboard_and_the_alerts_ask_for_what_there_is(counted):
    """Envoy has every metric that they name, and every label is one of the filter's."""
    found = set(re.findall(r"^((?:envoy|playlock)_[a-z0-9_]+)", counted.proxy.admin("/stats/prometheus"), re.M))
    labels = {tag["tag_name"] for tag in labels_of_examples()["stats_tags"]}
    for file in ("dashboard.json", "alerts.yaml"):
        text = (GRAFANA / file).read_text()
        named = set(re.findall(r"\b(?:envoy|playlock)_[a-z0-9_]+", text)) - labels
        assert named and named <= found, named - found
        assert set(re.findall(r"(?:by \(|[{,] ?)(playlock_[a-z]+)", text)) <= labels


def expressions():
    """The queries of the dashboard's panels, as Grafana sends them for all policies: (panel, expression)."""
    for panel in json.loads((GRAFANA / "dashboard.json").read_text())["panels"]:
        for asked in panel["targets"]:
            expression = asked["expr"].replace("$policy", ".*").replace("$__rate_interval", "10s")
            assert "$" not in expression, expression
            yield panel["title"], expression


def test_every_panel_of_the_dashboard_shows_something(counted, site, tmp_path):
    """Prometheus scrapes this Envoy while much happens that it counts: each expression has a number, and no line is
    without a name."""
    link = counted.link(site.stream("shown", whole_ts=b"G" * 9000, broken_ts=(b"G" * 9000, {"stop": 10}), ill_ts=(b"", {"status": 503})))
    urls = [item.url for item in Viewer().playlist(link).segments]
    left, over = dict.fromkeys(expressions()), threading.Event()
    assert len(left) > 15

    def happen():
        while not over.is_set():
            for url in (*urls, "/shown/index.m3u8"):
                counted.get(url.removeprefix(counted.url))

    happening = threading.Thread(target=happen)
    prometheus = Prometheus(tmp_path, counted.proxy.admin_address)
    try:
        happening.start()
        until = time.monotonic() + WAIT
        while left and time.monotonic() < until:
            for panel, expression in list(left):
                found = prometheus.query(expression)
                split = re.search(r"by \((playlock_[a-z]+)\)", expression)
                if found and (not split or all(json.loads(labels).get(split[1]) for labels in found)):
                    del left[panel, expression]
            time.sleep(0.2)
        assert not left, list(left)
        # Bits of what was encrypted, and time in microseconds: the units that the panels name.
        assert 1_000 < sum(prometheus.query("8 * sum(rate(playlock_encrypted_bytes[10s]))").values()) < 1e9
    finally:
        over.set()
        happening.join()
        prometheus.stop()


def test_every_alert_fires_in_time_and_at_nothing_else():
    """By Prometheus' own checker, on made-up series."""
    text = (GRAFANA / "alerts.yaml").read_text()
    cases = (places.REPOSITORY / "tests/envoy/alerts.yaml").read_text()
    for name in re.findall(r"alert: (\w+)", text):
        assert f'alertname="{name}"' in cases, name
    status, said = promtool("check", "rules", GRAFANA / "alerts.yaml")
    assert status == 0, said
    status, said = promtool("test", "rules", places.REPOSITORY / "tests/envoy/alerts.yaml")
    assert status == 0, said


def test_uris_that_nobody_will_get_are_counted_and_logged(counted, site):
    """The playlist is served, requests for its odd names are refused, and the operator is informed: once in the log,
    always by the counter."""
    path = site.put("/odd/index.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nf%FCr.ts\n#EXTINF:4,\na%20b.ts\n"
                    "#EXTINF:4,\nc%23.ts\n#EXT-X-ENDLIST\n")
    names = [item.url for item in Viewer().playlist(counted.link(path)).segments]
    assert [counted.get(url).status for url in names] == [400, 404, 400]
    Viewer().playlist(counted.link(path))
    eventually(lambda: sum(series(counted, "playlock_unservable_uris").values()), 4)
    assert counted.proxy.log_text().count('a playlist names "f%FCr.ts"') == 1
