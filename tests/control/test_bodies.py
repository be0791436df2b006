"""Tests bodies, methods and paths that are not what an operation takes: each has its status, and a problem with an id."""

import re

import pytest

from support.control_plane import CONTROL, SECURITY, NoAuth, story

POLICIES = f"{SECURITY}/policies"


def send(client, body, content_type="application/json", method="POST", path=POLICIES, **headers):
    """A request with this body as it stands."""
    headers = {**({"Content-Type": content_type} if content_type else {}), **headers}
    return client.send(method, path, data=body, headers=headers)


@pytest.mark.parametrize("body, content_type, status", [
    (b"", "application/json", 400),
    (b"{", "application/json", 400),
    (b"{} {}", "application/json", 400),
    (b"\xff\xfe", "application/json", 400),
    (b"[" * 10_000, "application/json", 400),
    (b"null", "application/json", 400),
    (b"[]", "application/json", 400),
    (b"1e400", "application/json", 400),
    (b'{"policyName": "a", "policyName": "b"}', "application/json", 400),
    (b'{"policyName": "a", "tokenAuth": {"enabled": true, "enabl\\u0065d": false}}', "application/json", 400),
    (b"{}", "application/json; charset=utf-8", 400),
    (b"{}", "APPLICATION/JSON", 400),
    (b"{}", "application/json; charset=utf-16", 415),
    (b"{}", "text/json", 415),
    (b"{}", "application/merge-patch+json", 415),
    (b"{}", None, 415),
    (b"a=b", "application/x-www-form-urlencoded", 415),
    (b'{"a": "' + b"x" * (4 << 20) + b'"}', "application/json", 413),
], ids=lambda value: str(value)[:30])
def test_a_body_has_its_status(control_plane, body, content_type, status):
    """The status, a problem, and no value of the body in it."""
    client = control_plane.bearer("edit", "read")
    answer = send(client, body, content_type)
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json" and problem["status"] == status
    assert problem["instance"] in control_plane.stderr()
    # The connection is good for the next request.
    assert client.get(POLICIES).json() == []


def test_a_body_without_a_length_is_bounded(control_plane):
    """Chunks are counted, too; a body that is announced as too large is refused before it is sent."""
    client = control_plane.bearer("edit")
    chunks = (b" " * 65536 for _ in range(100))
    assert send(client, chunks).status_code == 413


def test_a_compressed_body_is_refused(control_plane):
    """A few bytes must not become many."""
    assert send(control_plane.bearer("edit"), b"{}", **{"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize("method, path, allowed", [
    ("DELETE", POLICIES, "GET, HEAD, POST"),
    ("POST", f"{POLICIES}/1", "DELETE, GET, HEAD, PATCH, PUT"),
    ("PUT", f"{SECURITY}/regions", "GET, HEAD"),
    ("OPTIONS", f"{CONTROL}/me", "GET, HEAD"),
    ("TRACE", f"{CONTROL}/me", "GET, HEAD"),
    ("GET", f"{CONTROL}/check", "POST"),
    ("DELETE", "/openapi.json", "GET, HEAD"),
    ("DELETE", "/login", "GET, HEAD, POST"),
])
def test_other_methods_are_refused(control_plane, method, path, allowed):
    """405 with the path's methods in Allow."""
    answer = control_plane.client().send(method, path)
    assert answer.status_code == 405 and answer.headers["Content-Type"] == "application/problem+json"
    assert ", ".join(sorted(re.findall(r"\w+", answer.headers["Allow"]))) == allowed


@pytest.mark.parametrize("path", [
    "/nowhere", "/config-media-security/v2", f"{SECURITY}/policies/", f"{SECURITY}//policies", f"{POLICIES}/0", f"{POLICIES}/01",
    f"{POLICIES}/-1", f"{POLICIES}/1.0", f"{POLICIES}/abc", f"{POLICIES}/99999999999999999999", f"{POLICIES}/1%00",
    f"{POLICIES}/%ff", f"{POLICIES}/1/../2", f"{SECURITY}/configurations/nowhere.example/assignments",
    f"{SECURITY}/configurations/%0d%0a/assignments", f"{CONTROL}/networks/neither/document", f"{CONTROL}/policies/1/versions/x",
])
def test_what_is_not_there_is_not_found(control_plane, path):
    """404 with a problem; no path is normalised into another."""
    answer = control_plane.client().get(path)
    assert answer.status_code == 404, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("query, member", [
    ("", "network"), ("network=neither", "network"), ("network=staging&network=production", "network"),
    ("network=staging&minutes=0", "minutes"), ("network=staging&minutes=1e3", "minutes"), ("network=staging&minutes=99999", "minutes"),
])
def test_queries_are_read_strictly(control_plane, query, member):
    """400 with the parameter's name."""
    answer = control_plane.client().get(f"{CONTROL}/refusals?{query}")
    assert answer.status_code == 400 and answer.json()["errors"][0]["member"] == member


def test_answers_are_hardened(control_plane):
    """No answer is taken for another type, framed, or kept."""
    for client, path in [(control_plane.client(), POLICIES), (control_plane.client(NoAuth()), POLICIES),
                         (control_plane.client(NoAuth()), "/openapi.json"), (control_plane.client(NoAuth()), "/")]:
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff" and "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Strict-Transport-Security"]
    assert control_plane.client().get(POLICIES).headers["Cache-Control"] == "no-store"


@pytest.mark.both_databases
def test_the_rest_of_the_operations(control_plane):
    """Versions, roll-back, impact, settings, check, why, import, exchange: one round with real documents."""
    client = control_plane.client()
    assert client.post(POLICIES, {**story("policy-post"), "promote": True}).status_code == 202
    assert client.put(f"{POLICIES}/1", {**story("policy-put"), "promote": True}).status_code == 202
    versions = client.get(f"{CONTROL}/policies/1/versions").json()
    assert [(each["version"], each["staging"], each["production"]) for each in versions] == [(2, True, True), (1, False, False)]
    assert {each["actor"] for each in versions} == {"first client"}
    first = client.get(f"{CONTROL}/policies/1/versions/1").json()
    assert first["mediaEncryption"]["percentageCoverage"] == "AUTO"
    answer = client.post(f"{CONTROL}/policies/1/rollback", {"version": 1, "network": "production"})
    assert answer.status_code == 200
    assert client.get(f"{POLICIES}/1").json()["status"] == "EDITED"
    assert client.get(f"{CONTROL}/policies/1/impact").json()["nodes"] == {"staging": 0, "production": 0}
    assert client.get(f"{CONTROL}/policies/1/exchange").json()["step"] == "none"
    answer = client.post(f"{CONTROL}/policies/1/exchange", {"step": "swap", "secret": "tokenAuth.password"})
    assert answer.status_code == 409

    assert client.put(f"{CONTROL}/settings", {"maxPlaylistBytes": "x"}).status_code == 400
    settings = client.get(f"{CONTROL}/settings").json()
    assert settings["staging"]["default"] == "deny"
    checked = client.post(f"{CONTROL}/check", {"policy": story("policy-post")}).json()
    assert checked["errors"] == []
    checked = client.post(f"{CONTROL}/check", {"policy": {"policyName": "x", "unknown": 1}}).json()
    assert checked["errors"]
    assert client.post(f"{CONTROL}/check", {}).status_code == 400
    assert client.get(f"{CONTROL}/nodes").json() == []
    assert client.get(f"{CONTROL}/refusals?network=production&minutes=5").json() == []
    assert "tokenAuth" in client.get(f"{CONTROL}/schema").json()["properties"]

    document = {"policies": [{"policyName": "imported", "tokenAuth": {"enabled": True, "password": "c0ffee" * 6}}],
                "assignments": [{"policyName": "imported", "path": "/..."}]}
    imported = client.post(f"{CONTROL}/import", document).json()
    assert imported["policies"] == [2]
    explained = client.post(f"{CONTROL}/why", {"network": "production", "url": "https://edge.example/vod/a.m3u8", "time": 1700000000}).json()
    assert explained["verdict"] == "refused" and explained["policy"] == "imported" and explained["now"] == 1700000000
    for question in [{}, {"network": "production"}, {"network": "production", "url": "/a"}, {"network": "x", "url": "https://a/"},
                     {"network": "production", "url": "https://a/", "headers": {"a": 1}}]:
        assert client.post(f"{CONTROL}/why", question).status_code == 400
    entries = client.get(f"{CONTROL}/audit?limit=2").json()
    assert len(entries["entries"]) == 2 and entries["next"]
    older = client.get(f"{CONTROL}/audit?before={entries['next']}&limit=1000").json()
    assert older["entries"][0]["sequence"] == entries["next"] - 1 and older["next"] is None


def test_market_areas_that_the_operators_file_does_not_list(control_plane, control_planes):
    """A warning for each in a policy and in a document; none of an operator without a file. Answers of the API stay as they are."""
    document = story("policy-post")
    geo = document["contentTargeting"]["geoProtection"]
    listed = len(geo["dmas"])
    geo["dmas"] += [{"dmaCode": "999", "dmaName": "Nowhere::NW"}]
    alone = f"contentTargeting.geoProtection.dmas[{listed}].dmaCode: found \"999\", which is not in the file of --dmas"
    policy = {"policyName": "vod", "contentTargeting": {"enabled": True, "geoProtection": {"enabled": True, "mode": "DENY", "dmas": [{"dmaCode": "000"}]}}}
    other = "policies[0].contentTargeting.geoProtection.dmas[0].dmaCode: found \"000\", which is not in the file of --dmas"
    for plane, warned in [(control_plane, True), (control_planes(), False)]:
        client = plane.client()
        for body, warning in [({"policy": document}, alone), ({"document": {"policies": [policy]}}, other)]:
            checked = client.post(f"{CONTROL}/check", body).json()
            assert checked["errors"] == []
            warnings = [each for each in checked["warnings"] if "dmaCode" in each]
            assert len(warnings) == warned and all(each.startswith(warning) for each in warnings), warnings
        assert client.post(POLICIES, document).json() == story("policy-post-201")
