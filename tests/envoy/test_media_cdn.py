"""Tests tokens of Google Media CDN through a real Envoy, signed at the current time by an implementation that is not ours."""

import base64
import json
import pathlib
import time
from urllib.parse import quote

import pytest

from support import media_cdn
from support.edge import document, policy
from support.hls import Viewer

VECTORS = json.loads((pathlib.Path(__file__).parents[1] / "vectors/media-cdn.json").read_text())
ED25519, SHARED = bytes.fromhex(VECTORS["privateKey"]), bytes.fromhex(VECTORS["sharedKey"])
KEYS = [{"kty": "OKP", "crv": "Ed25519", "x": media_cdn.b64(bytes.fromhex(VECTORS["publicKey"]))},
        {"kty": "oct", "k": media_cdn.b64(SHARED)}]
ALGORITHMS = ["ed25519", "hmac-sha256", "hmac-sha1"]
SEGMENT = b"what the customer sells" * 9
NAME = "edge-cache-token"


@pytest.fixture(scope="module")
def shops(edges):
    """An edge with a policy that takes every algorithm, and one that takes Ed25519 alone, under other names."""
    def auth(**members):
        return {"enabled": True, "formats": ["mediacdn"], "mediacdn": members}

    every = policy("vod", token_auth=auth(keys=KEYS, algorithms=ALGORITHMS))
    plain = policy("plain", token_auth=auth(keys=KEYS[:1], parameter="short", cookie="short", header="X-Short"))
    return edges(document(every, plain), trusted_hops=1)


@pytest.fixture(autouse=True)
def streams(site):
    for folder in ("vod/a", "plain"):
        site.stream(folder, seg_ts=SEGMENT)


def token(algorithm="ed25519", scope=("PathGlobs", "/vod/*"), key=None, **fields):
    """A token that is valid for a minute, unless the fields say otherwise."""
    key = key or (ED25519 if algorithm == "ed25519" else SHARED)
    return media_cdn.signed(key, algorithm, scope, **{"expires": int(time.time()) + 60, **fields})


def opens(edge, folder, sent, name=NAME, headers=None):
    viewer = Viewer(headers=headers)
    playlist = viewer.playlist(edge.link(f"/{folder}/index.m3u8", sent, name))
    assert viewer.plain(playlist.segments[0]) == SEGMENT


def refused(edge, folder, sent, name=NAME, headers=None):
    response = edge.get(edge.link(f"/{folder}/index.m3u8", sent, name), headers)
    assert response.status == 403 and SEGMENT not in response.body
    assert not edge.asked()
    return json.loads(response.body)["type"]


def test_the_signer_makes_googles_vectors():
    for vector in VECTORS["vectors"]:
        key = ED25519 if vector["algorithm"] == "ed25519" else SHARED
        arguments = {"scope": None, **vector["arguments"]}
        scope = tuple(arguments.pop("scope"))
        made = media_cdn.signed(key, vector["algorithm"], scope, expires=VECTORS["expires"], **arguments)
        assert made == vector["token"]


@pytest.mark.parametrize("algorithm", ["ed25519", "sha256", "sha1"])
@pytest.mark.parametrize("scope", [("PathGlobs", "/vod/*"), ("paths", "/no/*,/vod/a/*"), ("acl", "/no/*!/vod/a/*"),
                                   ("FullPath", "/vod/a/index.m3u8")], ids=lambda scope: scope[0])
def test_each_algorithm_and_scope(shops, algorithm, scope):
    opens(shops, "vod/a", token(algorithm, scope))


def test_a_url_prefix_has_the_viewers_scheme_and_host(shops):
    origin = shops.url
    opens(shops, "vod/a", token(scope=("URLPrefix", f"{origin}/vod/")))
    shops.site.requests.clear()
    for prefix in (f"{origin}/plain/", f"https{origin.removeprefix('http')}/vod/", "http://edge.example/vod/"):
        assert refused(shops, "vod/a", token(scope=("URLPrefix", prefix))) == "path"


def test_times_addresses_headers_and_payload(shops):
    now = int(time.time())
    headers = {"X-Forwarded-For": "203.0.113.7", "User-Agent": "TV (KHTML, like 7)"}
    fields = {"starts": now - 60, "session": "s-1", "data": "user=42", "ranges": "192.0.2.0/24,203.0.113.0/24",
              "headers": [("User-Agent", "TV (KHTML, like 7)")]}
    opens(shops, "vod/a", token(**fields), headers=headers)
    shops.site.requests.clear()
    assert refused(shops, "vod/a", token(**fields), headers=headers | {"User-Agent": "TV"}) == "signature"
    assert refused(shops, "vod/a", token(**fields), headers=headers | {"X-Forwarded-For": "198.51.100.1"}) == "ip"
    assert refused(shops, "vod/a", token(headers=[("X-None", "1")])) == "header"
    assert refused(shops, "vod/a", token(starts=now + 3600, expires=now + 7200)) == "early"
    assert refused(shops, "vod/a", token(expires=now - 3600)) == "expired"


def test_it_comes_in_the_query_or_the_cookie_as_configured(shops):
    sent = token()
    opens(shops, "vod/a", quote(sent, safe=""))
    assert shops.get("/vod/a/index.m3u8", {"Cookie": f"Edge-Cache-Cookie={sent}"}).status == 200
    assert json.loads(shops.get("/vod/a/index.m3u8", {NAME: sent}).body)["type"] == "missing"
    plain = token(scope=("PathGlobs", "/plain/*"))
    opens(shops, "plain", plain, "short")
    assert shops.get("/plain/index.m3u8", {"x-short": plain}).status == 200


def test_only_configured_algorithms_and_keys(shops):
    scope = ("PathGlobs", "/plain/*")
    assert refused(shops, "plain", token("sha256", scope), "short") == "algorithm"
    public = base64.urlsafe_b64decode(KEYS[0]["x"] + "=")
    assert refused(shops, "plain", token("sha256", scope, key=public), "short") == "algorithm"
    assert refused(shops, "plain", token(scope=scope, key=bytes(range(32))), "short") == "signature"
    assert refused(shops, "vod/a", token("sha256", key=public)) == "signature"
    assert refused(shops, "vod/a", token().replace("/vod/*", "/*")) == "signature"
