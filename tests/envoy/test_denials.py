"""Tests refusals: the viewer's response, the access log and the counter have the same reason."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from support import session_tokens, tokens
from support.edge import document
from support.hls import Viewer
from support.ways import HOLD

BOTH = pytest.mark.parametrize("edge", HOLD, indirect=True)
MASTER, MEDIA, SEGMENT = "/ts/master.m3u8", "/ts/v180/index.m3u8", "/ts/v180/seg0.ts"


def opened(edge, path=MEDIA):
    """A session: (its token, the URL of its key, of its first segment)."""
    playlist = Viewer().playlist(edge.link(path))
    token = parse_qs(urlsplit(playlist.segments[0].url).query)["hdntl"][0]
    return token, playlist.keys[0].url, playlist.segments[0].url


def check(edge, target, status, word, headers=None, method=None, reached=False):
    """Sends a request, and compares response, log, counter and origin with the expected ones."""
    edge.site.requests.clear()
    before = edge.proxy.counters()
    response = edge.get(target, headers, method=method)
    assert response.status == status, f"{response.status} {response.body[:300]!r}"
    problem = json.loads(response.body)
    assert response.header("content-type") == "application/problem+json"
    assert response.header("cache-control") == "no-store"
    assert (problem["type"], problem["status"], problem["instance"]) == (word, status, response.id)
    assert set(problem) == {"type", "title", "status", "instance"} and problem["title"]
    assert tokens.PASSWORD.encode() not in response.body and b"hmac" not in response.body
    for secret in ("#EXTM3U", "seg0", "x-origin"):
        assert secret not in response.text and not response.header("x-origin")
    entry = edge.proxy.logged(response.id)
    assert entry["reason"] == word, entry
    grown = {name: value - before[name] for name, value in edge.proxy.counters().items() if value > before[name]}
    assert grown == {f"playlock.refused.{word}": 1, f"playlock.requests.{entry['kind']}": 1}
    assert bool(edge.asked()) == reached, "the origin must not hear of it"
    return response


@BOTH
@pytest.mark.parametrize("path", [MASTER, MEDIA, SEGMENT, "/ts/audio/seg0.aac", "/cmaf/v180/init.mp4", "/"])
def test_without_a_token(edge, path):
    check(edge, path, 403, "missing")


@BOTH
@pytest.mark.parametrize("token, word", [
    ("", "malformed"),
    ("nonsense", "malformed"),
    ("exp=1~acl=/*", "malformed"),
    ("exp=99999999999999999999~acl=/*~hmac=" + "0" * 64, "malformed"),
    (tokens.signed("acl=/*"), "malformed"),
    (tokens.signed("exp=4102444800~acl=/*~acl=/x"), "malformed"),
    (tokens.signed("exp=4102444800~exp=4102444800~acl=/*"), "malformed"),
    (tokens.signed("exp=4102444800~acl=/*~role=admin"), "malformed"),
    (tokens.signed("exp=4102444800~acl=/*~id="), "malformed"),
    (tokens.signed("exp=4102444800~acl="), "malformed"),
    (tokens.signed("exp=4102444800~acl=/*") + "~data=x", "malformed"),
    (tokens.signed("exp=4102444800~acl=/*", tokens.STRANGER), "signature"),
    (tokens.signed("exp=4102444800~acl=/*").replace("exp=4", "exp=5"), "signature"),
    (tokens.signed("exp=4102444800~acl=/cmaf/*").replace("/cmaf/", "/ts/"), "signature"),
    (tokens.signed("exp=4102444800~acl=/*")[:-1] + "?", "malformed"),
    (tokens.signed("exp=4102444800~acl=/*")[:-2], "malformed"),
    (tokens.signed("exp=4102444800~acl=/*", algorithm="sha1"), "algorithm"),
    (tokens.signed("exp=1600000000~acl=/*"), "expired"),
    (tokens.signed("st=4102444000~exp=4102444800~acl=/*"), "early"),
    (tokens.signed("exp=4102444800~acl=/cmaf/*"), "path"),
    (tokens.signed("ip=203.0.113.7~exp=4102444800~acl=/*"), "ip"),
    (tokens.signed("exp=4102444800~acl=/*~data=" + "x" * 1500), "oversize"),
])
def test_a_bad_access_token(edge, token, word):
    check(edge, f"{MASTER}?hdnts={token}", 403, word)


@BOTH
def test_a_token_sent_twice(edge):
    token = tokens.by_python(acl="/*")
    check(edge, f"{MASTER}?hdnts={token}&hdnts={token}", 403, "duplicate")
    session, _, segment = opened(edge)
    check(edge, f"{segment}&hdntl={session}", 403, "duplicate")


@BOTH
def test_a_session_token_opens_no_session(edge):
    session, _, _ = opened(edge)
    check(edge, f"{MASTER}?hdnts={session}", 403, "swapped")


@BOTH
@pytest.mark.parametrize("what", ["playlist", "segment", "key"])
@pytest.mark.parametrize("name", ["hdntl", "hdnts"])
def test_an_access_token_gets_no_content(edge, name, what):
    """Under either name; it is for playlists under its own name."""
    access = tokens.by_python(acl="/*")
    _, key, _ = opened(edge)
    target = {"playlist": MEDIA, "segment": SEGMENT, "key": key.partition("&hdntl=")[0]}[what]
    target += f"{'&' if '?' in target else '?'}{name}={access}"
    if (name, what) == ("hdnts", "playlist"):
        assert edge.get(target).status == 200
    else:
        words = {("hdnts", "key"): "missing", ("hdnts", "segment"): "content"}
        check(edge, target, 403, words.get((name, what), "swapped"))


@BOTH
def test_a_session_token_that_somebody_changed(edge):
    session, _, segment = opened(edge)
    flipped = session[:-2] + ("0" if session[-2] != "0" else "1") + session[-1]
    check(edge, f"{SEGMENT}?hdntl={flipped}", 403, "signature")
    check(edge, f"{SEGMENT}?hdntl={session_tokens.prolonged(session)}", 403, "signature")
    check(edge, f"{SEGMENT}?hdntl={session}=", 403, "malformed")
    check(edge, f"{SEGMENT}?hdntl={session[:40]}", 403, "malformed")
    check(edge, f"{SEGMENT}?hdntl=nonsense", 403, "malformed")


@BOTH
def test_a_session_stays_where_its_token_let_it_in(edge):
    """The access token covers one folder, and so does the session."""
    playlist = Viewer().playlist(edge.link(MEDIA, tokens.by_python(acl="/ts/v180/*")))
    token = parse_qs(urlsplit(playlist.segments[0].url).query)["hdntl"][0]
    check(edge, f"/ts/v360/seg0.ts?hdntl={token}", 403, "path")
    check(edge, f"/cmaf/master.m3u8?hdntl={token}", 403, "path")


@BOTH
def test_the_key_is_for_its_session_only(edge):
    """Another viewer's key URL, with one's own token, with none, or with a change: no key."""
    token, key, _ = opened(edge)
    other_token, other_key, _ = opened(edge)
    parts = parse_qs(urlsplit(key).query)
    others = parse_qs(urlsplit(other_key).query)
    check(edge, "/serve.key", 403, "parameter")
    check(edge, f"/serve.key?plk={parts['plk'][0]}", 403, "missing")
    check(edge, f"/serve.key?hdntl={token}", 403, "parameter")
    mac = parts["plk"][0]
    check(edge, f"/serve.key?plk={mac[:-1]}{'A' if mac[-1] != 'A' else 'B'}&hdntl={token}", 403, "parameter")
    check(edge, f"/serve.key?plk={others['plk'][0]}&hdntl={token}", 403, "session")
    mine = edge.get(f"/serve.key?plk={mac}&hdntl={token}").body
    theirs = edge.get(f"/serve.key?plk={others['plk'][0]}&hdntl={other_token}").body
    assert len(mine) == len(theirs) == 16 and mine != theirs
    assert not edge.asked("/serve.key")


@BOTH
def test_what_lets_an_init_section_out_in_clear_lets_nothing_else_out(edge):
    """The parameter is signed for one path: no segment is served in clear with it, nor with an invented one."""
    playlist = Viewer().playlist(edge.link("/cmaf/v180/index.m3u8"))
    init, segment = playlist.items[0].url, playlist.segments[0].url
    clear = parse_qs(urlsplit(init).query)["plk"][0]
    for plk in (clear, "clear", "clear~", "clear~AAAA", parse_qs(urlsplit(playlist.keys[0].url).query)["plk"][0], ""):
        check(edge, f"{segment}&plk={plk}", 403, "parameter")
    check(edge, f"{init}&plk={clear}", 403, "duplicate")
    # Without it the init section is media like any other, and comes encrypted.
    bare = edge.get(f"/cmaf/v180/init.mp4?hdntl={parse_qs(urlsplit(init).query)['hdntl'][0]}")
    assert bare.status == 200 and b"ftyp" not in bare.body


@BOTH
@pytest.mark.parametrize("path", [
    "/ts/../ts/master.m3u8", "/ts/./master.m3u8", "//ts/master.m3u8", "/ts//master.m3u8", "/ts%2fmaster.m3u8",
    "/ts/%2e%2e/ts/master.m3u8", "/ts/%252e%252e/master.m3u8", "/ts/..%5cmaster.m3u8", "/ts/master.m3u8%00.ts",
    "/ts/%zz/master.m3u8", "/..;/ts/master.m3u8", "/ts/%c0%ae%c0%ae/master.m3u8",
])
def test_a_path_that_servers_could_read_differently(edge, path):
    check(edge, f"{path}?hdnts={tokens.by_python(acl='/*')}", 400, "target")


@BOTH
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods(edge, method):
    response = check(edge, edge.link(MASTER), 405, "method", method=method)
    assert response.header("allow") == "GET, HEAD"


@BOTH
def test_over_http2_too(edge):
    response = edge.get(MASTER, http="2")
    assert (response.status, response.exit, json.loads(response.body)["type"]) == (403, 0, "missing")


@BOTH
def test_what_goes_well_is_logged_too(edge):
    """The access log has kind, session and policy of every request, and a counter counts it."""
    before = edge.proxy.counters()
    viewer = Viewer()
    master = viewer.get(edge.link("/cmaf/master.m3u8"))
    playlist = viewer.playlist(edge.link("/cmaf/v180/index.m3u8"))
    answers = [master] + [viewer.get(url) for url in (playlist.items[0].url, playlist.segments[0].url, playlist.keys[0].url)]
    entries = [edge.proxy.logged(answer.id) for answer in answers]
    kinds = [entry["kind"] for entry in entries]
    assert kinds == ["playlist", "clear", "segment", "key"]
    assert all(entry["policy"] == "vod" and entry["session"] and entry["reason"] in (None, "-", "") for entry in entries)
    assert len({entry["session"] for entry in entries[1:]}) == 1
    grown = {name: value - before[name] for name, value in edge.proxy.counters().items() if value > before[name]}
    assert grown == {"playlock.requests.playlist": 2, "playlock.requests.clear": 1, "playlock.requests.segment": 1,
                     "playlock.requests.key": 1}


def test_a_path_that_no_policy_covers(edge, edges, shop):
    """Refused or, with `default: pass`, served as without the filter."""
    check(shop, shop.link("/cmaf/master.m3u8"), 403, "unassigned")
    passing = edges(document(path="/ts/...", default="pass"))
    free = passing.get("/cmaf/master.m3u8")
    assert free.status == 200 and free.body == edge.site.file("/cmaf/master.m3u8")
    assert free.header("etag") and free.header("accept-ranges") == "bytes"
    assert passing.get("/cmaf/v180/seg0.m4s", {"Range": "bytes=0-9"}).status == 206
    assert passing.get(MASTER).status == 403


def test_of_two_policies_each_holds_its_own(edge, shop):
    """A session of one policy is not valid under the other, although they have the same passwords and secret."""
    site = edge.site
    paths = [site.stream(folder, seg_ts=folder.encode()) for folder in ("vod", "weak")]
    viewers = [Viewer(), Viewer()]
    items = [viewer.playlist(shop.link(path)).segments[0] for viewer, path in zip(viewers, paths)]
    token = parse_qs(urlsplit(items[0].url).query)["hdntl"][0]
    site.requests.clear()
    assert shop.get(f"/weak/seg.ts?hdntl={token}").status == 403 and not shop.asked()
    key = parse_qs(urlsplit(items[1].key.url).query)["plk"][0]
    assert shop.get(f"/serve.key?plk={key}&hdntl={token}").status == 403
    assert [viewer.plain(item) for viewer, item in zip(viewers, items)] == [b"vod", b"weak"]
    assert [shop.proxy.logged(shop.get(item.url).id)["policy"] for item in items] == ["vod", "weak"]
