"""Tests the encryption of samples end to end: ffmpeg and Shaka Packager decrypt what Envoy encrypted with the license's key,
and nothing leaves in clear."""

import json
import re
import subprocess
from base64 import urlsafe_b64decode
from xml.etree import ElementTree

import pytest

from support import curl, dash, places, tokens
from support.edge import document, policy
from support.packaging import packager
from support.ways import HELD
from support.wire import Wire, Wire2

TRANSPORTS = ("query", "path", "cookie")
TEMPLATES = ("timeline", "numbers", "list")
SCHEMES = ("cbcs", "cenc")
PROTECTION = "urn:mpeg:dash:mp4protection:2011"


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


@pytest.fixture(scope="module")
def edge(edges):
    """A policy for each scheme and transport."""
    made = [policy(f"{scheme}-{transport}", {"sessionTokenTransport": transport},
                   {"scheme": scheme, "keyPath": f"/{scheme}-{transport}.key", "licensePath": f"/{scheme}-{transport}.license"},
                   cors={"allowOrigins": ["*"]})
            for scheme in SCHEMES for transport in TRANSPORTS]
    return edges(document(*made) | {"batching": True}, hold=HELD)


class Viewer:
    """A viewer of an MPD: the URL that it ended at, its text, and what identifies the session."""

    def __init__(self, edge, path):
        response = edge.get(edge.link(path, tokens.by_python(acl=path.rpartition("/")[0] + "/*")))
        self.url = edge.url + path
        assert response.status == 200 and not response.broken, response
        in_path = re.search(r"<BaseURL>[^<]*(/~[^/<]+)/", response.text)
        if in_path:
            self.url = edge.url + in_path[1] + path
        cookies = [cookie.partition(";")[0] for cookie in response.all("set-cookie")]
        self.headers = {"Cookie": "; ".join(cookies)} if cookies else {}
        self.mpd = dash.read(self.url, response.text)
        root = ElementTree.fromstring(response.text)
        self.kids = {one.attrib["{urn:mpeg:cenc:2013}default_KID"] for one in root.iter(f"{dash.NAMESPACE}ContentProtection")
                     if one.attrib["schemeIdUri"] == PROTECTION}
        named = re.search(r"[?&;](hdntl=[^&\"<]+)", response.text)
        if named:
            self.url += f"?{named[1]}"
        self.licenses = {one.text for one in root.iter() if one.tag.endswith("}Laurl")}

    def key(self):
        """The key of the license, in hex, and its key ID."""
        (url,), (kid,) = self.licenses, self.kids
        answer = curl.fetch(url, {**self.headers, "content-type": "application/json"}, method="POST", body=b'{"kids":[]}')
        assert answer.status == 200, answer
        (key,) = json.loads(answer.body)["keys"]
        digits = {name: urlsafe_b64decode(key[name] + "==").hex() for name in ("kid", "k")}
        assert digits["kid"] == kid.replace("-", "")
        return digits["k"], digits["kid"]

    def file(self, representation, numbers):
        """The init section and some segments of a template, one after another."""
        urls = [representation.url(representation.attribute("initialization"))]
        urls += [representation.url(representation.attribute("media"), number) for number in numbers]
        bodies = [curl.fetch(url, self.headers) for url in urls]
        assert all(body.status == 200 and not body.broken for body in bodies)
        return b"".join(body.body for body in bodies)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_ffmpeg_plays_what_the_origin_has(edge, packaged, origins, scheme, transport):
    """Picture by picture, with the key of the license."""
    for kind in TEMPLATES if scheme == "cbcs" else TEMPLATES[:1]:
        path = f"/{scheme}-{transport}/{kind}/x.mpd"
        viewer = Viewer(edge, path)
        key, _ = viewer.key()
        plain = dash.frames(f"http://127.0.0.1:{origins['h1'].port}{path}")
        headers = ["-headers", "".join(f"{name}: {value}\r\n" for name, value in viewer.headers.items())] if viewer.headers else []
        assert dash.frames(viewer.url, "-cenc_decryption_key", key, *headers) == plain
        assert len(plain) > 100
    for request in edge.asked():
        assert "plk" not in request.target and "hdntl" not in request.target, request


@pytest.mark.parametrize("scheme", SCHEMES)
def test_another_decryptor_gets_every_sample(edge, packaged, origins, tmp_path, scheme):
    """Shaka Packager, and samples as they are coded."""
    viewer = Viewer(edge, f"/{scheme}-query/numbers/x.mpd")
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
    viewers = [Viewer(edge, "/cbcs-query/numbers/x.mpd") for _ in range(2)]
    assert len({viewer.key() for viewer in viewers}) == 2
    files = [viewer.file(viewer.mpd.representations[0], (1,)) for viewer in viewers]
    assert files[0] != files[1] and len(files[0]) == len(files[1])
    # The license of one is none of the other's.
    (url,), (session,) = viewers[0].licenses, {re.search(r"hdntl=([^&]+)", one)[1] for one in viewers[1].licenses}
    answer = curl.fetch(re.sub(r"hdntl=[^&]+", f"hdntl={session}", url), method="POST", body=b"{}")
    assert answer.status == 403 and json.loads(answer.body)["type"] == "session"


def test_every_version_of_http(edge, packaged):
    viewer = Viewer(edge, "/cbcs-query/numbers/x.mpd")
    representation = viewer.mpd.representations[0]
    url = representation.url(representation.attribute("media"), 1)
    one, two = (curl.fetch(url, http=version) for version in ("1.1", "2"))
    assert one.status == two.status == 200 and one.body == two.body
    assert one.header("content-length") is None and one.header("accept-ranges") is None
    (license,) = viewer.licenses
    target = license.removeprefix(edge.url).encode()
    bodies = set()
    for wire, body, fields in ((Wire(edge.proxy.port), b"{}", [(b"content-length", b"2")]), (Wire2(edge.proxy.port), [b"{", b"}", b""], [])):
        answer = wire.ask(target, fields, b"POST", body=body)
        wire.close()
        assert answer.status == 200
        bodies.add(bytes(answer.body))
    assert len(bodies) == 1 and edge.asked(target.decode().partition("?")[0]) == []


def test_what_cannot_be_encrypted_is_refused(edge, packaged, site):
    """At the MPD, or by its bytes, and never in clear."""
    opened = edge.get(edge.link("/cbcs-query/file/x.mpd"))
    assert opened.status == 502 and json.loads(opened.body)["type"] == "mpd"
    viewer = Viewer(edge, "/cbcs-query/numbers/x.mpd")
    representation = viewer.mpd.representations[0]
    media = representation.url(representation.attribute("media"), 1)
    path = media.removeprefix(edge.url).partition("?")[0]
    whole = site.file(path)
    transport_stream = (places.content() / "ts/v180/seg0.ts").read_bytes()
    for body in (transport_stream, b"#!" + whole, whole[:-1], whole[:len(whole) // 2], whole + b"\0" * 9, whole.replace(b"moof", b"free", 1)):
        site.put(path, body)
        response = curl.fetch(media)
        assert response.broken or response.status == 502, len(body)
        assert whole[-4096:-2048] not in response.body
    site.put(path, whole, stop=len(whole) // 2)
    assert curl.fetch(media).broken
    site.put(path, whole)
    assert not curl.fetch(media).broken
    for text in (b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n", b'<?xml version="1.0"?><tt xmlns="http://www.w3.org/ns/ttml"/>'):
        site.put(path, text)
        assert curl.fetch(media).body == text
    site.put(path, whole)
