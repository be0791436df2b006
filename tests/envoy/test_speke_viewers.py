"""Tests how viewers get the keys of packaged content: by key URL and by ClearKey license, over HTTP/1.1 and HTTP/2."""

import json
import re
from base64 import b64decode, urlsafe_b64encode
from uuid import UUID

import pytest

from support import tokens
from support.edge import document, policy
from support.services import Authorizer
from support.wire import Wire, Wire2

TOKEN = "7d0fc1a2b3c4d5e6f708192a3b4c5d6e"
KID = UUID("98ee5596-cd3e-a20d-163a-e382420c6eff")
DOCUMENT = f'<c:CPIX xmlns:c="urn:dashif:org:cpix" id="%s"><c:ContentKeyList><c:ContentKey kid="{KID}"/></c:ContentKeyList>' \
    f'<c:DRMSystemList><c:DRMSystem kid="{KID}" systemId="81376844-f976-481e-a84e-cc25d39b0b33"/></c:DRMSystemList></c:CPIX>'


@pytest.fixture(scope="module")
def authorizer():
    service = Authorizer()
    yield service
    service.stop()


@pytest.fixture(scope="module")
def edge(edges, authorizer):
    """A policy without and one with an authorizer."""
    def packaged(name, **members):
        speke = {"path": f"/speke-{name}", "viewerUrl": f"/{name}/{{contentId}}/keys",
                 "requesters": [{"name": "packager", "token": TOKEN, "contentIds": ["*"]}]}
        return policy(name, None, {"speke": speke, **members}, cors={"allowOrigins": ["*"]})

    made = document(packaged("vod"), packaged("asked", keyAuthorizer={"cluster": "authorizer", "path": "/may"}))
    return edges(made, hold=True, clusters={"authorizer": [authorizer.port]})


def key_of(edge, name, content):
    """What a packager gets: (the key, its URL)."""
    wire = Wire(edge.proxy.port)
    body = (DOCUMENT % content).encode()
    answer = wire.ask(f"/speke-{name}".encode(), [(b"x-playlock-speke-token", TOKEN.encode()),
                                                  (b"content-length", str(len(body)).encode())], b"POST", body=body)
    wire.close()
    assert answer.status == 200, answer.body
    plain, url = (re.search(rf"{element}>([^<]+)<".encode(), answer.body)[1] for element in ("PlainValue", "URIExtXKey"))
    return b64decode(plain), b64decode(url).decode()


def playlist(edge, site, name, content, url):
    """The media playlist of packaged content as a new viewer gets it."""
    text = f'#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128,URI="{url}"\n#EXTINF:4,\n1.ts\n#EXT-X-ENDLIST\n'
    site.put(f"/{name}/{content}/index.m3u8", text.encode())
    site.put(f"/{name}/{content}/1.ts", b"packaged" * 1000)
    return edge.get(edge.link(f"/{name}/{content}/index.m3u8", tokens.by_python(acl=f"/{name}/{content}/*"))).text


def asks(kid):
    return json.dumps({"kids": [urlsafe_b64encode(kid.bytes).decode().rstrip("=")], "type": "temporary"}).encode()


def license_of(edge, target, body, version=1, pieces=None):
    wire = Wire(edge.proxy.port) if version == 1 else Wire2(edge.proxy.port)
    fields = [(b"content-type", b"application/json"), (b"origin", b"https://tv.example")]
    try:
        if version == 1:
            return wire.ask(target.encode(), [*fields, (b"content-length", str(len(body)).encode())], b"POST", body=body)
        return wire.ask(target.encode(), fields, b"POST", body=pieces or [body])
    finally:
        wire.close()


@pytest.mark.parametrize("name", ["vod", "asked"])
def test_a_viewer_gets_the_packagers_key(edge, site, name):
    key, url = key_of(edge, name, "film-7")
    text = playlist(edge, site, name, "film-7", url)
    link = re.search(rf'URI="({re.escape(url)}\?hdntl=[^"]+)"', text)[1]
    segment = re.search(r"^1\.ts\?\S+", text, re.M)[0]
    assert edge.get(f"{edge.url}/{name}/film-7/{segment}").body == b"packaged" * 1000
    site.requests.clear()
    answer = edge.get(edge.url + link)
    assert answer.status == 200 and answer.body == key
    expected = {"kty": "oct", "kid": urlsafe_b64encode(KID.bytes).decode().rstrip("="),
                "k": urlsafe_b64encode(key).decode().rstrip("=")}
    license = re.sub(r"/[^/?]+\?", "/license?", link)
    body = asks(KID)
    for version, pieces in ((1, None), (2, [body]), (2, [body[:5], body[5:], b""]), (2, [body[at:at + 1] for at in range(len(body))])):
        answer = license_of(edge, license, body, version, pieces)
        assert answer.status == 200 and json.loads(answer.body) == {"keys": [expected], "type": "temporary"}
        headers = dict(answer.headers)
        assert headers["content-type"] == "application/json" and headers["cache-control"] == "private, no-store"
        assert headers["access-control-allow-origin"] == "*"
    assert edge.asked() == []


def test_nobody_else_does(edge, site):
    _, url = key_of(edge, "vod", "film-7")
    _, other = key_of(edge, "vod", "film-8")
    text = playlist(edge, site, "vod", "film-7", url)
    session = re.search(r"hdntl=([^\"]+)", text)[1]
    site.requests.clear()
    for target, reason in ((url, "missing"), (f"{url}?hdnts={tokens.by_python(acl='/vod/*')}", "missing"),
                           (f"{other}?hdntl={session}", "path"), (f"{url}?enc-token={TOKEN}", "missing")):
        answer = edge.get(edge.url + target, headers={"x-playlock-speke-token": TOKEN})
        assert answer.status == 403 and json.loads(answer.body)["type"] == reason
        license = re.sub(r"/[^/?]+(\?|$)", r"/license\1", target)
        answer = license_of(edge, license, asks(KID))
        assert answer.status == 403 and json.loads(answer.body)["type"] == reason
        assert license_of(edge, license, asks(KID), 2).status == 403
    assert edge.asked() == []


def test_the_authorizer_decides(edge, site, authorizer):
    key, url = key_of(edge, "asked", "film-7")
    link = re.search(r'URI="([^"]+)"', playlist(edge, site, "asked", "film-7", url))[1]
    license = re.sub(r"/[^/?]+\?", "/license?", link)
    site.requests.clear()
    authorizer.asked.clear()
    assert license_of(edge, license, asks(KID)).status == 200
    ((_, question),) = authorizer.asked
    assert question["x-playlock-key-scope"] == "content" and question["x-playlock-key-ids"] == str(KID)
    assert question["x-playlock-content-id"] == "film-7" and "x-playlock-period" not in question
    authorizer.mood = 403
    try:
        for version in (1, 2):
            answer = license_of(edge, license, asks(KID), version)
            assert answer.status == 403 and json.loads(answer.body)["type"] == "authorizer" and key not in answer.body
        assert edge.get(edge.url + link).status == 403
    finally:
        authorizer.mood = 200
    assert edge.asked() == []


def test_bodies_that_are_no_requests(edge, site):
    _, url = key_of(edge, "vod", "film-7")
    link = re.search(r'URI="([^"]+)"', playlist(edge, site, "vod", "film-7", url))[1]
    license = re.sub(r"/[^/?]+\?", "/license?", link)
    site.requests.clear()
    for body in (b"", b"{}", b"[" * 9000, b"x" * 16385, b"x" * 40000, asks(KID)[:-1]):
        for version in (1, 2):
            pieces = [body[at:at + 8192] for at in range(0, len(body), 8192)]
            answer = license_of(edge, license, body, version, pieces)
            assert answer.status == 400 and json.loads(answer.body)["type"] == "license", (version, body[:20])
    assert edge.asked() == []
