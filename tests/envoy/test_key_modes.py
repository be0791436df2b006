"""Tests key modes: shared keys, content without a token, an external key server and an authorizer."""

import json
import re
import socket
from urllib.parse import parse_qs, urlsplit

import pytest

from support import session_tokens
from support.byteranges import single_file
from support.edge import OLDER, SECRET, Edge, document, environment, policy
from support.hls import Viewer, decrypt
from support.own_ports import own_port
from support.playback import elsewhere, packets, played
from support.proxy import Proxy, bootstrap
from support.services import Authorizer, KeyServer
from support.ways import HELD, STREAMED

CONFIGURED = bytes(range(160, 176))
SHARED = ["stream", "application", "rotating", "numbered", "free", "derived", "configured"]
DEFAULTS = {"keyScope": None, "keyPath": None}  # in place of what the usual policy says


@pytest.fixture(scope="module")
def services():
    """The customer's key server and authorizer."""
    keys, authorizer = KeyServer(CONFIGURED, SECRET, OLDER), Authorizer()
    yield keys, authorizer
    keys.stop()
    authorizer.stop()


@pytest.fixture(scope="module")
def modes(edges, services):
    """Two edges that have a policy for each key mode, each for the folder of its name."""
    keys, authorizer = services

    def derived(folder, scope, places):
        return f"{keys.url}/k{places}&policy={folder}&scope={scope}&secret={{secret}}"

    def asking(cluster, **how):
        return {"keyAuthorizer": {"cluster": cluster, "path": "/may?a=b", "timeout": "1s", **how}}

    made = document(
        policy("session"),
        policy("stream", None, {"keyScope": "stream"}),
        policy("application", {"sessionTokenTransport": "cookie"}, {"keyScope": "application"}),
        policy("rotating", None, {"keyScope": "stream", "keyRotation": {"segments": 2}}),
        policy("numbered", None, {"keyScope": "stream", "keyRotation": {"segments": 4}, "ivMode": "sequence"}),
        policy("free", {"enforceOnContentRequest": False}, DEFAULTS),
        policy("open", {"enforceOnContentRequest": False, "enforceOnInitialRequest": False}, DEFAULTS),
        policy("clear", {"enforceOnContentRequest": False}, {"enabled": False}),
        policy("derived", None, DEFAULTS | {
            "keyScope": "stream", "keyRotation": {"segments": 2},
            "keyUrl": derived("derived", "stream", "{stream}?period={period}")}),
        policy("own", None, DEFAULTS | {"keyUrl": derived("own", "session", "?session={session}&token={token}")}),
        policy("configured", {"enforceOnContentRequest": False}, DEFAULTS | {
            "keyUrl": f"{keys.url}/36.key", "key": {"env": "PLAYLOCK_KEY"}}, cors={"allowOrigins": ["*"]}),
        policy("asked", None, asking("authorizer", host="auth.example"), cors={"allowOrigins": ["*"]}),
        policy("refusing", None, asking("refusing")),
        policy("empty", None, asking("empty")),
        policy("unknown", None, asking("nowhere")),
    )
    clusters = {"authorizer": [authorizer.port], "refusing": [own_port()], "empty": []}
    vm = environment() | {"PLAYLOCK_KEY": CONFIGURED.hex()}
    return [edges(made, hold=hold, vm=vm, clusters=clusters, trusted_hops=1) for hold in (STREAMED, HELD)]


def viewer_of(modes, path, folder, instance=0, acl=None):
    """A viewer who has opened a playlist: (viewer, its media playlists)."""
    from support import tokens

    edge = modes[instance]
    link = edge.link(path, tokens.by_python(acl=acl or f"/{folder}/*"))
    headers = {}
    if folder == "application":
        headers["Cookie"] = edge.get(link).header("set-cookie").partition(";")[0]
    viewer = Viewer(headers=headers, numbered=folder == "numbered")
    return viewer, viewer.media(link)


@pytest.mark.parametrize("folder", SHARED)
def test_two_viewers_get_the_same_bytes_under_the_same_key(modes, site, folder):
    """From two Envoys, with their own sessions, for everything in the stream's four renditions."""
    at = site.copy("cmaf", folder)
    (one, ones), (other, others) = (viewer_of(modes, f"{at}/master.m3u8", folder, instance) for instance in (0, 1))
    assert len(ones) == len(others) == 4
    for mine, theirs in zip(ones, others):
        assert len(mine.items) == len(theirs.items) > 5
        for item, same in zip(mine.items, theirs.items):
            response, again = one.get(item.url), other.get(same.url)
            assert response.body == again.body, item.url
            assert one.plain(item, response) == other.plain(same, again) == site.file(item.url)
            if item.key:
                assert response.body != site.file(item.url)
                assert one.key(item.key) == other.key(same.key) and item.key.iv == same.key.iv
    periods = {"rotating": 3, "derived": 3, "numbered": 2}.get(folder, 1)
    assert len(set(one.keys.values())) == periods
    unshared = folder in ("free", "configured")
    urls = [[item.url.partition("/cmaf/")[2] for playlist in playlists for item in playlist.items] for playlists in (ones, others)]
    assert (urls[0] == urls[1]) == unshared, "without a token in them URLs are the same, too"


def test_a_sessions_own_keys_are_still_its_own(modes, site):
    at = site.copy("ts", "session")
    (one, (mine,)), (other, (theirs,)) = (viewer_of(modes, f"{at}/v180/index.m3u8", "session") for _ in range(2))
    assert one.get(mine.items[0].url).body != other.get(theirs.items[0].url).body
    assert one.key(mine.items[0].key) != other.key(theirs.items[0].key)


def test_no_way_from_one_stream_to_another(modes, site):
    """Two films of one policy: a viewer of the first gets neither the key nor the segments of the second."""
    names = {name: site.copy("ts", f"stream/{name}") for name in ("film", "other")}
    edge = modes[0]
    one, (film,) = viewer_of(modes, f"{names['film']}/v180/index.m3u8", "stream", acl="/stream/film/*")
    two, (other,) = viewer_of(modes, f"{names['other']}/v180/index.m3u8", "stream")
    assert one.key(film.items[0].key) != two.key(other.items[0].key) and film.items[0].key.iv != other.items[0].key.iv
    token = parse_qs(urlsplit(film.items[0].url).query)["hdntl"][0]

    def refused(url, word):
        response = edge.get(re.sub(r"hdntl=[^&]*", f"hdntl={token}", url))
        assert (response.status, json.loads(response.body)["type"]) == (403, word), url

    site.requests.clear()
    refused(other.url.replace("hdnts=", "hdntl="), "path")
    refused(other.items[0].key.url, "session")
    refused(other.items[0].url, "path")
    # Its own parameters elsewhere, and others' for its own.
    mine, theirs = (parse_qs(urlsplit(item.url).query)["plk"][0] for item in (film.items[0], other.items[0]))
    refused(film.items[0].url.replace(mine, theirs), "parameter")
    refused(film.items[1].url.replace(parse_qs(urlsplit(film.items[1].url).query)["plk"][0], mine), "parameter")
    assert not edge.asked()


@pytest.mark.parametrize("folder", ["stream", "rotating", "free", "derived"])
def test_byte_ranges_and_slices_of_shared_keys(modes, site, folder):
    path, parts = single_file(site, "cmaf", below=f"/{folder}")
    one, (playlist,) = viewer_of(modes, path, folder)
    for item, part in zip(playlist.items, parts):
        assert one.plain(item) == part
    at = site.copy("ts", folder)
    one, (playlist,) = viewer_of(modes, f"{at}/v180/index.m3u8", folder)
    whole, part = one.get(playlist.items[1].url).body, modes[1].get(
        playlist.items[1].url.replace(modes[0].url, modes[1].url), {"Range": "bytes=100-999"})
    assert (part.status, part.body) == (206, whole[100:1000])


def test_segments_of_a_stream_in_a_folder_elsewhere(modes, site):
    """One playlist, one key, also for files outside its stream, if the session covers them."""
    site.put("/stream/ads/ad.ts", b"an advertisement" * 10)
    path = site.stream("stream/show", s1_ts=b"the show" * 50)
    text = site.file(path).decode().replace("#EXTINF:4,\ns1.ts", "#EXTINF:4,\ns1.ts\n#EXTINF:4,\n../ads/ad.ts")
    site.put(path, text)
    one, (playlist,) = viewer_of(modes, path, "stream")
    assert len(playlist.keys) == 1 and [one.plain(item) for item in playlist.items] == [b"the show" * 50, b"an advertisement" * 10]
    narrow, (playlist,) = viewer_of(modes, path, "stream", acl="/stream/show/*")
    assert narrow.plain(playlist.items[0]) == b"the show" * 50
    assert modes[0].get(playlist.items[1].url).status == 403


def test_a_secret_is_exchanged_under_running_streams(modes, edges, site):
    """Sessions under the old secret keep its keys; the same stream has other keys for sessions under the new one."""
    at = site.copy("ts", "stream")
    made = document(policy("stream", None, {"keyScope": "stream"}), path="/stream/...")
    after = edges(made, vm=environment(OLDER, SECRET))
    one, (mine,) = viewer_of(modes, f"{at}/v180/index.m3u8", "stream")
    moved = Viewer(base=after.url)
    for item in mine.items:
        assert moved.key(item.key) == one.key(item.key) and moved.plain(item) == site.file(item.url)
    new, (theirs,) = viewer_of([after], f"{at}/v180/index.m3u8", "stream")
    assert new.key(theirs.items[0].key) != one.key(mine.items[0].key)
    assert new.plain(theirs.items[0]) == site.file(mine.items[0].url)


@pytest.mark.parametrize("folder, initial, content", [
    ("session", True, True), ("free", True, False), ("open", False, False), ("clear", True, False)])
def test_what_is_enforced(modes, site, folder, initial, content):
    """enforceOnInitialRequest and enforceOnContentRequest: playlists, keys and content without a token."""
    edge, at = modes[0], site.copy("cmaf", folder)
    bare = edge.get(f"{at}/v180/index.m3u8")
    assert bare.status == (403 if initial else 200)
    one, (playlist,) = viewer_of(modes, f"{at}/v180/index.m3u8", folder)
    for item in playlist.items:
        alone = edge.get(re.sub("hdntl=[^&]*", "", item.url))
        if content:
            assert alone.status == 403
        else:
            assert "hdntl" not in item.url and alone.status == 200
            assert one.plain(item, alone) == site.file(item.url)
            assert alone.header("cache-control") == "public, max-age=3600"
            assert alone.header("set-cookie") is None
    for key in playlist.keys:
        lone = edge.get(key.url.partition("&hdntl=")[0])
        assert (lone.status, json.loads(lone.body)["type"]) == (403, "missing")
        assert edge.get(key.url).header("cache-control").startswith("private")
    if not content and playlist.keys:
        unnamed = edge.get(urlsplit(playlist.segments[0].url).path)
        assert (unnamed.status, json.loads(unnamed.body)["type"]) == (403, "missing")
        assert edge.proxy.logged(unnamed.id)["policy"] == folder


@pytest.fixture(scope="module")
def cached(modes, tmp_path_factory):
    """A cache in front of an edge: another Envoy, as a CDN would be."""
    directory = tmp_path_factory.mktemp("cache-")
    cache = {"name": "cache", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.cache.v3.CacheConfig",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.http.cache.simple_http_cache.v3.SimpleHttpCacheConfig"},
    }}
    proxy = Proxy(directory, bootstrap(modes[0].proxy.port, "h1", [cache], directory / "access.log"))
    yield Edge(proxy, modes[0].site, STREAMED, "h1")
    proxy.stop()


@pytest.mark.parametrize("folder", ["free", "stream", "session"])
def test_a_cache_in_front_keeps_what_is_for_everyone_and_nothing_else(modes, cached, site, folder):
    at = site.copy("ts", folder)
    one, (mine,) = viewer_of([cached], f"{at}/v180/index.m3u8", folder)
    plain = [one.plain(item) for item in mine.items]
    before = modes[0].proxy.counters()
    other, (theirs,) = viewer_of([cached], f"{at}/v180/index.m3u8", folder)
    assert [other.plain(item) for item in theirs.items] == plain == [site.file(item.url) for item in mine.items]
    counted = modes[0].proxy.counters()
    asked = {kind: counted[f"playlock.requests.{kind}"] - before[f"playlock.requests.{kind}"] for kind in ("playlist", "key", "segment")}
    assert asked == {"playlist": 1, "key": 1, "segment": 0 if folder == "free" else len(plain)}
    assert mine.items[0].key.url != theirs.items[0].key.url
    assert (cached.get(theirs.items[0].url).header("age") is not None) == (folder == "free")


def test_a_key_server_of_the_customers_own(modes, site, services):
    """Every key that it serves decrypts the segments; it learns nothing about the session except the URL's
    placeholders."""
    keys, edge = services[0], modes[0]
    for folder, expected in (("derived", {"policy", "scope", "secret", "period"}), ("own", {"policy", "scope", "secret", "session", "token"}),
                             ("configured", set())):
        keys.asked.clear()
        at = site.copy("ts", folder)
        one, playlists = viewer_of(modes, f"{at}/master.m3u8", folder)
        for playlist in playlists:
            assert "serve.key" not in playlist.text
            for item in playlist.segments:
                assert one.plain(item) == site.file(item.url)
        assert keys.asked
        for target, headers in keys.asked:
            assert set(parse_qs(urlsplit(target).query)) == expected
            assert "cookie" not in headers and session_tokens.inside(target.encode()) == (folder == "own")
        (session,) = {edge.proxy.logged(edge.get(url).id)["session"] for url in [playlists[0].url]}
        assert (f"session={session}" in keys.asked[0][0]) == (folder == "own")
        # Nothing is given out here, whoever asks.
        assert edge.get(f"/serve.key?{urlsplit(playlists[0].segments[0].url).query}").status == 403


@pytest.mark.parametrize("folder", ["stream", "numbered", "free", "open", "derived", "own", "configured"])
def test_ffmpeg_finds_the_very_same_frames(modes, site, origins, folder):
    at = site.copy("cmaf", folder)
    plain = packets(f"http://127.0.0.1:{origins['h1'].port}{at}/v180/index.m3u8")
    assert len(plain) > 500
    assert packets(modes[0].link(f"{at}/v180/index.m3u8")) == plain


@pytest.mark.parametrize("folder", ["rotating", "free", "configured", "asked"])
def test_hls_js_in_chromium_plays_to_the_end(modes, site, services, page, tmp_path, folder):
    """From the edge, or from a page elsewhere with keys from a third server."""
    keys, authorizer = services
    authorizer.mood = 200
    keys.asked.clear()
    authorizer.asked.clear()
    how = {"page": elsewhere(page)} if folder == "configured" else {}
    report = played(modes[0].link(f"{site.copy('cmaf', folder)}/v180/index.m3u8"), tmp_path / "profile", **how)
    assert not report["fatal"] and not report["mediaError"] and not report["errors"], report
    assert report["duration"] > 20 and report["currentTime"] >= report["duration"] - 0.1, report
    assert report["frames"] > 0
    here = [request["url"] for request in report["requests"] if urlsplit(request["url"]).path == "/serve.key"]
    assert len(here) == len(set(here)) == {"rotating": 3, "configured": 0}.get(folder, 1)
    assert (len(keys.asked), len(authorizer.asked)) == (folder == "configured", folder == "asked")


@pytest.fixture
def asked(modes, services, site):
    """A viewer with an authorizer for every key: (edge, authorizer, URL of the key, session id)."""
    authorizer, edge = services[1], modes[0]
    authorizer.mood = 200
    authorizer.asked.clear()
    _, (playlist,) = viewer_of(modes, f"{site.copy('ts', 'asked')}/v180/index.m3u8", "asked")
    assert not authorizer.asked, "nobody is asked for a playlist"
    return edge, authorizer, playlist.items[0]


def test_an_authorizer_says_yes_and_no(asked, site):
    """Every key request is authorized anew; a refusal gives no key and ends nothing else, and a later grant gives it
    again."""
    edge, authorizer, item = asked
    yes = edge.get(item.key.url, {"X-Forwarded-For": "198.51.100.9", "X-Playlock-Session": "forged", "Origin": "https://tv.example"})
    assert (yes.status, len(yes.body)) == (200, 16) and yes.header("cache-control") == "private, no-store"
    assert decrypt(edge.get(item.url).body, yes.body, item.iv) == site.file(item.url)
    ((target, headers),) = authorizer.asked
    assert target == "/may?a=b" and headers["host"] == "auth.example"
    logged = edge.proxy.logged(yes.id)
    assert (logged["kind"], logged["reason"], logged["status"]) == ("key", None, 200)
    assert headers["x-playlock-session"] == logged["session"] and headers["x-playlock-client"] == "198.51.100.9"
    assert {name: headers[name] for name in headers if name.startswith("x-playlock-") and name[11:] not in ("session", "client")} == {
        "x-playlock-policy": "asked", "x-playlock-paths": "/asked/*", "x-playlock-key-scope": "session", "x-playlock-period": "0"}
    before = edge.proxy.counters().get("playlock.refused.authorizer", 0)
    for status in (403, 401, 404, 302):
        authorizer.mood = status
        no = edge.get(item.key.url, {"Origin": "https://tv.example"})
        assert (no.status, json.loads(no.body)["type"]) == (403, "authorizer") and yes.body not in no.body
        assert no.header("access-control-allow-origin") == "*" and no.header("cache-control") == "no-store"
    assert edge.proxy.logged(no.id)["reason"] == "authorizer"
    assert edge.proxy.counters()["playlock.refused.authorizer"] == before + 4
    assert edge.get(item.url).status == 200
    authorizer.mood = 204
    assert edge.get(item.key.url, http="2").body == yes.body
    assert len(authorizer.asked) == 6 and not edge.asked("/serve.key")


@pytest.mark.parametrize("mood", [500, 503, "silent", "garbage", "closes"])
def test_an_authorizer_that_fails_gives_no_key(asked, mood):
    edge, authorizer, item = asked
    authorizer.mood = mood
    for http in ("1.1", "2"):
        failed = edge.get(item.key.url, http=http)
        assert (failed.status, failed.exit, json.loads(failed.body)["type"]) == (503, 0, "unanswered")
        assert edge.proxy.logged(failed.id)["reason"] == "unanswered"
    authorizer.mood = 200
    assert len(edge.get(item.key.url).body) == 16


@pytest.mark.parametrize("folder", ["refusing", "empty", "unknown"])
def test_an_authorizer_that_is_not_there_gives_no_key(modes, site, folder):
    for instance, edge in enumerate(modes):
        one, (playlist,) = viewer_of(modes, f"{site.copy('ts', folder)}/v180/index.m3u8", folder, instance)
        failed = edge.get(playlist.items[0].key.url)
        assert (failed.status, json.loads(failed.body)["type"]) == (503, "unanswered")
        assert one.get(playlist.items[0].url).status == 200


def test_a_viewer_who_does_not_wait_harms_nobody(asked):
    """The viewer has left when the authorizer responds, or the time is up."""
    edge, authorizer, item = asked
    authorizer.mood = "silent"
    url = urlsplit(item.key.url)
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", url.port)) as connection:
            seen = len(authorizer.asked)
            connection.sendall(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
            edge.proxy._until(lambda: len(authorizer.asked) > seen, "asked the authorizer")
    # The last one's time has run out once this one's has.
    assert edge.get(item.key.url).status == 503
    authorizer.mood = 200
    assert len(edge.get(item.key.url).body) == 16
