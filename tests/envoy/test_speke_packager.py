"""Tests the key server for packagers end to end: Shaka Packager encrypts the demo's programme with the keys that
`playlock speke request` gets from Envoy, and ffmpeg opens the result with them."""

import json
import shlex
import subprocess

import pytest

from support import places
from support.edge import document, environment, policy
from support.packaging import decoded, packager, programme

TOKEN = "7d0fc1a2b3c4d5e6f708192a3b4c5d6e"
SYSTEMS = "widevine,playready,common"


@pytest.fixture(scope="module")
def server(edges):
    """An Envoy whose policy has a key server."""
    requester = {"name": "packager", "token": {"env": "PLAYLOCK_PACKAGER"}, "contentIds": ["film"]}
    made = document(policy("vod", None, {"speke": {"path": "/speke", "requesters": [requester]}}))
    return edges(made, hold=True, vm=environment() | {"PLAYLOCK_PACKAGER": TOKEN})


def run(*command):
    ran = subprocess.run([str(part) for part in command], capture_output=True, timeout=120)
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode()


def requested(edge, scheme, output, kids, content_id="film"):
    """What the command prints of the keys of these key IDs."""
    options = ["--token", TOKEN, "--content-id", content_id, "--track", "SD,AUDIO", "--kid", ",".join(kids), "--system", SYSTEMS,
               "--scheme", scheme, "--output", output]
    return run(places.command(), "speke", "request", f"{edge.url}/speke", *options)


@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_a_packager_encrypts_with_the_keys(server, tmp_path, scheme):
    kids = ["98ee5596-cd3e-a20d-163a-e382420c6eff", "53abdba2-f210-43cb-bc90-f18f9a890a02"]
    arguments = shlex.split(requested(server, scheme, "shaka-packager", kids))
    plain = {"video": programme(tmp_path, "v180"), "audio": programme(tmp_path, "audio")}
    packed = {kind: tmp_path / f"packed-{kind}.mp4" for kind in plain}
    streams = [f"in={plain[kind]},stream={kind},output={packed[kind]}" for kind in plain]
    run(packager(), *streams, "--mpd_output", tmp_path / "film.mpd", *arguments)
    keys = {key["kid"].lower(): key["key"] for key in json.loads(requested(server, scheme, "json", kids))["keys"]}
    assert list(keys) == kids and len(set(keys.values())) == 2
    manifest = (tmp_path / "film.mpd").read_text()
    for kind, kid, other in (("video", kids[0], kids[1]), ("audio", kids[1], kids[0])):
        assert f'default_KID="{kid}"' in manifest
        shown = decoded(plain[kind], kind[0])
        assert len(shown) > 50 and decoded(packed[kind], kind[0], keys[kid]) == shown
        assert decoded(packed[kind], kind[0]) != shown, "nothing was encrypted"
        assert decoded(packed[kind], kind[0], keys[other]) != shown, "with the key of the other track"
    assert "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed" in manifest and "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b" in manifest


def test_a_packager_gets_no_keys_of_other_contents(server):
    with pytest.raises(AssertionError, match="not one of this requester's"):
        requested(server, "cenc", "json", ["98ee5596-cd3e-a20d-163a-e382420c6eff", "53abdba2-f210-43cb-bc90-f18f9a890a02"], "news")
