"""Tests an authorizer's answers under both values of `onUnavailable`, and the terms of leases that it gets: a decision has
its reason, no decision is a refusal or a key, and nothing of the viewer's is in the question."""

import json
import re

import pytest

from support import tokens
from support.edge import document, policy
from support.hls import Viewer, decrypt
from support.own_ports import own_port
from support.services import Authorizer
from support.ways import HELD, STREAMED

ROTATION = {"keyRotation": {"segments": 2}}
DENIALS = [(409, 403, "limit"), (410, 403, "ended"), (429, 503, "ahead"), (400, 403, "authorizer"), (408, 403, "authorizer"),
           (302, 403, "authorizer")]
FAILURES = [500, 502, 503, 504, "silent", "garbage", "closes"]
TERMS = "group={};limit=2;on-limit=end-oldest;viewer=payload;viewer-field=user;limit-field=screens;period=8;grace=30;keys-ahead=75;session=86400"


class Counting(Authorizer):
    """An authorizer that also records every value of the header with the terms."""

    def __init__(self):
        self.terms = []
        super().__init__()

    def answer(self, handler):
        self.terms.append(handler.headers.get_all("x-playlock-leases"))
        super().answer(handler)


@pytest.fixture(scope="module")
def authorizer():
    service = Counting()
    yield service
    service.stop()


@pytest.fixture(scope="module", params=[STREAMED, HELD])
def edge(request, edges, authorizer):
    """A policy for each value of `onUnavailable`, one whose group is no plain value, and those whose authorizer is not there."""
    def asked(name, cluster, group=None, **how):
        leases = {"limit": 2, "onLimit": "end-oldest", "viewer": "payload", "viewerField": "user", "limitField": "screens",
                  "period": "8s", **({"group": group} if group else {})}
        ask = {"cluster": cluster, "path": "/lease", "timeout": "1s", "leases": leases, **how}
        return policy(name, None, {"keyAuthorizer": ask, **ROTATION})

    made = document(
        asked("deny", "authorizer"),
        asked("allow", "authorizer", onUnavailable="allow"),
        asked("named", "authorizer", "a;limit=9", onUnavailable="deny"),
        asked("refusing", "refusing", onUnavailable="allow"),
        asked("empty", "empty", onUnavailable="allow"),
        asked("unknown", "nowhere", onUnavailable="allow"),
    )
    clusters = {"authorizer": [authorizer.port], "refusing": [own_port()], "empty": []}
    return edges(made, hold=request.param, clusters=clusters)


@pytest.fixture
def segments(edge, site, authorizer):
    """Opens a session under a policy: its segments, with their keys."""
    def opened(folder):
        token = tokens.by_python(acl="/*", id="ticket", data="user=anna")
        return Viewer().playlist(edge.link(f"{site.copy('ts', folder)}/v180/index.m3u8", token)).segments

    authorizer.mood = 200
    authorizer.asked.clear()
    authorizer.terms.clear()
    return opened


def unauthorized(edge):
    """The keys that no authorizer decided on, by policy."""
    found = {}
    for name, value in edge.proxy.metrics().items():
        known = re.fullmatch(r"playlock\.policy\.([^.]+)\.unauthorized_keys", name)
        if known and value:
            found[known[1]] = value
    return found


@pytest.mark.parametrize("folder", ["deny", "allow"])
def test_a_denial_has_its_reason(edge, segments, authorizer, folder):
    item = segments(folder)[0]
    key = edge.get(item.key.url).body
    before = unauthorized(edge)
    for mood, status, reason in DENIALS:
        authorizer.mood = mood
        for http, method in (("1.1", None), ("2", None), ("1.1", "HEAD")):
            answer = edge.get(item.key.url, http=http, method=method)
            assert answer.status == status and key not in answer.body
            assert method or json.loads(answer.body)["type"] == reason
            assert answer.header("cache-control") == "no-store"
            logged = edge.proxy.logged(answer.id)
            assert (logged["kind"], logged["reason"], logged["policy"]) == ("key", reason, folder)
    assert unauthorized(edge) == before


@pytest.mark.parametrize("mood", FAILURES)
def test_no_decision_is_no_key_by_default(edge, segments, authorizer, mood):
    item = segments("deny")[0]
    authorizer.mood = mood
    answer = edge.get(item.key.url)
    assert (answer.status, json.loads(answer.body)["type"]) == (503, "unanswered")
    assert edge.proxy.logged(answer.id)["reason"] == "unanswered"
    assert "deny" not in unauthorized(edge)


@pytest.mark.parametrize("mood", FAILURES)
def test_no_decision_is_a_key_where_the_policy_allows_it(edge, site, segments, authorizer, mood):
    """The same key as by decision, not stored, and counted; the next denial stands."""
    item = segments("allow")[0]
    key = edge.get(item.key.url).body
    before = unauthorized(edge).get("allow", 0)
    authorizer.mood = mood
    answer = edge.get(item.key.url, {"Origin": "https://tv.example"})
    assert (answer.status, answer.body, answer.header("cache-control")) == (200, key, "private, no-store")
    assert decrypt(edge.get(item.url).body, answer.body, item.iv) == site.file(item.url)
    logged = edge.proxy.logged(answer.id)
    assert (logged["kind"], logged["reason"]) == ("key", None)
    assert unauthorized(edge)["allow"] == before + 1
    authorizer.mood = 410
    assert edge.get(item.key.url).status == 403


@pytest.mark.parametrize("folder", ["refusing", "empty", "unknown"])
def test_an_authorizer_that_is_not_there_makes_no_decision(edge, segments, folder):
    item = segments(folder)[0]
    before = unauthorized(edge).get(folder, 0)
    answer = edge.get(item.key.url)
    assert (answer.status, len(answer.body)) == (200, 16)
    edge.proxy.logged(answer.id)
    assert unauthorized(edge)[folder] == before + 1


def test_nothing_but_a_missing_decision_becomes_a_key(edge, segments, authorizer):
    """Requests that are refused without a question, while the authorizer is away."""
    first, *_, last = segments("allow")
    authorizer.mood = "closes"
    before, seen = unauthorized(edge), len(authorizer.asked)
    theirs = re.search(r"plk=([^&]+)", segments("allow")[0].key.url)[1]
    for url in (re.sub(r"[?&]hdntl=[^&]*", "", first.key.url), re.sub(r"plk=[^&]+", f"plk={theirs}", first.key.url),
                first.key.url.replace("plk=key~", "plk=Key~"), re.sub(r"(plk=[^&]+.)", r"\1A", last.key.url)):
        answer = edge.get(url)
        assert answer.status == 403 and len(answer.body) != 16, url
        edge.proxy.logged(answer.id)
    assert unauthorized(edge) == before and len(authorizer.asked) == seen


@pytest.mark.parametrize("folder, group", [("deny", "deny"), ("named", "a%3blimit%3d9")])
def test_the_question_has_the_terms_once(edge, segments, authorizer, folder, group):
    """Headers of the viewer with the names of the question change nothing."""
    item = segments(folder)[-1]
    forged = {name: "forged" for name in ("X-Playlock-Leases", "x-playlock-session", "X-PLAYLOCK-PAYLOAD", "x-playlock-policy",
                                          "x-playlock-other")}
    for http in ("1.1", "2"):
        assert edge.get(item.key.url, forged, http=http).status == 200
    assert authorizer.terms == [[TERMS.format(group)]] * 2
    for _, headers in authorizer.asked:
        assert {name for name in headers if name.startswith("x-playlock-")} == {
            f"x-playlock-{name}" for name in ("policy", "session", "paths", "key-scope", "period", "leases", "client",
                                              "access-token-id", "payload")}
        assert "forged" not in headers.values()
        assert (headers["x-playlock-policy"], headers["x-playlock-payload"]) == (folder, "user=anna")
        assert headers["x-playlock-period"] == "2"
