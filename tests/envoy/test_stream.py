"""Tests the stream: every byte of the program arrives encrypted and decrypts to the origin's bytes."""

import re
import socket
from urllib.parse import urlsplit

import pytest

from support import curl
from support.hls import Viewer
from support.multiplex import together
from support.ways import ALL

pytestmark = pytest.mark.parametrize("edge", ALL, indirect=True)


@pytest.mark.parametrize("http", ["1.1", "2"])
@pytest.mark.parametrize("kind", ["ts", "cmaf"])
def test_every_segment_decrypts_to_the_origins_file(edge, kind, http):
    """Two videos, an audio and subtitles: each segment is exactly padded and decrypts with openssl to the file."""
    viewer = Viewer(http)
    playlists = viewer.media(edge.link(f"/{kind}/master.m3u8"))
    assert len(playlists) == 4
    suffixes = set()
    for playlist in playlists:
        assert playlist.ended and playlist.segments
        for item in playlist.items:
            path = urlsplit(item.url).path
            file = edge.site.file(path)
            response = viewer.get(item.url)
            suffixes.add(path.rpartition(".")[2])
            if item.init:
                assert item.key is None, "an init section must stay clear"
                assert response.body == file
                assert response.header("content-length") == str(len(file))
            else:
                assert item.key and item.key.method == "AES-128"
                assert len(response.body) == (len(file) // 16 + 1) * 16
                assert response.header("content-length") == str(len(response.body))
                assert response.body[:16] != file[:16]
                assert viewer.plain(item, response) == file
    assert suffixes == ({"ts", "aac", "vtt"} if kind == "ts" else {"mp4", "m4s", "vtt"})
    assert len(viewer.keys) == 1, "one session, one key"


def test_the_key_never_reaches_the_origin(edge):
    """Sixteen bytes, derived at the edge."""
    viewer = Viewer()
    item = viewer.playlist(edge.link("/ts/v180/index.m3u8")).segments[0]
    key = viewer.get(item.key.url)
    assert len(key.body) == 16 and key.header("content-length") == "16"
    assert not edge.asked("/serve.key")


def test_what_the_playlist_says_otherwise_stays(edge):
    """Without the filter's additions, the playlist equals the origin's byte for byte."""
    for path in ("/ts/v180/index.m3u8", "/ts/master.m3u8", "/cmaf/master.m3u8", "/cmaf/v180/index.m3u8"):
        text = edge.get(edge.link(path)).text
        text = re.sub(r"#EXT-X-KEY:[^\n]*\n", "", text)
        text = re.sub(r"[?&](hdntl|plk)=[^\"\s&]*", "", text)
        assert text == edge.site.file(path).decode()


def test_uris_that_have_a_query_or_a_fragment_keep_them(edge):
    """The token goes into the query; another host's URI gets none."""
    path = edge.site.put("/uris/index.m3u8", "\n".join([
        "#EXTM3U", "#EXT-X-TARGETDURATION:4", "#EXTINF:4,", "a.ts?x=1&y=%20", "#EXTINF:4,", "a.ts?x=2#frag", "#EXTINF:4,",
        "/uris/b.ts", "#EXTINF:4,", f"{edge.url}/uris/b.ts", "#EXTINF:4,", "http://elsewhere.example/c.ts",
        "#EXT-X-ENDLIST", ""]))
    edge.site.put("/uris/a.ts", b"a" * 100)
    edge.site.put("/uris/b.ts", b"b" * 100)
    viewer = Viewer()
    items = viewer.playlist(edge.link(path)).segments
    assert [urlsplit(item.url).path for item in items] == \
        ["/uris/a.ts", "/uris/a.ts", "/uris/b.ts", "/uris/b.ts", "/c.ts"]
    assert items[4].url == "http://elsewhere.example/c.ts"
    assert urlsplit(items[1].url).fragment == "frag" and "hdntl=" in urlsplit(items[1].url).query
    for item in items[:4]:
        assert viewer.plain(item) == edge.site.file(urlsplit(item.url).path)
    assert [r.target for r in edge.asked("/uris/a.ts")] == ["/uris/a.ts?x=1&y=%20", "/uris/a.ts?x=2"]


@pytest.mark.parametrize("http", ["1.1", "2"])
def test_head(edge, http):
    """HEAD has the length of GET, and no body."""
    viewer = Viewer(http)
    playlist = viewer.playlist(edge.link("/cmaf/v180/index.m3u8"))
    for item in playlist.items[:2]:
        whole = viewer.get(item.url)
        head = edge.get(item.url, method="HEAD", http=http)
        assert (head.status, head.exit) == (200, 0)
        assert head.header("content-length") == whole.header("content-length")
    key = edge.get(playlist.keys[0].url, method="HEAD", http=http)
    assert (key.status, key.header("content-length")) == (200, "16")
    head = edge.get(edge.link("/cmaf/v180/index.m3u8"), method="HEAD", http=http)
    assert (head.status, head.exit) == (200, 0)
    assert head.header("content-length") in (None, str(len(edge.get(edge.link("/cmaf/v180/index.m3u8")).body)))


def test_a_playlist_of_a_long_day(edge):
    """Ten thousand segments, all with the token, in a playlist of several megabytes."""
    text = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n" + "".join(f"#EXTINF:4,\n{n}.ts\n" for n in range(10_000)) + "#EXT-X-ENDLIST\n"
    path = edge.site.put("/long/index.m3u8", text)
    segments = Viewer().playlist(edge.link(path)).segments
    assert [urlsplit(item.url).path for item in segments] == [f"/long/{n}.ts" for n in range(10_000)]
    assert all("hdntl=" in item.url for item in segments) and len({item.key for item in segments}) == 1


def test_a_viewer_who_leaves(edge):
    """After half a segment; the edge serves the next request."""
    path = edge.site.stream("left", seg_ts=b"x" * 5_000_000)
    viewer = Viewer()
    item = viewer.playlist(edge.link(path)).segments[0]
    with socket.create_connection(("127.0.0.1", edge.proxy.port), timeout=30) as peer:
        peer.sendall(f"GET {item.url.removeprefix(edge.url)} HTTP/1.1\r\nHost: edge\r\n\r\n".encode())
        assert peer.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert viewer.plain(item) == b"x" * 5_000_000


def test_headers_that_are_not_utf_8(edge):
    """Browsers never send them, origins sometimes do: nothing traps."""
    path = edge.site.stream("odd", seg_ts=(b"a" * 99, {"headers": (("Content-Type", "video/mp2t"), ("X-Title", "caf\xe9"))}))
    viewer = Viewer(headers={"X-Title": "caf\udce9", "Referer": "http://\udcff/"})
    item = viewer.playlist(edge.link(path)).segments[0]
    assert viewer.plain(item) == b"a" * 99
    for name in ("Cookie", "hdnts", "Range"):
        refused = edge.get(path, {name: "hdnts=\udcff"})
        assert (refused.status, refused.exit) == (403, 0)


def test_many_at_once(edge):
    """Streams that interleave on one HTTP/2 connection do not mix."""
    viewer = Viewer()
    items = {item.url.removeprefix(edge.url): item
             for playlist in viewer.media(edge.link("/ts/master.m3u8")) for item in playlist.segments}
    answers, pieces = together(edge.proxy.port, list(items))
    assert sum(a != b for a, b in zip(pieces, pieces[1:])) >= len(items), "nothing interleaved, so nothing was tested"
    for target, (status, body) in answers.items():
        assert status == 200
        assert viewer.plain(items[target], curl.Response(200, [], body)) == edge.site.file(target)
