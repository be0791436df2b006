"""Tests sealed secrets in Envoy: streams play, dumps show ciphertext, and what cannot be opened is refused."""

import json
import os
import subprocess
import sys

import pytest

from support import places, tokens
from support.dynamic import Dynamic, ecds
from support.edge import OLDER, SECRET, document, environment
from support.hls import Viewer
from support.proxy import bootstrap, validate, wasm_filter

KEY = "6d0f4c1e7b8a93522f64d1c05e97ab3831f2c46a5d7e8b900c1d2e3f4a5b6c7d"
OTHER = "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdeffedcba9876543210"
SECRETS = (tokens.PASSWORD, tokens.TRANSITION, SECRET, OLDER, KEY)

sys.path.insert(0, str(places.REPOSITORY / "tests/vectors"))
import sealed


def run(*arguments, given="", key=KEY, **more):
    """`playlock` with this key in its environment: its output."""
    env = {**os.environ, **environment(), "PLAYLOCK_SEAL_KEY": key, **more}
    done = subprocess.run([places.command(), *map(str, arguments)], input=given, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def config(tmp_path):
    """The usual document, with every secret sealed."""
    (tmp_path / "plain.json").write_text(json.dumps(document()))
    text = run("seal", "--env-too", "--config", tmp_path / "plain.json")
    assert not [secret for secret in SECRETS if secret in text]
    return json.loads(text)


@pytest.fixture
def start(site, origins, tmp_path):
    """Starts edges whose filter is discovered from a file."""
    started = []

    def start(config, envoy, **how):
        made = Dynamic(tmp_path, site, origins["h1"], config, proxy_environment=envoy, **how)
        started.append(made)
        return made

    yield start
    for one in started:
        one.proxy.stop()


def test_another_implementation_opens_what_the_command_seals():
    for secret in ("a", tokens.PASSWORD, SECRET, "pässwörd", "x" * 4096):
        value = json.loads(run("seal", given=secret))
        assert sealed.unseal(bytes.fromhex(KEY), value["sealed"]) == secret
    key = run("seal", "--new-key").strip()
    assert sealed.unseal(bytes.fromhex(key), json.loads(run("seal", given="b", key=key))["sealed"]) == "b"


def test_streams_play_and_dumps_show_ciphertext(start, site, config):
    """With the key in Envoy's own environment, by way of `host_env_keys`."""
    plain = b"G" * 1880
    path = site.stream("vod", a_ts=plain)
    on = start(config, {"PLAYLOCK_SEAL_KEY": KEY})
    viewer = Viewer()
    playlist = viewer.playlist(on.edge.link(path, tokens.by_python(acl="/*", key=tokens.PASSWORD)))
    assert viewer.plain(playlist.items[0]) == plain
    assert on.edge.get(path).status == 403
    dump = on.proxy.admin("/config_dump?include_eds")
    assert "sealed" in dump and config["policies"][0]["tokenAuth"]["password"]["sealed"] in dump
    for text in (dump, on.proxy.admin("/stats"), on.proxy.log_text(), on.file.read_text()):
        assert not [secret for secret in SECRETS if secret in text]


def test_the_key_before_it_opens_while_keys_are_exchanged(start, site, config):
    path = site.stream("vod", a_ts=b"a")
    on = start(config, {"PLAYLOCK_SEAL_KEY": OTHER, "PLAYLOCK_SEAL_KEY_PREVIOUS": KEY})
    assert on.edge.get(on.edge.link(path)).status == 200


def test_a_secret_that_cannot_be_opened_is_refused(start, site, config, tmp_path):
    """The document in force stays, and the log has the path and the cause."""
    path = site.stream("vod", a_ts=b"a")
    on = start(config, {"PLAYLOCK_SEAL_KEY": KEY})
    link = on.edge.link(path)
    good = on.file.read_text()
    text = config["policies"][0]["tokenAuth"]["password"]["sealed"]
    foreign = json.loads(run("seal", given=tokens.PASSWORD, key=OTHER))["sealed"]
    altered = text[:30] + ("A" if text[30] != "A" else "B") + text[31:]
    at = "configuration refused: policies[0].tokenAuth.password: "
    for bad, said in [
        (foreign, f"sealed under the key {foreign[2:10]}, found {text[2:10]} in PLAYLOCK_SEAL_KEY; expected"),
        (altered, f"the text under the key {text[2:10]} was altered after it was sealed"),
        (text[:20], "found 20 characters that are no sealed secret"),
    ]:
        mark = on.proxy.log.stat().st_size
        on.new.write_text(good.replace(text, bad))
        os.replace(on.new, on.file)
        on.until(lambda: at + said in on.proxy.log_text(mark), "refused the file")
        assert on.edge.get(link).status == 200
        assert not [secret for secret in SECRETS if secret in on.proxy.log_text(mark)]


@pytest.mark.parametrize(("keys", "said"), [
    ({"PLAYLOCK_SEAL_KEY": OTHER}, "sealed under the key "),
    ({}, "the secret is sealed, but the environment variable PLAYLOCK_SEAL_KEY is not set"),
    ({"PLAYLOCK_SEAL_KEY": "no key"}, "the environment variable PLAYLOCK_SEAL_KEY has 6 characters that are no key"),
])
def test_envoy_does_not_start_with_another_key(origins, config, tmp_path, keys, said):
    """It says why."""
    made = bootstrap(origins["h1"].port, "h1", [wasm_filter(config, keys, False)], tmp_path / "access.log")
    status, output = validate(tmp_path, made)
    assert status != 0
    assert f"configuration refused: policies[0].tokenAuth.password: {said}" in output
    assert not [secret for secret in SECRETS if secret in output]


def test_the_command_does_not_write_the_key_beside_what_it_sealed(config, tmp_path):
    keys = {"PLAYLOCK_SEAL_KEY": KEY}
    status, said = ecds(config, tmp_path / "ecds.new", keys, "--with-secrets")
    assert status == 2 and "the file would show their key" in said and not (tmp_path / "ecds.new").read_text()
    status, said = ecds(document(), tmp_path / "ecds.new", {**environment(), **keys}, "--with-secrets", "--seal")
    text = (tmp_path / "ecds.new").read_text()
    assert status == 0 and not [secret for secret in SECRETS if secret in text], said
