"""Tests the API with Postman's EdgeGrid authentication: a collection, run by newman over TLS."""

import json
import subprocess

from akamai.edgegrid import EdgeRc

from browser import direct
from support import places
from support.control_plane import STORY, story

COLLECTION = places.REPOSITORY / "tests/control/postman.json"


def test_the_story_by_postman(control_plane, tmp_path):
    """Every request of the collection is sent, and all of its tests pass: statuses and answers are the examples'."""
    edgerc, configuration = EdgeRc(control_plane.edgerc), story("configurations")[0]
    values = {"base": control_plane.url, "domain": configuration["hostname"], "configuration": json.dumps(configuration)}
    values |= {name: edgerc.get("default", name) for name in ("client_token", "access_token", "client_secret")}
    values |= {file.stem: file.read_text() for file in STORY.glob("*.json")}
    environment, report = tmp_path / "environment.json", tmp_path / "report.json"
    environment.write_text(json.dumps({"name": "test", "values": [{"key": key, "value": value} for key, value in values.items()]}))
    done = subprocess.run([
        places.tool("node", install="nodejs"), places.node_modules("newman") / "bin/newman.js", "run", COLLECTION, "--environment", environment,
        "--ssl-extra-ca-certs", control_plane.ca, "--reporters", "json", "--reporter-json-export", report, "--disable-unicode",
    ], capture_output=True, text=True, timeout=120, env=direct())
    assert report.exists(), done.stdout + done.stderr
    run = json.loads(report.read_text())["run"]
    failures = [(each["source"]["name"], each["error"]["message"]) for each in run["failures"]]
    assert done.returncode == 0 and failures == [], (failures, done.stderr)
    collection = json.loads(COLLECTION.read_text())["item"]
    assert run["stats"]["requests"]["total"] == len(collection) >= 18
    assert run["stats"]["assertions"] == {"total": sum(len(item["event"][0]["script"]["exec"]) for item in collection), "pending": 0, "failed": 0}
