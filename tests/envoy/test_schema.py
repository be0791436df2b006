"""Tests the configuration's JSON Schema with an independent validator: it accepts every valid document and few invalid
ones. `playlock check` defines validity."""

import copy
import json
import re
import subprocess

import jsonschema_rs
import pytest
import tomllib

from support import pages, places

TESTS = places.REPOSITORY / "tests"
VARIABLES = {"PLAYLOCK_PASSWORD": "52a152a152a152a152a152a152a152a1", "PLAYLOCK_SECRET": "00" * 32,
             "PLAYLOCK_SECRET_OLD": "f0" * 16, "PLAYLOCK_PASSWORD_NEXT": "a1" * 16, "PLAYLOCK_SECRET_NEXT": "f1" * 16,
             "PLAYLOCK_KEY": "0f" * 16, "PLAYLOCK_EDGE_KEY": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
             "PLAYLOCK_CLAIMS_KEY": "4uFxxV7fhNmrtiah2d1fFg"}
LIMITS = {"pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"}


def at(document, pointer):
    """The container of the last member of a JSON pointer, and that member."""
    *path, last = pointer.strip("/").split("/")
    for name in path:
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document, last


def put(document, pointer, value):
    """Sets a member, or appends to a list."""
    parent, last = at(document, pointer)
    if not isinstance(parent, list):
        parent[last] = value
    elif int(last) < len(parent):
        parent[int(last)] = value
    else:
        parent.append(value)


def cases():
    """The configuration of every case and each of its nodes."""
    for path in sorted((TESTS / "cases").glob("*.toml")):
        case = tomllib.loads(path.read_text())
        base = json.loads((TESTS / "cases/config" / case.get("config", "vod.json")).read_text())
        for node in [{}, *case.get("node", {}).values()]:
            made = copy.deepcopy(base)
            for changes in (case, node):
                for pointer, value in changes.get("set", {}).items():
                    put(made, pointer, value)
                for pointer in changes.get("unset", []):
                    parent, last = at(made, pointer)
                    del parent[last]
            yield path.stem, made


def documents():
    """Every configuration document in tests and examples, by its location."""
    yield from cases()
    for path in [*(TESTS / "targeting").glob("*.json"), *(TESTS / "assignments").glob("*.json"),
                 places.REPOSITORY / "envoy/policies.json"]:
        yield str(path.relative_to(places.REPOSITORY)), json.loads(path.read_text())
    for path in sorted((TESTS / "policies").glob("*.json")):
        found = json.loads(path.read_text())
        if path.stem.startswith("assignments"):
            continue
        for one in found if isinstance(found, list) else found.get("policies", [found]):
            yield path.name, {"policies": [one], "assignments": []}


def spoilt(document):
    """The document with one error at a time: an additional member, or a value of another type."""
    def walk(value, pointer):
        if isinstance(value, dict):
            yield pointer + "/colour", "blue"
            for name, inner in value.items():
                yield from walk(inner, f"{pointer}/{name}")
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from walk(inner, f"{pointer}/{index}")
        else:
            yield pointer, [[]]

    for pointer, value in walk(document, ""):
        made = copy.deepcopy(document)
        put(made, pointer, value)
        yield pointer, made


def is_good(document, directory):
    """Whether `playlock check` accepts it."""
    path = directory / "policies.json"
    path.write_text(json.dumps(document))
    return subprocess.run([places.command(), "check", "--config", path], capture_output=True, env=VARIABLES).returncode == 0


def properties(schema):
    """The name of every member in a schema."""
    if isinstance(schema, list):
        for one in schema:
            yield from properties(one)
    elif isinstance(schema, dict):
        yield from schema.get("properties", {})
        for one in schema.values():
            yield from properties(one)


@pytest.fixture(scope="module")
def printed():
    """As the command prints it."""
    return json.loads(subprocess.run([places.command(), "schema"], capture_output=True, check=True).stdout)


@pytest.fixture(scope="module")
def schema(printed):
    """The validator that it makes."""
    return jsonschema_rs.Draft202012Validator(printed)


def limited(root, schema, value, pointer=""):
    """Every limit that a value of a document and those in it have: JSON pointer, keyword, limit."""
    for keyword in sorted(LIMITS & schema.keys()):
        yield pointer, keyword, schema[keyword]
    forms = [*schema.get("anyOf", []), *schema.get("oneOf", [])]
    if "$ref" in schema:
        forms.append(root["$defs"][schema["$ref"].rpartition("/")[2]])
    for form in forms:
        yield from limited(root, form, value, pointer)
    if isinstance(value, dict):
        for name in sorted(value.keys() & schema.get("properties", {}).keys()):
            yield from limited(root, schema["properties"][name], value[name], f"{pointer}/{name}")
    elif isinstance(value, list) and "items" in schema:
        for index, one in enumerate(value):
            yield from limited(root, schema["items"], one, f"{pointer}/{index}")


def beyond(keyword, limit, value):
    """Values on the other side of a limit, near it; `value` is on this one."""
    if keyword == "pattern":
        return ["", "0", "0s", "59s", "plk!", *(f"{value}{odd}" for odd in ("0", " ", "\n", "*", "é", "~,")), value * 65]
    return {"minimum": lambda: [limit - 1], "maximum": lambda: [limit + 1],
            "minLength": lambda: [value[:limit - 1]], "maxLength": lambda: [value + "x" * (limit + 1 - len(value))],
            "minItems": lambda: [value[:limit - 1]], "maxItems": lambda: [(value * (limit + 1))[:limit + 1]]}[keyword]()


def test_every_good_document_is_valid_and_few_bad_ones(schema, tmp_path):
    """It accepts documents with errors that it cannot express, such as combinations of members."""
    good, bad, passed = 0, 0, []
    for place, document in documents():
        errors = [f"{error.instance_path}: {error.message}" for error in schema.iter_errors(document)]
        if is_good(document, tmp_path):
            good += 1
            assert not errors, (place, errors)
        else:
            bad += 1
            passed += [place] * (not errors)
    assert good > 60 and bad > 5, (good, bad)
    assert len(passed) < bad, passed


def test_what_is_spoilt_is_refused_by_both(schema, tmp_path):
    """Wherever a member is unknown or has another type, except in members that are read and ignored."""
    document = {
        "policies": [dict(json.loads((TESTS / "cases/config/vod.json").read_text())["policies"][0],
                          cors={"allowOrigins": ["*"], "maxAge": "1d"},
                          playerVerification={"enabled": True, "players": [{"hash": "aa", "enabled": True}]},
                          revocation={"sessionIds": ["AAECAwQFBgcICQoLDA0ODw"]},
                          contentTargeting={"enabled": True,
                                            "geoProtection": {"enabled": True, "mode": "DENY",
                                                              "countries": [{"countryCode": "DE"}]},
                                            "ipAccess": {"enabled": True, "mode": "ALLOW", "ips": ["192.0.2.0/24"]},
                                            "referer": {"enabled": True, "domains": ["a.example"]}})],
        "assignments": [{"policyName": "vod", "host": "h", "path": "/vod/...", "startTime": "2026-01-01"}],
        "default": "pass", "holdHeaders": False, "geoHeaders": {"country": "x-country"},
    }
    assert is_good(document, tmp_path) and schema.is_valid(document)
    tried = 0
    for pointer, made in spoilt(document):
        assert not schema.is_valid(made), pointer
        assert not is_good(made, tmp_path), pointer
        tried += 1
    assert tried > 50, tried


@pytest.mark.parametrize("page", ["README.md", "docs/keys.md", "docs/operating.md", "docs/targeting.md", "docs/tokens.md",
                                  "docs/migrating.md"])
def test_the_documentation_names_members_that_there_are(printed, page):
    """Of docs/migrating.md only what stands beside other products' members."""
    text = (places.REPOSITORY / page).read_text()
    if page == "docs/migrating.md":
        text = "\n".join(row[1] for row in pages.tables(text))
    named = pages.members(text)
    assert len(named) > 5 and named <= set(properties(printed)), named - set(properties(printed))


def test_every_limit_of_the_schema_is_enforced(printed, schema, tmp_path):
    """Values beyond a limit of the schema, and so of docs/configuration.md, are rejected."""
    text = (places.REPOSITORY / "crates/cli/src/reference/everything.jsonc").read_text()
    document = json.loads(re.sub(r" *// .*", "", text))
    assert is_good(document, tmp_path) and schema.is_valid(document)
    tried = set()
    for pointer, keyword, limit in limited(printed, printed, document):
        parent, last = at(document, pointer)
        value = parent[int(last)] if isinstance(parent, list) else parent[last]
        place = re.sub(r"/\d+(?=/|$)", "/-", pointer), keyword
        if isinstance(value, dict) or place in tried:  # another form of it has the limit
            continue
        for other in beyond(keyword, limit, value):
            made = copy.deepcopy(document)
            put(made, pointer, other)
            if schema.is_valid(made):  # another form takes it: `*` is a time
                continue
            assert not is_good(made, tmp_path), (pointer, keyword, other)
            tried.add(place)
    assert len(tried) > 50 and {keyword for _, keyword in tried} == LIMITS, tried
