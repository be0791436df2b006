"""Makes tests/forgery/jwt.json with PyPI's `joserfc`: keys, valid tokens of each algorithm, and tokens that the issuer's own
library signs but that are not valid.

    target/venv/bin/python tests/forgery/jwt.py > tests/forgery/jwt.json
"""

import base64
import hashlib
import hmac
import json
import warnings

from joserfc import jwk, jws

warnings.simplefilter("ignore")
NOW = 4_000_000_000
ALGORITHMS = ["HS256", "ES256", "EdDSA", "RS256"]


def keys():
    return {
        "HS256": jwk.OctKey.generate_key(256, {"kid": "secret"}),
        "ES256": jwk.ECKey.generate_key("P-256", {"kid": "curve"}),
        "EdDSA": jwk.OKPKey.generate_key("Ed25519", {"kid": "edwards"}),
        "RS256": jwk.RSAKey.generate_key(2048, {"kid": "rsa"}),
    }


own, strangers = keys(), keys()


def sign(algorithm, claims=None, header=None, key=None):
    claims = {"paths": ["/vod/*"], "exp": NOW + 60} if claims is None else claims
    payload = claims if isinstance(claims, str) else json.dumps(claims)
    key = key or own[algorithm]
    header = {"alg": algorithm, "kid": key.kid} if header is None else header
    return jws.serialize_compact(header, payload, key, algorithms=[algorithm])


def encode(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def bare(header, rest):
    """Valid claims and signature behind another header."""
    return ".".join([encode(header), *rest.split(".")[1:]])


def confused(algorithm):
    """HS256 with a public key as the secret."""
    written = own[algorithm].as_dict(private=False)
    number = written.get("n") or written["x"]
    for secret in (base64.urlsafe_b64decode(number + "=="), number.encode(), own[algorithm].as_pem(private=False)):
        for kid in (own[algorithm].kid, "secret", None):
            header = {"alg": "HS256"} if kid is None else {"alg": "HS256", "kid": kid}
            # Not by the library, which refuses such a key.
            signed = f"{encode(header)}.{encode({'paths': ['/vod/*'], 'exp': NOW + 60})}"
            tag = hmac.digest(secret, signed.encode(), hashlib.sha256)
            yield f"{signed}.{base64.urlsafe_b64encode(tag).decode().rstrip('=')}"


def high(token):
    """The same ES256 signature with n - s, which is as valid."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    head, _, tag = token.rpartition(".")
    tag = base64.urlsafe_b64decode(tag + "==")
    other = tag[:32] + (order - int.from_bytes(tag[32:], "big")).to_bytes(32, "big")
    return f"{head}.{base64.urlsafe_b64encode(other).decode().rstrip('=')}"


def reduced(token):
    """The same EdDSA signature with s + L."""
    order = 2**252 + 27742317777372353535851937790883648493
    head, _, tag = token.rpartition(".")
    tag = base64.urlsafe_b64decode(tag + "==")
    other = tag[:32] + (int.from_bytes(tag[32:], "little") + order).to_bytes(32, "little")
    return f"{head}.{base64.urlsafe_b64encode(other).decode().rstrip('=')}"


valid = [sign(algorithm) for algorithm in ALGORITHMS]
valid += [sign(algorithm, {"paths": "/vod/film/*", "exp": NOW + 60, "sub": "viewer-7"}) for algorithm in ALGORITHMS]
each = lambda **changes: [sign(algorithm, {"paths": ["/vod/*"], "exp": NOW + 60, **changes}) for algorithm in ALGORITHMS]
forged = {
    "a stranger's key": [sign(one, key=strangers[one], header={"alg": one, "kid": own[one].kid}) for one in ALGORITHMS],
    "a stranger's key without a kid": [sign(one, key=strangers[one], header={"alg": one}) for one in ALGORITHMS],
    "an unknown kid": [sign(one, header={"alg": one, "kid": "other"}) for one in ALGORITHMS],
    "the kid of another algorithm": [sign(one, header={"alg": one, "kid": own[two].kid})
                                     for one in ALGORITHMS for two in ALGORITHMS if one != two],
    "a public key as secret": [token for one in ALGORITHMS[1:] for token in confused(one)],
    "alg none": [bare({"alg": alg}, rest) for rest in valid[:4] for alg in ("none", "None", "NONE", "nOnE", "")],
    "another alg": [bare({"alg": alg, "kid": own[one].kid}, rest) for one, rest in zip(ALGORITHMS, valid)
                    for alg in (*ALGORITHMS, "HS384", "RS512", "PS256", "ES384") if alg != one],
    "no alg": [bare(header, rest) for rest in valid[:4] for header in ({}, {"alg": None}, {"alg": 1}, {"alg": ["HS256"]})],
    "a key in the header": [sign(one, key=strangers[one], header={"alg": one, "jwk": strangers[one].as_dict(private=False)})
                            for one in ALGORITHMS[1:]],
    "critical headers": [bare({"alg": one, "crit": crit, "b64": False}, rest) for one, rest in zip(ALGORITHMS, valid)
                         for crit in (["b64"], ["exp"], [], None)],
    "s + L": [reduced(token) for token in valid if token == valid[2] or token == valid[6]],
    "n - s": [high(token) for token in (valid[1], valid[5])],
    "expired": each(exp=NOW - 10),
    "early": each(nbf=NOW + 11) + each(iat=NOW + 11),
    "other paths": each(paths=["/live/*"]) + each(paths="/vod") + each(paths=["/vod/film/master.m3u8x"]),
    "another audience": each(aud="shop") + each(aud=["shop", "news"]),
    "claims of another type": [token for changes in (
        {"exp": "4000000060"}, {"exp": None}, {"exp": [NOW + 60]}, {"exp": True}, {"exp": -1}, {"exp": 1e300}, {"paths": []},
        {"paths": [1]}, {"paths": {}}, {"paths": None}, {"paths": ""}, {"paths": [""]}, {"sub": 7}, {"jti": []}, {"iss": 1},
        {"aud": 1}, {"nbf": "0"}) for token in each(**changes)],
    "claims twice": [sign(one, claims) for one in ALGORITHMS for claims in (
        '{"paths":"/live/*","paths":"/vod/*","exp":4000000060}', '{"paths":"/vod/*","exp":1,"exp":4000000060}',
        '{"paths":"/vod/*","\\u0065xp":1,"exp":4000000060}')],
    "no claims": [sign(one, claims) for one in ALGORITHMS for claims in (
        "", "{}x", "[]", "null", '"paths"', '{"paths":"/vod/*"}', '{"paths":"/vod/*","exp":4000000060}\0')],
}
config = {
    "policies": [{
        "policyName": "vod",
        "tokenAuth": {"enabled": True, "formats": ["jwt"], "jwt": {
            "keys": [own[one].as_dict(private=one == "HS256") for one in ALGORITHMS],
        }},
        "mediaEncryption": {"enabled": True, "secret": "000102030405060708090a0b0c0d0e0f"},
    }],
    "assignments": [{"policyName": "vod", "path": "/vod/..."}],
}
print(json.dumps({"config": config, "valid": valid, "forged": forged}, indent=1))
