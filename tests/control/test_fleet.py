"""Tests delivery to a fleet of real Envoys: what each runs, and what the list of nodes shows of it, whatever happens."""

import http.client
import re
import socket
import ssl
import threading
from urllib.parse import urlsplit

import pytest

from support import load, tokens
from support.control_plane import CONTROL, ControlPlane, until
from support.edge import Edge
from support.fleet import SOON, Fleet, Node, Passage
from support.hls import Viewer
from support.origin import Http1, Site

STAGING, PRODUCTION = ("staging-1", "staging-2"), ("production-1", "production-2", "production-3")
PAGE = {"Origin": "https://page.example"}

# Ways to configure statistics other than with labels: as Envoy does by itself, and with playlock's alone.
STATISTICS = {
    "production-2": lambda made: made.pop("stats_config"),
    "production-3": lambda made: made.update(
        stats_config={"stats_matcher": {"inclusion_list": {"patterns": [{"prefix": "wasmcustom.playlock."}]}}}),
}

pytestmark = pytest.mark.timeout(600)


def edition(number, **members):
    """A policy whose number shows in two places: the key's URL in playlists, and a header."""
    return {
        "policyName": "vod",
        "tokenAuth": {"enabled": True, "password": tokens.PASSWORD, "sessionTokenTransport": "query"},
        "mediaEncryption": {"enabled": True, "keyPath": f"/edition-{number}.key"},
        "cors": {"allowOrigins": ["*"], "exposeHeaders": [f"x-edition-{number}"]},
        **members,
    }


def shown(headers, body):
    """The editions in the two places of a playlist."""
    return tuple(re.findall(r"edition-(\d+)", text) for text in (headers.get("access-control-expose-headers", ""), body))


class Place:
    """A fleet in a folder: the control plane, the origin, and the Envoys that a test adds."""

    def __init__(self, folder):
        self.folder = folder
        self.site = Site()
        self.path = self.site.stream("vod", a_ts=b"G" * 70_000, b_ts=b"H" * 300)
        self.origin = Http1(self.site)
        self.plane = ControlPlane(folder, "--module", "playlock.wasm", "--failures-per-minute", "1000")
        self.started, self.passages = {}, []
        self.fleet = Fleet(self.plane)
        self.number = self.fleet.policy(edition(1), promote=True)
        self.fleet.assign((self.number, "/..."))

    def node(self, network, name, **how):
        """Starts an Envoy."""
        self.started[name] = Node(self.folder / name, self.plane, network, name, self.origin, **how)
        return self.started[name]

    def passage(self):
        """A way to the control plane that can be cut."""
        self.passages.append(Passage(self.plane.xds_port))
        return self.passages[-1]

    def edge(self, name):
        return Edge(self.started[name], self.site, False, "h1")

    def edition(self, name):
        """The edition that an Envoy serves, or the reason why it serves none."""
        edge = self.edge(name)
        response = edge.get(edge.link(self.path), headers=PAGE)
        if response.status != 200:
            return response.status
        header, url = shown({"access-control-expose-headers": response.header("access-control-expose-headers")}, response.text)
        assert len(set(header)) == 1 and set(header) == set(url), (header, url)
        return int(header[0])

    def edition_or_closed(self, name):
        """The same, or `closed` if nobody listens."""
        try:
            socket.create_connection(("127.0.0.1", self.started[name].port)).close()
        except ConnectionRefusedError:
            return "closed"
        return self.edition(name)

    def stop(self):
        for node in self.started.values():
            node.end()
        for node in self.started.values():
            node.stop()
        for passage in self.passages:
            passage.stop()
        self.plane.stop(kill=True)
        self.origin.stop()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Five Envoys on two networks."""
    made = Place(tmp_path_factory.mktemp("fleet-"))
    try:
        for name in STAGING + PRODUCTION:
            through = made.passage().port if name in ("production-3", "staging-2") else None
            made.node(name.partition("-")[0], name, through=through, change=STATISTICS.get(name))
        made.fleet.until_in_force(*STAGING)
        made.fleet.until_in_force(*PRODUCTION)
        yield made
    finally:
        made.stop()


@pytest.fixture
def small(tmp_path):
    """A control plane of the test's own, without Envoys."""
    made = Place(tmp_path)
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def sound(request):
    """Checks after each test that no Envoy ended or trapped in it, except those that the test ended."""
    places = [request.getfixturevalue(name) for name in ("place", "small") if name in request.fixturenames]
    yield
    for node in (node for place in places for node in place.started.values()):
        complaint = node.complaint() if node.process.poll() is None else None
        assert complaint is None, complaint


class Watcher:
    """A viewer who reloads a playlist over one connection, and notes the edition of each."""

    def __init__(self, url):
        self.url, self.editions, self.failures, self.ended = urlsplit(url), [], [], threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=load.TIMEOUT)
        while not self.ended.is_set():
            connection.request("GET", f"{self.url.path}?{self.url.query}", headers=PAGE)
            response = connection.getresponse()
            header, url = shown(response.headers, response.read().decode())
            if response.status != 200 or len(set(header)) != 1 or set(header) != set(url):
                self.failures.append((response.status, header, url))
            elif self.editions[-1:] != [int(header[0])]:
                self.editions.append(int(header[0]))
        connection.close()

    def stop(self):
        self.ended.set()
        self.thread.join(2 * load.TIMEOUT)


def test_promotions_under_load_fail_no_request_and_are_never_half_made(place):
    """Segments of running sessions keep their bytes, and every playlist is of one edition."""
    fleet, wanted, watchers = place.fleet, {}, []
    for name in PRODUCTION:
        edge = place.edge(name)
        viewer = Viewer()
        playlist = viewer.playlist(edge.link(place.path))
        wanted.update({item.url: edge.get(item.url).body for item in playlist.items})
        watchers.append(Watcher(playlist.url))
    running = load.Load(wanted, clients=4)
    try:
        for number in (2, 3, 4, 5):
            fleet.policy(edition(number), place.number)
            fleet.until_in_force(*STAGING)
            assert [place.edition(name) for name in STAGING] == [number] * 2
            assert [place.edition(name) for name in PRODUCTION] == [number - 1] * 3
            fleet.promote(place.number)
            fleet.until_in_force(*PRODUCTION)
            mark = running.answers
            until(lambda: running.answers > mark + 50)
    finally:
        running.stop()
        for watcher in watchers:
            watcher.stop()
    assert not running.failures, (len(running.failures), running.failures[:3])
    assert [watcher.failures for watcher in watchers] == [[]] * 3
    assert [watcher.editions for watcher in watchers] == [[1, 2, 3, 4, 5]] * 3


def test_the_list_of_nodes_shows_each_as_it_is(place):
    nodes = place.fleet.nodes()
    assert set(nodes) >= set(STAGING + PRODUCTION)
    for name in STAGING + PRODUCTION:
        node = nodes[name]
        assert (node["network"], node["cluster"], node["connected"]) == (name.partition("-")[0], "test", True)
        assert (node["state"], node["refused"], node["version"]) == ("in_force", None, "1.40.0")
        assert node["inForce"] == place.started[name].metrics()["playlock.revision"]


def test_a_rollback_works_on_every_node(place):
    """An earlier version under a new revision."""
    fleet = place.fleet
    fleet.policy(edition(41), place.number, promote=True)
    before = fleet.until_in_force(*PRODUCTION)
    fleet.policy(edition(42), place.number, promote=True)
    fleet.until_in_force(*PRODUCTION)
    assert {place.edition(name) for name in PRODUCTION} == {42}
    versions = fleet.send("GET", f"{CONTROL}/policies/{place.number}/versions")
    version = sorted(each["version"] for each in versions)[-2]
    fleet.send("POST", f"{CONTROL}/policies/{place.number}/rollback", {"version": version, "network": "production"})
    assert fleet.until_in_force(*PRODUCTION) > before + 1
    assert {place.edition(name) for name in PRODUCTION} == {41}


def test_an_envoy_that_is_cut_off_keeps_its_policies_and_gets_the_new_ones_when_it_returns(place):
    fleet, passage = place.fleet, place.passages[1]
    fleet.policy(edition(61), place.number, promote=True)
    old = fleet.until_in_force(*PRODUCTION)
    passage.cut()
    fleet.until("production-3", "disconnected")
    fleet.policy(edition(62), place.number, promote=True)
    new = fleet.until_in_force(*PRODUCTION[:2])
    node = fleet.nodes()["production-3"]
    assert (node["state"], node["inForce"], node["connected"]) == ("disconnected", old, False)
    assert [place.edition(name) for name in PRODUCTION] == [62, 62, 61]
    passage.join()
    assert fleet.until_in_force(*PRODUCTION) == new > old
    assert place.edition("production-3") == 62


def test_what_was_committed_before_the_server_was_killed_arrives_after_its_restart(place):
    """The push is held back on its way, as if the server had died before it."""
    fleet, passage = place.fleet, place.passages[0]
    fleet.policy(edition(71), place.number)
    old = fleet.until_in_force(*STAGING)
    passage.hold()
    fleet.policy(edition(72), place.number)
    place.plane.stop(kill=True)
    assert place.edition("staging-2") == 71
    passage.cut()
    passage.join()
    place.plane.restart()
    assert fleet.until_in_force(*STAGING) == old + 1
    assert [place.edition(name) for name in STAGING] == [72, 72]


def test_refusals_arrive_by_policy_and_reason(place):
    fleet = place.fleet

    def counted():
        rows = fleet.send("GET", f"{CONTROL}/refusals?network=production&minutes=60")
        return {key: sum(row["count"] for row in rows if (row["policy"], row["reason"]) == key)
                for key in (("vod", "missing"), ("vod", "signature"))}

    before = counted()
    for name, times in zip(PRODUCTION, (1, 2, 3), strict=True):
        edge = place.edge(name)
        for _ in range(times):
            assert edge.get(place.path).status == 403
            assert edge.get(edge.link(place.path, tokens.by_python(acl="/*", key=tokens.STRANGER))).status == 403
    after = {key: count + 6 for key, count in before.items()}
    until(lambda: counted() == after, SOON)


def test_a_staging_certificate_gets_staging_whatever_the_node_claims(place):
    """Its claims are names, and its certificate decides."""
    fleet = place.fleet
    fleet.policy(edition(81), place.number, promote=True)
    fleet.policy(edition(82), place.number)

    def claim(made):
        made["node"] = {"id": "production-4", "cluster": "production", "metadata": {"network": "production"},
                        "locality": {"region": "production"}}

    place.node("staging", "production-4", change=claim)
    node = fleet.until("production-4", "in_force")
    assert node["network"] == "staging"
    assert place.edition("production-4") == 82
    fleet.until_in_force(*PRODUCTION)
    assert place.edition("production-1") == 81
    place.started["production-4"].stop()
    fleet.until("production-4", "disconnected")


def test_without_its_module_an_envoy_refuses_and_runs_the_same_revision_once_it_has_it(small):
    """The bytes are offered again as other bytes: Envoy would acknowledge the same ones without applying them."""
    fleet = small.fleet
    node = small.node("production", "bare", module=False, warm=False)
    shown = fleet.until("bare", "refused")
    assert shown["connected"] and not shown["inForce"]
    assert shown["refused"]["revision"] == shown["offered"] and "playlock.wasm" in shown["refused"]["reason"]
    assert small.edition_or_closed("bare") == 500
    node.add_module()
    node_shown = fleet.until("bare", "in_force")
    assert node_shown["inForce"] == shown["offered"]
    assert small.edition("bare") == 1


def test_a_server_without_memory_does_not_send_refused_bytes_either(small):
    """A refusal under one server; the next one delivers the same revision."""
    fleet = small.fleet
    node = small.node("production", "bare", module=False, warm=False)
    revision = fleet.until("bare", "refused")["offered"]
    small.plane.stop(kill=True)
    node.add_module()
    small.plane.restart()
    assert fleet.until("bare", "in_force")["inForce"] == revision
    assert small.edition("bare") == 1


def test_an_acknowledgement_alone_is_not_in_force(small):
    """An Envoy without the sink acknowledges, and nobody sees what it runs."""
    def silent(made):
        del made["stats_sinks"]

    node = small.node("production", "silent", change=silent)
    until(lambda: small.fleet.nodes().get("silent", {}).get("offered"), SOON)
    assert small.edition("silent") == 1 and node.version()
    shown = small.fleet.nodes()["silent"]
    assert (shown["state"], shown["inForce"]) in (("updating", None), ("never_ran", None))


def test_an_envoy_that_starts_without_a_server_is_shut(small):
    """With the listener closed and /ready at 503, balancers leave it out. It opens when the server is there."""
    small.node("production", "edge")
    small.fleet.until("edge", "in_force")
    port = small.started["edge"].port
    small.plane.stop()
    # Without a server it goes on.
    assert small.edition("edge") == 1
    small.started["edge"].stop()
    node = small.node("production", "edge", warm=False, port=port)
    until(lambda: node.statistic("cluster.playlock_control.upstream_cx_connect_fail") > 1, SOON)
    assert not node.live() and small.edition_or_closed("edge") == "closed"
    small.plane.restart()
    small.fleet.until("edge", "in_force")
    assert node.live() and small.edition("edge") == 1


def test_without_a_certificate_there_is_no_document(small):
    """Neither for an Envoy nor for any other client, and no node is listed."""
    def bare(made):
        cluster = made["static_resources"]["clusters"][-1]
        del cluster["transport_socket"]["typed_config"]["common_tls_context"]["tls_certificates"]

    node = small.node("production", "nobody", warm=False, change=bare)
    until(lambda: node.statistic("cluster.playlock_control.upstream_cx_destroy") > 1, SOON)
    assert not node.live() and small.edition_or_closed("nobody") == "closed"
    assert small.fleet.nodes() == {}
    context = ssl.create_default_context(cafile=small.plane.ca)
    context.set_alpn_protocols(["h2"])
    with (pytest.raises((ssl.SSLError, ConnectionError)),
          socket.create_connection(("127.0.0.1", small.plane.xds_port)) as raw,
          context.wrap_socket(raw, server_hostname="localhost") as secured):
        # TLS 1.3: the refusal comes with the first bytes from the server.
        secured.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
        if not secured.recv(1):
            raise ConnectionError("closed")
