"""Tests leases in the control plane: questions over mutual TLS, and operators who list, count and end sessions."""

import csv
import datetime
import io
import re

import pytest
import requests
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support import pages
from support.control_plane import CONTROL
from support.fleet import lines
from support.leases import Asker, headers, session
from support.proxy import Proxy, bootstrap

LISTEN = ["--authorize-listen", "127.0.0.1:0"]
SESSIONS = f"{CONTROL}/sessions"
PRODUCTION = "spiffe://playlock/network/production"


@pytest.fixture(params=["sqlite", "postgres"])
def plane(request, control_planes):
    """A control plane with leases, on either database."""
    database = []
    if request.param == "postgres":
        database = ["--database", request.getfixturevalue("postgres").new()]
    return control_planes(*LISTEN, "--failures-per-minute", "1000", *database)


@pytest.fixture
def production(plane):
    return Asker(plane, "node-production")


@pytest.fixture
def staging(plane):
    return Asker(plane, "node-staging")


def problem(answer, status, kind):
    """The detail of a problem document."""
    document = answer.json()
    assert (answer.status_code, document["status"], document["type"].rpartition("/")[2]) == (status, status, kind), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    return document.get("detail")


def test_a_viewer_has_so_many_sessions_on_each_network(plane, production, staging):
    """Granted, limit, ended by the operator; over both versions of HTTP; staging and production are apart."""
    assert "leases:" in plane.greeting
    assert production.ask("ann", "tv").status_code == 204
    assert production.ask2("ann", "phone") == 204
    problem(production.ask("ann", "third"), 409, "limit")
    assert production.ask2("ann", "third") == 409
    assert [staging.ask("ann", name).status_code for name in ("a", "b", "c")] == [204, 204, 409]
    problem(production.ask("", "tv"), 400, "malformed")

    owner = plane.client()
    counts = owner.get(f"{SESSIONS}/counts").json()
    assert counts == {"viewers": 2, "sessions": 4, "policies": [{"realm": "staging", "policy": "vod", "sessions": 2},
                                                                {"realm": "production", "policy": "vod", "sessions": 2}]}
    order = {"realm": "production", "group": "tv", "viewer": "ann"}
    ended = owner.post(f"{SESSIONS}/end", {**order, "session": session("tv")})
    assert (ended.status_code, ended.json()) == (200, {"ended": 1})
    problem(production.ask("ann", "tv"), 410, "ended")
    assert production.ask("ann", "third").status_code == 204
    assert staging.ask("ann", "a").status_code == 204
    assert owner.post(f"{SESSIONS}/end", order).json() == {"ended": 2}
    assert [production.ask("ann", name).status_code for name in ("tv", "phone", "third", "new")] == [410, 410, 410, 204]
    assert owner.post(f"{SESSIONS}/end", {**order, "viewer": "nobody"}).json() == {"ended": 0}

    entries = [entry for entry in owner.get(f"{CONTROL}/audit").json()["entries"] if entry["action"] == "session.end"]
    assert [entry["object"] for entry in entries] == ["viewer production/nobody"] + ["viewer production/ann"] * 2
    assert [entry["after"] for entry in entries[1:]] == [
        {**order, "session": None, "ended": 2}, {**order, "session": session("tv"), "ended": 1}]
    assert {entry["actor"] for entry in entries} == {"first client"}


def test_metrics(plane, production):
    """Answers by their kind, and live sessions by policy."""
    assert production.ask("ann", "tv").status_code == 204
    production.ask("ann", "x", limit=1)
    production.ask("", "tv")
    lines = requests.get(f"{plane.health}/metrics", timeout=10).text.splitlines()
    for line in ['playlock_leases_questions_total{answer="granted"} 1', 'playlock_leases_questions_total{answer="limit"} 1',
                 'playlock_leases_questions_total{answer="malformed"} 1', 'playlock_leases_questions_total{answer="unavailable"} 0',
                 'playlock_leases_live{realm="production",policy="vod"} 1', "playlock_leases_viewers 1"]:
        assert line in lines, line
    assert "event=question" in plane.stderr() and "names no viewer" in plane.stderr()


def test_sessions_are_listed_page_by_page_and_as_csv(plane, production, staging):
    """By viewer, policy, stream and network, the oldest first; names that would be formulas or columns stay text."""
    odd = '=1+1,"&"'
    for number in range(5):
        assert production.ask("ann bob", f"s{number}", limit=9).status_code == 204
    assert production.ask(odd, "odd", policy="live").status_code == 204
    assert production.ask("carl", "shared", **{"x-playlock-stream": "/live/a%20b/"}).status_code == 204
    assert staging.ask("ann bob", "s0").status_code == 204
    reader = plane.bearer("read")

    def listed(query):
        answer = reader.get(f"{SESSIONS}?{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert len(listed("")["sessions"]) == 8 and listed("")["next"] is None
    for viewer in ("ann%20bob", "ann+bob"):
        assert {each["realm"] for each in listed(f"viewer={viewer}")["sessions"]} == {"staging", "production"}
    assert [each["viewer"] for each in listed("policy=live")["sessions"]] == [odd]
    assert [each["viewer"] for each in listed("stream=/live/a%20b/")["sessions"]] == ["carl"]
    assert len(listed("realm=staging")["sessions"]) == 1
    found, cursor = [], ""
    while cursor is not None:
        page = listed(f"viewer=ann+bob&realm=production&limit=2&cursor={cursor}")
        found, cursor = found + page["sessions"], page["next"]
    assert {each["session"] for each in found} == {session(f"s{number}") for number in range(5)} and len(found) == 5
    assert [each["since"] for each in found] == sorted(each["since"] for each in found)
    assert found[0]["client"] == "203.0.113.0/24" and found[0]["stream"] == "/vod/*" and found[0]["group"] == "tv"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found[0][name]) for name in ("since", "renewed", "expires"))

    answer = reader.get(SESSIONS, headers={"Accept": "text/csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8" and "sessions.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 8 and [row["viewer"] for row in rows if row["policy"] == "live"] == ["'" + odd]
    assert [row["session"] for row in csv.DictReader(io.StringIO(
        reader.get(f"{SESSIONS}?realm=staging", headers={"Accept": "text/csv"}).text))] == [session("s0")]
    for query in ("limit=0", "limit=1001", "limit=x", "realm=x", "viewer=%ff", "viewer=a&viewer=a"):
        assert reader.get(f"{SESSIONS}?{query}").status_code == 400, query


def test_roles(plane, production, staging):
    """Reading needs read; ending edit on staging, and promote on production."""
    for asker in (production, staging):
        assert asker.ask("ann", "tv").status_code == 204
    order = {"group": "tv", "viewer": "ann"}
    editor, promoter = plane.bearer("edit"), plane.bearer("promote")
    assert editor.get(SESSIONS).status_code == editor.get(f"{SESSIONS}/counts").status_code == 403
    assert editor.post(f"{SESSIONS}/end", {**order, "realm": "production"}).status_code == 403
    assert promoter.post(f"{SESSIONS}/end", {**order, "realm": "staging"}).status_code == 403
    assert editor.post(f"{SESSIONS}/end", {**order, "realm": "staging"}).json() == {"ended": 1}
    assert promoter.post(f"{SESSIONS}/end", {**order, "realm": "default"}).json() == {"ended": 0}
    assert promoter.post(f"{SESSIONS}/end", {**order, "realm": "production"}).json() == {"ended": 1}
    for document, member in [(order, "realm"), ({**order, "realm": "x"}, "realm"), ({"realm": "staging"}, "group"),
                             ({**order, "realm": "staging", "session": "x"}, "session"), ({**order, "realm": "staging", "x": 1}, "x")]:
        answer = plane.client().post(f"{SESSIONS}/end", document)
        assert answer.status_code == 400 and [each["member"] for each in answer.json()["errors"]] == [member], answer.text


def test_a_server_without_leases_says_so(control_plane):
    """A 404 that names the option; no metrics; the first lines have no address."""
    owner = control_plane.client()
    for answer in (owner.get(SESSIONS), owner.get(f"{SESSIONS}/counts"), owner.get(SESSIONS, headers={"Accept": "text/csv"}),
                   owner.post(f"{SESSIONS}/end", {"realm": "staging", "group": "tv", "viewer": "ann"})):
        assert "--authorize-listen" in problem(answer, 404, "not-found")
    assert "leases:" not in control_plane.greeting and control_plane.leases_port is None
    assert "playlock_leases" not in requests.get(f"{control_plane.health}/metrics", timeout=10).text
    assert "name: leases" not in (control_plane.data / "envoy-staging.yaml").read_text()


def issue(plane, name, uri, days=1):
    """A certificate of the control plane's authority with another URI, as `NAME.pem` and `NAME.key`."""
    authority = x509.load_pem_x509_certificate((plane.data / "ca.pem").read_bytes())
    issuer = serialization.load_pem_private_key((plane.data / "ca.key").read_bytes(), None)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(authority.subject).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=2))
    made = made.not_valid_after(now + datetime.timedelta(days=days))
    made = made.add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(each) for each in uri]), critical=False)
    made = made.sign(issuer, hashes.SHA256())
    (plane.data / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (plane.data / f"{name}.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def test_only_a_nodes_certificate_asks(control_planes):
    """None, a foreign one, one that has ended, one of no network, one of two: no answer. One of a network: an answer."""
    plane, other = control_planes(*LISTEN), control_planes(*LISTEN)
    for name, uris, days in [("good", [PRODUCTION], 1), ("over", [PRODUCTION], -1), ("none", ["https://example.org"], 1),
                             ("server-too", ["spiffe://playlock/server"], 1), ("both", [PRODUCTION, PRODUCTION.replace("production", "staging")], 1)]:
        issue(plane, name, uris, days)
    assert Asker(plane, "good").ask("ann", "tv").status_code == 204
    for asker in (Asker(plane, "node-production", other.data), Asker(plane, "over"), Asker(plane, "none"), Asker(plane, "server-too"),
                  Asker(plane, "both"), Asker(plane, "server")):
        with pytest.raises(requests.exceptions.ConnectionError):
            asker.ask("eve", "tv")
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"https://localhost:{plane.leases_port}/lease", headers=headers("eve", "tv"), verify=plane.ca, timeout=30)
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"http://localhost:{plane.leases_port}/lease", headers=headers("eve", "tv"), timeout=30)
    assert plane.client().get(f"{SESSIONS}/counts").json()["viewers"] == 1


def test_a_restart_forgets_leases_in_memory_and_renews_certificates(control_planes):
    """A certificate that is missing is made at the start, and both sides take the new one; an ended session is forgotten."""
    plane = control_planes(*LISTEN)
    before = Asker(plane, "node-production")
    assert [before.ask("ann", name, limit=1).status_code for name in ("tv", "phone")] == [204, 409]
    plane.stop()
    for name in ("server.pem", "node-production.pem"):
        (plane.data / name).unlink()
    plane.start()
    after = Asker(plane, "node-production")
    assert after.ask("ann", "phone", limit=1).status_code == 204
    assert f"port_value: {plane.leases_port}" in (plane.data / "envoy-production.yaml").read_text()


def test_an_envoy_asks_through_the_written_cluster(control_planes, tmp_path):
    """With the certificate and the server's identity that the file names; docs/fleet.md has the same cluster."""
    plane = control_planes(*LISTEN)
    _, _, (_, leases) = lines(plane, "production")
    made = bootstrap(1, "h1", [], tmp_path / "access.log")
    made["static_resources"]["clusters"] = [leases]
    (manager,) = (each["typed_config"] for each in made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"])
    manager["route_config"]["virtual_hosts"][0]["routes"][0]["route"]["cluster"] = "leases"
    envoy = Proxy(tmp_path, made)
    try:
        asked = [requests.get(f"http://127.0.0.1:{envoy.port}/lease", headers=headers("ann", name), timeout=30) for name in "abc"]
        assert [answer.status_code for answer in asked] == [204, 204, 409]
    finally:
        envoy.stop()
    assert plane.client().get(f"{SESSIONS}/counts").json()["policies"] == [{"realm": "production", "policy": "vod", "sessions": 2}]

    written, (shown,) = yaml.safe_dump(leases), yaml.safe_load(pages.block(pages.read("fleet.md"), "yaml"))
    shown = yaml.safe_dump(shown).replace("/etc/envoy/", f"{plane.data}/").replace("control.example.com", "localhost")
    assert shown.replace("port_value: 8083", f"port_value: {plane.leases_port}") == written


def test_sessions_have_no_secret(control_planes):
    """Of an access token only the viewer's name is kept: not its payload, the session's token or the viewer's address."""
    plane = control_planes(*LISTEN)
    secrets = ["secret-of-payload", "203.0.113.77"]
    asker = Asker(plane, "node-production")
    assert asker.ask("ann", "tv", **{"x-playlock-payload": f"user=ann;note={secrets[0]}"}).status_code == 204
    owner = plane.client()
    owner.post(f"{SESSIONS}/end", {"realm": "production", "group": "tv", "viewer": "ann"})
    assert asker.ask("ann", "phone", **{"x-playlock-payload": f"user=ann;note={secrets[0]}"}).status_code == 204
    texts = [owner.get(path).text for path in (SESSIONS, f"{SESSIONS}/counts", f"{CONTROL}/audit", "/openapi.json")]
    texts += [owner.get(SESSIONS, headers={"Accept": "text/csv"}).text, plane.stderr(), requests.get(f"{plane.health}/metrics", timeout=10).text]
    assert "ann" in texts[0] and [each for each in secrets for text in texts if each in text] == []
