"""Tests `playlock import` and `playlock control` against a running server, with both ways in."""

import json
import os

import pytest

from support.control_plane import CONTROL, SECURITY

DOCUMENT = {"holdHeaders": True, "default": "deny",
            "policies": [{"policyName": "vod", "tokenAuth": {"enabled": True, "password": "c0ffee" * 6},
                          "mediaEncryption": {"enabled": True, "secret": "5ec4e7" * 8}}],
            "assignments": [{"policyName": "vod", "path": "/...", "host": "edge.example"}]}


@pytest.fixture
def run(control_plane, tmp_path):
    """Runs a command with the first client's credentials."""
    (tmp_path / "policies.json").write_text(json.dumps(DOCUMENT))

    def command(*arguments, **options):
        return control_plane.command(*arguments, "--edgerc", control_plane.edgerc, "--cacert", control_plane.ca, **options)

    return command


@pytest.mark.both_databases
def test_a_configuration_is_imported_and_operated(control_plane, run, tmp_path):
    """Import, list, edit, promote, roll back, reset, nodes, exchange, audit: texts and exit statuses."""
    done = run("import", tmp_path / "policies.json")
    assert (done.returncode, done.stdout) == (0, "imported 1 policy and 1 configuration\n"), done.stderr
    done = run("import", tmp_path / "policies.json")
    assert done.returncode == 1 and done.stderr.startswith("playlock: 4"), done
    done = run("control", "list")
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["1", "production", "ACTIVE", "vod"], ["1", "staging", "ACTIVE", "vod"]]

    client = control_plane.client()
    policy = {name: value for name, value in client.get(f"{SECURITY}/policies/1").json().items() if name not in ("policyId", "status", "environment")}
    assert client.put(f"{SECURITY}/policies/1", {**policy, "description": "edited"}).status_code == 201
    assert run("control", "promote", "1").stdout == "Successfully promoted security policy:1\n"
    assert run("control", "promote", "1").returncode == 1
    assert run("control", "rollback", "1", "1", "--network", "production").returncode == 0
    assert client.get(f"{SECURITY}/policies/1").json()["status"] == "EDITED"
    assert run("control", "reset", "1").stdout == "Successfully restored security policy:1\n"
    assert run("control", "nodes").stdout == ""
    assert json.loads(run("control", "nodes", "--json").stdout) == []
    assert run("control", "exchange", "1").stdout == "step: none\nnext: add\n"
    done = run("control", "exchange", "1", "add", "--secret", "mediaEncryption.secret")
    assert done.stdout == "step: added\nnext: swap\n", done.stderr
    actions = [line.split()[-3] if "exchange" not in line else "exchange.add" for line in run("control", "audit").stdout.splitlines()]
    assert actions[0] == "exchange.add" and len(actions) >= 6
    assert "c0ffee" not in run("control", "audit", "--json").stdout


@pytest.mark.both_databases
def test_a_token_from_the_environment(control_plane, tmp_path):
    """A URL and a variable take the place of the file; standard input that of a configuration."""
    made = control_plane.client().post(f"{CONTROL}/tokens", {"name": "ci", "roles": ["read", "edit", "promote"]}).json()["token"]
    environment = {**os.environ, "CI_TOKEN": made}
    server = ["--server", control_plane.url, "--token-env", "CI_TOKEN", "--cacert", control_plane.ca]
    done = control_plane.command("import", "-", *server, env=environment, input=json.dumps(DOCUMENT))
    assert done.returncode == 0, done.stderr
    assert "vod" in control_plane.command("control", "list", *server, env=environment).stdout
    done = control_plane.command("control", "list", *server)
    assert done.returncode == 2 and "CI_TOKEN is not set" in done.stderr


def test_failures_have_their_status(control_plane, run, tmp_path):
    """1 for a refusal, 2 for arguments and files, 3 for a server that is not there or not known."""
    (tmp_path / "twice.json").write_text('{"policies": [], "policies": []}')
    done = run("import", tmp_path / "twice.json")
    assert done.returncode == 1 and "400" in done.stderr and "twice" in done.stderr
    assert run("import", tmp_path / "nowhere.json").returncode == 2
    assert run("control", "promote", "7").returncode == 1
    done = control_plane.command("control", "list", "--edgerc", control_plane.edgerc)
    assert done.returncode == 3, done
    done = control_plane.command("control", "list", "--edgerc", control_plane.edgerc, "--section", "other", "--cacert", control_plane.ca)
    assert done.returncode == 2 and "no section [other]" in done.stderr
    assert control_plane.command("control", "list").returncode == 2
    assert control_plane.command("control", "login", "--data", tmp_path / "nowhere").returncode == 2
    control_plane.stop()
    assert run("control", "list").returncode == 3
