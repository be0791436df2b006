"""Tests docs/concurrency.md: its policy and cluster in a real Envoy, `playlock authorize` beside it, and its commands."""

import json
import re
import subprocess
import textwrap

import pytest
import yaml

from support import pages, places, tokens
from support.authorize import Authorize
from support.hls import Viewer

SECRETS = {"PLAYLOCK_PASSWORD": tokens.PASSWORD, "PLAYLOCK_SECRET": "000102030405060708090a0b0c0d0e0f"}


@pytest.fixture(scope="module")
def page():
    """The page, with blocks in lists as if they were outside."""
    return textwrap.dedent(re.sub(r"^   (?=\S| )", "", pages.read("concurrency.md"), flags=re.M))


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    running = Authorize(tmp_path_factory.mktemp("authorize-"))
    yield running
    running.stop()


def test_the_cluster_leads_to_the_services_default_address(page):
    made, check = re.findall(r"```yaml\n(.*?)```", page, re.S)
    (cluster,) = yaml.safe_load(made)
    assert cluster["name"] == json.loads(pages.block(page, "json"))["policies"][0]["mediaEncryption"]["keyAuthorizer"]["cluster"]
    address = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
    help = subprocess.run([places.command(), "authorize", "--help"], capture_output=True, text=True, check=True).stdout
    assert f"[default: {address['address']}:{address['port_value']}]" in help
    assert yaml.safe_load(check)["health_checks"][0]["tcp_health_check"] == {}


def test_a_third_screen_ends_the_first(page, edges, site, service):
    """Three players of one subscriber: the second and the third get keys, and operators see and end them as the page says."""
    made = json.loads(pages.block(page, "json"))
    edge = edges(made, vm=SECRETS, clusters={"leases": [service.port]})
    token = tokens.by_python(acl="/*", id="subscriber-7")
    keys = [Viewer().playlist(edge.link(f"{site.copy('ts', 'tv')}/v180/index.m3u8", token)).segments[0].key.url for _ in range(3)]
    assert [edge.get(key).status for key in keys] == [200] * 3
    answers = [edge.get(key) for key in keys]
    assert [answer.status for answer in answers] == [403, 200, 200]
    assert json.loads(answers[0].body)["type"] == "ended"

    def run(command):
        words = command.replace("http://127.0.0.1:8084", service.admin).split()
        assert words[0] == "playlock"
        return subprocess.run([places.command(), *words[1:]], capture_output=True, text=True, check=True).stdout

    commands = [line.split(" > ")[0] for line in re.findall(r"^(playlock sessions .*)$", page, re.M)]
    output = {command.split()[2]: run(command) for command in commands if " end " not in command}
    assert set(output) == {"list", "count"} and len(commands) == 5
    assert "sessions: 2" in output["count"] and output["list"].count("subscriber-7") == 2
    (end,) = [command for command in commands if " end " in command]
    assert run(end) == "ended 2 sessions\n"
    assert [json.loads(edge.get(key).body)["type"] for key in keys] == ["ended"] * 3
    assert "sessions: 0" in run("playlock sessions count --server http://127.0.0.1:8084")


def test_metrics_are_those_of_the_table(page, service):
    """Each metric of the table is exported, and no other."""
    named = set(re.findall(r"^\| `(playlock_leases_\w+)", page, re.M))
    text = subprocess.run(["curl", "-s", f"{service.admin}/metrics"], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^# TYPE (\w+)", text, re.M)) == named
