"""Tests the policy checks beside tokens, for playlists, keys and segments: session binding, revocation, listed players and
assignment times."""

import hashlib
import json
import re
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pytest

from support import session_tokens, tokens
from support.edge import document, policy
from support.proxy import WAIT

PLAYER, OLD_PLAYER = (hashlib.sha256(name).hexdigest() for name in (b"player 3.1", b"player 2.0"))
BOUND = document(
    policy("near", {"sessionBinding": {"addressPrefix": {"ipv4": 30, "ipv6": 56}}}),
    policy("device", {"sessionBinding": {"headerForSalt": "X-Device"}, "sessionTokenTransport": "cookie"}),
)


class Session:
    """A session on `/FOLDER`, opened with these headers, and its player's requests."""

    def __init__(self, edge, site, folder, token=None, headers=None, source=None):
        self.edge, self.media = edge, site.stream(folder, a_ts=b"a" * 100)
        self.response = edge.get(edge.link(self.media, token), headers, source=source)
        assert self.response.status == 200, self.response.body
        found = re.search(r"hdntl=([^\s\"&]+)", self.response.text)
        self.cookie = (self.response.header("set-cookie") or "").partition(";")[0] or None
        self.reload = f"{edge.url}{self.media}" + (f"?hdntl={found[1]}" if found else "")
        self.key = edge.url + re.search(r'URI="([^"]+)"', self.response.text)[1]
        self.segment = edge.url + f"/{folder}/" + re.search(r"^a\.ts.*$", self.response.text, re.M)[0]

    def verdicts(self, headers=None, source=None, edge=None):
        """Status or reason for playlist, key and segment, requested in this way."""
        found = []
        for url in (self.reload, self.key, self.segment):
            url = url.replace(self.edge.url, edge.url) if edge else url
            response = self.edge.get(url, {**({"Cookie": self.cookie} if self.cookie else {}), **(headers or {})}, source=source)
            found.append(json.loads(response.body)["type"] if response.status == 403 else response.status)
        return found

    def is_(self, expected, **how):
        assert self.verdicts(**how) == [expected] * 3, how


def test_a_session_bound_to_its_network(edges, site):
    """Two addresses of this machine that differ in two bits; X-Forwarded-For changes nothing."""
    edge = edges(BOUND)
    session = Session(edge, site, "near", source="127.0.0.1")
    token = re.search(r"hdntl=([\w-]+)", session.response.text)[1]
    assert session_tokens.read(token).network == "127.0.0.0/30"
    session.is_(200, source="127.0.0.1")
    session.is_(200, source="127.0.0.3")
    session.is_("ip", source="127.0.0.4")
    session.is_("ip", source="127.0.0.4", headers={"X-Forwarded-For": "127.0.0.1"})
    other = Session(edge, site, "near", source="127.0.0.4")
    other.is_(200, source="127.0.0.5")
    other.is_("ip", source="127.0.0.1")


def test_a_session_bound_to_its_network_behind_a_load_balancer(edges, site):
    """Both address families, as reported by the proxy in front of the edge."""
    edge = edges(BOUND, trusted_hops=1)
    for here, near, far in [("198.51.100.1", "198.51.100.3", "198.51.100.4"), ("2001:db8::1", "2001:db8:0:ff::2", "2001:db8:0:100::1"),
                            ("198.51.100.1", "::ffff:198.51.100.2", "::ffff:198.51.100.5"), ("2001:db8::1", "2001:db8::", "198.51.100.1")]:
        session = Session(edge, site, "near", headers={"X-Forwarded-For": here})
        session.is_(200, headers={"X-Forwarded-For": near})
        session.is_("ip", headers={"X-Forwarded-For": far})


def test_a_session_bound_to_a_header(edges, site):
    """Its value is in no URL and no cookie, and without it the session is useless."""
    edge = edges(BOUND)
    session = Session(edge, site, "device", headers={"X-Device": "livingroom"})
    assert "livingroom" not in session.response.text + session.cookie
    session.is_(200, headers={"x-device": "livingroom"})
    for other in ({"x-device": "kitchen"}, {"x-device": ""}, {}, {"x-device": "livingroom", "X-DEVICE": "livingroom"}):
        session.is_("header", headers=other)
    response = edge.get(edge.link(session.media))
    assert (response.status, json.loads(response.body)["type"]) == (403, "header"), "no session without it"


def test_revoked_sessions_end_everywhere_at_once(edges, site):
    """By their id, by the access token that opened them, by the time of their start; all others continue."""
    before = edges(document(policy("vod"), policy("more")))
    named = Session(before, site, "vod")
    opened_by = Session(before, site, "vod", quote(tokens.by_python(acl="/*", id="subscriber 7, tv")))
    others = [Session(before, site, "vod"), Session(before, site, "vod", tokens.by_python(acl="/*", id="subscriber-8"))]
    old = Session(before, site, "more")
    id_ = before.proxy.logged(named.response.id)["session"]
    now = datetime.now(timezone.utc) + timedelta(seconds=2)
    after = edges(document(
        policy("vod", revocation={"sessionIds": [id_], "accessTokenIds": ["subscriber 7, tv"]}),
        policy("more", revocation={"sessionsOpenedBefore": now.isoformat()}),
    ))
    for session in (named, opened_by, old):
        session.is_(200)
        session.is_("revoked", edge=after)
    for session in others:
        session.is_(200, edge=after)
    counter = "playlock.refused.revoked"
    assert after.proxy.counters()[counter] == 9 and before.proxy.counters()[counter] == 0
    again = after.get(after.link(opened_by.media, quote(tokens.by_python(acl="/*", id="subscriber 7, tv"))))
    assert json.loads(again.body)["type"] == "revoked", "its access token opens no new one either"
    while datetime.now(timezone.utc) < now:
        time.sleep(0.1)
    assert Session(after, site, "more").verdicts() == [200] * 3


def test_only_listed_players_play(edges, site):
    """Identified by a header or by the access token; checked for every request."""
    listed = {"enabled": True, "players": [{"hash": PLAYER, "enabled": True}, {"hash": OLD_PLAYER, "enabled": False}]}
    edge = edges(document(
        policy("header", playerVerification=listed),
        policy("own", playerVerification=dict(listed, playerHeader="X-My-Player")),
        policy("token", playerVerification=dict(listed, identifiedBy="token")),
    ))
    for folder, name in (("header", "X-Player-Hash"), ("own", "X-My-Player")):
        session = Session(edge, site, folder, headers={name: PLAYER})
        session.is_(200, headers={name: PLAYER.upper()})
        for other in ({}, {name: OLD_PLAYER}, {name: "?"}, {name: f"{PLAYER}, {PLAYER}"}, {"x-other": PLAYER}):
            session.is_("player", headers=other)
            assert json.loads(edge.get(edge.link(session.media), other).body)["type"] == "player"
    session = Session(edge, site, "token", tokens.by_python(acl="/*", data=PLAYER))
    session.is_(200)
    for data in (OLD_PLAYER, None):
        refused = edge.get(edge.link(session.media, tokens.by_python(acl="/*", data=data)))
        assert json.loads(refused.body)["type"] == "player"


def test_a_window_opens_and_closes_without_a_reload(edges, site):
    """Assignments by policyId and by policyName, with times: nothing but the clock moves."""
    path = site.stream("w", a_ts=b"a" * 100)
    for lead in (5, 20, 80):
        start = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=lead)
        made = document(policy("day"), policy("match"))
        made["assignments"] = [
            {"policyId": 1, "path": "/w/..."},
            {"policyId": "2", "policyName": "match", "path": "/w", "startTime": start.isoformat(),
             "endTime": (start + timedelta(seconds=3)).isoformat().replace("+00:00", "Z")},
        ]
        edge = edges(made)
        # What is whose at the moment: a session is its policy's alone.
        session, seen = Session(edge, site, "w"), []
        if edge.proxy.logged(session.response.id)["policy"] != "day":
            continue  # the edge took too long to start
        while len(seen) < 3:
            assert datetime.now(timezone.utc) < start + timedelta(seconds=WAIT)
            logged = edge.proxy.logged(edge.get(edge.link(path)).id)["policy"]
            if seen[-1:] != [logged]:
                seen.append(logged)
            time.sleep(0.1)
        assert seen == ["day", "match", "day"]
        session.is_(200)
        return
    raise AssertionError("no edge started within 80 s")


@pytest.mark.parametrize("host, expected", [("tv.example", "tv"), ("tv.example.", "tv"), ("x.tv.example", "unassigned")])
def test_an_assignment_to_a_host(edges, site, host, expected):
    made = document(policy("tv"))
    made["assignments"] = [{"policyName": "tv", "path": "/...", "host": "tv.example"}]
    edge = edges(made)
    logged = edge.proxy.logged(edge.get("/a.m3u8", {"Host": host}).id)
    assert (logged["policy"] or logged["reason"]) == expected


ROUTES = {
    "/named/": {"playlock": {"policy": "gold"}},
    "/named-free/": {"playlock": {"policy": "free"}},
    "/unknown/": {"playlock": {"policy": "platinum"}},
    "/number/": {"playlock": {"policy": 7}},
    "/object/": {"playlock": {"policy": {"name": "gold"}}},
    "/list/": {"playlock": {"policy": ["gold"]}},
    "/true/": {"playlock": {"policy": True}},
    "/others/": {"playlock": {"note": "gold"}, "envoy.lb": {"policy": "gold"}},
    "/": None,
}


@pytest.mark.parametrize("heeded", [True, False])
def test_a_route_names_its_policy(edges, site, heeded):
    """By its metadata, if the configuration enables it; an unknown name opens nothing."""
    made = document(policy("silver"), policy("gold"), {"policyName": "free"}, default="pass")
    made.update(routePolicy=heeded, assignments=[{"policyName": "silver", "path": "/..."}])
    edge = edges(made, routes=ROUTES)

    def logged(folder):
        response = edge.get(edge.link(site.stream(folder, a_ts=b"a" * 100)))
        entry = edge.proxy.logged(response.id)
        assert response.status == (403 if entry["reason"] else 200)
        return entry["policy"] or entry["reason"]

    assert [logged(folder) for folder in ("vod", "others")] == ["silver", "silver"]
    assert logged("named") == ("gold" if heeded else "silver")
    for folder in ("unknown", "number", "object", "list", "true"):
        assert logged(folder) == ("unassigned" if heeded else "silver"), folder
    free = edge.get(f"{site.stream('named-free', a_ts=b'a' * 100).rpartition('/')[0]}/a.ts")
    assert (free.status, free.body == b"a" * 100) == ((200, True) if heeded else (403, False))
    # One session from the playlist to the key, whose route names nothing.
    session = Session(edge, site, "named")
    session.is_(200)
    moved = session.segment.replace("/named/", "/vod/")
    site.stream("vod", a_ts=b"a")
    assert edge.get(moved).status == (403 if heeded else 200), "its token is of its policy alone"
