"""Tests that every operation needs the roles of roles.tsv and no others, and that secrets are masked without the role."""

import itertools
import json
from pathlib import Path

import pytest

from support.control_plane import CONTROL, SECURITY, ControlPlane, NoAuth, story

ROLES = ["read", "edit", "promote", "secrets", "admin"]
TABLE = [line.split("\t") for line in Path(__file__).with_name("roles.tsv").read_text().splitlines() if not line.startswith("#")]

# Bodies by operation. They name objects that are not there, so that no request changes the next one's state.
BODIES = {
    "createPolicy": {},
    "createPolicy promote": {"promote": True},
    "modifyPolicy": {},
    "modifyPolicy promote": {"promote": True},
    "patchPolicy": {"reset": True},
    "patchPolicy promote": {"promote": True},
    "modifyAssignments": {"assignments": []},
    "modifyAssignments promote": {"assignments": [], "promote": True},
    "patchAssignments": {"reset": True},
    "patchAssignments promote": {"promote": True},
    "rollBackPolicy": {"version": 1, "network": "staging"},
    "rollBackPolicy promote": {"version": 1, "network": "production"},
    "rollBackAssignments": {"version": 1, "network": "staging"},
    "rollBackAssignments promote": {"version": 1, "network": "production"},
    "exchangeStep": {"step": "add", "secret": "tokenAuth.password"},
    "createConfiguration": {},
    "modifyConfiguration": {},
    "modifySettings": {"policies": []},
    "patchSettings": {"reset": True},
    "patchSettings promote": {"promote": True},
    "check": {},
    "why": {},
    "import": {"policies": 1},
    "endSessions": {"realm": "staging", "group": "tv", "viewer": "nobody"},
    "endSessions promote": {"realm": "production", "group": "tv", "viewer": "nobody"},
    "createToken": {},
    "createClient": {},
}
PARAMETERS = {"{policyId}": "99", "{version}": "1", "{domain}": "nowhere.example", "{network}": "staging",
              "{configurationId}": "99", "{id}": "99", "{node}": "gone"}


pytestmark = pytest.mark.both_databases


@pytest.fixture(scope="module")
def plane(tmp_path_factory, database):
    """A control plane with one policy."""
    started = ControlPlane(tmp_path_factory.mktemp("roles-"), "--failures-per-minute", "10000", *database())
    yield started
    started.stop(kill=True)


@pytest.fixture(scope="module")
def operations(plane):
    """Method and path of each operation by its name."""
    document = plane.client(NoAuth()).get("/openapi.json").json()
    found = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for name, value in PARAMETERS.items():
                path = path.replace(name, value)
            query = "?network=staging" if operation["operationId"] == "listRefusals" else ""
            found[operation["operationId"]] = (method.upper(), path + query, operation)
    return found


@pytest.fixture(scope="module")
def users(plane):
    """Clients by their roles: one role, and all but one."""
    sets = [{role} for role in ROLES] + [set(ROLES) - {role} for role in ROLES] + [{"edit", "promote"}]
    return [(roles, plane.bearer(*sorted(roles))) for roles in sets]


def test_the_table_is_complete(operations):
    """Every operation of the OpenAPI document is in the table, and the document names the role."""
    assert {name.split()[0] for name, _ in TABLE} == set(operations)
    for name, roles in TABLE:
        if " " not in name:
            described = operations[name][2]["description"]
            assert any(f"`{role}`" in described for role in roles.split("+")), name


@pytest.mark.parametrize("name, roles", TABLE)
def test_an_operation_needs_its_roles(operations, users, name, roles):
    """403 without the roles, and neither 401 nor 403 with them."""
    method, path, _ = operations[name.split()[0]]
    for held, client in users:
        answer = client.send(method, path, BODIES.get(name))
        allowed = set(roles.split("+")) <= held
        assert (answer.status_code not in (401, 403)) == allowed, (held, answer.status_code, answer.text)
        if not allowed:
            assert answer.status_code == 403 and answer.headers["Content-Type"] == "application/problem+json"


def test_nothing_works_without_credentials(plane, operations):
    """401 with a challenge, for every operation."""
    client = plane.client(NoAuth())
    for name in sorted(BODIES.keys() | operations.keys()):
        method, path, _ = operations[name.split()[0]]
        answer = client.send(method, path, BODIES.get(name))
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer"), name
        assert answer.json()["title"] == "Not authorized"


def texts(value):
    """All strings in a document."""
    if isinstance(value, dict):
        return itertools.chain.from_iterable(texts(member) for member in value.values())
    if isinstance(value, list):
        return itertools.chain.from_iterable(texts(item) for item in value)
    return [value] if isinstance(value, str) else []


def test_secrets_are_masked_without_their_role(plane):
    """Passwords are a mask for readers; a PUT of the mask keeps them; the network's document is masked, too."""
    owner = plane.client()
    document = {**story("policy-post"), "policyName": "masked"}
    password = document["tokenAuth"]["password"]
    made = owner.post(f"{SECURITY}/policies", document).json()["message"].rpartition(":")[2]
    path = f"{SECURITY}/policies/{made}"
    writer = plane.bearer("read", "edit", name="writer")
    paths = [path, f"{SECURITY}/policies", f"{CONTROL}/policies/{made}/versions/1", f"{CONTROL}/networks/staging/document"]
    for each in paths:
        assert password in owner.get(each).text
        shown = writer.get(each)
        assert shown.status_code == 200 and password not in shown.text and "********" in list(texts(shown.json()))
    # Of the audit trail for everyone.
    assert password not in owner.get(f"{CONTROL}/audit?limit=1000").text

    shown = {name: value for name, value in writer.get(path).json().items() if name not in ("policyId", "status", "environment")}
    shown["description"] = "edited by someone who sees no secrets"
    assert writer.put(path, shown).status_code == 201
    kept = owner.get(path).json()
    assert kept["tokenAuth"]["password"] == password and kept["description"] == shown["description"]
    answer = writer.post(f"{SECURITY}/policies", {**shown, "policyName": "another"})
    assert answer.status_code == 400 and "tokenAuth.password" in json.dumps(answer.json()["errors"])
