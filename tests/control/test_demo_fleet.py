"""Tests `make demo-fleet`: a segment is played through each Envoy, and a change of the policy reaches both of production."""

import json
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from akamai.edgegrid import EdgeGridAuth, EdgeRc

import ports
from browser import command, direct
from support import curl, places
from support.control_plane import SECURITY, until
from support.hls import Viewer
from support.proxy import WAIT

SCRIPT = places.REPOSITORY / "tests/control/page.mjs"
EDGES = {"edge-1": "production", "edge-2": "production", "stage-1": "staging"}
PLAIN = places.content() / "ts/v360/seg0.ts"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """(what it printed, its folder, its process id), on ports of its own; it ends as by Ctrl-C, quietly."""
    work = tmp_path_factory.mktemp("fleet")
    for _ in range(5):  # what was free may be taken by then
        port = ports.free_row("127.0.0.1", random.randrange(20_000, 30_000, 10), 10)
        started = [sys.executable, places.REPOSITORY / "tools/demo_fleet.py", "--port", str(port), "--work", str(work)]
        process = subprocess.Popen(started, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        printed = []
        for line in process.stdout:
            printed.append(line)
            if line.startswith("Ctrl-C ends it"):
                break
        if process.poll() is None and printed:
            break
        complaint = process.communicate(timeout=WAIT)[1]
        if "is taken" not in complaint:
            pytest.fail(f"the demo ended: {complaint}")
    yield "".join(printed), work, process.pid
    process.send_signal(signal.SIGINT)
    said, complaint = process.communicate(timeout=WAIT)
    assert (process.returncode, complaint) == (0, ""), said
    assert "ended, nothing is left running" in said


@pytest.fixture(scope="module")
def api(fleet):
    """A session of Akamai's client for Python with the printed credentials, and the API's address."""
    data = fleet[1] / "control"
    edgerc = EdgeRc(str(data / "edgerc"))
    session = requests.Session()
    session.auth, session.verify, session.trust_env = EdgeGridAuth.from_edgerc(edgerc), str(data / "ca.pem"), False
    return session, f"https://{edgerc.get('default', 'host')}"


def links(fleet):
    """The printed URLs of players, by Envoy."""
    return dict(re.findall(r"^ +(\S+) \(\w+\) +(http://\S+)$", fleet[0], re.M))


def test_it_prints_a_login_and_a_url_for_each_envoy(fleet):
    """The login's code is in the fragment, which no log has."""
    assert list(links(fleet)) == list(EDGES)
    login = re.search(r"The page +https://\S+/login#(\S+)", fleet[0])[1]
    assert len(login) > 20 and login not in (fleet[1] / "control.log").read_text()


@pytest.mark.parametrize("name", EDGES)
def test_a_segment_plays(fleet, name):
    """Encrypted, and the origin's bytes once decrypted; without a token nothing."""
    link, viewer = links(fleet)[name], Viewer()
    (video,) = [url for url in viewer.playlist(link).variants if "/v360/" in url]
    item = viewer.playlist(video).segments[0]
    assert item.key and viewer.plain(item) == PLAIN.read_bytes()
    assert curl.fetch(link.partition("?")[0]).status == 403


def test_a_change_is_in_force_on_both_envoys_of_production(fleet, api):
    """Once it is promoted, and not before."""
    session, url = api
    policy = session.get(f"{url}{SECURITY}/policies/1").json()
    changed = {name: value for name, value in policy.items() if name not in ("policyId", "status", "environment", "unsavedPolicy")}
    changed["contentTargeting"]["enabled"] = True
    changed["contentTargeting"]["ipAccess"] |= {"enabled": True, "mode": "DENY", "ips": ["127.0.0.0/8"]}
    edited = session.put(f"{url}{SECURITY}/policies/1", json=changed)
    assert edited.status_code == 201, edited.text
    urls = links(fleet)
    until(lambda: curl.fetch(urls["stage-1"]).status == 403)
    assert [curl.fetch(urls[name]).status for name in ("edge-1", "edge-2")] == [200, 200]
    promoted = session.patch(f"{url}{SECURITY}/policies/1", json={"promote": True})
    assert promoted.status_code == 200, promoted.text
    until(lambda: [curl.fetch(urls[name]).status for name in ("edge-1", "edge-2")] == [403, 403])
    nodes = until(lambda: in_force(session.get(f"{url}/control/v1/nodes").json()))
    assert {node["node"]: node["network"] for node in nodes} == EDGES


def test_the_page_shows_the_fleet(fleet):
    """Its Envoys with the revision that each runs, the refusals that they counted, and how many a promotion reaches."""
    url, code = re.search(r"The page +(https://\S+)/login#(\S+)", fleet[0]).groups()
    options = command(SCRIPT, url=url, codes={"fleet": code}, pictures=str(places.REPOSITORY / "target"),
                      pid=child(fleet[2], "edge-2"))
    run = subprocess.run(options, capture_output=True, text=True, timeout=4 * WAIT, env=direct())
    assert run.returncode == 0, run.stderr
    came = json.loads(run.stdout)["fleet"]
    assert came["complaints"] == [] and all(each == [] for each in came["unlabelled"].values())
    assert "every host /..." in came["asked"] and "2 Envoys on production get the change." in came["asked"]
    assert "mediaEncryption.percentageCoverage" in came["asked"] and "tokenAuth" not in came["asked"]
    nodes = [row.split() for row in came["nodes"]]
    assert [row[0] for row in nodes] == ["edge-1", "edge-2", "stage-1"] and all("in force" in row for row in came["nodes"])
    assert came["waiting"] == "Waiting for production/edge-2."
    behind = {row.split()[0]: row for row in came["behind"]}
    assert list(behind)[0] == "edge-2" and "in force" in behind["edge-1"] and "in force" in behind["stage-1"]
    assert any(row.startswith("missing") and "demo" in row for row in came["refusals"])


def child(parent, name):
    """The process id of the demo's Envoy of this name."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    (found,) = [pid for pid in children if name in Path(f"/proc/{pid}/cmdline").read_text().split("\0")]
    return int(found)


def in_force(nodes):
    """The nodes, once all run their network's revision."""
    return nodes if {node["state"] for node in nodes} == {"in_force"} else None
