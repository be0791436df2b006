"""Tests two control planes on one PostgreSQL: what one writes, the other delivers, also after its connection was cut."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import tokens
from support.control_plane import SECURITY, ControlPlane
from support.edge import Edge
from support.fleet import Fleet, Node, Passage
from support.origin import Http1, Site
from support.postgres import Postgres

OPTIONS = ["--module", "playlock.wasm", "--failures-per-minute", "1000"]

pytestmark = pytest.mark.timeout(600)


def policy(name, number=0):
    """A policy whose number shows in a header of its responses."""
    return {
        "policyName": name,
        "tokenAuth": {"enabled": True, "password": tokens.PASSWORD, "sessionTokenTransport": "query"},
        "mediaEncryption": {"enabled": True},
        "cors": {"allowOrigins": ["*"], "exposeHeaders": [f"x-edition-{number}"]},
    }


class Pair:
    """Two servers, and an Envoy of production that only knows the second."""

    def __init__(self, folder):
        self.site = Site()
        self.path = self.site.stream("vod", a_ts=b"G" * 1880)
        self.origin, self.postgres = Http1(self.site), Postgres()
        self.passage = Passage(self.postgres.port)
        self.first = ControlPlane(folder / "first", *OPTIONS, "--database", self.postgres.url())
        # The same master key and the same authority, as the documentation says.
        shutil.copytree(self.first.data, folder / "second/control", ignore=shutil.ignore_patterns("lock"))
        self.second = ControlPlane(folder / "second", *OPTIONS, "--database", self.postgres.url(self.passage.port))
        self.one, self.other = Fleet(self.first), Fleet(self.second)
        self.number = self.one.policy(policy("vod"), promote=True)
        self.one.assign((self.number, "/..."))
        self.node = Node(folder / "node", self.second, "production", "edge", self.origin)

    def edition(self):
        """The number of the policy that the Envoy serves."""
        edge = Edge(self.node, self.site, False, "h1")
        response = edge.get(edge.link(self.path), headers={"Origin": "https://page.example"})
        assert response.status == 200, response.text
        return response.header("access-control-expose-headers").partition("x-edition-")[2].split(",")[0]

    def stop(self):
        self.node.stop()
        for plane in (self.first, self.second):
            plane.stop(kill=True)
        self.passage.stop()
        self.postgres.stop()
        self.origin.stop()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair-")
    (folder / "first").mkdir()
    made = Pair(folder)
    yield made
    made.stop()


def test_one_server_delivers_what_the_other_writes(pair):
    """And both show the node as in force, which is connected to one of them."""
    pair.other.until_in_force("edge")
    pair.one.policy(policy("vod", 1), pair.number, promote=True)
    revision = pair.one.until_in_force("edge")
    assert pair.other.until_in_force("edge") == revision
    assert pair.edition() == "1"


def test_a_cut_connection_to_the_database_heals(pair):
    """The server without its database keeps the Envoy's stream, and delivers what it has missed."""
    pair.passage.cut()
    pair.one.policy(policy("vod", 2), pair.number, promote=True)
    assert pair.edition() == "1"
    pair.passage.join()
    pair.one.until_in_force("edge")
    assert pair.edition() == "2"


def test_concurrent_promotions_serialise(pair):
    """Twelve policies are promoted on both servers at once: each once, and no revision is lost or used twice."""
    numbers = [pair.one.policy(policy(f"policy {index}")) for index in range(12)]
    before = pair.one.until_in_force("edge")

    def promote(at):
        fleet, number = at
        return fleet.client.send("PATCH", f"{SECURITY}/policies/{number}", {"promote": True}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(promote, [(fleet, number) for number in numbers for fleet in (pair.one, pair.other)]))
    assert sorted(statuses) == [200] * 12 + [409] * 12
    assert {policy["status"] for policy in pair.other.send("GET", f"{SECURITY}/policies")} == {"ACTIVE"}
    assert pair.other.until_in_force("edge") == before + 12
