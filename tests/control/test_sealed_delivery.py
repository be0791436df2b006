"""Tests `playlock serve --seal`: Envoys get ciphertext, and open it with the key of their network's file."""

import pytest

from support import tokens
from support.control_plane import CONTROL, ControlPlane
from support.edge import Edge
from support.fleet import Fleet, Node
from support.origin import Http1, Site

KEY = "PLAYLOCK_SEAL_KEY"
SECRET = "52a152a152a152a152a152a152a152a152a152a152a152a152a152a152a152a1"


def key(plane, network):
    """The key in the file of a network."""
    (line,) = (plane.data / f"node-{network}.env").read_text().splitlines()
    name, _, value = line.partition("=")
    assert name == KEY
    return value


@pytest.fixture(scope="module")
def site():
    return Site()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory, site):
    """A control plane that seals, with a policy on both networks; and the path of a stream."""
    folder = tmp_path_factory.mktemp("sealed-")
    plane = ControlPlane(folder, "--module", "playlock.wasm", "--seal", "--failures-per-minute", "1000")
    origin = Http1(site)
    fleet = Fleet(plane)
    number = fleet.policy({
        "policyName": "vod",
        "tokenAuth": {"enabled": True, "password": tokens.PASSWORD, "sessionTokenTransport": "query"},
        "mediaEncryption": {"enabled": True, "secret": SECRET},
    }, promote=True)
    fleet.assign((number, "/..."))
    yield fleet, origin, folder
    origin.stop()
    plane.stop(kill=True)


def test_an_envoy_with_the_key_plays_and_its_dump_holds_ciphertext(fleet, site):
    """Neither the password nor the secret is in the configuration dump."""
    fleet, origin, folder = fleet
    node = Node(folder / "with", fleet.plane, "production", "with-key", origin,
                environment={KEY: key(fleet.plane, "production")})
    try:
        fleet.until_in_force("with-key")
        edge = Edge(node, site, False, "h1")
        path = site.stream("vod", a_ts=b"G" * 70_000, b_ts=b"H" * 300)
        response = edge.get(edge.link(path))
        assert response.status == 200, response.text
        dump = node.admin("/config_dump?include_eds")
        assert dump.replace("\\", "").count('"sealed":"1.') == 2
        assert tokens.PASSWORD not in dump and SECRET not in dump
    finally:
        node.stop()


def test_the_key_of_the_other_network_opens_nothing(fleet, site):
    """Such an Envoy refuses its policies, and the list of nodes shows it, until it is gone and forgotten."""
    fleet, origin, folder = fleet
    assert key(fleet.plane, "staging") != key(fleet.plane, "production")
    node = Node(folder / "other", fleet.plane, "production", "other-key", origin, warm=False,
                environment={KEY: key(fleet.plane, "staging")})
    try:
        assert fleet.until("other-key", "refused")["inForce"] is None
        edge = Edge(node, site, False, "h1")
        # Nothing reaches the origin.
        assert edge.get(edge.link(site.stream("vod", a_ts=b"G" * 188))).status == 500
        gone = f"{CONTROL}/nodes/production/other-key"
        assert fleet.client.delete(gone).status_code == 404, "it is connected"
    finally:
        node.stop()
    fleet.until("other-key", "disconnected")
    fleet.send("DELETE", gone)
    assert "other-key" not in fleet.nodes()
    assert fleet.client.delete(gone).status_code == 404
