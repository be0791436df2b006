"""Tests docs/tokens.md: its programs sign tokens that a real Envoy accepts, its layouts play, and each mistake in its table
is refused with the reason given there."""

import base64
import hashlib
import hmac
import json
import os
import re
import shlex
import subprocess
from urllib.parse import quote, urlsplit

import pytest

from support import pages, places, tokens
from support.tokens import signed

PROGRAMS = {"sign.py": "python3", "sign.js": "node", "sign.php": "php", "sign.rb": "ruby", "sign.sh": "bash"}
FILM = "/vod/film/master.m3u8"
# Without the section that test_jwt.py reads.
TEXT = re.sub(r"^## JSON Web Tokens\n.*?(?=^## )", "", pages.read("tokens.md"), flags=re.S | re.M)
NOW = 1767268800
VIEWER = "203.0.113.7"
LASTING = f"exp={NOW + 300}"
GOOD = f"{LASTING}~acl=/vod/*"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the page's configuration."""
    made = tmp_path_factory.mktemp("tokens")
    (made / "policies.json").write_text(pages.block(TEXT, "json"))
    return made


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """A shell in a folder with the page's programs and configuration."""
    for interpreter, package in (("php", "php-cli"), ("ruby", "ruby"), ("node", "nodejs"), ("openssl", "openssl")):
        places.tool(interpreter, install=package)
    places.node_modules("akamai-edgeauth")
    programs = dict(re.findall(r"^`(sign\.\w+)`,[^\n]*\n\n```\w+\n(.*?)```", TEXT, re.S | re.M))
    assert set(programs) == set(PROGRAMS)
    started = pages.Shell(tmp_path_factory.mktemp("shell"), {"policies.json": pages.block(TEXT, "json"), **programs})
    started.run(pages.block(TEXT, "sh"))
    yield started
    started.end()


def table(heading):
    """The rows of the only table below this heading, cell by cell."""
    return pages.tables(TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0])[1:]


def playlock(folder, *arguments, text=""):
    """(exit status, output) of a run of the command under the page's configuration."""
    run = subprocess.run([places.command(), *arguments, "--config", "policies.json"], cwd=folder, input=text, text=True,
                         capture_output=True, timeout=60, env={**os.environ, **pages.variables(TEXT)})
    return run.returncode, run.stdout


def why(folder, target, *options):
    """The core's verdict on a request (at NOW, unless the options say otherwise): the reason of the refusal, or
    `passed`."""
    now = () if "--now" in options else ("--now", str(NOW))
    status, said = playlock(folder, "why", f"https://edge.example{target}", "--ip", VIEWER, "--json", *now, *options)
    said = json.loads(said)
    assert status == (0 if said["verdict"] == "passed" else 1)
    return said["reason"] or said["verdict"]


def test_every_example(shell, edges, site):
    """Through a real Envoy: the five programs, the checks, and the rotation of the password."""
    for file in places.content().joinpath("ts").rglob("*"):
        if file.is_file():
            site.put(f"/vod/film/{file.relative_to(places.content() / 'ts')}", file.read_bytes(), ranges=True)
    shell.follow(TEXT, edges(json.loads(pages.block(TEXT, "json")), vm=pages.variables(TEXT)))


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("arguments", [
    ("/vod/film/*",), ("/vod/film/*!/vod/b?/*", "viewer-7"), ("/*", "a%20b", "plan=gold,x:y"), ("/*", "7", "x", "2001:db8::7"),
], ids=len)
def test_the_programs_make_the_same(shell, program, arguments):
    """Without optional fields, and with all of them."""
    acl, *optional = arguments
    before = tokens.now()
    token = shell.run(shlex.join([PROGRAMS[program], program, acl, "60", *optional])).strip()
    exp = int(re.search(r"exp=(\d+)", token)[1])
    assert before <= exp - 60 <= tokens.now()
    id, data, ip = [*optional, None, None, None][:3]
    fields = {"ip": ip, "exp": exp, "acl": acl, "id": id, "data": data}
    assert token == signed("~".join(f"{name}={value}" for name, value in fields.items() if value))


def test_a_token_under_the_next_password_is_another(shell):
    """The page's example of the rotation has two different tokens."""
    shell.run("PLAYLOCK_PASSWORD=$PLAYLOCK_PASSWORD_NEXT; NEXT=$(python3 sign.py '/vod/film/*' 60)")
    exp = int(re.search(r"exp=(\d+)", token := shell.run('echo "$NEXT"').strip())[1])
    assert token == signed(f"exp={exp}~acl=/vod/film/*", key=pages.variables(TEXT)["PLAYLOCK_PASSWORD_NEXT"])
    shell.run(pages.block(TEXT, "sh"))


LAYOUTS = pytest.mark.parametrize("opened, rest, acl", table("Paths"), ids=range(len(table("Paths"))))


@LAYOUTS
def test_a_layout_plays_under_its_acl(folder, opened, rest, acl):
    """The session covers every URI of a playlist that names all the others. With a URL token it does not cover files
    elsewhere."""
    path, by_url = opened.strip("`"), "URL token" in acl
    *_, acl = re.findall("`(.*?)`", acl)
    needed = [one.replace("…", "x/1.ts") for one in re.findall("`(.*?)`", rest)]
    text = "\n".join(["#EXTM3U", *(line for one in needed for line in ("#EXT-X-STREAM-INF:BANDWIDTH=1", one)), ""])

    def refused(target):
        """The paths that the session opened by this token does not cover."""
        status, out = playlock(folder, "rewrite", "--url", f"https://edge.example{target}", "--now", str(NOW), text=text)
        uris = [urlsplit(line) for line in out.splitlines() if line and not line.startswith("#")]
        assert status == 0 and [uri.path for uri in uris] == needed
        words = {uri.path: why(folder, f"{uri.path}?{uri.query}") for uri in uris}
        assert set(words.values()) <= {"passed", "path"}
        return [path for path, word in words.items() if word == "path"]

    (with_acl,), (of_url,) = sent(signed(f"{LASTING}~acl={acl}"), path), for_url(path, path)
    elsewhere = [one for one in needed if not one.startswith(path.rpartition("/")[0])]
    assert refused(with_acl) == [] and refused(of_url) == elsewhere
    assert not (by_url and elsewhere)


KEY = bytes.fromhex(tokens.PASSWORD)


def hmac_of(fields, key=KEY):
    return hmac.digest(key, fields.encode(), hashlib.sha256)


def sent(token, path=FILM):
    """The arguments of a request for `path` with the token."""
    return [f"{path}?hdnts={token}"]


def field(*fields, path=FILM):
    """A good token with additional fields, correctly signed."""
    return sent(signed("~".join([*fields, GOOD])), path)


def more(*fields):
    return sent(signed("~".join([GOOD, *fields])))


def for_url(url, path=FILM):
    """A URL token."""
    return sent(f"{LASTING}~hmac={hmac_of(f'{LASTING}~url={url}').hex()}", path)


# What each row of the page's table stands for: requests, each a target and options of `why`.
MISTAKES = {
    "no token in the URL": [[FILM]],
    "a token under another name: `?token=…`": [[f"{FILM}?token={signed(GOOD)}"], [f"{FILM}?hdnea={signed(GOOD)}"]],
    "a second `?` in the URL": [[f"{FILM}?a=b?hdnts={signed(GOOD)}"]],
    "a token sent as `Authorization: Bearer …`": [[FILM, "--header", f"Authorization: Bearer {signed(GOOD)}"]],
    "two tokens in one URL": [[f"{FILM}?hdnts={signed(GOOD)}&hdnts={signed(GOOD)}"]],
    "the name repeated in the value: `?hdnts=hdnts=…`": [sent(f"hdnts={signed(GOOD)}")],
    "percent-encoded twice": [sent(quote(quote(signed(GOOD), safe=""), safe="")), sent(quote(quote(signed(GOOD))))],
    "a trailing line feed": [sent(f"{signed(GOOD)}%0A")],
    "an unencoded `&` or `#` in `data`": [more("data=a&b"), more("data=a#b")],
    "`~` and `=` in `data`": [more("data=a~b=c"), more("data=x~acl=/*")],
    "a field without a value: `id=`": [more("id=")],
    "a custom field: `user=42`": [more("user=42")],
    "`url` or `salt` sent in the token": [sent(signed(f"{LASTING}~url={FILM}")), more("salt=NaCl")],
    "`exp` missing or in milliseconds": [sent(signed(f"exp={(NOW + 300) * 1000}~acl=/vod/*")),
                                            sent(signed(f"st={NOW}~acl=/vod/*"))],
    "`hmac` in base64 or upper-case hex": [sent(f"{GOOD}~hmac={base64.b64encode(hmac_of(GOOD)).decode()}"),
                                           sent(f"{GOOD}~hmac={hmac_of(GOOD).hex().upper()}")],
    "`ip` with a port, or a network": [field(f"ip={VIEWER}:443"), field("ip=203.0.113.0/24")],
    "a quoted token in a cookie": [[FILM, "--cookie", f'hdnts="{signed(GOOD)}"']],
    "SHA-1 or MD5": [sent(signed(GOOD, algorithm="sha1")), sent(signed(GOOD, algorithm="md5"))],
    "the password's hex digits used as the HMAC key": [sent(f"{GOOD}~hmac={hmac_of(GOOD, tokens.PASSWORD.encode()).hex()}")],
    "wrong password": [sent(signed(GOOD, key=tokens.STRANGER))],
    "a salt on one side only": [
        sent(signed(f"{LASTING}~acl=/app/*~data=tv-app"), "/app/master.m3u8"),
        sent(f"{GOOD}~hmac={hmac_of(f'{GOOD}~salt=NaCl').hex()}")],
    "a URL token that signs the whole URL, with its host": [for_url(f"https://edge.example{FILM}"), for_url(f"edge.example{FILM}")],
    "a URL token used for a different playlist": [for_url(FILM, "/vod/film/720p.m3u8")],
    "fields changed or re-encoded after signing": [
        sent(signed(GOOD).replace("/vod/*", "/*")), sent(signed(GOOD.replace("/", "%2f")).replace("%2f", "/"))],
    "an access token sent as `hdntl`": [[f"{FILM}?hdntl={signed(GOOD)}"]],
    "an access token on a segment, or on a playlist not recognized as one": [
        sent(signed(GOOD), "/vod/film/1.ts"), sent(signed(GOOD), "/vod/film/playlist.php")],
    "a token over 2,048 bytes as sent": [more(f"data={'x' * 2048}"), sent(quote(signed(f"{GOOD}~data={'|' * 700}"), safe=""))],
    "a URL token on a URL over 4,096 bytes": [
        [f"{for_url(FILM + '?x=' + 'y' * 4096)[0]}&x={'y' * 4096}"]],
    "a link used after its token expired": [[*sent(signed(GOOD)), "--now", str(NOW + 311)]],
    "`st` from a clock that runs fast": [field(f"st={NOW + 11}")],
    "a folder without `*`: `/vod/film/`": [sent(signed(f"{LASTING}~acl=/vod/film/")), sent(signed(f"{LASTING}~acl=/vod/film"))],
    "no leading `/`, or a host, in the `acl`": [sent(signed(f"{LASTING}~acl=vod/*")),
                                                        sent(signed(f"{LASTING}~acl=https://edge.example/vod/*"))],
    "patterns joined with `,`": [sent(signed(f"{LASTING}~acl=/news/*,/vod/*"))],
    "an `ip` other than the client's": [field("ip=198.51.100.1")],
    "fields too long for a session token": [more(f"data={'x' * 900}")],
    "a revoked `id`": [more("id=viewer-9")],
    "no player of the policy in `data`": [
        sent(f"{LASTING}~acl=/app/*{data}~hmac={hmac_of(f'{LASTING}~acl=/app/*{data}~salt=NaCl').hex()}", "/app/master.m3u8")
        for data in ("", "~data=toaster")],
}


def test_every_mistake_is_tried():
    assert [row[0] for row in table("Troubleshooting")] == list(MISTAKES)


@pytest.mark.parametrize("mistake, word", [row[:2] for row in table("Troubleshooting")])
def test_a_mistake_gets_its_word(folder, mistake, word):
    for request in MISTAKES[mistake]:
        assert f"`{why(folder, *request)}`" == word, request


# What the page says is none.
FINE = {
    "as it is": sent(signed(GOOD)),
    "percent-encoded once": sent(quote(signed(GOOD), safe="")),
    "in a cookie": [FILM, "--cookie", f"hdnts={signed(GOOD)}"],
    "in a header": [FILM, "--header", f"hdnts: {signed(GOOD)}"],
    "the query before the rest": [*sent(signed(GOOD)), "--cookie", "hdnts=x", "--header", "hdnts: x"],
    "for one address": field(f"ip={VIEWER}"),
    "a clock that is a little fast": field(f"st={NOW + 10}"),
    "a link that is a little old": [*sent(signed(GOOD)), "--now", str(NOW + 310)],
    "characters that need no thought": more("data=aZ09-._:,=c"),
    "data encoded before it was signed": more("data=a%26b%3dc~d"),
    "700 bytes": more(f"data={'x' * (700 - len('/vod/*'))}"),
    "700 bytes of escapes": more(f"data={'%41' * ((700 - len('/vod/*')) // 5)}"),
    "a pattern without its slash": sent(signed(f"{LASTING}~acl=/vod/film*"), "/vod/film2/master.m3u8"),
    "a URL token": for_url(FILM),
    "fields in another order": sent(signed(f"acl=/vod/f*m/master%2em3u?~{LASTING}")),
    "a player's name": sent(f"{LASTING}~acl=/app/*~data=tv-app~hmac="
                            + hmac_of(f"{LASTING}~acl=/app/*~data=tv-app~salt=NaCl").hex(), "/app/master.m3u8"),
}


@pytest.mark.parametrize("fine", FINE)
def test_what_is_no_mistake(folder, fine):
    assert why(folder, *FINE[fine]) == "passed"
