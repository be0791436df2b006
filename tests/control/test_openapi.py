"""Tests the OpenAPI document: it is valid, and requests made from it find no answer that it does not have."""

import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema_rs import Draft202012Validator

from support.control_plane import CONTROL, SECURITY, NoAuth, story
from support.leases import Asker

CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance", "negative_data_rejection", "unsupported_method", "allow_header_conformance",
          "ignored_auth"]


def test_every_example_is_valid_under_the_document(control_plane):
    """Requests and answers of the story are valid under the schemas of their operations; so is the page's schema."""
    client = control_plane.client()
    document = client.get("/openapi.json").json()

    def validator(name):
        return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})

    for name, schema in [("policy-post", "Policy"), ("policy-put", "Policy"), ("policy-get", "Policy"), ("policies", "Policies"),
                         ("policy-patch", "PolicyPatch"), ("policy-post-201", "Message"), ("assignments-put", "Assignments"),
                         ("assignments-patch", "AssignmentsPatch"), ("assignment-status", "AssignmentStatus"),
                         ("configurations", "Configurations"), ("regions", "Regions"), ("dmas", "DesignatedMarketAreas"),
                         ("countries", "Countries")]:
        faults = [error.message for error in validator(schema).iter_errors(story(name))]
        assert not faults, (name, faults)
    assert not validator("Policy").is_valid({"policyName": "x", "unknown": 1})
    own = client.get(f"{CONTROL}/schema").json()
    assert Draft202012Validator(own).is_valid(story("policy-post")) and not Draft202012Validator(own).is_valid({"unknown": 1})
    paths = [path for path in document["paths"] if path.startswith(SECURITY)]
    assert sum(len(document["paths"][path]) for path in paths) == 14


@pytest.mark.timeout(330)
@pytest.mark.both_databases
def test_requests_made_from_the_document_find_nothing(control_planes):
    """No server error, no answer that is not documented, no ignored authentication: schemathesis, with a fixed seed."""
    plane = control_planes("--failures-per-minute", "1000000", "--authorize-listen", "127.0.0.1:0")
    owner = plane.client()
    assert Asker(plane, "node-production").ask("ann", "tv").status_code == 204
    assert owner.post(f"{SECURITY}/policies", {**story("policy-post"), "promote": True}).status_code == 202
    # Requests end tokens and clients by small numbers; the one that they carry has a larger one.
    for number in range(40):
        made = owner.post(f"{CONTROL}/tokens", {"name": f"token {number}", "roles": ["read", "edit", "promote", "secrets", "admin"]})
    # Most of the requests try how they are read, which is the same on both databases.
    phases = "examples,fuzzing" if plane.database else "examples,coverage,fuzzing"
    file = plane.folder / "openapi.json"
    file.write_text(plane.client(NoAuth()).get("/openapi.json").text)
    command = [str(Path(sys.prefix) / "bin/st"), "run", str(file), "--url", plane.url, "--tls-verify", plane.ca, "--seed", "20260101",
               "--max-examples", "3", "--phases", phases, "--checks", ",".join(CHECKS), "--no-shrink",
               "--header", f"Authorization: Bearer {made.json()['token']}", "--suppress-health-check", "all", "--warnings", "off",
               "--continue-on-failure"]
    done = subprocess.run(command, cwd=plane.folder, capture_output=True, text=True, timeout=300)
    (plane.folder / "schemathesis.log").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout[-12000:] + done.stderr[-2000:]
    assert "level=error" not in plane.stderr() and "panicked" not in plane.stderr()
    assert owner.get(f"{SECURITY}/policies").status_code in (200, 401)
