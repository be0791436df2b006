"""Seals and opens secrets with an independent implementation, based on `cryptography` from PyPI.

    python tests/vectors/sealed.py > tests/vectors/sealed.json
    python tests/vectors/sealed.py open KEY TEXT

`test_vectors.py` runs it again and compares; the configuration's own test reads the same file.
"""

import base64
import hashlib
import json
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import derive

LABEL = b"playlock/sealed/1"


def keys(key: bytes) -> tuple[bytes, str]:
    """The key of AES-256-GCM, and the key ID."""
    return derive.derive(key, 32, b"sealing-key"), derive.derive(key, 4, b"sealing-id").hex()


def seal(key: bytes, nonce: bytes, secret: str) -> str:
    cipher, key_id = keys(key)
    return f"1.{key_id}.{derive.b64url(nonce + AESGCM(cipher).encrypt(nonce, secret.encode(), LABEL))}"


def unseal(key: bytes, text: str) -> str:
    version, key_id, data = text.split(".")
    cipher, own = keys(key)
    data = base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))
    assert (version, key_id) == ("1", own)
    return AESGCM(cipher).decrypt(data[:12], data[12:], LABEL).decode()


def vectors() -> list[dict]:
    secrets = ["a", "52a152a152a152a152a152a152a152a1", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
               "pässwörd 🔑", "b" * 15, "c" * 16, "d" * 17, "e" * 4096]
    made = []
    for number, secret in enumerate(secrets):
        key = hashlib.sha256(f"sealing key {number % 2}".encode()).digest()
        nonce = hashlib.sha256(f"nonce {number}".encode()).digest()[:12]
        text = key.hex() if number % 3 else base64.b64encode(key).decode()
        made.append({"key": text, "keyId": keys(key)[1], "nonce": nonce.hex(), "secret": secret,
                     "sealed": seal(key, nonce, secret)})
    return made


if __name__ == "__main__":
    if sys.argv[1:2] == ["open"]:
        print(unseal(bytes.fromhex(sys.argv[2]), sys.argv[3]), end="")
    else:
        print(json.dumps(vectors(), indent=2))
