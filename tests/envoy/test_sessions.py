"""Tests sessions: keys differ between viewers, every node with the secret serves every session, and secrets rotate."""

import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from support import session_tokens, tokens
from support.edge import NEWER, OLDER, SECRET, environment
from support.hls import Viewer, decrypt, parse
from support.proxy import WAIT


def session_token(url):
    """The session token in a URL."""
    return parse_qs(urlsplit(url).query, strict_parsing=True)["hdntl"][0]


def test_two_sessions_share_nothing(edge):
    """The same link opened twice: other session, other key, other IV, other ciphertext."""
    link = edge.link("/cmaf/v180/index.m3u8")
    viewers = [Viewer(), Viewer()]
    responses = [edge.get(link) for _ in viewers]
    assert len({edge.proxy.logged(response.id)["session"] for response in responses}) == 2
    items = [viewer.playlist(link).segments[0] for viewer in viewers]
    assert session_token(items[0].url) != session_token(items[1].url)
    assert viewers[0].key(items[0].key) != viewers[1].key(items[1].key)
    assert items[0].key.iv != items[1].key.iv
    bodies = [viewer.get(item.url).body for viewer, item in zip(viewers, items)]
    assert bodies[0][:16] != bodies[1][:16] and bodies[0] != bodies[1]
    assert viewers[0].plain(items[0]) == viewers[1].plain(items[1]) == edge.site.file("/cmaf/v180/seg0.m4s")


def test_a_session_is_the_same_in_every_playlist_and_after_every_reload(edge):
    """URLs within a session are byte-stable, and all its renditions are under one key."""
    viewer = Viewer()
    master = viewer.playlist(edge.link("/ts/master.m3u8"))
    assert len({session_token(url) for url in master.variants}) == 1
    first, again = viewer.playlist(master.variants[0]), viewer.playlist(master.variants[0])
    assert first.text == again.text
    assert {session_token(item.url) for item in first.items} == {session_token(master.variants[0])}
    others = [viewer.playlist(url).keys for url in master.variants]
    assert len({(key.url, key.iv) for keys in others for key in keys}) == 1


def test_the_session_token_is_short_and_carries_on_what_the_access_token_said(edge):
    """Players refuse long lines; the customer's own id and data stay with the session."""
    access = tokens.by_python(acl="/ts/*", id="viewer-7", data="user=42")
    master = Viewer().playlist(edge.link("/ts/master.m3u8", access))
    token = session_token(master.variants[0])
    fields = session_tokens.read(token)
    assert (fields.access_token, fields.payload, fields.acl) == ("viewer-7", "user=42", "/ts/*")
    assert (fields.network, fields.header, fields.lifetime) == (None, None, 86400)
    assert abs(fields.opened - tokens.now()) < 60 and len(token) == 84


def test_another_node_with_the_same_secret_goes_on(edges):
    """The multivariant playlist from one Envoy; media playlist, key and segment from another that has no state about
    the session."""
    here, there = edges(), edges(instance=2)
    assert here.url != there.url
    master = Viewer().playlist(here.link("/cmaf/master.m3u8"))
    moved, stayed = Viewer(base=there.url), Viewer()
    for url in master.variants:
        away = moved.playlist(url)
        assert away.text == stayed.playlist(url).text
        for item in away.items[:2]:
            assert moved.plain(item) == here.site.file(urlsplit(item.url).path)
        assert all(moved.key(key) == stayed.key(key) for key in away.keys)


def test_a_running_session_survives_the_exchange_of_the_secret(edges):
    """A node whose old secret is the session's goes on with it, under the same key; new sessions get the new one."""
    before = edges(vm=environment(SECRET, OLDER))
    after = edges(vm=environment(NEWER, SECRET))
    url = Viewer().playlist(before.link("/cmaf/master.m3u8")).variants[0]
    old, new = Viewer(), Viewer(base=after.url)
    playlist = new.playlist(url)
    assert playlist.text == old.playlist(url).text
    assert new.key(playlist.keys[0]) == old.key(playlist.keys[0])
    for item in playlist.items[:2]:
        assert new.plain(item) == before.site.file(urlsplit(item.url).path)
    opened = Viewer().playlist(after.link("/cmaf/master.m3u8")).variants[0]
    fresh = Viewer()
    assert fresh.plain(fresh.playlist(opened).segments[0]) == before.site.file(urlsplit(fresh.playlist(opened).segments[0].url).path)
    refused = before.get(opened.replace(after.url, before.url))
    assert refused.status == 403, "a node without the new secret must not take its sessions"


def test_a_node_with_other_secrets_knows_nothing_of_it(edges):
    """It serves neither playlist nor key nor segment."""
    here, stranger = edges(), edges(vm=environment(NEWER, OLDER))
    playlist = Viewer().playlist(here.link("/ts/v180/index.m3u8"))
    for url in (playlist.segments[0].url, playlist.keys[0].url):
        response = stranger.get(url.replace(here.url, stranger.url))
        assert (response.status, len(response.body) == 16) == (403, False)


@pytest.mark.parametrize("transport", ["cookie", "both"])
def test_the_session_token_in_a_cookie(shop, site, transport):
    """The cookie is for browsers across sites, and alone enough for everything that follows."""
    media = site.stream(transport, a_ts=b"a" * 500, b_ts=b"b" * 500)
    master = site.put(f"/{transport}/master.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nindex.m3u8\n")
    for scheme in ("http", "https"):
        opened = shop.get(shop.link(master), {"X-Forwarded-Proto": scheme})
        assert opened.status == 200
        (cookie,) = [value for value in opened.all("set-cookie") if value.startswith("hdntl-")]
        pair, *flags = [part.strip() for part in cookie.split(";")]
        named = {flag.partition("=")[0].lower(): flag.partition("=")[2].lower() for flag in flags}
        assert named["path"] == "/" and int(named["max-age"]) > 80000 and "httponly" in named, cookie
        # Browsers take SameSite=None with Secure only, and Secure over https only.
        assert ("secure" in named) == (scheme == "https"), cookie
        assert named["samesite"] == ("none" if scheme == "https" else "lax"), cookie
    named = parse_qs(urlsplit(parse(opened.text, shop.url + master).variants[0]).query)["hdntl"][0]
    assert session_tokens.is_one(named) == (transport == "both") and (pair.startswith(f"hdntl-{named}=") or transport == "both")
    viewer = Viewer(headers={"Cookie": f"other=1; {pair}; more=2"})
    playlist = viewer.playlist(shop.url + media)
    assert session_tokens.inside(playlist.text.encode()) == (transport == "both")
    for item in playlist.segments:
        assert viewer.plain(item) == site.file(item.url.removeprefix(shop.url))
        assert viewer.plain(item, viewer.get(item.url.partition("?")[0])) == site.file(item.url.removeprefix(shop.url))
    assert shop.get(f"/{transport}/a.ts").status == 403
    if transport == "both":
        cookieless = Viewer()
        item = cookieless.media(shop.link(master))[0].segments[0]
        assert cookieless.plain(item) == site.file(item.url.removeprefix(shop.url))
    for request in shop.asked():
        assert "hdntl" not in request.target and "hdntl" not in (request.header("cookie") or ""), request
    assert any(request.header("cookie") == "other=1; more=2" for request in shop.asked())


@pytest.mark.parametrize("transport", ["cookie", "both"])
@pytest.mark.parametrize("others", ["/fmp4/*", "/*"])
def test_two_films_in_one_browser(shop, site, transport, others):
    """The second film's session does not affect the first: both continue, in turn, from one cookie jar."""
    jar = Jar(shop)
    films = []
    for folder, acl in [("ts", f"/{transport}/ts/*"), ("fmp4", others.replace("/", f"/{transport}/", 1))]:
        path = site.stream(f"{transport}/{folder}", a_ts=folder.encode() * 300, b_ts=folder.encode() * 500)
        master = site.put(f"/{transport}/{folder}/master.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nindex.m3u8\n")
        variant = parse(jar.get(shop.link(master, tokens.by_python(acl=acl))).text, shop.url + master).variants[0]
        assert urlsplit(variant).path == path
        films.append(variant)
    assert len(jar.cookies) == 2
    playlists = [parse(jar.get(url).text, url) for url in films]
    assert playlists[0].keys[0].url != playlists[1].keys[0].url
    for items in zip(*(playlist.segments for playlist in playlists)):
        for item in items:
            key = jar.get(item.key.url).body
            assert decrypt(jar.get(item.url).body, key, item.iv) == site.file(item.url.removeprefix(shop.url))
    # A URL without what says whose it is: the only one's that covers it, or nobody's.
    bare = shop.get(f"/{transport}/ts/a.ts", {"Cookie": jar.header()})
    assert bare.status == (403 if others == "/*" else 200), bare.body
    assert others != "/*" or json.loads(bare.body)["type"] == "session"
    assert all("hdntl" not in request.target + (request.header("cookie") or "") for request in shop.asked())


def test_session_cookies_do_not_pile_up(shop, site):
    """However many films are opened, six sessions' cookies are kept, and the newest is among them."""
    jar = Jar(shop)
    for number in range(9):
        path = site.stream(f"cookie/{number}", a_ts=b"a" * 100)
        opened = jar.get(shop.link(path, tokens.by_python(acl=f"/cookie/{number}/*")))
        item = parse(opened.text, shop.url + path).segments[0]
        assert len(jar.cookies) == min(number + 1, 6)
        assert decrypt(jar.get(item.url).body, jar.get(item.key.url).body, item.iv) == b"a" * 100


class Jar:
    """A browser's cookies of one edge."""

    def __init__(self, edge):
        self.edge, self.cookies = edge, {}

    def header(self):
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def get(self, url):
        response = self.edge.get(url, {"Cookie": self.header()} if self.cookies else {})
        assert (response.status, response.exit) == (200, 0), (url, response)
        for line in response.all("set-cookie"):
            pair, _, flags = line.partition(";")
            name, _, value = pair.partition("=")
            self.cookies.pop(name, None)
            if "Max-Age=0;" not in flags:
                self.cookies[name] = value
        return response


def test_hosts_that_the_policy_lists_get_the_token_too(shop, site):
    """A second authority under the same protection; no other host ever sees a token."""
    path = site.put("/hosts/index.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n" + "".join(
        f"#EXTINF:4,\n{uri}\n" for uri in ("http://CDN.example:8080/a.ts", "//cdn.example/a.ts", "https://elsewhere.example/a.ts")) + "#EXT-X-ENDLIST\n")
    urls = [item.url for item in Viewer().playlist(shop.link(path)).segments]
    assert ["hdntl=" in url for url in urls] == [True, False, False], urls


@pytest.mark.parametrize("http", ["1.1", "2"])
def test_a_viewer_by_https_is_kept_there(shop, site, http):
    """Behind a balancer that terminates TLS: what the origin writes as http is asked for by https, and other ports are not
    known to be ours."""
    host = shop.url.removeprefix("http://")
    path = site.put("/vod/secure/index.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n" + "".join(
        f"#EXTINF:4,\n{uri}\n" for uri in (f"http://{host}/vod/a.ts", "http://edge.example:80/a.ts", f"//{host}/vod/b.ts")) + "#EXT-X-ENDLIST\n")
    moved = site.put("/vod/secure/moved.ts", b"", status=302, headers=(("Location", f"http://{host}/vod/a.ts"),))
    for proto, scheme in [("https", "https"), ("http", "http")]:
        opened = shop.get(shop.link(path), {"X-Forwarded-Proto": proto}, http)
        urls = [line for line in opened.text.splitlines() if line and not line.startswith("#")]
        assert urls[0].startswith(f"{scheme}://{host}/vod/a.ts?hdntl="), (proto, urls)
        assert urls[1] == "http://edge.example:80/a.ts" and urls[2].startswith(f"//{host}/vod/b.ts?hdntl="), (proto, urls)
        answer = shop.get(f"{moved}?hdntl={session_token(urls[0])}", {"X-Forwarded-Proto": proto}, http)
        assert answer.status == 302 and answer.header("location").startswith(f"{scheme}://{host}/vod/a.ts?hdntl="), proto


@pytest.mark.parametrize("http", ["1.1", "2"])
def test_who_is_not_a_trusted_proxy_does_not_say_what_a_viewer_came_by(edge, site, http):
    """Envoy then sets the scheme itself, by the connection."""
    host = edge.url.removeprefix("http://")
    path = site.put("/plain/index.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nhttp://{host}/a.ts\n#EXT-X-ENDLIST\n")
    opened = edge.get(edge.link(path), {"X-Forwarded-Proto": "https"}, http)
    assert f"\nhttp://{host}/a.ts?hdntl=" in opened.text, opened.text


def test_a_policy_can_widen_the_sessions_scope(shop, site):
    """The access token is for one file; the session covers `sessionAcl`."""
    path = site.stream("wide/a", seg_ts=b"a")
    site.stream("wide/b", seg_ts=b"b")
    playlist = Viewer().playlist(shop.link(path, tokens.by_python(url=path)))
    token = session_token(playlist.segments[0].url)
    assert session_tokens.read(token).acl == "/wide/*"
    assert shop.get(f"/wide/b/seg.ts?hdntl={token}").status == 200
    path = site.stream("vod/a", seg_ts=b"a")
    playlist = Viewer().playlist(shop.link(path, tokens.by_python(url=path)))
    assert session_tokens.read(session_token(playlist.segments[0].url)).acl == "/vod/a/*"


def test_a_session_ends(shop, site):
    """After `sessionTtl` nothing more is served, not even the key; a new link opens a new session."""
    path = site.stream("brief", seg_ts=b"a")
    playlist = Viewer().playlist(shop.link(path))
    for _ in range(WAIT * 10):
        last = shop.get(playlist.segments[0].url)
        if last.status != 200:
            break
        time.sleep(0.1)
    assert last.status == 403 and json.loads(last.body)["type"] == "expired"
    assert shop.get(playlist.keys[0].url).status == 403
    assert shop.get(shop.link(path)).status == 200
