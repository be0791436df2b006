"""Tests that the published vectors match an independent implementation and the derivation in docs/keys.md."""

import json
import pathlib

import cat
import derive
import sealed


def test_derivation():
    published = json.loads((pathlib.Path(__file__).parent / "derivation.json").read_text())
    assert published == derive.vectors()


def test_what_docs_keys_tells_key_servers():
    folder = pathlib.Path(__file__).parent
    (example,) = (folder / "../../docs/keys.md").read_text().split("```python\n")[1:]
    told = {}
    exec(example.partition("```")[0], told)
    for vector in json.loads((folder / "derivation.json").read_text()):
        secret, policy = bytes.fromhex(vector["secret"]), vector["policy"]
        key = lambda scope, value, period: told["content_key"](secret, policy, scope, value, period).hex()
        assert key("session", bytes.fromhex(vector["session"]), 0) == vector["contentKey"]
        assert key("session", bytes.fromhex(vector["session"]), 7) == vector["contentKey7"]
        assert key("stream", vector["stream"].encode(), 7) == vector["streamKey7"]
        assert key("application", b"", 7) == vector["applicationKey7"]
        session = ("session", bytes.fromhex(vector["session"]))
        assert told["sample_key"](secret, policy, *session).hex() == vector["sampleKey"]
        assert told["sample_kid"](secret, policy, *session).hex() == vector["sampleKid"]
        assert told["secret_id"](secret, policy) == vector["secretId"]
        packager = told["packager_key"](secret, policy, vector["contentId"], bytes.fromhex(vector["kid"]))
        assert packager.hex() == vector["packagerKey"]


def test_common_access_tokens():
    """But for the signatures of ES256, which are random."""
    published = json.loads((pathlib.Path(__file__).parent / "cat.json").read_text())
    fixed = lambda file: [dict(one, token=None) if one["about"].startswith("ES256") else one for one in file["vectors"]]
    assert fixed(published) == fixed(cat.FILE)
    assert {**published, "vectors": None} == {**cat.FILE, "vectors": None}


def test_sealed_secrets():
    published = json.loads((pathlib.Path(__file__).parent / "sealed.json").read_text())
    assert published == sealed.vectors()
    for vector in published[1:3]:
        assert sealed.unseal(bytes.fromhex(vector["key"]), vector["sealed"]) == vector["secret"]
