"""Tests session tokens in the path end to end: only the edge sees them, and what no playlist names inherits them."""

import json
import re
import struct
import zlib
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from support.edge import document, policy
from support.hls import Viewer
from support.playback import played
from support.session_tokens import inside
from support.ways import HELD_OR_NOT

ENCRYPTED, PLAIN = "/vod/path", "/plain/path"
TOKEN = re.compile(r"/~[\w-]{50,}")
BOTH = pytest.mark.parametrize("path_edge", HELD_OR_NOT, indirect=True)


@pytest.fixture
def path_edge(edges, site, request):
    """An edge with tokens in the path: `/vod` is encrypted, `/plain` only needs a token."""
    way, cors = {"sessionTokenTransport": "path"}, {"allowOrigins": ["*"]}
    made = document(policy("vod", way, cors=cors), policy("plain", way, {"enabled": False}, cors=cors))
    site.copy("ts", ENCRYPTED[1:])
    return edges(made, hold=getattr(request, "param", False))


def opened(edge, folder=f"{ENCRYPTED}/ts"):
    """The URL of a new session's first media playlist."""
    return Viewer().playlist(edge.link(f"{folder}/master.m3u8")).variants[0]


def token_of(url):
    return TOKEN.match(urlsplit(url).path)[0]


def png(width, height):
    """A black picture."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + bytes(width)) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@BOTH
def test_only_the_edge_sees_the_token(path_edge):
    """Not the origin, not the access log, not the headers of a response; no cookie is set."""
    viewer, responses = Viewer(), []
    for playlist in viewer.media(path_edge.link(f"{ENCRYPTED}/ts/master.m3u8")):
        responses += [path_edge.get(playlist.url), path_edge.get(playlist.keys[0].url), path_edge.get(playlist.segments[0].url)]
        assert viewer.plain(playlist.segments[0]) == path_edge.site.file(TOKEN.sub("", urlsplit(playlist.segments[0].url).path))
        assert not re.search(r"hdntl|hdnts", playlist.text)
    for response in responses:
        assert response.status == 200
        assert not inside(repr(response.headers).encode()) and not response.all("set-cookie")
        entry = path_edge.proxy.logged(response.id)
        assert entry["path"].startswith((f"{ENCRYPTED}/ts/", "/serve.key?")) and entry["session"]
        assert not inside(entry["path"].partition("plk=")[0].encode())
    for request in path_edge.asked():
        assert request.target.startswith(f"{ENCRYPTED}/ts/") and not inside(repr(request).encode()), request


REFUSED = {
    "signature": lambda token: f"{token[:8]}{'B' if token[8] == 'A' else 'A'}{token[9:]}{ENCRYPTED}/ts/v180/seg0.ts",
    "malformed": lambda token: f"{token}!{ENCRYPTED}/ts/v180/seg0.ts",
    "duplicate": lambda token: f"{token}{token}{ENCRYPTED}/ts/v180/seg0.ts",
    "method": lambda token: f"{token}{ENCRYPTED}/ts/v180/seg0.ts",
    "parameter": lambda token: f"{token}{ENCRYPTED}/ts/v180/seg0.ts?plk=clear~AAAAAAAAAAAAAAAAAAAAAA",
    "unassigned": lambda token: f"{token}/elsewhere/seg0.ts",
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refused_requests_are_logged_without_the_token(path_edge, reason):
    token = token_of(opened(path_edge))
    path_edge.site.requests.clear()
    response = path_edge.get(REFUSED[reason](token), method="PUT" if reason == "method" else None)
    entry = path_edge.proxy.logged(response.id)
    assert entry["reason"] == reason and response.status in (403, 405)
    assert token[2:30] not in json.dumps(entry), entry
    assert token[2:30] not in repr(response), response
    assert path_edge.asked() == []


@BOTH
def test_head_and_range(path_edge):
    """As with a token in the query."""
    playlist = Viewer().playlist(opened(path_edge))
    segment = playlist.segments[0].url
    whole, head = path_edge.get(segment), path_edge.get(segment, method="HEAD")
    assert (head.status, head.header("content-length")) == (200, str(len(whole.body)))
    assert path_edge.get(playlist.url, method="HEAD").status == 200
    part = path_edge.get(segment, {"Range": "bytes=32-47"})
    assert (part.status, part.body) == (206, whole.body[32:48])


@BOTH
def test_pages_of_other_sites(path_edge):
    """Preflight requests are answered for the path with the token, and refusals can be read."""
    segment = Viewer().playlist(opened(path_edge)).segments[0].url
    path_edge.site.requests.clear()
    asks = {"Origin": "https://tv.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    preflight = path_edge.get(segment, asks, method="OPTIONS")
    assert preflight.status in (200, 204) and preflight.header("access-control-allow-origin") == "*"
    assert path_edge.asked() == []
    for target, status in ((segment, 200), (segment.replace("/~", "/~A"), 403)):
        response = path_edge.get(target, {"Origin": "https://tv.example"})
        assert (response.status, response.header("access-control-allow-origin")) == (status, "*")


def test_a_redirect_to_the_path_can_be_followed_by_pages(edges, site):
    """`redirectPlaylists` with CORS: the redirect allows the page, too."""
    auth = {"sessionTokenTransport": "path", "redirectPlaylists": True}
    edge = edges(document(policy("vod", auth, cors={"allowOrigins": ["*"]})))
    site.copy("ts", ENCRYPTED[1:])
    response = edge.get(edge.link(f"{ENCRYPTED}/ts/v180/index.m3u8"), {"Origin": "https://tv.example"})
    assert (response.status, response.header("access-control-allow-origin")) == (302, "*")
    url = urljoin(edge.url, response.header("location"))
    assert TOKEN.match(urlsplit(url).path) and edge.asked() == []
    assert Viewer().playlist(url).segments[0].url.startswith(f"{edge.url}{token_of(url)}{ENCRYPTED}/ts/v180/")
    assert token_of(url)[2:] not in Path(edge.proxy.access_log).read_text()


def test_previews_of_a_thumbnail_track(path_edge, site, tmp_path):
    """Read by a page with hls.js: the WebVTT file and its sprites are beside the playlist, and nothing rewrites them."""
    folder = site.copy("ts", PLAIN[1:])
    cues = [f"00:{4 * n:02}.000 --> 00:{4 * n + 4:02}.000\nsprites/{n // 3}.png#xywh={160 * (n % 3)},0,160,90" for n in range(6)]
    site.put(f"{folder}/thumbnails.vtt", "\n\n".join(["WEBVTT", *cues, ""]))
    for number in range(2):
        site.put(f"{folder}/sprites/{number}.png", png(480, 90), headers=(("Content-Type", "image/png"),))
    report = played(path_edge.link(f"{folder}/master.m3u8"), tmp_path / "profile", thumbnails="../thumbnails.vtt")
    assert not report["fatal"] and report["frames"] > 0, report
    previews = report["previews"]
    assert [one["name"] for one in previews] == [cue.partition("\n")[2] for cue in cues]
    assert all((one["loaded"], one["width"], one["height"]) == (True, 480, 90) for one in previews), previews
    assert len({token_of(one["url"]) for one in previews}) == 1
    statuses = {request["status"] for request in report["requests"] if "/sprites/" in request["url"] or ".vtt" in request["url"]}
    assert statuses == {200}
    asked = [request.target for request in path_edge.asked()]
    assert {f"{folder}/thumbnails.vtt", f"{folder}/sprites/0.png", f"{folder}/sprites/1.png"} <= set(asked)
    assert not inside(repr(path_edge.asked()).encode())


def test_templates_of_a_dash_manifest(path_edge, site):
    """The files that a SegmentTemplate names have the token of the manifest's URL."""
    folder = f"{PLAIN}/dash"
    manifest = """<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT8S"><Period><AdaptationSet>
<SegmentTemplate media="$RepresentationID$/$Number$.m4s" initialization="$RepresentationID$/init.mp4" duration="4"/>
<Representation id="v1" bandwidth="1"/></AdaptationSet></Period></MPD>"""
    site.put(f"{folder}/manifest.mpd", manifest)
    for name in ("init.mp4", "1.m4s", "2.m4s"):
        site.put(f"{folder}/v1/{name}", name * 100)
    site.put(f"{folder}/master.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nindex.m3u8\n")
    url = f"{path_edge.url}{token_of(opened(path_edge, folder))}{folder}/manifest.mpd"
    text = path_edge.get(url).text
    assert text == manifest, "unchanged"
    (media,), (init,) = (re.findall(f'{name}="([^"]+)"', text) for name in ("media", "initialization"))
    for template, number, name in ((init, "", "init.mp4"), (media, "1", "1.m4s"), (media, "2", "2.m4s")):
        uri = template.replace("$RepresentationID$", "v1").replace("$Number$", number)
        response = path_edge.get(urljoin(url, uri))
        assert (response.status, response.body) == (200, (name * 100).encode()), uri
        assert path_edge.proxy.logged(response.id)["kind"] == "clear"
    assert not inside(repr(path_edge.asked()).encode())
