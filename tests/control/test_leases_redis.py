"""Tests control planes that keep leases in Redis: one count for several servers, and operators while Redis is away."""

import pytest
import requests

from support.control_plane import CONTROL, until
from support.leases import Asker, session
from support.redis_server import Redis

LISTEN = ["--authorize-listen", "127.0.0.1:0"]
SESSIONS = f"{CONTROL}/sessions"


@pytest.fixture
def redis(tmp_path):
    """A Redis server."""
    server = Redis(tmp_path)
    yield server
    server.kill()


def connected(plane):
    """Waits until the server has its connections to Redis: for questions, and for operators."""
    until(lambda: "event=store reason=connected" in plane.stderr())
    client = plane.client()
    until(lambda: client.get(f"{SESSIONS}/counts").status_code == 200)
    return plane


def test_servers_with_the_same_redis_count_together(control_planes, redis):
    """By the option and by the environment; the limit, the list and the end hold for both, and a restart forgets nothing."""
    one = connected(control_planes(*LISTEN, "--redis", redis.url))
    other = connected(control_planes(*LISTEN, environment={"PLAYLOCK_REDIS_URL": redis.url}))
    first, second = Asker(one, "node-production"), Asker(other, "node-production")
    assert [first.ask("ann", "a").status_code, second.ask("ann", "b").status_code, first.ask("ann", "c").status_code] == [204, 204, 409]
    assert Asker(other, "node-staging").ask("ann", "c").status_code == 204
    for plane in (one, other):
        listed = plane.client().get(f"{SESSIONS}?viewer=ann&realm=production").json()["sessions"]
        assert {each["session"] for each in listed} == {session("a"), session("b")}
    order = {"realm": "production", "group": "tv", "viewer": "ann", "session": session("a")}
    assert other.client().post(f"{SESSIONS}/end", order).json() == {"ended": 1}
    assert first.ask("ann", "a").status_code == 410
    one.restart(kill=True)
    connected(one)
    assert Asker(one, "node-production").ask("ann", "a").status_code == 410


def test_operators_see_that_redis_is_away(control_planes, redis):
    """A 503 as a problem, whose reason is in the log alone; questions get a 503; the audit trail says what is not known."""
    plane = connected(control_planes(*LISTEN, "--redis", redis.url, "--redis-timeout", "500ms"))
    asker, owner = Asker(plane, "node-production"), plane.client()
    assert asker.ask("ann", "a").status_code == 204
    redis.kill()
    assert asker.ask("ann", "a").status_code == 503
    order = {"realm": "production", "group": "tv", "viewer": "ann"}
    answers = [owner.get(SESSIONS), owner.get(f"{SESSIONS}/counts"), owner.get(SESSIONS, headers={"Accept": "text/csv"}),
               owner.post(f"{SESSIONS}/end", order)]
    for answer in answers:
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json"), answer.text
        assert str(redis.port) not in answer.text and answer.json()["instance"] in plane.stderr()
    (entry,) = [each for each in owner.get(f"{CONTROL}/audit").json()["entries"] if each["action"] == "session.end"]
    assert entry["after"] == {**order, "session": None, "ended": None}
    metrics = requests.get(f"{plane.health}/metrics", timeout=10).text
    assert 'answer="unavailable"} 1' in metrics and "playlock_leases_live" not in metrics and "playlock_leases_viewers" not in metrics
    assert requests.get(f"{plane.health}/ready", timeout=10).status_code == 200
    redis.start()
    until(lambda: asker.ask("ann", "a").status_code == 204)
    connected(plane)
    assert owner.get(SESSIONS).json()["sessions"][0]["viewer"] == "ann"


def test_a_url_is_checked_and_never_shown(control_planes, redis):
    """It may have a password, so it is not repeated; without --authorize-listen it is refused."""
    plane = control_planes()
    ports = ["--data", plane.folder / "another", "--listen", "127.0.0.1:0", "--xds-listen", "127.0.0.1:0", "--health-listen", "127.0.0.1:0"]
    done = plane.command("serve", *ports, *LISTEN, "--redis", "http://:geheim@redis")
    assert done.returncode == 2 and "--redis: no URL" in done.stderr and "geheim" not in done.stderr
    assert plane.command("serve", *ports, "--redis", redis.url).returncode == 2
    assert plane.command("serve", *ports, *LISTEN, "--redis-timeout", "5m").returncode == 2
