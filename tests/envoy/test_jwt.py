"""Tests JSON Web Tokens as access tokens: with tokens of two published libraries, at the current time."""

import base64
import hmac
import json
import os
import secrets
import subprocess
import sys

import pytest
from joserfc import jwk

from support import jwts, pages, tokens
from support.edge import document, policy
from support.hls import Viewer, parse

EVERY_MAKER = pytest.mark.parametrize("make", jwts.MAKERS.values(), ids=jwts.MAKERS)
EVERY_ALGORITHM = pytest.mark.parametrize("algorithm", jwts.KEYS)
SEGMENT = b"what the customer sells" * 9


def of(name, **settings):
    return policy(name, {"formats": ["jwt", "edgeauth"], "jwt": {"keys": {"keys": jwts.public()}, **settings}})


@pytest.fixture(scope="module")
def gate(edges):
    """One edge with policies that read tokens in different ways, each for the folder of its name."""
    return edges(document(
        of("jwt", issuers=[jwts.ISSUER]),
        of("login", audiences=["tv"], requirePaths=False, claims={"id": "sid", "payload": "device.name"}),
        of("nested", claims={"paths": "realm_access.paths"}, parameter="access_token", cookie="at", header="X-Token"),
        of("prefix", claims={"paths": "https://example.com/paths"}, pathsAre="prefixes", maxAge="1m"),
        of("asymmetric", keys=jwts.public("ES256", "EdDSA", "RS256")),
    ))


@pytest.fixture(autouse=True)
def streams(site):
    for folder in ("jwt", "jwt/a", "login", "login/a", "nested", "prefix", "asymmetric"):
        site.stream(folder, seg_ts=SEGMENT)


def plays(edge, folder, token=None, name="token", headers=None):
    """Plays the stream of a folder: playlist, key and segment, with the session that the token opens."""
    link = f"{edge.url}/{folder}/index.m3u8" + (f"?{name}={token}" if token else "")
    playlist = Viewer(headers=headers).playlist(link)
    assert Viewer().plain(playlist.segments[0]) == SEGMENT
    for asked in edge.asked():
        assert "token=" not in asked.target and "authorization" not in {name.lower() for name, _ in asked.headers}
    edge.site.requests.clear()
    return playlist


def refused(edge, folder, token=None, name="token", headers=None):
    """Checks that the token is refused, and returns the reason."""
    response = edge.get(f"/{folder}/index.m3u8" + (f"?{name}={token}" if token else ""), headers)
    assert response.status == 403 and not edge.asked()
    return json.loads(response.body)["type"]


@EVERY_MAKER
@EVERY_ALGORITHM
def test_every_algorithm_opens_a_stream(gate, make, algorithm):
    plays(gate, "jwt/a", make(algorithm))


@EVERY_MAKER
@EVERY_ALGORITHM
def test_a_key_of_a_stranger_does_not(gate, make, algorithm):
    own = jwts.KEYS[algorithm]
    parameters = {"kid": own.kid}
    stranger = {
        "HS256": lambda: jwk.OctKey.generate_key(256, parameters),
        "ES256": lambda: jwk.ECKey.generate_key("P-256", parameters),
        "EdDSA": lambda: jwk.OKPKey.generate_key("Ed25519", parameters),
        "RS256": lambda: jwk.RSAKey.generate_key(2048, parameters),
    }[algorithm]()
    assert refused(gate, "jwt", make(algorithm, key=stranger)) == "signature"


def encode(part):
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def with_secret(secret, header):
    """A token of HS256 with a secret that the libraries refuse, because it is the text of a public key."""
    signed = f"{encode(header)}.{encode(jwts.claims())}"
    return f"{signed}.{encode(hmac.digest(secret, signed.encode(), 'sha256'))}"


def test_algorithms_are_not_confused(gate):
    """A public key as the secret of HS256: its coordinate, its modulus, and the PEM text."""
    for algorithm in ("ES256", "EdDSA", "RS256"):
        key = jwts.KEYS[algorithm]
        written = key.as_dict(private=False)
        number = written.get("x") or written["n"]
        for secret in (base64.urlsafe_b64decode(number + "=="), number.encode(), key.as_pem(private=False)):
            forged = with_secret(secret, {"alg": "HS256", "kid": key.kid})
            assert refused(gate, "jwt", forged) == "algorithm"
            assert refused(gate, "asymmetric", forged) == "algorithm"
            forged = with_secret(secret, {"alg": "HS256"})
            assert refused(gate, "jwt", forged) == "signature"


def test_tokens_without_a_signature(gate):
    for alg in ("none", "None", "NONE", "nOnE"):
        unsigned = f"{encode({'alg': alg})}.{encode(jwts.claims())}."
        assert refused(gate, "jwt", unsigned) == "malformed"
        assert refused(gate, "jwt", unsigned + "AA") == "algorithm"
    good = jwts.by_python()
    assert refused(gate, "jwt", good.rpartition(".")[0] + ".") == "malformed"


@EVERY_MAKER
def test_claims_decide(gate, make):
    now = tokens.now()
    for changes, reason in [
        ({"exp": now - 60}, "expired"),
        ({"exp": None}, "malformed"),
        ({"nbf": now + 60}, "early"),
        ({"iss": "https://other.example"}, "signature"),
        ({"iss": None}, "signature"),
        ({"aud": "tv"}, "audience"),
        ({"paths": None}, "path"),
        ({"paths": ["/login/*", "/jwt/b/*"]}, "path"),
        ({"paths": "/login/*!/jwt/b/*"}, "path"),
        ({"paths": []}, "malformed"),
    ]:
        assert refused(gate, "jwt/a", make(**changes)) == reason, changes
    for changes in ({"paths": "/login/*!/jwt/a/*"}, {"paths": ["/login/*", "/jwt/?/*"]}, {"nbf": now - 5, "iat": now}):
        plays(gate, "jwt/a", make(**changes))


@EVERY_MAKER
def test_tokens_of_a_login_have_no_paths(gate, make):
    login = {"paths": None, "aud": ["shop", "tv"], "sid": "7", "device": {"name": "television"}}
    playlist = plays(gate, "login/a", make(**login))
    other = playlist.segments[0].url.replace("/login/a/", "/login/")
    assert gate.get(other).status == 403, "the session is for the directory"
    assert refused(gate, "login/a", make(**{**login, "aud": "shop"})) == "audience"
    assert refused(gate, "login/a", make(**{**login, "aud": None})) == "audience"


@EVERY_MAKER
def test_names_of_claims_and_carriers(gate, make):
    nested = {"paths": None, "realm_access": {"roles": ["viewer"], "paths": ["/nested/*"]}}
    token = make(**nested)
    plays(gate, "nested", token, name="access_token")
    plays(gate, "nested", headers={"Cookie": f"a=1; at={token}"})
    plays(gate, "nested", headers={"x-token": token})
    assert refused(gate, "nested", token) == "missing"
    assert refused(gate, "nested", headers={"Authorization": f"Bearer {token}"}) == "missing"
    prefix = {"paths": None, "exp": None, "iat": tokens.now(), "https://example.com/paths": ["/pre"]}
    plays(gate, "prefix", make(**prefix))
    assert refused(gate, "prefix", make(**{**prefix, "iat": tokens.now() - 120})) == "expired"
    assert refused(gate, "prefix", make(**{**prefix, "https://example.com/paths": ["/pre*"]})) == "path"


def test_bearer_tokens(gate):
    token = jwts.by_python()
    for value in (f"Bearer {token}", f"bearer {token}", f"BEARER   {token}"):
        plays(gate, "jwt/a", headers={"Authorization": value})
    for value in (token, f"Basic {token}", "Bearer", f"Bearer{token}"):
        assert refused(gate, "jwt", headers={"Authorization": value}) == "missing", value
    assert refused(gate, "jwt", headers={"Authorization": f"Bearer {token} x"}) == "malformed"
    plays(gate, "jwt/a", headers={"Cookie": f"token={token}"})


def test_credentials_for_the_origin_reach_it(gate):
    """Only tokens are removed from `authorization`."""
    token = jwts.by_python()
    response = gate.get(f"/jwt/index.m3u8?token={token}", {"Authorization": "Basic dXNlcjpwYXNz"})
    assert response.status == 200
    (asked,) = gate.asked("/jwt/index.m3u8")
    assert {name.lower(): value for name, value in asked.headers}["authorization"] == "Basic dXNlcjpwYXNz"


def test_long_tokens_of_identity_providers(gate):
    roles = {"resource_access": {f"application-{n}": {"roles": ["viewer", "editor"]} for n in range(60)}}
    token = jwts.by_python("RS256", **roles)
    assert 4096 < len(token) < 8192
    plays(gate, "jwt/a", token)
    plays(gate, "jwt/a", headers={"Authorization": f"Bearer {token}"})
    longer = jwts.by_python("RS256", **roles, more="x" * 4096)
    assert refused(gate, "jwt", longer) == "malformed"


def test_two_formats_side_by_side(gate):
    """The name decides on the format; one of each is not a duplicate in the same place, but it is in the query."""
    edgeauth, token = tokens.by_python(acl="/jwt/*"), jwts.by_python()
    plays(gate, "jwt/a", edgeauth, name="hdnts")
    assert refused(gate, "jwt", token, name="hdnts") == "malformed"
    assert refused(gate, "jwt", edgeauth) == "malformed"
    assert refused(gate, "jwt", f"{token}&hdnts={edgeauth}") == "duplicate"


def test_the_session_goes_on_when_the_token_has_expired(gate):
    token = jwts.by_python(exp=tokens.now() + 2)
    playlist = plays(gate, "jwt/a", token)
    again = gate.get(playlist.segments[0].url)
    assert again.status == 200 and parse(playlist.text, playlist.url).segments


def test_the_example_of_docs_tokens(edges, site):
    """The page's configuration, with tokens from its issuer."""
    text = pages.read("tokens.md").partition("\n## JSON Web Tokens\n")[2].partition("\n## ")[0]
    variables = {"PLAYLOCK_JWT_SECRET": secrets.token_urlsafe(32), "PLAYLOCK_SECRET": "00" * 16}
    edge = edges(json.loads(pages.block(text, "json")), vm=variables)
    issuer = subprocess.run([sys.executable, "-c", pages.block(text, "python")], env={**os.environ, **variables},
                            capture_output=True, text=True, check=True)
    site.stream("vod/film", seg_ts=SEGMENT)
    site.stream("vod/other", seg_ts=SEGMENT)
    plays(edge, "vod/film", issuer.stdout.strip())
    assert refused(edge, "vod/other", issuer.stdout.strip()) == "path"
