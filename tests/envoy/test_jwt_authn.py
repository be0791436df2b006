"""Tests tokens that Envoy's jwt_authn filter verifies before playlock sees the request."""

import json

import pytest
import yaml

from support import jwts, pages, tokens
from support.edge import document, policy
from support.hls import Viewer

SEGMENT = b"what the customer sells" * 9


def jwt_authn():
    """The filter as docs/tokens.md shows it, but for the keys, which it has at once."""
    made = yaml.safe_load(pages.block(pages.read("tokens.md"), "yaml"))
    provider = made["typed_config"]["providers"]["login"]
    assert provider.pop("remote_jwks")
    provider.update(local_jwks={"inline_string": json.dumps({"keys": jwts.public("ES256", "RS256")})}, clock_skew_seconds=5)
    return made


def of(name, key="payload", **settings):
    return policy(name, {"formats": ["jwt"], "jwt": {"metadata": {"key": key}, **settings}})


@pytest.fixture(scope="module")
def gate(edges):
    return edges(document(
        of("vod"),
        of("login", requirePaths=False, claims={"payload": "device.name"}),
        of("nested", claims={"paths": "realm_access.paths", "id": "sid"}),
        of("other", key="elsewhere", requirePaths=False),
    ), before=(jwt_authn(),))


@pytest.fixture(autouse=True)
def streams(site):
    for folder in ("vod", "login", "nested", "other"):
        site.stream(folder, seg_ts=SEGMENT)


def plays(edge, folder, query="", headers=None):
    playlist = Viewer(headers=headers).playlist(f"{edge.url}/{folder}/index.m3u8{query}")
    assert Viewer().plain(playlist.segments[0]) == SEGMENT
    edge.site.requests.clear()


def refused(edge, folder, query="", headers=None):
    response = edge.get(f"/{folder}/index.m3u8{query}", headers)
    assert not edge.asked()
    return response.status, json.loads(response.body)["type"] if response.body.startswith(b"{") else ""


def token(**changes):
    return jwts.by_python(**{"aud": "https://tv.example", "paths": ["/live/*", "/vod/*"], **changes})


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_verified_token_opens_a_session(gate, algorithm):
    made = token(algorithm=algorithm, jti="7", sub="viewer", other=[1, None, {"a": True}])
    plays(gate, "vod", f"?token={made}")
    plays(gate, "vod", headers={"Authorization": f"Bearer {made}"})
    plays(gate, "vod", headers={"Authorization": f"Bearer {token(paths='/live/*!/v?d/*')}"})


def test_requests_without_a_token_have_no_claims(gate):
    assert refused(gate, "vod") == (403, "missing")
    assert refused(gate, "login") == (403, "missing")


def test_jwt_authn_refuses_the_others(gate):
    assert refused(gate, "vod", f"?token={token(exp=tokens.now() - 60)}")[0] == 401
    assert refused(gate, "vod", f"?token={token(aud='shop')}")[0] in (401, 403)
    assert refused(gate, "vod", f"?token={token(iss='https://other.example')}")[0] == 401
    assert refused(gate, "vod", f"?token={token()[:-8]}AAAAAAAA")[0] == 401


def test_claims_decide(gate):
    for changes, reason in [
        ({"paths": ["/live/*"]}, "path"),
        ({"paths": None}, "path"),
        ({"paths": []}, "malformed"),
        ({"paths": 7}, "malformed"),
        ({"paths": True}, "malformed"),
        ({"paths": {"a": "b"}}, "malformed"),
        ({"paths": ["/vod/*", 7]}, "malformed"),
        ({"paths": [["/vod/*"]]}, "malformed"),
        ({"sub": ""}, "malformed"),
    ]:
        assert refused(gate, "vod", f"?token={token(**changes)}") == (403, reason), changes


def test_other_claims(gate):
    plays(gate, "login", f"?token={token(paths=None, device={'name': 'television'})}")
    plays(gate, "login", f"?token={token(paths=None)}")
    plays(gate, "nested", f"?token={token(realm_access={'paths': ['/nested/*']}, sid='7')}")
    assert refused(gate, "login", f"?token={token(paths=None, device={'name': 7})}") == (403, "malformed")
    assert refused(gate, "login", f"?token={token(paths=None, device={'name': ['television']})}") == (403, "malformed")
    assert refused(gate, "nested", f"?token={token(realm_access={'roles': ['/nested/*']})}") == (403, "path")


def test_metadata_of_another_name_is_none(gate):
    assert refused(gate, "other", f"?token={token(paths=None)}") == (403, "missing")


def test_without_jwt_authn_there_is_no_token(edges):
    """A token alone proves nothing where playlock is to verify none."""
    bare = edges(document(of("vod")))
    for query, headers in [(f"?token={token()}", None), ("", {"Authorization": f"Bearer {token()}"})]:
        assert refused(bare, "vod", query, headers) == (403, "missing")
