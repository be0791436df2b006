"""Tests CORS in a real browser: hls.js on a page of another site plays if and only if the policy allows that site."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from support import tokens
from support.playback import elsewhere, played
from support.ways import HELD_OR_NOT

ONE = pytest.mark.parametrize("features", HELD_OR_NOT[:1], indirect=True)
BOTH = pytest.mark.parametrize("features", HELD_OR_NOT, indirect=True)


def short(site, folder):
    """The first half of a rendition; returns the playlist's path."""
    at = site.copy("ts", folder)
    text = site.file(f"{at}/v180/index.m3u8").decode()
    return site.put(f"{at}/v180/short.m3u8", text.partition("#EXTINF:4.000000,\nseg3.ts")[0] + "#EXT-X-ENDLIST\n")


def whole(report):
    """Checks that the page has played to the end."""
    assert not report["fatal"] and not report["mediaError"] and not report["errors"], report
    assert report["duration"] > 10 and report["currentTime"] >= report["duration"] - 0.1, report
    assert report["frames"] > 0


@ONE
def test_any_page_plays_where_the_policy_says_so(features, site, page, tmp_path):
    """Playlist, key and segments load, and the page can read the reason of a refusal."""
    path = short(site, "anywhere")
    refused = [features.url + target for target in (path, "/anywhere/ts/v180/seg0.ts", f"{path}?hdnts=x")]
    report = played(features.link(path), tmp_path / "profile", page=elsewhere(page), fetch=refused)
    whole(report)
    assert {urlsplit(request["url"]).path.rpartition(".")[2] for request in report["requests"]} == {"m3u8", "key", "ts"}
    assert [read.get("status") for read in report["read"]] == [403, 403, 403], report["read"]
    assert [json.loads(read["body"])["type"] for read in report["read"]] == ["missing", "missing", "malformed"]
    asked = features.asked("/anywhere/ts/v180/seg0.ts")
    assert len(asked) == 1 and asked[0].header("origin") == elsewhere(page).removesuffix("/player.html"), "it was another origin"


@ONE
def test_an_access_token_in_a_header_of_its_own(features, site, page, tmp_path):
    """The browser sends a preflight request for every URL with such a header; the origin receives none of them."""
    path, token = short(site, "anywhere"), tokens.by_python(acl="/anywhere/*")
    before = features.proxy.counters().get("playlock.requests.preflight", 0)
    report = played(features.url + path, tmp_path / "profile", page=elsewhere(page), headers={"hdnts": token})
    whole(report)
    preflights = features.proxy.counters()["playlock.requests.preflight"] - before
    assert preflights >= 5, "playlist, key and three segments"
    assert {request.method for request in features.asked() if request.target.startswith("/anywhere/")} == {"GET"}
    assert all(token not in repr(request) for request in features.asked())


@ONE
def test_cookies_go_along_where_the_policy_names_the_page(features, site, page, tmp_path):
    """The session is in a cookie only, so nothing but the playlist would load without it. The page can read the headers
    that the policy exposes."""
    path = short(site, "credentials")
    report = played(features.link(path), tmp_path / "profile", page=page, credentials=True,
                    fetch=[features.url + "/credentials/ts/v180/seg0.ts", features.url + "/credentials/ts/v180/seg0.ts?plk=x"])
    whole(report)
    queries = [parse_qs(urlsplit(request["url"]).query) for request in report["requests"]]
    references = {value for query in queries for value in query.get("hdntl", [])}
    assert len(references) == 1 and len(references.pop()) == 8, "the URLs name the cookie and do not hold the token"
    served, refused = report["read"]
    assert (served["status"], refused.get("status")) == (200, 403), report["read"]
    assert served["headers"]["x-request-id"] and refused["headers"]["x-request-id"] == json.loads(refused["body"])["instance"]


@ONE
@pytest.mark.parametrize("folder, others, how", [
    ("vod", [], {}),  # its policy says nothing of pages
    ("credentials", ["vod", "anywhere"], {"credentials": True}),  # it names another page; `*` is not for cookies
], ids=["no-cors", "other-page"])
def test_else_the_same_page_gets_nothing(features, site, page, tmp_path, folder, others, how):
    paths = {name: short(site, name) for name in (folder, *others)}
    report = played(features.link(paths[folder]), tmp_path / "profile", page=elsewhere(page), **how,
                    fetch=[features.link(path) for path in paths.values()])
    assert report["fatal"] and "manifestLoadError" in report["fatal"][0], report
    assert report["frames"] == 0
    assert [list(read) for read in report["read"]] == [["error"]] * len(paths), report["read"]


@BOTH
def test_a_cookie_for_other_sites_needs_https_and_their_names(features, site, page):
    """Browsers send it across sites only with SameSite=None and Secure, and expose responses only to origins that are
    named."""
    path, page = short(site, "credentials"), page.removesuffix("/player.html")
    sent = {"Origin": page, "X-Forwarded-Proto": "https"}
    opened = features.get(features.link(path), sent)
    assert opened.status == 200
    cookie = opened.header("set-cookie")
    assert "SameSite=None" in cookie and "Secure" in cookie
    segment = features.get("/credentials/ts/v180/seg0.ts", {**sent, "Cookie": cookie.partition(";")[0]})
    refused = features.get("/credentials/ts/v180/seg0.ts", sent)
    gone = features.get("/credentials/ts/none.ts", {**sent, "Cookie": cookie.partition(";")[0]})
    site.put("/credentials/ts/moved.ts", status=302, headers=(("Location", "v180/seg0.ts"),))
    moved = features.get("/credentials/ts/moved.ts", {**sent, "Cookie": cookie.partition(";")[0]})
    assert [answer.status for answer in (segment, refused, gone, moved)] == [200, 403, 404, 302]
    for answer in (opened, segment, refused, gone, moved):
        assert answer.header("access-control-allow-origin") == page
        assert answer.header("access-control-allow-credentials") == "true"
        assert answer.header("access-control-expose-headers") == "x-request-id"
        assert "origin" in answer.header("vary").lower()
    stranger = features.get(features.link(path), {**sent, "Origin": f"{page}.example"})
    assert stranger.all("access-control-allow-origin") == [] and "origin" in stranger.header("vary").lower()


@BOTH
@pytest.mark.parametrize("http", ["1.1", "2"])
def test_preflights_of_everything(features, site, http):
    """The same response for playlist, segment, key and missing files, without a token, and without the origin."""
    sent = {"Origin": "https://tv.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "hdnts"}
    key = features.get(features.link(short(site, "anywhere"))).text.partition('URI="')[2].partition('"')[0]
    site.requests.clear()
    for target in ("/anywhere/ts/v180/short.m3u8", "/anywhere/ts/v180/seg0.ts", key, "/anywhere/none"):
        answer = features.get(target, sent, http, "OPTIONS")
        assert (answer.status, answer.exit, answer.body) == (204, 0, b""), target
        assert answer.header("access-control-allow-origin") == "*"
        assert answer.header("access-control-allow-headers") == "hdnts"
        assert answer.header("access-control-allow-methods") == "GET, HEAD"
    plain = features.get("/vod/ts/v180/seg0.ts", sent, http, "OPTIONS")
    assert plain.status == 405 and plain.all("access-control-allow-origin") == []
    assert not features.asked()
