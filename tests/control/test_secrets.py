"""Tests that no secret of a whole story is in logs, the audit trail, the OpenAPI document, problems or the database."""

import re

import pytest

from support.control_plane import CONTROL, SECURITY, story


def stored(plane, request):
    """All that a server that has ended left in its database: SQLite's files, or the rows of PostgreSQL."""
    if plane.database:
        return [request.getfixturevalue("postgres").dump(plane.database[1])]
    return [file.read_bytes().decode("latin-1") for file in plane.data.iterdir() if file.name.startswith("playlock.db")]


@pytest.mark.both_databases
def test_no_secret_leaves_the_server(control_plane, request):
    """Passwords, the encryption's secret, the client's secret, tokens, codes and cookies: searched for in all of it."""
    owner = control_plane.client()
    secrets = set()
    for name in ["policy-post", "policy-put"]:
        secrets |= {story(name)["tokenAuth"]["password"], story(name)["tokenAuth"]["transitionPassword"]}
    texts = []

    def problem(answer, status):
        assert answer.status_code == status, answer.text
        texts.append(answer.text)

    secret = "5ec4e7" * 8
    secrets.add(secret)
    document = story("policy-post")
    document["mediaEncryption"]["secret"] = secret
    assert owner.post(f"{SECURITY}/policies", document).status_code == 201
    texts.append(owner.post(f"{SECURITY}/policies", document).text)
    # Faults beside and in secrets.
    odd = {**document, "policyName": "odd", "tokenAuth": {**document["tokenAuth"], "password": secret + "x"}}
    problem(owner.post(f"{SECURITY}/policies", odd), 400)
    problem(owner.post(f"{SECURITY}/policies", {**document, "policyName": "odd", "tokenAuth": {"password": [secret]}}), 400)
    problem(owner.send("POST", f"{SECURITY}/policies", data=f'{{"password": "{secret}", "password": "{secret}"}}',
                       headers={"Content-Type": "application/json"}), 400)
    problem(owner.send("POST", f"{SECURITY}/policies", data=f'{{"password": "{secret}"', headers={"Content-Type": "application/json"}), 400)
    assert owner.patch(f"{SECURITY}/policies/1", {"promote": True}).status_code == 200
    assert owner.put(f"{SECURITY}/policies/1", {**story("policy-put"), "promote": True}).status_code == 202
    assert owner.post(f"{CONTROL}/policies/1/exchange", {"step": "add", "secret": "tokenAuth.password", "value": "facade01" * 4}).status_code == 200
    secrets.add("facade01" * 4)
    assert owner.patch(f"{SECURITY}/policies/1", {"promote": True}).status_code in (200, 409)
    composed = owner.get(f"{CONTROL}/networks/production/document").text
    # The one that was generated.
    secrets |= set(re.findall(r'"secret":"([0-9a-f]{16,})"', composed))

    token = owner.post(f"{CONTROL}/tokens", {"name": "t", "roles": ["read"]}).json()["token"]
    made = owner.post(f"{CONTROL}/clients", {"name": "c", "roles": ["read"]}).json()
    code = control_plane.login.partition("#")[2]
    answer = owner.session.post(f"{control_plane.url}/login", json={"code": code}, auth=lambda request: request)
    cookie = re.match(r"__Host-playlock=([^;]+)", answer.headers["Set-Cookie"]).group(1)
    owner.session.cookies.clear()
    edgerc = (control_plane.data / "edgerc").read_text()
    secrets |= {token, made["clientSecret"], code, cookie, re.search(r"client_secret = (\S+)", edgerc).group(1),
                (control_plane.data / "master.key").read_text().strip()}
    problem(owner.get(f"{CONTROL}/me?token={token}", auth=lambda request: request), 401)
    assert owner.get(f"{CONTROL}/policies/1/versions?secret={secret}").status_code == 200
    owner.post(f"{CONTROL}/why", {"network": "production", "url": f"https://edge.example/a?hdnts={token}"})

    texts += [control_plane.stderr(), owner.get("/openapi.json").text, owner.get(f"{CONTROL}/audit?limit=1000").text,
              owner.get(f"{CONTROL}/clients").text, owner.get(f"{CONTROL}/tokens").text]
    control_plane.stop()
    rows = stored(control_plane, request)
    assert any("policy.create" in text for text in rows)
    texts += rows
    # Columns of bytes are digits in PostgreSQL's dump.
    secrets |= {each.encode().hex() for each in secrets}
    assert len(secrets) > 16 and all(len(each) >= 16 for each in secrets)
    for text in texts:
        found = [each[:4] for each in secrets if each in text]
        assert not found, (found, text[:200])
