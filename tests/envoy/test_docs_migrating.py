"""Tests docs/migrating.md: each section's configuration is valid and plays through a real Envoy, tokens signed for the other
system are accepted or refused as described, and nginx's and Wowza's hashes are computed as described."""

import base64
import hashlib
import json
import os
import re
import subprocess

import pytest

from support import pages, places
from support.nginx import Nginx

TEXT = pages.read("migrating.md")
PARTS = dict(part.split("\n", 1) for part in TEXT.split("\n## ")[1:])
SIGN = re.search(r"`sign\.sh`,[^\n]*\n\n```bash\n(.*?)```", pages.read("tokens.md"), re.S)[1]
# Where each part's stream is, and what its master playlist is called.
STREAMS = {
    "From Akamai": ("/vod/film", "master.m3u8"),
    "From Google Media CDN": ("/google/film", "master.m3u8"),
    "From Common Access Tokens": ("/cat/film", "master.m3u8"),
    "From URI Signing": ("/cdni/film", "master.m3u8"),
    "From AWS": ("/aws/film", "master.m3u8"),
    "From CDN77 and Bunny": ("/signed/film", "master.m3u8"),
    "From nginx-vod-module": ("/hls/film_,360,720,.mp4.urlset", "master.m3u8"),
    "From nginx secure_link": ("/video/film", "master.m3u8"),
    "From Wowza": ("/live/myStream", "playlist.m3u8"),
}


def programme():
    """The demo's MPEG-TS programme: bodies by path below its folder."""
    root = places.content() / "ts"
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}


@pytest.fixture
def shell(request, tmp_path):
    """A shell in a folder with the part's configuration and programs."""
    part = PARTS[request.param]
    programs = dict(re.findall(r"^`(\w+\.py)`,[^\n]*\n\n```python\n(.*?)```", part, re.S | re.M))
    started = pages.Shell(tmp_path, {"policies.json": pages.block(part, "json"), "sign.sh": SIGN, **programs})
    started.run(pages.block(TEXT, "sh"))
    yield started
    started.end()


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    """nginx with the page's secure_link configuration."""
    files = {f"/video/film/{name}": body for name, body in programme().items()}
    started = Nginx(tmp_path_factory.mktemp("nginx"), files, pages.block(TEXT, "nginx"))
    yield f"http://127.0.0.1:{started.port}"
    started.stop()


def test_every_configuration_is_good(tmp_path):
    """Those of the parts without commands, too."""
    variables = {**os.environ, **pages.variables(TEXT)}
    for name, part in PARTS.items():
        if "```json\n" in part:
            (tmp_path / "policies.json").write_text(pages.block(part, "json"))
            checked = [places.command(), "check", "--config", tmp_path / "policies.json", "--deny-warnings"]
            run = subprocess.run(checked, env=variables, capture_output=True, text=True)
            assert run.returncode == 0, f"{name}: {run.stdout}{run.stderr}"


def test_every_part_is_tried():
    assert {name for name, part in PARTS.items() if "```console" in part} == set(STREAMS)


@pytest.mark.parametrize("shell, name", [(name, name) for name in STREAMS], indirect=["shell"], ids=STREAMS)
def test_every_example(shell, name, edges, site, nginx):
    """Each part, against one Envoy with the policies of all parts."""
    folder, master = STREAMS[name]
    for path, body in programme().items():
        site.put(f"{folder}/{master if path == 'master.m3u8' else path}", body, ranges=True)
    parts = [json.loads(pages.block(PARTS[name], "json")) for name in STREAMS]
    whole = {member: [one for part in parts for one in part[member]] for member in ("policies", "assignments")}
    assert all(part == {member: part[member] for member in whole} for part in parts)
    shell.follow(PARTS[name], edges(whole, vm=pages.variables(TEXT)), nginx=nginx)


@pytest.mark.parametrize("shell", ["From nginx secure_link"], indirect=True)
def test_nginx_checks_what_the_page_says(shell, nginx):
    """nginx accepts the page's old link, but not one for another path, an expired one, or a new one."""
    shell.run("""link() { MD5=$(printf %s "$1$2 enigma" | openssl md5 -binary | openssl base64 | tr +/ -_ | tr -d =); }""")
    shell.run("END=$(($(date +%s) + 60))")
    for made, query, expected in [
        ('link "$END" /video/film/master.m3u8', "md5=$MD5&expires=$END", "200"),
        ('link "$END" /video/film/other.m3u8', "md5=$MD5&expires=$END", "403"),
        ("link 1 /video/film/master.m3u8", "md5=$MD5&expires=1", "410"),
        ("NEW=$(bash sign.sh '/video/film/*' 60)", "hdnts=$NEW", "403"),
    ]:
        shell.run(made)
        assert shell.run(f"curl -s -o body -w '%{{http_code}}' \"{nginx}/video/film/master.m3u8?{query}\"") == expected, made


def test_wowzas_hash_is_what_the_page_says():
    """The example of Wowza's documentation: SHA-256 over the content path and the sorted parameters."""
    parameters = ["mySharedSecret", "192.168.1.2", "myTokenPrefixstarttime=1395230400", "myTokenPrefixendtime=1500000000",
                  "myTokenPrefixCustomParameter=abcdef"]
    hashed = hashlib.sha256(f"vod/sample.mp4?{'&'.join(sorted(parameters))}".encode()).digest()
    assert base64.urlsafe_b64encode(hashed).decode() == "TgJft5hsjKyC5Rem_EoUNP7xZvxbqVPhhd0GxIcA2oo="
