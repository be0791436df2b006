"""Tests `playlock sessions` against a control plane, and against `playlock authorize`."""

import csv
import io
import json
import os
import re
import subprocess

import pytest
import requests

from support import places
from support.control_plane import CONTROL
from support.leases import Asker, headers, session

TOKEN = "a-token-of-operators"


class Authorizer:
    """`playlock authorize` with a token for operators."""

    def __init__(self):
        environment = {**os.environ, "PLAYLOCK_AUTHORIZE_TOKEN": TOKEN}
        command = [places.command(), "authorize", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        ports = [re.search(r"\S+ on (\S+)", self.process.stdout.readline()).group(1) for _ in range(2)]
        self.url, self.admin = (f"http://{port}" for port in ports)

    def ask(self, *arguments, **options):
        """The response to a question."""
        return requests.get(f"{self.url}/lease", headers=headers(*arguments, **options), timeout=30)

    def stop(self):
        self.process.terminate()
        status = self.process.wait(timeout=20)
        self.process.stdout.close()
        return status


def run(*arguments, **environment):
    """Runs the command."""
    return subprocess.run([places.command(), "sessions", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **environment})


@pytest.fixture(params=["serve", "authorize"])
def server(request, control_planes):
    """A server with one: a function that asks, one that runs the command, and the realm."""
    if request.param == "serve":
        plane = control_planes("--authorize-listen", "127.0.0.1:0")
        access = ["--edgerc", plane.edgerc, "--cacert", plane.ca]
        yield Asker(plane, "node-production").ask, lambda *arguments: run(*arguments, *access), "production"
    else:
        service = Authorizer()
        access = ["--server", service.admin, "--token-env", "OPERATORS"]
        yield service.ask, lambda *arguments: run(*arguments, *access, OPERATORS=TOKEN), "default"
        assert service.stop() == 0


def test_sessions_are_listed_counted_and_ended(server):
    """The same commands for both servers."""
    ask, command, realm = server
    for name in ("tv", "phone"):
        assert ask("ann & co", name).status_code == 204
    assert ask("bob\x1b[2J".encode("unicode_escape").decode(), "tv", policy="live").status_code == 204
    done = command("count")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"viewers: 2\nsessions: 3\n{realm}  live  1\n{realm}  vod   2\n"
    assert json.loads(command("count", "--json").stdout)["sessions"] == 3

    done = command("list", "--viewer", "ann & co")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [re.split(" {2,}", line) for line in done.stdout.splitlines()]
    assert [row[:3] for row in rows] == [[realm, "tv", "ann & co"]] * 2
    assert {row[3] for row in rows} == {session("tv"), session("phone")} and rows[0][4:7] == ["vod", "/vod/*", "203.0.113.0/24"]
    done = command("list", "--limit", "1", "--json")
    page = json.loads(done.stdout)
    assert len(page["sessions"]) == 1 and isinstance(page["next"], str) and "more sessions" in done.stderr
    assert command("list", "--policy", "none").stdout == ""
    assert len(command("list", "--realm", realm, "--stream", "/vod/*").stdout.splitlines()) == 3
    rows = list(csv.DictReader(io.StringIO(command("list", "--csv", "--policy", "live").stdout)))
    assert [(row["realm"], row["session"]) for row in rows] == [(realm, session("tv"))]

    done = command("end", "--viewer", "ann & co", "--group", "tv", "--session", session("tv"), "--realm", realm)
    assert (done.returncode, done.stdout) == (0, "ended 1 session\n"), done.stderr
    assert [ask("ann & co", name).status_code for name in ("tv", "phone")] == [410, 204]
    assert command("end", "--viewer", "ann & co", "--group", "tv", "--realm", realm).stdout == "ended 1 session\n"
    assert command("end", "--viewer", "ann & co", "--group", "tv", "--realm", realm).stdout == "ended 0 sessions\n"
    assert ask("ann & co", "phone").status_code == 410


def test_failures_have_their_status(server):
    """1 for what the server refuses, 2 for arguments."""
    _, command, realm = server
    done = command("end", "--viewer", "ann", "--group", "tv", "--session", "x", "--realm", realm)
    assert done.returncode == 1 and done.stderr.startswith("playlock: 400: session: "), done
    assert command("list", "--limit", "0").returncode == 2 and command("list", "--csv", "--json").returncode == 2
    assert command("end", "--viewer", "ann").returncode == 2


def test_credentials(control_planes):
    """A control plane needs some, and leases; a service of leases with a token needs that; other commands need TLS."""
    plane = control_planes()
    made = plane.client().post(f"{CONTROL}/tokens", {"name": "t", "roles": ["read"]}).json()["token"]
    https = ["--server", plane.url, "--cacert", plane.ca]
    done = run("count", *https, "--token-env", "T", T=made)
    assert done.returncode == 1 and "--authorize-listen" in done.stderr
    done = run("list", "--csv", *https)
    assert done.returncode == 1 and done.stderr.startswith("playlock: 401")
    done = plane.command("control", "list", *https)
    assert done.returncode == 2 and "--token-env" in done.stderr
    done = plane.command("control", "list", "--server", plane.health, "--token-env", "T", env={**os.environ, "T": made})
    assert done.returncode == 2 and "expected https://HOST:PORT" in done.stderr and made not in done.stderr
    assert run("count").returncode == 2 and run("count", "--server", "ftp://x", "--token-env", "T", T="x").returncode == 2
    service = Authorizer()
    try:
        assert run("count", "--server", service.admin).returncode == 1
        done = run("count", "--server", service.admin, "--token-env", "T", T="wrong")
        assert done.returncode == 1 and "401" in done.stderr and "wrong" not in done.stderr
        assert run("count", "--server", service.admin, "--token-env", "NONE").returncode == 2
    finally:
        service.stop()
    assert run("count", "--server", service.admin).returncode == 3
