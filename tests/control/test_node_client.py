"""Tests the API with Akamai's client for Node.js."""

import json
import os
import subprocess

from support import places
from support.control_plane import STORY, story


def test_the_story_by_akamais_client_for_node(control_plane):
    """Statuses and messages are the examples', also for a long body that is not ASCII."""
    environment = {**os.environ, "NODE_PATH": str(places.NODE_MODULES), "NODE_EXTRA_CA_CERTS": control_plane.ca}
    command = [places.tool("node", install="nodejs"), str(places.REPOSITORY / "tests/control/edgegrid.mjs"), control_plane.edgerc, str(STORY)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["status"] for answer in answers] == [201, 200, 201, 200, 200, 200, 200, 200, 200, 404], answers
    assert answers[0]["body"] == story("policy-post-201")
    assert answers[2]["body"] == story("policy-put-201")
    assert answers[3]["body"]["status"] == "EDITED"
    assert answers[7]["body"] == story("policy-delete")
    assert answers[8]["body"] == []
