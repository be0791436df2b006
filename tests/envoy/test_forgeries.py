"""Tests the sample of forgeries from `cargo test --test forgery` through a real Envoy on reused connections."""

import collections
import json
from urllib.parse import unquote_to_bytes

import pytest

from support import places
from support.edge import environment
from support.proxy import Proxy, bootstrap, running, wasm_filter
from support.raw_origin import RawOrigin
from support.wire import Wire

FORGERY = places.REPOSITORY / "tests/forgery"
SAMPLE = places.REPOSITORY / "target/forgeries.jsonl"
PLAIN = b"plaintext"
GOOD = {"same", "sealed", "rewritten", "key", "clear"}
FOLDERS = ("query", "cookie", "both", "stream", "application", "configured", "tokens", "legacy", "bound", "path")
# What Envoy does not even hand to its filters: it says so itself, or closes the connection.
OF_ENVOY = {0, 400, 404, 431}


def files():
    """The origin's files, as in the core's world."""
    made = {}
    for folder in FOLDERS:
        for name in ("master.m3u8", "steer.json"):
            made[f"/{folder}/{name}"] = (FORGERY / "origin" / name).read_bytes()
        for at in ("v", "w", "V"):
            made[f"/{folder}/{at}/index.m3u8"] = (FORGERY / "origin/index.m3u8").read_bytes()
            for name in ("init.mp4", "seg7.m4s", "seg8.m4s", "seg9.m4s", "whole.m4s"):
                made[f"/{folder}/{at}/{name}"] = f"plaintext of {name} ".encode() * 20
    return made


def sample():
    """Each forgery as (what it is, its headers in bytes, its client, what comes of it)."""
    if not SAMPLE.exists():
        raise places.Missing(f"{SAMPLE} does not exist: run `cargo test --test forgery`")
    for line in SAMPLE.read_text().splitlines():
        one = json.loads(line)
        yield one, [(name.encode(), bytes.fromhex(value)) for name, value in one["headers"]], one["client"], one["verdict"]


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    """(origin, connection) of an Envoy with the policies of the forgeries that trusts one proxy before it."""
    folder = tmp_path_factory.mktemp("forgeries")
    origin = RawOrigin(files())
    policies = json.loads((FORGERY / "policies.json").read_text())
    proxy = Proxy(folder, bootstrap(origin.port, "h1", [wasm_filter(policies, environment(), False)], folder / "access.log", 1))
    running.append(proxy)
    wire = Wire(proxy.port)
    yield origin, wire
    running.remove(proxy)
    wire.close()
    proxy.end()
    proxy.stop()
    origin.stop()


def names(target):
    """The names of a target's parameters."""
    return [unquote_to_bytes(parameter.partition(b"=")[0]) for parameter in target.partition(b"?")[2].split(b"&")]


def test_forgeries_through_envoy(gate):
    origin, wire = gate
    met, own, kinds = collections.Counter(), 0, collections.Counter()
    for one, headers, client, verdict in sample():
        pseudo = dict(headers[:4])
        fields = headers[4:]
        if any(set(b"\r\n\0") & set(value) or value != value.strip(b" \t") for _, value in fields) or set(b"\r\n\0 \t") & set(pseudo[b":path"] + pseudo[b":method"]):
            continue  # another request, in HTTP/1.1
        if not pseudo[b":path"].isascii() or one["policy"] in ("exact", "lenient"):
            continue  # Envoy refuses it itself; it has another time
        address = (client or "").rsplit(":", 1)[0].strip("[]")
        if not client or not address[:1].isdigit():
            continue  # Envoy knows every client's address
        fields.append((b"X-Forwarded-For", address.encode()))
        origin.asked.clear()
        response = wire.ask(pseudo[b":path"], fields, pseudo[b":method"], pseudo[b":authority"])
        where = f"{one['class']}, {one['token']} in {one['place']} of {one['policy']}: {response.status} {response.body[:300]!r}"
        kinds[one["class"]] += 1
        if verdict in GOOD:
            assert response.status in (200, 206) and origin.asked or verdict in ("key", "same"), where
            assert response.status in (200, 206), where
            assert one["what"] == "init" or one["policy"] == "tokens" or PLAIN not in response.body, where
            met[verdict] += 1
            continue
        assert PLAIN not in response.body and b"#EXTM3U" not in response.body, where
        if response.header("content-type") == "application/problem+json":
            assert json.loads(response.body)["type"] == verdict, where
            met[verdict] += 1
        else:
            assert response.status in OF_ENVOY and (response.status != 404 or verdict == "absent"), where
            own += 1
        # Where keys rotate, only the response tells whether a URL that says no period is of media.
        late = verdict == "parameter" and b"plk" not in names(pseudo[b":path"])
        assert not origin.asked or late or verdict == "absent", f"asked for: {where}"
    print(f"{sum(met.values())} through playlock in {len(kinds)} classes: {dict(met)}; {own} kept out by Envoy itself")
    assert sum(met.values()) > 400 and len(kinds) > 150
    assert own < 60, "Envoy takes for bad what the sample should bring to playlock"
