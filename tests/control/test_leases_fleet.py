"""Tests leases from the policy's editor to the player: the control plane delivers the policy, the Envoys ask it about keys by the
cluster that it wrote, and an operator ends a session."""

import json

import pytest

from support import tokens
from support.control_plane import CONTROL, ControlPlane
from support.edge import Edge
from support.fleet import Fleet, Node
from support.hls import Viewer
from support.origin import Http1, Site

pytestmark = pytest.mark.timeout(300)

LEASES = {"limit": 1, "onLimit": "refuse-new", "viewer": "payload", "viewerField": "user", "limitField": "screens"}


def policy(**members):
    """A policy whose viewers have one session at once, or as many as their tokens say."""
    asking = {"cluster": "leases", "path": "/lease", "leases": {**LEASES, **members}}
    return {
        "policyName": "tv",
        "tokenAuth": {"enabled": True, "password": tokens.PASSWORD, "sessionTokenTransport": "path"},
        "mediaEncryption": {"enabled": True, "keyRotation": {"time": "60s"}, "keyAuthorizer": asking},
    }


@pytest.fixture
def place(tmp_path):
    """The fleet, the path of a stream, and an edge on each of two Envoys."""
    site = Site()
    path = site.stream("film", a_ts=b"G" * 1000)
    origin = Http1(site)
    plane = ControlPlane(tmp_path, "--module", "playlock.wasm", "--failures-per-minute", "1000", "--authorize-listen", "127.0.0.1:0")
    nodes = []
    try:
        fleet = Fleet(plane)
        number = fleet.policy(policy(), promote=True)
        fleet.assign((number, "/..."))
        nodes += [Node(tmp_path / name, plane, "production", name, origin) for name in ("edge-1", "edge-2")]
        fleet.until_in_force("edge-1", "edge-2")
        yield fleet, number, path, [Edge(node, site, False, "h1") for node in nodes]
    finally:
        for node in nodes:
            node.end()
        for node in nodes:
            node.stop()
        plane.stop(kill=True)
        origin.stop()


def key(edge, path, data):
    """The key URL of a new session."""
    return Viewer().playlist(edge.link(path, tokens.by_python(acl="/*", data=data))).segments[0].key.url


def answer(edge, url):
    """The status of a key request, and the reason of a refusal."""
    got = edge.get(url)
    return got.status, None if got.status == 200 else json.loads(got.body)["type"]


def test_a_viewer_has_one_session_on_all_envoys(place):
    fleet, number, path, (first, second) = place
    own = key(first, path, "user=ann")
    other = key(second, path, "user=ann")
    assert answer(first, own) == (200, None)
    assert answer(second, other) == (403, "limit")
    assert answer(second, key(second, path, "user=bob")) == (200, None)
    big = [key(second, path, "user=carol;screens=2") for _ in range(3)]
    assert [answer(second, url) for url in big] == [(200, None), (200, None), (403, "limit")]

    (seen,) = fleet.client.get(f"{CONTROL}/sessions", params={"viewer": "ann"}).json()["sessions"]
    assert (seen["realm"], seen["group"], seen["policy"], seen["client"]) == ("production", "tv", "tv", "127.0.0.0/24")
    order = {name: seen[name] for name in ("realm", "group", "viewer", "session")}
    assert fleet.send("POST", f"{CONTROL}/sessions/end", order) == {"ended": 1}
    assert answer(first, own) == (403, "ended")
    assert answer(second, other) == (200, None)

    # A promotion changes the limit; sessions go on.
    fleet.policy(policy(limit=2), number, promote=True)
    fleet.until_in_force("edge-1", "edge-2")
    assert answer(first, key(first, path, "user=ann")) == (200, None)
    assert answer(second, other) == (200, None)
