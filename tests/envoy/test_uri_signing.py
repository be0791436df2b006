"""Tests URI Signing (RFC 9246) with tokens from two libraries: as access tokens, and chained from response to response,
between nodes of playlock and with Apache Traffic Server."""

import json
import os
import re
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from support import pages, places, tokens, uri_signing
from support.edge import document, policy
from support.hls import Viewer, parse
from support.traffic_server import TrafficServer
from support.uri_signing import EDGE, KEYS, OTHER, below, hashed, public, read

NAME = "URISigningPackage"
SEGMENT = b"what the customer sells" * 9
RSA = uri_signing.rsa()
SITE = {**KEYS, "RS256": RSA}
EVERY_MAKER = pytest.mark.parametrize("make", uri_signing.MAKERS.values(), ids=uri_signing.MAKERS)


def signing(**members):
    """`tokenAuth` of a policy with the site's keys."""
    keys = [public(key, "site") for key in SITE.values()]
    return {"formats": ["urisigning"], "urisigning": {"keys": keys, **members}}


def chaining(own, issuer, *others):
    """A policy that renews tokens with the key `own`."""
    keys = [*(public(key, "site") for key in SITE.values()), {**own, "iss": issuer}, *others]
    auth = {"enabled": True, "formats": ["urisigning"], "urisigning": {"keys": keys, "chaining": {"issuer": issuer}}}
    return {"policyName": issuer, "tokenAuth": auth}


ATS = {"kty": "oct", "kid": "ats-1", "alg": "HS256", "k": "0Zk2pBDNbk2GqhwoB_DGBAsBxqQZVix04rIoLJ7p_Rk"}


@pytest.fixture(scope="module")
def signed(edges):
    """An edge with a policy that takes URI Signing tokens beside EdgeAuth ones, behind one trusted proxy."""
    both = signing(audience=["edge"], decryptionKeys=[uri_signing.CLAIMS])
    both["formats"] = ["edgeauth", "urisigning"]
    return edges(document(policy("vod", both)), trusted_hops=1)


@pytest.fixture(scope="module")
def nodes(edges):
    """Two edges that renew tokens, with keys of their own, of different algorithms. Both know the other's public key, or the
    secret if there is none, and that of Traffic Server."""
    first = chaining(EDGE, "first", public(OTHER, "second"), public(ATS, "ats"))
    second = chaining(OTHER, "second", public(EDGE, "first"))
    return edges(document(first, path="/...")), edges(document(second, path="/..."))


@pytest.fixture(autouse=True)
def streams(site):
    site.stream("vod/a", seg_ts=SEGMENT)


def opens(edge, target, headers=None):
    """The URL leads to a stream that plays: playlist, key and segment."""
    viewer = Viewer(headers=headers)
    playlist = viewer.playlist(edge.url + target)
    assert viewer.plain(playlist.segments[0]) == SEGMENT
    assert all(NAME not in request.target for request in edge.asked())
    return True


def refused(edge, target, headers=None):
    """Checks that the URL is refused, and returns the reason."""
    response = edge.get(target, headers)
    assert response.status == 403 and SEGMENT not in response.body and not edge.asked()
    return json.loads(response.body)["type"]


def claims(**members):
    return {"iss": "site", "exp": tokens.now() + 60, "cdniuc": below("/vod"), **members}


@EVERY_MAKER
@pytest.mark.parametrize("algorithm", SITE)
def test_every_algorithm_opens_a_stream(signed, make, algorithm):
    token = make(claims(), SITE[algorithm])
    assert opens(signed, f"/vod/a/index.m3u8?{NAME}={token}")
    signed.site.requests.clear()
    forged = token[:-8] + token[-8:].swapcase()
    assert refused(signed, f"/vod/a/index.m3u8?{NAME}={forged}") in ("signature", "malformed")


@EVERY_MAKER
def test_every_place(signed, make):
    token = make(claims())
    assert opens(signed, f"/vod/a/index.m3u8?b=1&{NAME}={token}&c=2")
    assert signed.asked("/vod/a/index.m3u8")[0].target == "/vod/a/index.m3u8?b=1&c=2"
    assert opens(signed, f"/vod/a/index.m3u8;{NAME}={token}")
    assert opens(signed, f"/vod;{NAME}={token}/a/index.m3u8")
    assert opens(signed, "/vod/a/index.m3u8", {"Cookie": f"x=1; {NAME}={token}"})
    assert all("x=1" == request.header("cookie") for request in signed.asked()[-2:])
    signed.site.requests.clear()
    assert refused(signed, "/vod/a/index.m3u8", {NAME: token}) == "missing"
    assert refused(signed, f"/vod/a/index.m3u8;{NAME}={token}?{NAME}={token}") == "duplicate"


@EVERY_MAKER
def test_a_hash_covers_one_uri(signed, make):
    uri = f"{signed.url}/vod/a/index.m3u8?b=1"
    token = make(claims(cdniuc=hashed(uri)))
    assert opens(signed, f"/vod/a/index.m3u8?b=1&{NAME}={token}")
    for name in ("index.m3u8", "seg.ts"):
        signed.site.replies[f"/vod/%61/{name}"] = signed.site.replies[f"/vod/a/{name}"]
    assert opens(signed, f"/vod/%61/index.m3u8?{NAME}={token}&b=1")
    signed.site.requests.clear()
    assert refused(signed, f"/vod/a/index.m3u8?b=2&{NAME}={token}") == "path"


@EVERY_MAKER
@pytest.mark.parametrize("members, reason", [
    ({"exp": 1}, "expired"), ({"nbf": 9999999999}, "early"), ({"aud": "other"}, "audience"), ({"jti": "1"}, "malformed"),
    ({"iss": "first"}, "signature"), ({"cdniv": 2}, "malformed"), ({"cdnicrit": "x", "x": 1}, "malformed"),
    ({"cdniip": "203.0.113.0/24"}, "malformed"), ({"cdniets": 30}, "malformed"), ({"cdniuc": below("/vod/b")}, "path"),
    ({"cdniuc": "regex:http://127.0.0.1"}, "path"), ({"cdniuc": "regex:\\d"}, "malformed"),
])
def test_claims_that_refuse(signed, make, members, reason):
    assert refused(signed, f"/vod/a/index.m3u8?{NAME}={make(claims(**members))}") == reason


@EVERY_MAKER
def test_an_encrypted_network(signed, make):
    """The claim is a JWE of joserfc; the client's address is the one that Envoy trusts."""
    token = make(claims(cdniip=uri_signing.encrypted("203.0.113.0/24"), sub=uri_signing.encrypted("viewer-7"), aud=["edge"]))
    assert opens(signed, f"/vod/a/index.m3u8?{NAME}={token}", {"X-Forwarded-For": "203.0.113.7"})
    signed.site.requests.clear()
    assert refused(signed, f"/vod/a/index.m3u8?{NAME}={token}", {"X-Forwarded-For": "198.51.100.7"}) == "ip"


def test_edge_auth_beside_it(signed):
    assert opens(signed, f"/vod/a/index.m3u8?hdnts={tokens.by_python(acl='/vod/*')}")
    signed.site.requests.clear()
    token = uri_signing.by_python(claims())
    assert refused(signed, f"/vod/a/index.m3u8?hdnts={token}") == "malformed"
    assert refused(signed, f"/vod/a/index.m3u8?hdnts={tokens.by_python(acl='/vod/*')}&{NAME}={token}") == "duplicate"


def renewable(**members):
    return claims(**{"iat": tokens.now(), "cdniets": 30, "cdnistt": 1, "cdnistd": 1, **members})


def cookie(response):
    """The token in a response's cookie, and its attributes."""
    (field,) = response.all("set-cookie")
    pair, *attributes = field.split("; ")
    assert pair.startswith(f"{NAME}=")
    return pair.partition("=")[2], attributes


def chained(node, target, token=None):
    """Requests something with a token in the cookie; returns the response."""
    return node.get(target, {"Cookie": f"{NAME}={token}"} if token else None)


@EVERY_MAKER
@pytest.mark.parametrize("place", ["?{}", ";{}"])
def test_a_chain_across_two_nodes(nodes, site, make, place):
    """Each node verifies the token that the other renewed. joserfc verifies each of them."""
    first, second = nodes
    start = tokens.now()
    playlist = first.get("/vod/a/index.m3u8" + place.format(f"{NAME}={make(renewable())}"))
    assert playlist.status == 200 and playlist.body == site.file("/vod/a/index.m3u8")
    assert site.requests[-1].target == "/vod/a/index.m3u8"
    token, attributes = cookie(playlist)
    assert attributes == ["Path=/vod", "Max-Age=30", "HttpOnly", "SameSite=Lax"]
    assert playlist.header("cache-control").startswith("private")
    uri = urlsplit(parse(playlist.text, f"{first.url}/vod/a/index.m3u8").segments[0].url).path
    for node, key, issuer in [(second, OTHER, "second"), (first, EDGE, "first"), (first, EDGE, "first"), (second, OTHER, "second")]:
        response = chained(node, uri, token)
        assert response.status == 200 and response.body == SEGMENT
        assert site.requests[-1].header("cookie") is None
        token, _ = cookie(response)
        head, now = read(token, key)
        assert head == {"alg": key["alg"], "kid": key["kid"]}
        assert {**now, "exp": 0, "iat": 0} == renewable(iss=issuer) | {"exp": 0, "iat": 0}
        assert start + 30 <= now["exp"] <= tokens.now() + 30 and now["iat"] == now["exp"] - 30
    stranger = uri_signing.by_python(renewable(iss="second"), EDGE)
    assert chained(first, uri, stranger).status == 403
    assert chained(first, uri).status == 403


def test_a_chain_on_other_requests(nodes, site):
    """HEAD, errors, redirects, bodies, and what a policy without sessions does not do."""
    first, _ = nodes
    token = uri_signing.by_python(renewable())
    site.put("/vod/moved.m3u8", status=302, headers=(("Location", "http://other.example/vod/a/index.m3u8?x=1"),))
    assert cookie(first.get(f"/vod/a/seg.ts?{NAME}={token}", method="HEAD"))
    assert cookie(chained(first, "/vod/moved.m3u8", token))
    missing = chained(first, "/vod/none.ts", token)
    assert missing.status == 404 and not missing.all("set-cookie")
    assert json.loads(chained(first, "/other/a.ts", token).body)["type"] == "path"
    assert first.get(f"/vod/a/seg.ts?{NAME}={token}", method="POST").status == 405
    moved = first.get(f"/vod/moved.m3u8?{NAME}={uri_signing.by_python(renewable(cdnistt=2))}")
    assert moved.status == 302 and not moved.all("set-cookie")
    target, _, renewed = moved.header("location").partition(f"&{NAME}=")
    assert target == "http://other.example/vod/a/index.m3u8?x=1" and read(renewed, EDGE)[1]["iss"] == "first"
    shallow = chained(first, "/vod/a/seg.ts", uri_signing.by_python(renewable(cdnistd=4)))
    assert shallow.status == 200 and not shallow.all("set-cookie")


@pytest.fixture(scope="module")
def traffic_server(origins):
    """Traffic Server with a key of its own, and those of the site and of the first node."""
    keys = {
        "ats": {"renewal_kid": ATS["kid"], "keys": [ATS]},
        "site": {"keys": [public(KEYS["ES256"])]},
        "first": {"keys": [EDGE]},
    }
    server = TrafficServer(origins["h1"].port, keys)
    yield server
    server.stop()


def test_a_chain_with_traffic_server(nodes, traffic_server, site):
    """Another implementation accepts the tokens that playlock renews, and playlock those that it renews."""
    first, _ = nodes
    elsewhere = lambda path, token: first.get(f"{traffic_server.url}{path}", {"Cookie": f"{NAME}={token}"})
    token = uri_signing.by_python(renewable())
    begun = first.get(f"{traffic_server.url}/vod/a/index.m3u8?{NAME}={token}")
    assert begun.status == 200 and begun.body == site.file("/vod/a/index.m3u8")
    token, _ = cookie(begun)
    assert read(token, ATS)[1]["iss"] == "ats"
    for _ in range(2):
        ours = chained(first, "/vod/a/seg.ts", token)
        assert ours.status == 200 and ours.body == SEGMENT
        token, attributes = cookie(ours)
        assert read(token, EDGE)[1]["iss"] == "first" and "Path=/vod" in attributes
        theirs = elsewhere("/vod/a/seg.ts", token)
        assert theirs.status == 200 and theirs.body == SEGMENT
        token, attributes = cookie(theirs)
        assert read(token, ATS)[1]["iss"] == "ats" and "Path=/vod" in attributes
    forged = token[:-8] + token[-8:].swapcase()
    assert chained(first, "/vod/a/seg.ts", forged).status == elsewhere("/vod/a/seg.ts", forged).status == 403
    alone = uri_signing.by_python(renewable(iss="first"), OTHER)
    assert chained(first, "/vod/a/seg.ts", alone).status == elsewhere("/vod/a/seg.ts", alone).status == 403


TEXT = pages.read("tokens.md")
HOST = {"Host": "edge.example", "X-Forwarded-Proto": "https"}


def named(name):
    """The block of docs/tokens.md for a file of this name."""
    (found,) = re.findall(rf"```\w+ {re.escape(name)}\n(.*?)```", TEXT, re.S)
    return found


@pytest.mark.parametrize("program", ["urisign.py", "urisign.mjs"])
def test_the_programs_of_the_page(edges, site, tmp_path, program):
    """docs/tokens.md: its configuration accepts what its programs sign, for what the pattern matches."""
    edge = edges(json.loads(named("urisigning.json")), trusted_hops=1)
    site.stream("vod/film", seg_ts=SEGMENT)
    (tmp_path / program).write_text(named(program))
    (tmp_path / "node_modules").symlink_to(places.NODE_MODULES)
    command = [sys.executable] if program.endswith("py") else [places.tool("node", install="nodejs")]

    def signed(pattern):
        run = subprocess.run([*command, program, pattern, "60"], cwd=tmp_path, capture_output=True, text=True,
                             env={**os.environ, "SITE_KEY": json.dumps(KEYS["ES256"])})
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    good = edge.get(f"/vod/film/index.m3u8?{NAME}={signed(r'https://edge\.example/vod/film/.*')}", HOST)
    assert good.status == 200 and b"hdntl=" in good.body
    prefix = edge.get(f"/vod/film/index.m3u8?{NAME}={signed('https://edge.example/vod/film/')}", HOST)
    assert json.loads(prefix.body)["type"] == "path"


def test_the_chain_of_the_page(edges, site):
    edge = edges(json.loads(named("chaining.json")), vm={"EDGE_KEY": OTHER["d"]}, trusted_hops=1)
    site.stream("vod/film", seg_ts=SEGMENT)
    made = {"iss": "site.example", "exp": tokens.now() + 60, "cdnistt": 1, "cdniets": 90, "cdnistd": 2,
            "cdniuc": r"regex:https://edge\.example/vod/film/.*"}
    token = uri_signing.by_python(made, {**KEYS["ES256"], "kid": "2026-01"})
    begun = edge.get(f"/vod/film/index.m3u8?{NAME}={token}", HOST)
    token, attributes = cookie(begun)
    assert attributes == ["Path=/vod/film", "Max-Age=90", "HttpOnly", "Secure", "SameSite=None"]
    head, now = read(token, OTHER)
    assert head == {"alg": "ES256", "kid": "edge-1"} and now["iss"] == "edge.example"
    segment = edge.get("/vod/film/seg.ts", {**HOST, "Cookie": f"{NAME}={token}"})
    assert segment.status == 200 and segment.body == SEGMENT and cookie(segment)
