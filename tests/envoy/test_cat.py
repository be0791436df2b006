"""Tests Common Access Tokens through a real Envoy: made by two libraries at the current time, sent in every place, refused by
claim, and renewed so that both libraries accept the new token."""

import json
import re

import pytest

from support import cat, pages, tokens
from support.edge import document, policy
from support.hls import Viewer

SEGMENT = b"what the customer sells" * 9
TEXT = pages.read("tokens.md")
LINK = "/cat/a/index.m3u8"
FORMATS = {"formats": ["edgeauth", "cat"], "cat": {"keys": cat.keys(), "location": True, "renewal": cat.renewal()}}


@pytest.fixture(scope="module")
def edge(edges):
    return edges(document(policy("cat", FORMATS)))


@pytest.fixture(autouse=True)
def streams(site):
    for folder in ("cat/a", "cat/b"):
        site.stream(folder, seg_ts=SEGMENT)


def opens(edge, token, path=LINK, headers=None):
    """The link leads to a stream that plays: playlist, key and segment."""
    viewer = Viewer(headers=headers)
    url = edge.link(path, token, "cat") if token else edge.url + path
    playlist = viewer.playlist(url)
    assert viewer.plain(playlist.segments[0]) == SEGMENT
    assert all("cat=" not in request.target for request in edge.asked())
    return True


def refused(edge, token, path=LINK, headers=None, http="1.1"):
    """Checks that the link leads to a 403, and returns its reason."""
    response = edge.get(edge.link(path, token, "cat"), headers, http)
    assert response.status == 403 and not edge.asked()
    return json.loads(response.body)["type"]


def soon(seconds=300):
    return tokens.now() + seconds


MAKERS = {
    "node": lambda: cat.by_node({"iss": "site", "exp": soon()}),
    "node, with catu and catm": lambda: cat.by_node(
        {"exp": soon(), "catm": ["GET", "HEAD"], "catu": {"path": {"prefix-match": "/cat/a/"}, "scheme": {"exact-match": "http"}}}),
    "python": lambda: cat.by_python({1: "site", 4: soon(), 7: b"\x01\x02"}),
    "python, a float": lambda: cat.by_python({4: soon() + 0.5}),
    "python, ES256": lambda: cat.by_python({4: soon()}, "ES256"),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_token_of_a_library_opens_a_stream(edge, make):
    assert opens(edge, make())


def test_it_may_be_sent_in_every_place(edge):
    token = cat.by_node({"exp": soon()})
    assert opens(edge, token)
    for name in ("CTA-Common-Access-Token", "cta-common-access-token"):
        assert opens(edge, None, headers={"cookie": f"{name}={token}"})
        assert opens(edge, None, headers={name: token})
    assert all("common-access-token" not in str(request.headers).lower() for request in edge.asked())


def test_edgeauth_goes_on_beside_it(edge):
    viewer = Viewer()
    playlist = viewer.playlist(edge.link(LINK))
    assert viewer.plain(playlist.segments[0]) == SEGMENT
    both = edge.link(LINK) + f"&cat={cat.by_node({'exp': soon()})}"
    assert json.loads(edge.get(both).body)["type"] == "duplicate"


REFUSED = {
    "expired": (lambda: cat.by_node({"exp": soon(-60)}), "expired"),
    "early": (lambda: cat.by_node({"exp": soon(), "nbf": soon(200)}), "early"),
    "another path": (lambda: cat.by_node({"exp": soon(), "catu": {"path": {"prefix-match": "/cat/b/"}}}), "path"),
    "another host": (lambda: cat.by_node({"exp": soon(), "catu": {"host": {"exact-match": "other.example"}}}), "path"),
    "another method": (lambda: cat.by_node({"exp": soon(), "catm": ["POST"]}), "claim"),
    "a one-time token": (lambda: cat.by_node({"exp": soon(), "catreplay": 1}), "claim"),
    "another network": (lambda: cat.by_node({"exp": soon(), "catnip": ["192.0.2.0/24"]}), "ip"),
    "another country": (lambda: cat.by_python({4: soon(), 316: ["US"]}), "geo"),
    "another header": (lambda: cat.by_node({"exp": soon(), "cath": {"x-geo-country": {"exact-match": "US"}}}), "claim"),
    "HTTP/2 alone": (lambda: cat.by_python({4: soon(), 314: [b"h2"]}), "claim"),
    "an unknown claim of the standard": (lambda: cat.by_python({4: soon(), 325: 1}), "claim"),
    "no expiry": (lambda: cat.by_python({1: "site"}), "claim"),
    "forged": (lambda: cat.by_python({4: soon()})[:-4] + "AAAA", "signature"),
}


@pytest.mark.parametrize("make, reason", REFUSED.values(), ids=REFUSED)
def test_a_claim_that_does_not_hold_refuses(edge, make, reason):
    assert refused(edge, make(), headers={"x-geo-country": "DE"}) == reason


def test_claims_about_the_client_that_hold(edge):
    token = cat.by_node({"exp": soon(), "catnip": ["192.0.2.0/24", "127.0.0.0/8", "::1"], "cath": {"x-app": {"prefix-match": "tv"}}})
    assert opens(edge, token, headers={"x-app": "tv-7"})
    assert opens(edge, cat.by_python({4: soon(), 316: ["US", "DE"]}), headers={"x-geo-country": "DE"})
    assert opens(edge, cat.by_python({4: soon(), 311: [64496]}), headers={"x-geo-asn": "64496"})
    assert opens(edge, cat.by_python({4: soon(), 314: [b"http/1.1"]}))
    assert edge.get(edge.link(LINK, cat.by_python({4: soon(), 314: [b"h2"]}), "cat"), http="2").status == 200


def test_the_session_covers_the_paths_of_the_token(edge):
    token = cat.by_node({"exp": soon(), "catu": {"path": {"prefix-match": "/cat/a/"}}})
    playlist = Viewer().playlist(edge.link(LINK, token, "cat"))
    inside = playlist.segments[0].url
    assert edge.get(inside).status == 200
    response = edge.get(inside.replace("/cat/a/", "/cat/b/", 1))
    assert (response.status, json.loads(response.body)["type"]) == (403, "path")


RENEWED = {"iss": "site", "catm": ["GET", "HEAD"]}


def renewed(edge, response, token):
    """Checks a new token, with both libraries and with playlock."""
    claims = cat.decoded_by_python(token)
    assert (claims[1], claims[4] - claims[6], claims[313], len(claims[7])) == ("edge.example", 600, ["GET", "HEAD"], 16)
    assert abs(claims[6] - tokens.now()) < 60 and set(claims) == {1, 4, 6, 7, 310, 313, 323}
    assert cat.validated_by_node(token)["iss"] == "edge.example"
    again = edge.get(edge.link(LINK, token, "cat"))
    assert again.status == 200 and not again.all("set-cookie") and not again.all("location")


def test_a_token_is_renewed_in_a_cookie(edge):
    token = cat.by_node({**RENEWED, "exp": soon(30), "catr": {"type": "automatic", "expadd": 600}})
    response = edge.get(LINK, {"cookie": f"cta-common-access-token={token}"})
    assert response.status == 200
    (new,) = re.findall(r"^cta-common-access-token=([\w-]+); Path=/; Max-Age=600; HttpOnly; SameSite=Lax$", response.header("set-cookie"))
    renewed(edge, response, new)


def test_a_token_is_renewed_in_a_header(edge):
    token = cat.by_node({**RENEWED, "exp": soon(100), "catr": {"type": "header", "expadd": 600, "deadline": 120}})
    response = edge.get(edge.link(LINK, token, "cat"))
    assert response.status == 200
    renewed(edge, response, response.header("cta-common-access-token"))


def test_a_token_is_renewed_by_a_redirect(edge):
    token = cat.by_node({**RENEWED, "exp": soon(30), "catr": {"type": "automatic", "expadd": 600}})
    response = edge.get(edge.link(f"{LINK}?a=1", token, "cat"))
    assert response.status == 302 and response.body == b""
    path, new = response.header("location").split("&cat=")
    assert path == f"{LINK}?a=1"
    renewed(edge, response, new)


def test_a_token_with_time_left_is_not_renewed(edge):
    token = cat.by_node({**RENEWED, "exp": soon(100), "catr": {"type": "cookie", "expadd": 600}})
    response = edge.get(edge.link(LINK, token, "cat"))
    assert response.status == 200 and not response.all("set-cookie")


def section():
    """The page's section, and its programs and configuration by file name."""
    text = TEXT.partition("\n## Common Access Tokens\n")[2].partition("\n## ")[0]
    return text, dict(re.findall(r"^```\w+ ([\w.-]+)\n(.*?)```", text, re.S | re.M))


@pytest.mark.parametrize("program", ["python3 cat.py", "node cat.js"])
def test_the_page_s_programs_sign_what_its_configuration_accepts(edges, site, tmp_path_factory, program):
    _, files = section()
    secret = cat.b64(bytes.fromhex(cat.SECRET))
    shell = pages.Shell(tmp_path_factory.mktemp("cat"), files)
    token = shell.run(f"PLAYLOCK_CAT_KEY={secret} {program} /cat/a/ 60 viewer-7").strip()
    shell.end()
    page = edges(json.loads(files["cat.json"]), vm={"PLAYLOCK_CAT_KEY": secret, "PLAYLOCK_SECRET": "000102030405060708090a0b0c0d0e0f"})
    site.stream("vod/film", seg_ts=SEGMENT)
    assert refused(page, token, "/vod/film/index.m3u8") == "path"
    assert re.fullmatch(r"[\w-]+", token)
    shell = pages.Shell(tmp_path_factory.mktemp("cat"), files)
    token = shell.run(f"PLAYLOCK_CAT_KEY={secret} {program} /vod/film/ 60 viewer-7").strip()
    shell.end()
    site.requests.clear()
    assert opens(page, token, "/vod/film/index.m3u8")


def test_the_page_s_table_names_every_claim():
    """Of the standard, each with what the vectors confirm."""
    text, _ = section()
    text = text.partition("\n### Claims\n")[2].partition("\n### ")[0]
    rows = {name: how for names, how, _ in pages.tables(text)[1:] for name in re.findall("`(.*?)`", names)}
    known = ("iss sub aud exp nbf iat cti cnf or nor and enc crit geohash catreplay catpor catv catnip catu catm catalpn cath "
             "catgeoiso3166 catgeocoord catgeoalt cattpk catifdata catdpop catif catr cattprint").split()
    assert set(known) <= set(rows) and set(rows.values()) <= {"enforced", "refused", "ignored", "carried"}
