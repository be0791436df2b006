"""Tests the encryption of samples end to end: ffmpeg and Shaka Packager decrypt what Envoy encrypted with the license's key,
and nothing leaves in clear."""

import json
import re
import subprocess
from urllib.parse import urljoin, urlsplit

import pytest

from support import dash, http3, places
from support.edge import document, policy
from support.multiplex import together
from support.packaging import packager
from support.proxy import WAIT
from support.ways import HELD, VERSIONS
from support.wire import Wire, Wire2

TRANSPORTS = ("query", "path", "cookie")
TEMPLATES = ("timeline", "numbers", "list")
SCHEMES = ("cbcs", "cenc")


@pytest.fixture(scope="module")
def packaged(site, tmp_path_factory):
    """The demo's programme as ffmpeg packages it, by kind, for every policy. Returns the folder of each kind."""
    folders = {}
    for kind in dash.KINDS:
        folders[kind] = tmp_path_factory.mktemp(kind)
        dash.package(kind, folders[kind])
        for file in folders[kind].iterdir():
            for scheme in SCHEMES:
                for transport in TRANSPORTS:
                    site.put(f"/{scheme}-{transport}/{kind}/{file.name}", file.read_bytes(), ranges=True)
    return folders


def edge_of(edges, upstream="h1", batching=True):
    """An edge with a policy for each scheme and transport. Encryption of samples needs held headers."""
    made = [policy(f"{scheme}-{transport}", {"sessionTokenTransport": transport},
                   {"scheme": scheme, "keyPath": f"/{scheme}-{transport}.key", "licensePath": f"/{scheme}-{transport}.license"},
                   cors={"allowOrigins": ["*"]})
            for scheme in SCHEMES for transport in TRANSPORTS]
    return edges(document(*made) | {"batching": batching}, hold=HELD, upstream=upstream, quic=True)


@pytest.fixture(scope="module")
def edge(edges):
    """With batching, and HTTP/1.1 to the origin."""
    return edge_of(edges)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_ffmpeg_plays_what_the_origin_has(edge, packaged, origins, scheme, transport):
    """Picture by picture, with the key of the license."""
    for kind in TEMPLATES if scheme == "cbcs" else TEMPLATES[:1]:
        path = f"/{scheme}-{transport}/{kind}/x.mpd"
        viewer = dash.Viewer(edge, path)
        key, _ = viewer.key()
        plain = dash.frames(f"http://127.0.0.1:{origins['h1'].port}{path}")
        headers = ["-headers", "".join(f"{name}: {value}\r\n" for name, value in viewer.headers.items())] if viewer.headers else []
        assert dash.frames(viewer.url, "-cenc_decryption_key", key, *headers) == plain
        assert len(plain) > 100
    for request in edge.asked():
        assert "plk" not in request.target and "hdntl" not in request.target, request


@pytest.mark.parametrize("http", VERSIONS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_another_decryptor_gets_every_sample(edge, packaged, origins, tmp_path, scheme, http):
    """Shaka Packager, and samples as they are coded."""
    viewer = dash.Viewer(edge, f"/{scheme}-query/numbers/x.mpd", http)
    key, kid = viewer.key()
    for index, stream in enumerate(("video", "audio")):
        representation = viewer.mpd.representations[index]
        encrypted, decrypted, plain = (tmp_path / f"{stream}-{name}.mp4" for name in ("encrypted", "decrypted", "plain"))
        encrypted.write_bytes(viewer.file(representation, (1, 2)))
        names = [representation.attribute(name) for name in ("initialization", "media", "media")]
        folder = packaged["numbers"]
        files = [representation.url(name, number).partition("?")[0].rpartition("/")[2] for name, number in zip(names, (0, 1, 2))]
        plain.write_bytes(b"".join((folder / file).read_bytes() for file in files))
        subprocess.run([packager(), f"in={encrypted},stream={stream},output={decrypted}", "--enable_raw_key_decryption",
                        "--keys", f"label=:key_id={kid}:key={key}"], check=True, capture_output=True, timeout=60)
        coded = [subprocess.run([places.tool("ffmpeg", install="ffmpeg"), "-v", "error", "-i", str(file), "-c", "copy", "-f", "framehash", "-"],
                                check=True, capture_output=True, text=True, timeout=60).stdout for file in (decrypted, plain)]
        hashes = [[line.rpartition(",")[2].strip() for line in text.splitlines() if not line.startswith("#")] for text in coded]
        assert hashes[0] == hashes[1] and len(hashes[0]) > 50
        # Of no sample more than what the scheme leaves in clear is in what went out.
        body, origin = encrypted.read_bytes(), plain.read_bytes()
        start = origin.index(b"mdat") + 4
        pieces = [origin[at:at + 512] for at in range(start + 512, len(origin) - 512, 4096)]
        assert not any(piece in body for piece in pieces)


def test_each_viewer_has_another_key(edge, packaged):
    viewers = [dash.Viewer(edge, "/cbcs-query/numbers/x.mpd") for _ in range(2)]
    assert len({viewer.key() for viewer in viewers}) == 2
    files = [viewer.file(viewer.mpd.representations[0], (1,)) for viewer in viewers]
    assert files[0] != files[1] and len(files[0]) == len(files[1])
    # The license of one is none of the other's.
    (url,), (session,) = viewers[0].licenses, {re.search(r"hdntl=([^&]+)", one)[1] for one in viewers[1].licenses}
    answer = edge.get(re.sub(r"hdntl=[^&]+", f"hdntl={session}", url), method="POST", body=b"{}")
    assert answer.status == 403 and json.loads(answer.body)["type"] == "session"


@pytest.mark.parametrize("batching", (True, False), ids=("batching", "alone"))
@pytest.mark.parametrize("upstream", ("h1", "h2"))
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_every_version_of_http(edges, packaged, transport, upstream, batching):
    """In one session all versions give the same bytes and the same license, which the origin never sees."""
    edge, path = edge_of(edges, upstream, batching), f"/cbcs-{transport}/numbers/x.mpd"
    viewer = dash.Viewer(edge, path)
    representation = viewer.mpd.representations[0]
    for name in ("initialization", "media"):
        url = http3.target(representation.url(representation.attribute(name), 1))
        answers = [edge.get(url, viewer.headers, http) for http in VERSIONS]
        assert len({(answer.status, answer.exit, answer.body) for answer in answers}) == 1 and answers[0].status == 200
        assert all(answer.header(name) is None for answer in answers for name in ("content-length", "accept-ranges"))
    (license,) = (http3.target(urljoin(viewer.url, url)) for url in viewer.licenses)
    answers = [edge.get(license, viewer.headers, http, "POST", body=body) for http in VERSIONS for body in (b"{}", b'{"kids":[]}')]
    fields = [(name.lower().encode(), value.encode()) for name, value in viewer.headers.items()]
    for wire, body, length in ((Wire(edge.proxy.port), b"{}", [(b"content-length", b"2")]), (Wire2(edge.proxy.port), [b"{", b"}", b""], [])):
        answers.append(wire.ask(license.encode(), fields + length, b"POST", body=body))
        wire.close()
    assert len({(answer.status, bytes(answer.body)) for answer in answers}) == 1 and answers[0].status == 200
    assert edge.asked(license.partition("?")[0]) == []
    assert len({dash.Viewer(edge, path, http).key() for http in VERSIONS}) == len(VERSIONS)


@pytest.mark.parametrize("batching", (True, False), ids=("batching", "alone"))
@pytest.mark.parametrize("upstream", ("h1", "h2"))
def test_many_streams_of_one_connection(edges, packaged, upstream, batching):
    """Init sections and segments at once, over HTTP/2 and 3, are those that come one by one."""
    edge = edge_of(edges, upstream, batching)
    viewer = dash.Viewer(edge, "/cbcs-query/numbers/x.mpd")
    targets = [http3.target(one.url(one.attribute(name), number)) for one in viewer.mpd.representations
               for name, number in (("initialization", 0), *(("media", number) for number in range(1, 7)))]
    alone = {target: (200, edge.get(target).body) for target in targets}
    assert together(edge.proxy.port, targets)[0] == alone and len(set(alone.values())) == len(targets)
    with http3.connected(edge.proxy.quic, edge.certificate, WAIT) as ask:
        answers = ask(*(("GET", target, {}) for target in targets))
    assert {target: (answer.status, answer.body) for target, answer in zip(targets, answers)} == alone
    assert not any(answer.broken for answer in answers)


@pytest.mark.parametrize("http", VERSIONS)
def test_what_cannot_be_encrypted_is_refused(edge, packaged, site, http):
    """At the MPD, or by its bytes, and never in clear."""
    opened = edge.get(edge.link("/cbcs-query/file/x.mpd", http=http), http=http)
    assert opened.status == 502 and json.loads(opened.body)["type"] == "mpd"
    viewer = dash.Viewer(edge, "/cbcs-query/numbers/x.mpd", http)
    representation = viewer.mpd.representations[0]
    media = representation.url(representation.attribute("media"), 1)
    path = urlsplit(media).path
    whole = site.file(path)
    transport_stream = (places.content() / "ts/v180/seg0.ts").read_bytes()
    for body in (transport_stream, b"#!" + whole, whole[:-1], whole[:len(whole) // 2], whole + b"\0" * 9, whole.replace(b"moof", b"free", 1)):
        site.put(path, body)
        response = viewer.get(media)
        assert response.broken or response.status == 502, len(body)
        assert whole[-4096:-2048] not in response.body
    site.put(path, whole, stop=len(whole) // 2)
    assert viewer.get(media).broken
    site.put(path, whole)
    assert not viewer.get(media).broken
    for text in (b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n", b'<?xml version="1.0"?><tt xmlns="http://www.w3.org/ns/ttml"/>'):
        site.put(path, text)
        assert viewer.get(media).body == text
    site.put(path, whole)
