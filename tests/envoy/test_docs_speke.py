"""Tests docs/speke.md: runs its commands in one shell, with a real Envoy, Shaka Packager and ffmpeg, and asks with every URL
and system ID that it gives to packagers."""

import json
import re
import subprocess
from base64 import b64decode, b64encode

import pytest

from support import pages, places
from support.packaging import decoded, film, packager

TOKEN = "PLAYLOCK_PACKAGER"
KID = "98ee5596-cd3e-420d-963a-e382420c6eff"


def text_of_the_page():
    """The page, with blocks in lists as if they were outside."""
    return re.sub(r"^   (?=\S| *[\"{}\]$])", "", pages.read("speke.md"), flags=re.M)


@pytest.fixture(scope="module")
def page(edges):
    """The page, its configuration, its variables, and an Envoy with both."""
    text = text_of_the_page()
    made, variables = json.loads(pages.block(text, "json")), dict(re.findall(r"export (PLAYLOCK_\w+)=(\w+)", text))
    assert made["holdHeaders"] and len(variables) == 4
    assert set(re.search(r"host_env_keys: \[(.*)\]", text)[1].split(", ")) == set(variables)
    return text, made, variables, edges(made, hold=True, vm=variables)


def test_every_example(page, tmp_path):
    """The output is that of the page, and ffmpeg opens both packaged films with the keys of the table."""
    text, made, variables, edge = page
    plain = film(tmp_path)
    shell = pages.Shell(tmp_path, {"policies.json": json.dumps(made)})
    (tmp_path / "bin/packager").symlink_to(packager())
    try:
        shell.follow(text, edge)
        key = re.search(r"-encryption_key (\w{32})", shell.run("echo $KEY"))[1]
    finally:
        shell.end()
    keys = dict(re.findall(r"^(SD|AUDIO) +- +[-0-9a-f]{36}  ([0-9a-f]{32})  ", text, re.M))
    assert set(keys) == {"SD", "AUDIO"} and edge.asked() == []
    for kind, track, file in (("v", "SD", "video.mp4"), ("a", "AUDIO", "audio.mp4")):
        shown = decoded(plain, kind)
        assert len(shown) > 50 and decoded(tmp_path / file, kind, keys[track]) == shown
        assert decoded(tmp_path / file, kind) != shown, "nothing was encrypted"
    manifest = (tmp_path / "film.mpd").read_text()
    assert "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b" in manifest and "cbcs" in manifest
    assert "SAMPLE-AES" in "".join(file.read_text() for file in tmp_path.glob("*.m3u8"))
    for kind in "va":
        assert decoded(tmp_path / "encrypted.mp4", kind, key) == decoded(plain, kind)
        assert decoded(tmp_path / "encrypted.mp4", kind) != decoded(plain, kind)


def asked(version, systems, scheme):
    """A document for one key, with these systems."""
    name, scheme = ("id", "") if version == "1.0" else ("contentId", f' commonEncryptionScheme="{scheme}"')
    head = f'<c:CPIX xmlns:c="urn:dashif:org:cpix" {name}="film-7"' + ("" if version == "1.0" else ' version="2.3"')
    rule = "" if version == "1.0" else (
        f'<c:ContentKeyUsageRuleList><c:ContentKeyUsageRule kid="{KID}" intendedTrackType="ALL"><c:VideoFilter/>'
        "<c:AudioFilter/></c:ContentKeyUsageRule></c:ContentKeyUsageRuleList>")
    listed = "".join(f'<c:DRMSystem kid="{KID}" systemId="{system}"/>' for system in systems)
    return (f'{head}><c:ContentKeyList><c:ContentKey kid="{KID}"{scheme}/></c:ContentKeyList>'
            f"<c:DRMSystemList>{listed}</c:DRMSystemList>{rule}</c:CPIX>").encode()


def ask(edge, target, version, systems, scheme="cenc", headers=None):
    """(status, body): a packager's request; of version 1.0 as PallyCon's clients send it."""
    named = {} if version == "1.0" else {"X-Speke-Version": version, "Content-Type": "application/xml"}
    command = [places.tool("curl", install="curl"), "-s", "-w", "\n%{http_code}", "--data-binary", "@-"]
    for name, value in {**named, **(headers or {})}.items():
        command += ["-H", f"{name}: {value}"]
    ran = subprocess.run([*command, edge.url + target], input=asked(version, systems, scheme), capture_output=True, timeout=60)
    body, _, status = ran.stdout.decode().rpartition("\n")
    return int(status), body


def systems(text):
    """The system IDs of the page's table: ID → the encryption schemes of SPEKE, `cbc1` for whole segments."""
    rows = pages.tables(text[text.index("## System IDs"):text.index("## AWS Elemental MediaPackage v1")])
    found = {row[1].strip("`"): re.findall(r"`(\w+)`", row[2]) or ["cbc1"] for row in rows if "-" in row[1] and "`" in row[1]}
    assert len(found) == 8
    return found


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_every_url_has_an_answer(page, version):
    """With the token where it says, percent-encoded; the last one's is in a header or a password."""
    text, _, variables, edge = page
    token = variables[TOKEN]
    urls = set(re.findall(r"`https://edge\.example(/speke/[^`]*)`", text)) - {"/speke/heartbeat"}
    assert len(urls) == 5 and sum("TOKEN" in url for url in urls) == 4
    widevine = "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"
    for url in urls:
        target = url.replace("TOKEN", "".join(f"%{byte:02x}" for byte in token.encode()))
        scheme = "cbcs" if "scheme=cbcs" in url else "cenc"
        for headers in [{}] if "TOKEN" in url else [{"x-playlock-speke-token": token}, {"Authorization": basic(token)}]:
            status, body = ask(edge, target, version, [widevine], scheme, headers)
            assert status == 200 and "PlainValue" in body, (url, body)
            pssh = b64decode(re.search(r"<c:PSSH>(.*?)<", body)[1])
            assert {"cenc": b"\x48\xe3\xdc\x95\x9b\x06", "cbcs": b"\x48\xf3\xc6\x89\x9b\x06"}[scheme] in pssh
        assert ask(edge, target.replace("%37", "%38"), version, [widevine], scheme)[0] == 401
    # Through a gateway that MediaPackage signs its requests for.
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=A/20261128/eu-west-1/execute-api/aws4_request, Signature=0"}
    assert ask(edge, "/speke/copyProtection", version, [widevine], headers=signed)[0] == 401
    assert ask(edge, "/speke/copyProtection", version, [widevine], headers={**signed, "x-playlock-speke-token": token})[0] == 200


def basic(token):
    return "Basic " + b64encode(f"packager:{token}".encode()).decode()


def test_every_system_takes_the_schemes_of_its_row_and_no_others(page):
    text, _, variables, edge = page
    for system, schemes in systems(text).items():
        for scheme in ("cenc", "cbcs", "cbc1"):
            status, body = ask(edge, "/speke", "2.0", [system], scheme, {"x-playlock-speke-token": variables[TOKEN]})
            assert (status == 200) == (scheme in schemes), (system, scheme, body)
    for system in systems(text):
        status, body = ask(edge, "/speke", "1.0", [system], headers={"x-playlock-speke-token": variables[TOKEN]})
        assert status == 200 or system == "be58615b-19c4-4684-88b3-c8c57e99e957", (system, body)
