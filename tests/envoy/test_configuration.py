"""Tests configuration errors: `envoy --mode validate` accepts valid configurations, reports the position of errors, and the
filter logs one line at start."""

import hashlib
import json
import re

import pytest

from support import places
from support.edge import NEWER, POLICY, document, environment, policy
from support.proxy import Proxy, bootstrap, validate, wasm_filter


def told(tmp_path, config, vm=None):
    """Exit status and output of a validation."""
    filters = [wasm_filter(config, environment() if vm is None else vm, False)]
    return validate(tmp_path, bootstrap(9, "h1", filters, tmp_path / "access.log"))


def changed(path, value):
    """The usual document with a value set at a path of keys, or removed if it is None."""
    made = document(policy())
    place = made
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return made


def test_a_good_one(tmp_path):
    status, output = told(tmp_path, document())
    assert status == 0, output
    assert POLICY["tokenAuth"]["transitionPassword"] not in output


TOKEN, MEDIA = ("policies", 0, "tokenAuth"), ("policies", 0, "mediaEncryption")


@pytest.mark.parametrize("where, value, named", [
    ((*TOKEN, "password"), "abc", "policies[0].tokenAuth.password"),
    ((*TOKEN, "password"), {"env": "NOT_SET"}, "policies[0].tokenAuth.password"),
    ((*TOKEN, "accessTokenNam"), "x", "policies[0].tokenAuth.accessTokenNam"),
    ((*MEDIA, "secret"), None, "policies[0].mediaEncryption.secret"),
    ((*MEDIA, "keyScope"), "viewer", "policies[0].mediaEncryption.keyScope"),
    (("policies", 0, "contentTargeting"), {"enabled": True, "ipAccess": {"enabled": True}}, "policies[0].contentTargeting.ipAccess.mode"),
    (("assignments", 0, "policyName"), "nobody", "assignments[0].policyName"),
    (("default",), "maybe", "default"),
])
def test_a_bad_one_is_refused_by_the_path_of_what_is_wrong(tmp_path, where, value, named):
    """A few of each kind; the core's own test checks that every error has its path."""
    status, output = told(tmp_path, changed(where, value))
    assert status != 0
    assert named in output, output[-2000:]
    assert "panicked" not in output


def test_the_values_of_secrets_are_never_printed(tmp_path):
    secret = "feedfacefeedfacefeedfacefeedfaceX"
    status, output = told(tmp_path, changed((*TOKEN, "password"), secret))
    assert status != 0 and secret not in output


def test_what_is_not_json(tmp_path):
    status, output = told(tmp_path, '{"policies": [')
    assert status != 0 and "panicked" not in output


def test_an_environment_without_the_secrets(tmp_path):
    status, output = told(tmp_path, document(), vm={"PLAYLOCK_PASSWORD": "00" * 16})
    assert status != 0 and "policies[0].mediaEncryption.secret" in output and "PLAYLOCK_SECRET" in output


STARTED = re.compile(r"\]\[info\]\[wasm\] .*: (playlock [0-9].*)$", re.M)


def started(directory, config, **environment_of):
    """The log lines about the filter when an Envoy with two workers starts."""
    directory.mkdir()
    filters = [wasm_filter(config, environment(**environment_of), False)]
    proxy = Proxy(directory, bootstrap(9, "h1", filters, directory / "access.log"), workers=2)
    proxy.stop()
    return STARTED.findall(proxy.log_text())


def test_a_start_is_one_line(tmp_path):
    """With any number of workers. The fingerprint is the same for the same document and secret, and differs for others."""
    (line,) = started(tmp_path / "one", document())
    version = re.search(r'^version = "(.*)"', (places.REPOSITORY / "Cargo.toml").read_text(), re.M)[1]
    said = re.fullmatch(r"playlock (\S+): 1 policy, 1 assignment, batching off \(not configured\), configuration ([0-9a-f]{8})", line)
    assert said and said[1] == version, line
    two = dict(document(policy(), policy("live")), batching=True)
    (other,) = started(tmp_path / "two", two)
    assert re.fullmatch(rf"playlock \S+: 2 policies, 2 assignments, batching on, configuration (?!{said[2]})[0-9a-f]{{8}}", other), other
    (again,) = started(tmp_path / "again", two)
    assert again == other
    (rotated,) = started(tmp_path / "rotated", two, secret=NEWER)
    assert rotated != other
    # A plain hash would let whoever reads the log try out what else stands in the document.
    assert hashlib.sha256(json.dumps(two).encode()).hexdigest()[:8] not in other


def test_weak_secrets_are_warned_of_by_path_and_name(tmp_path):
    """Short secrets, and secrets with two purposes; the configuration takes effect all the same."""
    made = document(policy("films"))
    made["policies"][0]["tokenAuth"].update(password={"env": "SHORT"}, transitionPassword={"env": "PLAYLOCK_SECRET"})
    status, output = told(tmp_path, made, vm={**environment(), "SHORT": "c0ffee"})
    assert status == 0, output
    assert 'policies[0].tokenAuth.password: 3 bytes in the policy "films": anyone with one access token finds the password offline' in output
    assert 'policies[0].mediaEncryption.secret: in the policy "films" this is the same as policies[0].tokenAuth.transitionPassword: ' in output
    assert "c0ffee" not in output and environment()["PLAYLOCK_SECRET"] not in output
