"""Tests MPDs under tokens end to end: ffmpeg plays what it plays from the origin, and no URL of another host gets a token."""

import json
import os
import re
import subprocess
from functools import partial
from urllib.parse import quote, urljoin, urlsplit

import pytest

from support import dash, places, tokens
from support.edge import document, environment, policy
from support.session_tokens import inside
from support.ways import ALL, HELD, STREAMED, VERSIONS

MPD = '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {}><Period>{}</Period></MPD>\n'
SET = '<AdaptationSet mimeType="video/mp4">{}<Representation id="v" bandwidth="1"/></AdaptationSet>'
TEMPLATE = SET.format('<SegmentTemplate initialization="i.mp4" media="$Number$.m4s" duration="4"/>')
TRANSPORTS = ("query", "path", "cookie")
CLEAR = {"enabled": False}


@pytest.fixture(scope="module")
def packaged(site, tmp_path_factory):
    """The demo's programme as ffmpeg packages it, in a folder for each kind below that of each policy."""
    for kind in dash.KINDS:
        made = tmp_path_factory.mktemp(kind)
        dash.package(kind, made)
        for file in made.iterdir():
            for transport in TRANSPORTS:
                # Of files that can be asked for by ranges, ffmpeg 5.1 asks for some that do not exist.
                how = {"headers": ()} if kind == "file" else {"ranges": True}
                site.put(f"/{transport}/{kind}/{file.name}", file.read_bytes(), **how)


def edge_of(edges, hold=STREAMED, upstream="h1", **members):
    """An edge without encryption, with a policy for each transport."""
    made = [policy(name, {"sessionTokenTransport": name}, CLEAR, **members) for name in TRANSPORTS]
    return edges(document(*made, policy("vod")), hold=hold, upstream=upstream, quic=True)


@pytest.fixture
def dash_edge(edges):
    """Without held headers."""
    return edge_of(edges)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("kind", dash.KINDS)
def test_ffmpeg_plays_what_the_origin_has(edges, packaged, origins, kind, transport):
    """Picture by picture, with the token in the query, the path and a cookie, and with held headers as ffmpeg needs them."""
    edge = edge_of(edges, hold=HELD)
    path = f"/{transport}/{kind}/x.mpd"
    plain = dash.frames(f"http://127.0.0.1:{origins['h1'].port}{path}")
    # Without a slash in the token: ffmpeg 5.1 takes the last one of a URL for the end of its directory.
    url = edge.link(path, quote(tokens.by_python(acl="/*"), safe="=~*"))
    if (kind, transport) == ("file", "path"):
        # Nor does it find files below a base URL that begins with a slash: from within the session there is none.
        url = edge.url + re.search(r"<BaseURL>(/~[\w-]+)/", edge.get(url).text)[1] + path
    assert dash.frames(url) == plain and len(plain) > 100
    for request in edge.asked():
        assert not inside(repr(request).encode()) and "hdntl" not in request.target, request


@pytest.mark.parametrize("way", ALL)
@pytest.mark.parametrize("http", VERSIONS)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_every_version_of_http(edges, packaged, site, transport, http, way):
    """MPD, init sections and segments are the origin's; without the session there are none, and one that breaks off looks so."""
    hold, upstream = way
    edge = edge_of(edges, hold, upstream)
    get = partial(edge.get, http=http)
    found = dash.fetch(edge.link(f"/{transport}/numbers/x.mpd", http=http), get)
    cookies = {"Cookie": found.response.all("set-cookie")[0].partition(";")[0]} if transport == "cookie" else {}
    urls = [one.url(one.attribute(name), number) for one in found.representations
            for name, number in (("initialization", 0), *(("media", number) for number in (1, 2, 3)))]
    for url in urls:
        path = re.sub("^/~[^/]+", "", urlsplit(url).path)
        answer = get(url, cookies)
        assert (answer.status, answer.broken, answer.body) == (200, False, site.file(path)), url
        assert get(path).status == 403
        assert edge.asked(path)[-1].target == path
    site.put(path.replace("numbers", "cut"), site.file(path), stop=5000)
    broken = get(urls[-1].replace("numbers", "cut"), cookies)
    assert broken.broken and len(broken.body) <= 5000


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_file_with_an_index(dash_edge, packaged, site, transport):
    """SegmentBase: the token is on the URL of the file, and a range of it is a range of the origin's."""
    path, file = (f"/{transport}/indexed/{name}" for name in ("x.mpd", "x-stream0.mp4"))
    for one in (path, file):
        site.put(one, site.file(one.replace("indexed", "file")), ranges=True)
    found = dash.fetch(dash_edge.link(path))
    cookies = {"Cookie": found.response.all("set-cookie")[0].partition(";")[0]} if transport == "cookie" else {}
    response = dash_edge.get(found.representations[0].base, {"Range": "bytes=10-99", **cookies})
    assert (response.status, response.body) == (206, site.file(file)[10:100])
    assert dash_edge.get(dash_edge.url + file).status == 403


def test_other_hosts_get_nothing(dash_edge, site):
    """Not by BaseURL, nor by a list, nor by an id that makes a URL of another host of a template."""
    sets = [
        SET.format('<BaseURL>https://cdn.example/</BaseURL><SegmentTemplate media="$Number$.m4s" duration="4"/>'),
        SET.format('<SegmentList duration="4"><SegmentURL media="//cdn.example/1.m4s"/><SegmentURL media="1.m4s"/></SegmentList>'),
        SET.format('<SegmentTemplate media="$RepresentationID$/$Number$.m4s" duration="4"/>').replace('id="v"', 'id="https://cdn.example"'),
    ]
    for transport in TRANSPORTS:
        for number, body in enumerate(sets):
            path = site.put(f"/{transport}/foreign/{number}.mpd", MPD.format("", body))
            response, _ = dash.follow(dash_edge.link(path))
            if number == 2 and response.broken:
                continue  # refused
            assert response.status == 200
            for one in dash.read(dash_edge.url + path, response.text).representations:
                for reference in re.findall(r'media="([^"]*)"', response.text):
                    url = one.url(reference.replace("&amp;", "&"))
                    assert urlsplit(url).netloc == urlsplit(dash_edge.url).netloc or not inside(url.encode()), url


@pytest.mark.parametrize("transport", ("query", "path"))
def test_a_live_presentation_stays_in_its_session(dash_edge, site, transport):
    """`Location` leads reloads to the session, without the access token; the URLs of segments do not change."""
    path = site.put(f"/{transport}/live/x.mpd", MPD.format('type="dynamic" minimumUpdatePeriod="PT2S"', TEMPLATE))
    site.put(f"/{transport}/live/7.m4s", b"segment 7")
    first = dash.fetch(dash_edge.link(path))
    again = dash.fetch(first.location)
    urls = [one.representations[0].url(one.representations[0].attribute("media"), 7) for one in (first, again)]
    assert len(set(urls)) == 1 and inside(urls[0].encode())
    assert again.location is None
    assert "hdnts" not in first.location and dash_edge.get(urls[0]).body == b"segment 7"
    assert dash_edge.get(urljoin(first.url, "7.m4s")).status == 403


def test_the_origins_location_gets_the_token(dash_edge, site):
    location = f"<Location>{dash_edge.url}/query/live/y.mpd?session=5</Location>"
    body = MPD.format('type="dynamic" minimumUpdatePeriod="PT2S"', TEMPLATE).replace("<Period>", f"{location}<Period>")
    path = site.put("/query/live/z.mpd", body)
    site.put("/query/live/y.mpd", body)
    first = dash.fetch(dash_edge.link(path))
    again = dash.fetch(first.location)
    assert again.location == first.location and inside(first.location.encode())
    assert dash_edge.asked()[-1].target == "/query/live/y.mpd?session=5"


@pytest.mark.parametrize("transport", ("query", "path"))
def test_a_revoked_session_ends(dash_edge, edges, site, transport):
    """For reloads and segments alike; the access log has the session's id."""
    path = site.put(f"/{transport}/revoked/x.mpd", MPD.format('type="dynamic"', TEMPLATE))
    site.put(f"/{transport}/revoked/1.m4s", b"segment 1")
    found = dash.fetch(dash_edge.link(path))
    entry = dash_edge.proxy.logged(found.response.id)
    assert (entry["kind"], entry["policy"]) == ("playlist", transport)
    urls = [found.location, found.representations[0].url(found.representations[0].attribute("media"))]
    assert [dash_edge.get(url).status for url in urls] == [200, 200]
    revoking = edge_of(edges, revocation={"sessionIds": [entry["session"]]})
    for url in urls:
        response = revoking.get(urlsplit(url)._replace(scheme="", netloc="").geturl())
        assert (response.status, json.loads(response.body)["type"]) == (403, "revoked")


WHOLE = MPD.format("", TEMPLATE)
HOSTILE = {
    "none": {'body': "<html>secret</html>"},
    "playlist": {'body': "#EXTM3U\n#EXTINF:4,\nsecret.ts\n"},
    "doctype": {'body': '<!DOCTYPE MPD [<!ENTITY e "secret">]>' + WHOLE.partition("\n")[2]},
    "xlink": {'body': WHOLE.replace("<Period>", '<Period xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="secret">')},
    "truncated, chunked": {'body': WHOLE[:-20], 'framing': "chunked"},
    "truncated, with a length": {'body': WHOLE, 'stop': len(WHOLE) - 20},
    "a base URL of 64 MB": {'body': WHOLE.replace("<Period>", f"<Period><BaseURL>{'a' * (64 << 20)}</BaseURL>"), 'piece': 1 << 20},
    "a tag of 64 MB": {'body': WHOLE.replace("<Period>", f'<Period id="{"a" * (64 << 20)}">'), 'piece': 1 << 20},
    "64 MB of depth": {'body': WHOLE.replace("<Period>", "<a>" * (16 << 20)), 'piece': 1 << 20},
}


@pytest.mark.parametrize("http", VERSIONS)
@pytest.mark.parametrize("hold", (STREAMED, HELD))
@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_refused_never_looks_complete(edges, site, name, hold, http):
    """A reset, or with held headers an error with the reason; the next request on the worker is served."""
    edge = edge_of(edges, hold=hold)
    path = site.put("/query/hostile/x.mpd", **HOSTILE[name])
    response = edge.get(edge.link(path, http=http), http=http)
    assert response.broken or response.status == 502, response
    assert b"secret" not in response.body and len(response.body) < 1 << 20
    entry = edge.proxy.logged(response.id) if response.id else None
    if name != "truncated, with a length" and entry:
        assert entry["reason"] == "mpd", entry
    good = site.put("/query/hostile/good.mpd", WHOLE)
    assert edge.get(edge.link(good, http=http), http=http).status == 200


def test_a_content_coding_is_refused(dash_edge, site):
    path = site.put("/query/hostile/x.mpd", WHOLE, headers=(("Content-Encoding", "gzip"), ("Content-Type", "application/dash+xml")))
    response = dash_edge.get(dash_edge.link(path))
    assert (response.status, json.loads(response.body)["type"]) == (502, "encoding")
    assert dash_edge.asked()[-1].header("accept-encoding") is None


def test_a_policy_that_encrypts_refuses_mpds(dash_edge, site):
    """By the extension, and by the media type at another path."""
    for path in ("/vod/x.mpd", "/vod/manifest"):
        site.put(path, WHOLE, headers=(("Content-Type", "application/dash+xml"),))
        response = dash_edge.get(dash_edge.link(path))
        assert (response.status, json.loads(response.body)["type"]) == (502, "dash")


def test_a_long_list_streams(dash_edge, site):
    """100,000 segments: each has the token, and Envoy's memory does not grow with them."""
    count = 100_000
    urls = "".join(f'<SegmentURL media="v/{number:06}.m4s"/>' for number in range(count))
    path = site.put("/query/long/x.mpd", MPD.format("", SET.format(f'<SegmentList duration="4">{urls}</SegmentList>')), framing="chunked")
    before = dash_edge.proxy.memory()[0]
    response = dash_edge.get(dash_edge.link(path))
    assert response.status == 200 and not response.broken
    token = re.search(r"hdntl=[\w-]+", response.text)[0]
    assert response.text.replace(f"?{token}", "") == site.file(path).decode()
    assert response.text.count(token) == count
    assert dash_edge.proxy.memory()[0] - before < 24 << 20


@pytest.mark.parametrize("http", VERSIONS)
def test_head_preflight_and_errors(edges, site, http):
    """As for playlists."""
    edge = edges(document(policy("query", None, CLEAR, cors={"allowOrigins": ["*"]})), quic=True)
    get, path = partial(edge.get, http=http), site.put("/query/more/x.mpd", WHOLE)
    head = get(edge.link(path, http=http), method="HEAD")
    assert (head.status, head.body, head.header("etag")) == (200, b"", None)
    assert head.header("cache-control") == "private, no-store"
    asks = {"Origin": "https://tv.example", "Access-Control-Request-Method": "GET"}
    assert get(path, asks, method="OPTIONS").header("access-control-allow-origin") == "*"
    refused = get(path, {"Origin": "https://tv.example"})
    assert (refused.status, json.loads(refused.body)["type"], refused.header("access-control-allow-origin")) == (403, "missing", "*")
    assert get(edge.link("/query/more/none.mpd", http=http)).status == 404


@pytest.mark.parametrize("kind", ("timeline", "numbers", "list"))
def test_watch_plays_an_mpd(dash_edge, packaged, tmp_path, kind):
    """`playlock watch` fetches every segment of both Representations."""
    url = dash_edge.link(f"/query/{kind}/x.mpd")
    run = subprocess.run([places.command(), "watch", url, "--json"], capture_output=True, timeout=60,
                         env={**os.environ, **environment()})
    assert run.returncode == 0, (run.stderr, run.stdout)
    report = json.loads(run.stdout)
    assert report["verdict"] == "good" and report["ended"] and report["tracks"] == 2
    segments = [path for path in dash_edge.site.replies if path.startswith(f"/query/{kind}/chunk")]
    assert report["segments"] == len(segments) > 10
