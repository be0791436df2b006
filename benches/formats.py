"""Access tokens of every format and algorithm, made by libraries that are not playlock's, and the settings to verify them."""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support import cat, jwts, media_cdn, tokens, uri_signing

HOUR = 3600
SEED, SHARED = bytes(range(32)), bytes(range(32, 64))


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def settings():
    """The members of `tokenAuth` under which every token here is valid."""
    public = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {
        "formats": ["edgeauth", "cat", "urisigning", "jwt", "mediacdn"],
        "cat": {"keys": cat.keys()},
        "urisigning": {"keys": [uri_signing.public(uri_signing.KEYS["ES256"], "site")]},
        "jwt": {"keys": jwts.public(), "issuers": [jwts.ISSUER]},
        "mediacdn": {"algorithms": ["ed25519", "hmac-sha256"], "keys": [
            {"kty": "OKP", "crv": "Ed25519", "x": b64(public)}, {"kty": "oct", "k": b64(SHARED)}]},
    }


def edge_auth():
    """Query with an Akamai EdgeAuth token (HMAC-SHA-256)."""
    return f"hdnts={tokens.by_python(acl='/*', exp=tokens.now() + HOUR)}"


def common(algorithm):
    """Queries with a Common Access Token."""
    # iss, exp, and catu (312) with a prefix match (1) of the path (3).
    return lambda: f"cat={cat.by_python({1: 'site.example', 4: tokens.now() + HOUR, 312: {3: {1: '/'}}}, algorithm)}"


def signed_uri():
    """Query with a URI Signing token for all URIs of this machine, matched by a regular expression."""
    claims = {"iss": "site", "exp": tokens.now() + HOUR, "cdniuc": uri_signing.below("")}
    return f"URISigningPackage={uri_signing.by_python(claims)}"


def web_token(algorithm):
    """Queries with a JSON Web Token."""
    return lambda: f"token={jwts.by_python(algorithm, paths=['/*'], exp=tokens.now() + HOUR)}"


def google(key, algorithm):
    """Queries with a Media CDN token."""
    return lambda: "edge-cache-token=" + media_cdn.signed(key, algorithm, ("PathGlobs", "/*"), expires=tokens.now() + HOUR)


QUERIES = {
    "EdgeAuth, HMAC-SHA-256": edge_auth,
    "CAT, HS256": common("HS256"),
    "CAT, ES256": common("ES256"),
    "URI Signing, ES256, regex": signed_uri,
    **{f"JWT, {algorithm}": web_token(algorithm) for algorithm in ("HS256", "ES256", "EdDSA", "RS256")},
    "Media CDN, HMAC-SHA-256": google(SHARED, "sha256"),
    "Media CDN, Ed25519": google(SEED, "ed25519"),
}
