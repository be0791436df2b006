"""Tokens of Google Media CDN, signed after Google's published algorithm with `cryptography` from PyPI: an implementation
that shares nothing with playlock's."""

import base64
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAMES = {"expires": "Expires", "starts": "Starts", "session": "SessionID", "data": "Data"}


def b64(data, padded=False):
    """URL-safe base64."""
    text = base64.urlsafe_b64encode(data).decode()
    return text if padded else text.rstrip("=")


def signed(key, algorithm, scope, names=NAMES, headers=(), ranges=None, padded=False, **fields):
    """A token.

    `key` is bytes; `algorithm` is ed25519, sha256 or sha1. `scope` is (name, value) of URLPrefix, FullPath or PathGlobs or
    an alias; `fields` has starts, expires, session and data; `headers` are pairs of name and value; `ranges` is text.
    """
    name, value = scope
    if name == "URLPrefix":
        value = b64(value.encode(), padded)
    token, covered = ["FullPath" if name == "FullPath" else f"{name}={value}"], [f"{name}={value}"]
    for field in ("starts", "expires", "session", "data"):
        if field in fields:
            token.append(f"{names[field]}={fields[field]}")
            covered.append(token[-1])
    if headers:
        token.append("Headers=" + ",".join(name for name, _ in headers))
        covered.append("Headers=" + ",".join(f"{name}={value}" for name, value in headers))
    if ranges:
        token.append("IPRanges=" + b64(ranges.encode(), padded))
        covered.append(token[-1])
    message = "~".join(covered).encode()
    if algorithm == "ed25519":
        token.append("Signature=" + b64(Ed25519PrivateKey.from_private_bytes(key).sign(message), padded))
    else:
        token.append("hmac=" + hmac.digest(key, message, algorithm).hex())
    return "~".join(token)
