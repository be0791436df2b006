"""Generates the published derivation vectors with an independent implementation, based on `cryptography` from PyPI.

    python tests/vectors/derive.py > tests/vectors/derivation.json

`test_vectors.py` runs it again and compares; the core's own test reads the same file.
"""

import base64
import hashlib
import hmac
import ipaddress
import json
import struct

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def lp(field: bytes) -> bytes:
    return len(field).to_bytes(2, "big") + field


def derive(secret: bytes, length: int, label: bytes, *fields: bytes) -> bytes:
    info = b"".join(map(lp, (label, *fields)))
    return HKDF(algorithm=SHA256(), length=length, salt=b"playlock/1", info=info).derive(secret)


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def parameter_mac(secret: bytes, policy: str, purpose: str, path: str, fields: str, query="", session=b"") -> str:
    key = derive(secret, 32, b"url-parameter", policy.encode())
    covered = (purpose.encode(), path.encode(), query.encode(), session, fields.encode())
    message = b"".join(map(lp, covered))
    return b64url(hmac.digest(key, message, hashlib.sha256)[:16])


def varint(number: int) -> bytes:
    """LEB128, unsigned."""
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def session_token(secret: bytes, policy: str, session: bytes, opened: int, ttl: int, acl: str,
                  network="", tag=b"", access_token="", payload="") -> str:
    flags, fields = 0, varint(ttl)
    if network:
        net = ipaddress.ip_network(network)
        flags |= 16 if net.version == 4 else 8
        fields += bytes([net.prefixlen]) + net.network_address.packed[:-(-net.prefixlen // 8)]
    if tag:
        flags, fields = flags | 4, fields + tag
    for flag, text in ((2, access_token.encode()), (1, payload.encode())):
        if text:
            flags, fields = flags | flag, fields + varint(len(text)) + text
    hint = derive(secret, 4, b"secret-id", policy.encode())[:1]
    message = bytes([1 << 5 | flags]) + hint + struct.pack(">I", opened) + session + fields + acl.encode()
    key = derive(secret, 32, b"session-token", policy.encode())
    return b64url(message + hmac.digest(key, message, hashlib.sha256)[:16])


def vector(secret: bytes, policy: str, session: bytes, opened: int, ttl: int, acl: str) -> dict:
    scope = (policy.encode(), b"session", session, (0).to_bytes(8, "big"))
    later = (*scope[:3], (7).to_bytes(8, "big"))
    stream = acl.partition("*")[0]
    shared = {}
    for name, value, field in (("stream", stream.encode(), "~s" + b64url(stream.encode())), ("application", b"", "~a"),
                               ("configured", b"", "~c")):
        of_seven = (policy.encode(), name.encode(), value, (7).to_bytes(8, "big"))
        fields = f"~{b64url(policy.encode())}~{b64url(session)}~7{field}"
        shared |= {
            f"{name}Key7": derive(secret, 16, b"content-key", *of_seven).hex(),
            f"{name}Iv7": derive(secret, 16, b"iv", *of_seven).hex(),
            f"{name}KeyParameter7": f"key{fields}~{parameter_mac(secret, policy, 'key', '/serve.key', fields)}",
            f"{name}MediaParameter": f"media{field}~{parameter_mac(secret, policy, 'media', '/vod/all.mp4', field)}",
        }
    del shared["configuredKey7"]
    # A packager's content and key ID: the key ID as bytes, the content ID as text.
    content, kid = f"film {policy}", hashlib.sha256(policy.encode()).digest()[:16]
    packager = (policy.encode(), content.encode(), kid)
    variables = "~" + b64url(b"host\0https://h\0q\0a=1&b\0")
    key_fields = f"~{b64url(policy.encode())}~{b64url(session)}~0"
    query = "?f=init.mp4&x=%2fa"
    clear = parameter_mac(secret, policy, "clear", "/vod/a b/init.mp4", "", query, session)
    document = parameter_mac(secret, policy, "document", "/vod/steer.json", "", query, session)
    fields = "~r100@720~p7~n71"
    own = "~r100@720~p0~i"
    place = (policy.encode(), b"/vod/all.mp4", query.encode())
    token = (secret, policy, session, opened, ttl, acl)
    # Opened from 203.0.113.7 with `x-device: TV 7`, and bound to both.
    parameter_key = derive(secret, 32, b"url-parameter", policy.encode())
    tag = hmac.digest(parameter_key, lp(b"header") + lp(b"x-device") + lp(b"TV 7"), hashlib.sha256)[:8]
    # The TLS client t13d1516h2_8daaf6152771_02713d6af862, and of three headers the two that were sent: `a` is absent.
    client = [b":ja4", b"t1315_8daaf6152771", b"user-agent", b"", b"x-device", b"TV 7"]
    client_tag = hmac.digest(parameter_key, lp(b"header") + b"".join(lp(field) for field in client), hashlib.sha256)[:8]
    return {
        "secret": secret.hex(),
        "policy": policy,
        "session": session.hex(),
        "opened": opened,
        "ttl": ttl,
        "acl": acl,
        "contentKey": derive(secret, 16, b"content-key", *scope).hex(),
        "iv": derive(secret, 16, b"iv", *scope).hex(),
        "contentKey7": derive(secret, 16, b"content-key", *later).hex(),
        "iv7": derive(secret, 16, b"iv", *later).hex(),
        "stream": stream,
        "secretId": derive(secret, 4, b"secret-id", policy.encode()).hex(),
        **shared,
        "sessionToken": session_token(*token),
        "boundToken": session_token(*token, network="203.0.113.0/24", tag=tag),
        "clientToken": session_token(*token, tag=client_tag),
        "grantedToken": session_token(*token, network="2001:db8:1:200::/56", tag=tag, access_token="order-17",
                                      payload='{"name": "Zoë", "n": 1}'),
        "keyParameter": f"key{key_fields}~{parameter_mac(secret, policy, 'key', '/serve.key', key_fields)}",
        "mediaPath": "/vod/all.mp4",
        "mediaParameter": f"media{fields}~{parameter_mac(secret, policy, 'media', '/vod/all.mp4', fields)}",
        "query": query,
        "queryParameter": f"media{own}~{parameter_mac(secret, policy, 'media', '/vod/all.mp4', own, query)}",
        "segmentIv": derive(secret, 16, b"segment-iv", *place, b"").hex(),
        "rangeIv": derive(secret, 16, b"segment-iv", *place, struct.pack(">QQ", 720, 100)).hex(),
        "contentId": content,
        "kid": kid.hex(),
        "packagerKey": derive(secret, 16, b"speke-key", *packager).hex(),
        "packagerIv": derive(secret, 16, b"speke-iv", *packager).hex(),
        "sampleKey": derive(secret, 16, b"sample-key", *scope).hex(),
        "sampleKid": derive(secret, 16, b"sample-kid", *scope).hex(),
        "sampleIv": derive(secret, 16, b"sample-iv", *scope).hex(),
        "sampleIvs": derive(secret, 48, b"sample-ivs", *scope).hex(),
        "samplesParameter": f"samples~{parameter_mac(secret, policy, 'samples', '', '', '', session)}",
        "streamSamplesParameter": f"samples~s{b64url(stream.encode())}~"
                                  f"{parameter_mac(secret, policy, 'samples', stream, '~s' + b64url(stream.encode()), '', session)}",
        "variablesPath": "/vod/v.m3u8",
        "variablesParameter": f"variables{variables}~{parameter_mac(secret, policy, 'variables', '/vod/v.m3u8', variables)}",
        "clearPath": "/vod/a b/init.mp4",
        "clearParameter": f"clear~{parameter_mac(secret, policy, 'clear', '/vod/a b/init.mp4', '')}",
        "sessionClearParameter": f"clear~{clear}",
        "documentPath": "/vod/steer.json",
        "sessionDocumentParameter": f"document~{document}",
    }


def vectors() -> list[dict]:
    return [
        vector(bytes(range(16)), "vod", bytes(range(16)), 1700000000, 86400, "/vod/*"),
        vector(bytes(range(32)), "vod", bytes(16), 1700000000, 60, "/*"),
        vector(b"\xff" * 64, "Política 2", b"\xa5" * 16, 1, 3600, "/a/*!/b/??.m3u8"),
        # The policy of the first, renamed: its `policy` is its `keyName` now.
        vector(bytes(range(16)), "vod", bytes(range(16)), 1700000000, 86400, "/vod/*") | {"policyName": "films"},
    ]


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=2, ensure_ascii=False))
