"""Tests the Media Security Policy API by its own examples, which tell one story, with Akamai's client for Python."""

import pytest

from support.control_plane import CONTROL, SECURITY, story

pytestmark = pytest.mark.both_databases


def ordered(value):
    """A policy's players in one order: the examples have them in two."""
    if isinstance(value, dict):
        return {name: ordered(member) for name, member in value.items()}
    if isinstance(value, list):
        items = [ordered(item) for item in value]
        return sorted(items, key=lambda item: item["hash"]) if items and isinstance(items[0], dict) and "hash" in items[0] else items
    return value


def policy(listed, network):
    """The element of a list for policy 1 on a network."""
    (found,) = [each for each in listed if each["policyId"] == 1 and each["environment"] == network]
    return found


def body(name):
    """A request of the story."""
    return story(name)


@pytest.fixture
def client(control_plane):
    """Akamai's client, with the first client's credentials."""
    return control_plane.client()


def test_lists_to_choose_from(client):
    """Regions, areas and countries of the examples are in the lists."""
    for name, whole in [("regions", False), ("dmas", True), ("countries", False)]:
        answer = client.get(f"{SECURITY}/{name}")
        assert answer.status_code == 200
        listed = {tuple(sorted(each.items())) for each in answer.json()}
        wanted = {tuple(sorted(each.items())) for each in story(name)}
        assert wanted <= listed, wanted - listed
        assert not whole or wanted == listed


def test_a_policy_from_creation_to_deletion(client, control_plane):
    """POST, promote, PUT, GET, list, reset, mark, delete: statuses, messages and documents are the examples'."""
    answer = client.post(f"{SECURITY}/policies", body("policy-post"))
    assert (answer.status_code, answer.json()) == (201, story("policy-post-201"))
    first = client.get(f"{SECURITY}/policies/1").json()
    assert first["status"] == "ACTIVE" and "unsavedPolicy" not in first and "contractId" not in first
    listed = client.get(f"{SECURITY}/policies").json()
    assert [(each["environment"], each["status"]) for each in listed] == [("staging", "ACTIVE")]

    promote = body("policy-patch")
    answer = client.patch(f"{SECURITY}/policies/1", promote)
    # The example's number is another policy's.
    assert (answer.status_code, answer.json()["message"]) == (200, "Successfully promoted security policy:1")
    answer = client.put(f"{SECURITY}/policies/1", body("policy-put"))
    assert (answer.status_code, answer.json()) == (201, story("policy-put-201"))

    found = client.get(f"{SECURITY}/policies/1").json()
    expected = story("policy-get")
    # Numbers are numbers.
    expected["policyId"] = int(expected["policyId"])
    assert ordered(found) == ordered(expected)
    listed = client.get(f"{SECURITY}/policies").json()
    for network in ["production", "staging"]:
        assert ordered(policy(listed, network)) == ordered(policy(story("policies"), network))

    # The story goes on after a restart, planned or not.
    control_plane.restart()
    control_plane.restart(kill=True)
    assert ordered(client.get(f"{SECURITY}/policies/1").json()) == ordered(expected)

    answer = client.patch(f"{SECURITY}/policies/1", {"promote": False, "reset": True, "markForDelete": False})
    assert (answer.status_code, answer.json()["message"]) == (200, "Successfully restored security policy:1")
    assert {**client.get(f"{SECURITY}/policies/1").json()} == first
    assert client.delete(f"{SECURITY}/policies/1").status_code == 409
    answer = client.patch(f"{SECURITY}/policies/1", {"markForDelete": True})
    assert (answer.status_code, answer.json()["message"]) == (200, "Successfully marked security policy:1 for deletion")
    listed = client.get(f"{SECURITY}/policies").json()
    assert {each["environment"]: each["status"] for each in listed} == {
        "production": "ACTIVE_DELETED_STAGING", "staging": "DELETED"}
    assert client.put(f"{SECURITY}/policies/1", body("policy-put")).status_code == 409
    answer = client.delete(f"{SECURITY}/policies/1")
    assert (answer.status_code, answer.json()) == (200, story("policy-delete"))
    assert client.get(f"{SECURITY}/policies").json() == []
    assert client.get(f"{SECURITY}/policies/1").status_code == 404


def test_promotion_at_once(client):
    """POST and PUT with promote answer 202 with the examples' messages."""
    answer = client.post(f"{SECURITY}/policies", {**body("policy-post"), "promote": True})
    assert (answer.status_code, answer.json()) == (202, story("policy-post-202"))
    answer = client.put(f"{SECURITY}/policies/1", {**body("policy-put"), "promote": True})
    assert (answer.status_code, answer.json()) == (202, story("policy-put-202"))
    listed = client.get(f"{SECURITY}/policies").json()
    assert [each["status"] for each in listed] == ["ACTIVE", "ACTIVE"]


def test_the_whole_list(client):
    """The five policies of the list example, made by the API, are listed as there."""
    expected = story("policies")
    for number in range(1, 6):
        versions = {each["environment"]: each for each in expected if each["policyId"] == number}
        if "production" in versions:
            document = {name: value for name, value in versions["production"].items() if name not in ("policyId", "environment", "status")}
            assert client.post(f"{SECURITY}/policies", {**document, "promote": True}).status_code == 202
        else:
            document = {name: value for name, value in versions["staging"].items() if name not in ("policyId", "environment", "status")}
            assert client.post(f"{SECURITY}/policies", document).status_code == 201
        status = versions.get("production", {}).get("status", "")
        if status == "ACTIVE_EDITED_STAGING":
            document = {name: value for name, value in versions["staging"].items() if name not in ("policyId", "environment", "status")}
            assert client.put(f"{SECURITY}/policies/{number}", document).status_code == 201
        if status == "ACTIVE_DELETED_STAGING":
            assert client.patch(f"{SECURITY}/policies/{number}", {"markForDelete": True}).status_code == 200
    assert ordered(client.get(f"{SECURITY}/policies").json()) == ordered(expected)


def test_configurations(client):
    """Configurations are listed as in the example, wildcards and all."""
    anonymous = [{name: value for name, value in each.items() if name != "configurationId"} for each in story("configurations")]
    for number, configuration in enumerate(anonymous, 1):
        answer = client.post(f"{CONTROL}/configurations", configuration)
        assert (answer.status_code, answer.json()) == (201, {**configuration, "configurationId": number})
    listed = client.get(f"{SECURITY}/configurations").json()
    assert listed == [{**each, "configurationId": number} for number, each in enumerate(anonymous, 1)]
    edited = {**anonymous[1], "isActiveInProduction": False}
    assert client.put(f"{CONTROL}/configurations/2", edited).json() == {**edited, "configurationId": 2}
    assert client.delete(f"{CONTROL}/configurations/2").status_code == 200
    assert client.delete(f"{CONTROL}/configurations/2").status_code == 404


def test_assignments(client):
    """Configurations, and their assignments from staging to production: statuses, Location and documents."""
    for configuration in story("configurations"):
        answer = client.post(f"{CONTROL}/configurations", configuration)
        assert answer.status_code == 201, answer.text
    for number in (1, 2):
        document = {**body("policy-post"), "policyName": f"tst-policy-{number}", "promote": True}
        assert client.post(f"{SECURITY}/policies", document).status_code == 202

    # By the hostname, and by a digital property, without case.
    for domain in ["demo-lh.akamaihd.net", "DEMO-lh.akamaihd-staging.net"]:
        path = f"{SECURITY}/configurations/{domain}/assignments"
        answer = client.put(path, body("assignments-put"))
        assert (answer.status_code, answer.content) == (201, b"")
        assert answer.headers["Location"] == f"/configurations/{domain}/assignments"
        found = client.get(path).json()
        assert found["status"] == "PENDING_PRODUCTION" and found["assignments"] == []
        assert len(found["pendingAssignments"]) == 2
        if domain.islower():
            assert client.patch(path, {"reset": True}).json() == {"status": "PROMOTED", "assignments": []}
    answer = client.patch(path, body("assignments-patch"))
    assert answer.status_code == 200 and answer.json()["status"] == "PROMOTED"
    example = story("assignment-status")["assignments"][0]
    for assignment in answer.json()["assignments"]:
        assert set(assignment) == set(example)
        assert assignment["configurationName"] == "demo-live-01"
    both = client.get(f"{SECURITY}/policies/2/assignments").json()
    assert [(each["policyId"], each["path"], each["startTime"]) for each in both["assignments"]] == [
        (2, "/tst", "2018-01-01T11:00:00")]
    answer = client.put(path, {"assignments": [], "promote": True})
    assert (answer.status_code, answer.content) == (202, b"")
    assert client.get(path).json() == {"status": "PROMOTED", "assignments": []}


@pytest.mark.parametrize("patch", [{}, {"promote": True, "reset": True}, {"promote": "true"}, {"rest": True}, [], None, 1])
def test_a_patch_names_one_action(client, patch):
    """Anything else than one true member is a 400 that names the member."""
    assert client.post(f"{SECURITY}/policies", body("policy-post")).status_code == 201
    answer = client.send("PATCH", f"{SECURITY}/policies/1", json=patch) if patch is not None else client.send(
        "PATCH", f"{SECURITY}/policies/1", data=b"null", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"][0]["member"]


def test_faults_are_named(client):
    """A document that Envoy would refuse is refused, with the JSON path of each fault; nothing is stored."""
    document = body("policy-post")
    document["tokenAuth"]["password"] = "abc"
    document["contentTargeting"]["ipAccess"]["mode"] = "MAYBE"
    document["contentTargeting"]["surprise"] = 1
    answer = client.post(f"{SECURITY}/policies", document)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["status"] == 400 and problem["instance"].startswith("urn:uuid:")
    assert {error["member"] for error in problem["errors"]} & {
        "tokenAuth.password", "contentTargeting.ipAccess.mode", "contentTargeting.surprise", "contentTargeting"}
    assert "abc" not in answer.text
    assert client.get(f"{SECURITY}/policies").json() == []
