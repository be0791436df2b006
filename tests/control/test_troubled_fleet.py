"""Tests that the page shows what is wrong with real Envoys: one without its module, and one of staging that asks for production."""

import json
import re
import subprocess

import pytest

from browser import command, direct
from support import places, tokens
from support.control_plane import ControlPlane
from support.edge import Edge
from support.fleet import Fleet, Node
from support.origin import Http1, Site

SCRIPT = places.REPOSITORY / "tests/control/page.mjs"
VISITS = ("troubled-desk", "troubled-phone")

pytestmark = pytest.mark.timeout(300)


def policy(key_path):
    """A policy whose version shows in its playlists."""
    return {
        "policyName": "vod",
        "tokenAuth": {"enabled": True, "password": tokens.PASSWORD, "sessionTokenTransport": "query"},
        "mediaEncryption": {"enabled": True, "keyPath": key_path},
    }


def claim(made):
    """Production's configuration with staging's certificate, and claims to be of production."""
    cluster = made["static_resources"]["clusters"][-1]
    common = cluster["transport_socket"]["typed_config"]["common_tls_context"]
    text = json.dumps(common["tls_certificates"])
    assert "node-production" in text
    common["tls_certificates"] = json.loads(text.replace("node-production", "node-staging"))
    made["node"] = {"id": "claimant", "cluster": "production", "metadata": {"network": "production"}}


@pytest.fixture(scope="module")
def came(tmp_path_factory):
    """The texts of the page, by visit; the answers of the API; the key's path in a playlist of the second Envoy."""
    places.node_modules("axe-core")
    folder, site = tmp_path_factory.mktemp("troubled-"), Site()
    path = site.stream("vod", a_ts=b"G" * 1880)
    origin, nodes = Http1(site), []
    plane = ControlPlane(folder, "--module", "playlock.wasm", "--failures-per-minute", "1000")
    try:
        fleet = Fleet(plane)
        number = fleet.policy(policy("/production.key"), promote=True)
        fleet.assign((number, "/..."))
        fleet.policy(policy("/staging.key"), number)
        nodes.append(Node(folder / "bare", plane, "production", "bare", origin, module=False, warm=False))
        nodes.append(Node(folder / "claimant", plane, "production", "claimant", origin, change=claim))
        fleet.until("bare", "refused")
        fleet.until("claimant", "in_force")
        codes = {visit: plane.page_login().partition("#")[2] for visit in VISITS}
        options = command(SCRIPT, url=plane.url, codes=codes, pictures=str(places.REPOSITORY / "target"))
        run = subprocess.run(options, capture_output=True, text=True, timeout=240, env=direct())
        assert run.returncode == 0, run.stderr
        edge = Edge(nodes[1], site, False, "h1")
        yield json.loads(run.stdout), fleet.nodes(), edge.get(edge.link(path)).text
    finally:
        for node in nodes:
            node.stop()
        plane.stop(kill=True)
        origin.stop()


@pytest.mark.parametrize("visit", VISITS)
def test_a_missing_module_is_shown_with_its_reason(came, visit):
    """First in the list, as refused, with the revision and Envoy's reason; nothing is in force."""
    visits, nodes, _ = came
    shown = visits[visit]["nodes"][0]
    refused = nodes["bare"]["refused"]
    assert re.match(r"bare test\s+production\s+refused\s", shown), shown
    assert f"revision {refused['revision']}: {refused['reason']}" in shown and "playlock.wasm" in shown
    assert nodes["bare"]["inForce"] is None


@pytest.mark.parametrize("visit", VISITS)
def test_a_staging_certificate_that_asks_for_production_is_shown_as_staging(came, visit):
    """The Envoy's claims do not count: it is listed under staging, runs staging's revision, and serves by staging's policy."""
    visits, nodes, playlist = came
    shown = visits[visit]["nodes"][1]
    revision = nodes["claimant"]["inForce"]
    assert re.match(rf"claimant production\s+staging\s+in force\s+{revision}\s", shown), shown
    assert nodes["bare"]["offered"] != revision
    assert "/staging.key" in playlist and "/production.key" not in playlist
    assert visits[visit]["counts"] == "production: 0 of 1 in force; staging: 1 of 1 in force"


@pytest.mark.parametrize("visit", VISITS)
def test_it_fits_and_nobody_complains(came, visit):
    """At 1280 and 360 pixels, in light and dark: layout, contrast, targets, axe's rules, the browser's log."""
    shown = came[0][visit]
    assert shown["complaints"] == [] and shown["others"] == []
    faults = {part: each for part, each in shown["layouts"].items() if each["wide"] or each["faint"] or each["small"]}
    assert faults == {} and len(shown["layouts"]) == 2
    assert {part: each for part, each in shown["unlabelled"].items() if each} == {}
