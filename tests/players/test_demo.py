"""Tests the demo's player page in Chromium, with the demo's own Envoy: the page shows Envoy's verdicts, at every width."""

import hashlib
import json
import random
import re
import signal
import subprocess
import sys
from urllib.parse import quote

import pytest

import browser
import ports
from support import curl, places
from support.proxy import WAIT

FOLDER = places.REPOSITORY / "envoy/demo"
CLEAR = places.content() / "ts/v360/seg0.ts"
PLAIN = [str(places.content() / "cmaf" / name / "seg0.m4s") for name in ("v360", "audio")]
# What can be tried, and what the page must show of the edge's answer.
ATTACKS = {"expired": "403 expired", "stolen": "403 ip", "missing": "403 missing", "raw": "200 encrypted",
           "session": "403 session", "path": "403 path", "signature": "403 signature", "parameter": "403 parameter"}
# The same with an MPD: the license in the place of the key, and the parameter of one in the place of the other's.
ON_DASH = {**ATTACKS, "raw": "200 samples encrypted", "purpose": "403 parameter"}
VISITS = ("desk", "phone", "dash")
TRIED = {"desk": ATTACKS, "phone": ATTACKS, "dash": ON_DASH}
REFUSED = [(visit, id) for visit in VISITS for id, answer in TRIED[visit].items() if answer.startswith("403")]
ORDER = ["expired", "stolen", "missing", "session", "purpose", "path", "signature", "parameter"]
FLOW = ["Master playlist", "Media playlist", "Key", "Segment"]


def start(work):
    """Starts the demo like `make demo`, on its own ports: (process, URL of the page)."""
    for _ in range(5):  # what was free may be taken by then
        port = ports.free_row("127.0.0.1", random.randrange(20_000, 30_000, 10), 4)
        command = [sys.executable, places.REPOSITORY / "tools/demo.py", "--port", str(port), "--work", str(work)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in process.stdout:
            if page := re.search(r"Player page +(\S+)", line):
                return process, page[1]
        complaint = process.communicate(timeout=WAIT)[1]
        if "is taken" not in complaint:
            break
    pytest.fail(f"the demo ended: {complaint}")


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    """What visitors did and saw, by visit; beside it the edge's access log by request id, and what came of asking the site to
    ask for what is not protected."""
    work = tmp_path_factory.mktemp("demo")
    for package in ("hls.js", "shaka-player"):
        places.node_modules(package)
    process, url = start(work)
    try:
        command = browser.command("demo.mjs", url=url, clear=str(CLEAR), plain=PLAIN, pictures=str(places.REPOSITORY / "target"))
        run = subprocess.run(command, capture_output=True, text=True, timeout=8 * WAIT, env=browser.direct())
        assert run.returncode == 0, run.stderr
        targets = ("", "/player/token", "/ts/../player/token", "/ts/%2e%2e/player/token", "/ts/.%2E\\player/token", "//other/ts/",
                   "http://other/ts/", "/ts/a b", "/ts/a\r\nb:c")
        asked = {target: curl.fetch(f"{url}elsewhere?target={quote(target, safe='')}").status for target in targets}
    finally:
        process.send_signal(signal.SIGINT)
        said, complaint = process.communicate(timeout=WAIT)
    assert (process.returncode, complaint) == (0, ""), said
    entries = map(json.loads, (work / "access.log").read_text().splitlines())
    return json.loads(run.stdout) | {"log": {entry["id"]: entry for entry in entries}, "asked": asked}


@pytest.mark.parametrize("visit, attack", REFUSED)
def test_a_refusal_is_shown_as_the_edge_logged_it(visits, visit, attack):
    """By the request's id, which the page has from the answer."""
    came, answer = visits[visit]["attacks"][attack], TRIED[visit][attack]
    reason = answer.split()[1]
    (problem,) = came["problems"]
    logged = visits["log"][problem["instance"]]
    assert (logged["status"], logged["reason"]) == (problem["status"], problem["type"]) == (403, reason)
    assert came["badge"] == f"✓ {answer}" and f"403 refused: {reason} “{problem['title']}”" in came["said"]
    assert f": {answer}. {came['why']}" in came["heard"] and not came["wrong"]
    assert logged["client"] == ("127.9.9.9" if attack == "stolen" else "127.0.0.1")
    assert came["open"] == 1, "only the last answer is unfolded"


@pytest.mark.parametrize("visit", VISITS)
def test_the_stolen_session_goes_on_where_it_was_opened(visits, visit):
    """The same URL, asked for from two addresses."""
    stolen = visits[visit]["attacks"]["stolen"]
    there, here = stolen["urls"]
    assert there == f"From 127.9.9.9: {here}" and stolen["said"][1] == (
        "200 allowed content protection added" if visit == "dash" else "200 allowed key tag added")


@pytest.mark.parametrize("visit, at, name", [("desk", "attacks", "ts/v360/seg0.ts"), ("phone", "attacks", "ts/v360/seg0.ts"),
                                             ("desk", "cmaf", "cmaf/v360/seg0.m4s")])
def test_a_raw_segment_is_noise_without_the_key(visits, visit, at, name):
    """Shown by its bytes, and by a player that plays it as soon as it has the key."""
    came, plain = visits[visit][at]["raw"], (places.content() / name).read_bytes()
    first, form, length = came["facts"]
    shown = bytes.fromhex(first.removeprefix("begins with "))
    assert len(shown) == 16 and shown != plain[:16]
    assert length.startswith(f"{len(plain) // 16 * 16 + 16:,} bytes, a multiple")
    if name.endswith(".ts"):
        assert int(form.split()[0]) < len(plain) // 188 // 10
    without, with_key = came["trials"]
    assert re.match(r"without the key \w+Error: .+", without) and with_key == "with the key plays: 640×360"
    assert came["badge"] == "✓ 200 encrypted" and not came["wrong"]


def test_the_license_endpoint_is_attacked(visits):
    """With a POST for each license, and what the edge logged of it."""
    for attack in ("missing", "session", "purpose"):
        came = visits["dash"]["attacks"][attack]
        (problem,) = came["problems"]
        logged = visits["log"][problem["instance"]]
        assert (logged["method"], logged["path"], logged["kind"]) == ("POST", "/license", "license"), attack
        assert came["urls"][0].startswith("POST /") and "/license?plk=key~" in came["urls"][0]


def test_raw_samples_play_only_with_the_license(visits):
    """Their boxes are readable."""
    came = visits["dash"]["attacks"]["raw"]
    boxes, ranges, _ = came["facts"]
    assert re.match(r"holds styp, .*moof.*mdat", boxes) and "senc" in boxes
    assert ranges == "lists the encrypted ranges of 100 samples (senc)"
    assert came["trials"] == ["without the license waitingforkey: no key for these samples", "with the license plays: 640×360"]
    assert came["badge"] == "✓ 200 samples encrypted" and not came["wrong"]


def test_dash_shows_the_pictures_of_hls(visits):
    """The same picture at the same time of the programme, and the next ones after it."""
    assert visits["dash"]["dash"] == visits["dash"]["hls"] and visits["dash"]["dash"]["height"] == 360
    assert visits["dash"]["back"]["session-state"] == "open"


def test_the_timeline_has_the_license(visits):
    """The MPD once, one license, and segments whose samples are encrypted."""
    rows = visits["dash"]["begun"]["rows"][::-1]
    assert rows[0]["kind"] == "MPD" and [row["kind"] for row in rows].count("MPD") == 1
    assert {row["kind"] for row in rows} == {"MPD", "Init section", "License", "Segment"}
    holds = {"MPD": "content protection added", "Init section": "names the key and the IV", "License": "1 key",
             "Segment": "samples encrypted"}
    assert [row["note"] for row in rows] == [holds[row["kind"]] for row in rows]
    assert {(row["verdict"], row["status"]) for row in rows} == {("allowed", "200")}
    assert [row["name"] for row in rows if row["kind"] == "License"] == ["/license"]
    folders = {row["name"].split("/")[2] for row in rows if row["kind"] == "Segment"}
    assert "audio" in folders and folders & {"v180", "v360"}


def test_plain_samples_are_no_encrypted_ones(visits):
    """What the page takes for encrypted above is not so before playlock: video and audio."""
    assert visits["dash"]["plain"] == [True, True]


def test_a_browser_without_encrypted_media_extensions(visits):
    """It is told why it plays no DASH, and the page asks for nothing in vain."""
    seen = visits["dash"]["without"]
    assert seen["trouble"].startswith("DASH needs Encrypted Media Extensions") and seen["rows"] == []


@pytest.mark.parametrize("visit, at", [("desk", "begun"), ("desk", "again"), ("desk", "cmaf"), ("desk", "reloaded"),
                                       ("dash", "begun"), ("phone", "shown"), ("browsers_own", "shown")])
def test_the_session_is_shown(visits, visit, at):
    """Its id and what its token says, how long it holds, and the fingerprint of the key that came over the wire."""
    seen = visits[visit][at]
    assert (seen["session-state"], seen["trouble"]) == ("open", "")
    assert seen["session-network"] == "127.0.0.0/24" and seen["session-scope"] == (
        "/cmaf/*" if at == "cmaf" or visit == "dash" else "/ts/*")
    assert re.match(r"in (23:5\d:\d\d|24:00:00), \w+", seen["session-end"]) and re.match(r"\d+ s left|expired", seen["token-end"])
    assert seen["session-id"] in {entry["session"] for entry in visits["log"].values()}
    prints = [hashlib.sha256(bytes.fromhex(key)).digest()[:8].hex(":") for key in visits[visit]["keys"]]
    assert seen["key-print"] in prints and re.fullmatch(r"[0-9a-f]{32}", seen["key-iv"])


def test_every_session_has_a_key_of_its_own(visits):
    """After "New session", with the other packaging, and after a reload."""
    sessions = [visits["desk"][at] for at in ("begun", "again", "cmaf", "reloaded")]
    for part in ("session-id", "key-print", "key-iv"):
        assert len({one[part] for one in sessions}) == 4, part
    first = "first 8 bytes of its SHA-256"
    notes = [first, *(f"previous session: {one['key-print']}" for one in sessions[:2]), first]
    assert [one["key-note"] for one in sessions] == notes
    assert visits["desk"]["reloaded"]["expired"]["badge"] == "✓ 403 expired"


@pytest.mark.parametrize("at", ["begun", "again", "cmaf", "reloaded"])
def test_the_timeline_has_every_request_of_the_player(visits, at):
    """All of them allowed, all media but init sections encrypted; a key may come after its first segment."""
    seen = visits["desk"][at]
    rows = seen["rows"][::-1]
    kinds = list(dict.fromkeys(row["kind"] for row in rows if row["kind"] != "Init section"))
    assert (kinds[:2], sorted(kinds)) == (FLOW[:2], sorted(FLOW))
    assert seen["request-count"] == f"{len(rows)} allowed, 0 refused" and 0 < seen["marks"] <= len(rows)
    assert all((row["verdict"], row["status"]) == ("allowed", "200") and row["ms"].endswith(" ms") for row in rows)
    holds = {"Master playlist": "opens a session", "Media playlist": "key tag added", "Key": "16 bytes", "Segment": "encrypted",
             "Init section": "clear, as intended"}
    assert [row["note"] for row in rows] == [holds[row["kind"]] for row in rows]
    assert len([row for row in rows if row["kind"] == "Init section"]) == (2 if at == "cmaf" else 0)


@pytest.mark.parametrize("visit", VISITS)
def test_the_timeline_has_the_attacks(visits, visit):
    """With the word of each refusal, and who asked."""
    rows = [row for row in visits[visit]["shown"]["rows"] if row["verdict"] != "allowed"][::-1]
    tried = [attack for attack in ORDER if attack in TRIED[visit]]
    assert [row["verdict"] for row in rows] == [f"refused: {TRIED[visit][attack].split()[1]}" for attack in tried]
    assert all(row["name"].endswith(" you") or row["name"].endswith("you, from 127.9.9.9") for row in rows)
    assert visits[visit]["shown"]["request-count"].endswith(f", {len(tried)} refused")


def test_the_timeline_does_not_grow_without_end(visits):
    """After a thousand requests."""
    assert visits["desk"]["many"] == {"rows": 60, "marks": 120}


@pytest.mark.parametrize("visit, scheme", [(visit, scheme) for visit in VISITS for scheme in ("light", "dark")])
def test_the_page_fits(visits, visit, scheme):
    """No scrolling sideways, nothing too low for a finger, all text of good contrast."""
    layout = visits[visit]["layouts"][f"{visit} {scheme}"]
    assert layout["wide"] == [] and layout["faint"] == []
    assert len(layout["heights"]) >= len(ATTACKS) + 3 and min(layout["heights"]) >= 40


@pytest.mark.parametrize("visit", [*VISITS, "deceived", "browsers_own"])
def test_nothing_goes_wrong_and_nothing_comes_from_elsewhere(visits, visit):
    """No script fails, nothing is against the page's own policy, nothing is asked of another host."""
    assert (visits[visit]["complaints"], visits[visit]["others"]) == ([], [])


def test_what_the_edge_should_not_let_through_is_shown_so(visits):
    """An expired token that works, a segment in clear: answers are not known beforehand."""
    attacks = visits["deceived"]["attacks"]
    assert attacks["expired"]["badge"] == "✗ 200 opens no session" and attacks["expired"]["wrong"]
    assert attacks["expired"]["why"] == "Unexpected response. Expected: 403 expired."
    assert attacks["raw"]["badge"] == "✗ 200 CLEAR" and attacks["raw"]["wrong"]
    assert attacks["raw"]["facts"][0] == f"begins with {CLEAR.read_bytes()[:16].hex(' ')}"
    assert attacks["raw"]["trials"][0] == "without the key plays: 640×360"
    assert attacks["session"]["badge"] == "✗ failed" and attacks["session"]["wrong"]


def test_why_nothing_plays_is_shown(visits):
    """If it is the player who is refused: in the edge's words."""
    seen = visits["deceived"]["shown"]
    assert (seen["trouble"], seen["session-state"], seen["session-id"]) == ("It is over (revoked)", "refused", "–")
    assert [(row["verdict"], row["note"]) for row in seen["rows"]] == [("refused: revoked", "It is over")]


def test_a_browser_that_plays_hls_itself(visits):
    """It says nothing of its requests: the page opens the session for it, and attacks the same."""
    seen = visits["browsers_own"]
    assert [row["kind"] for row in seen["shown"]["rows"]][::-1] == ["Master playlist", "Media playlist", "Key", "Segment", "Key"]
    assert seen["attacks"]["raw"]["badge"] == "✓ 200 encrypted" and seen["attacks"]["raw"]["trials"] == []
    assert seen["attacks"]["missing"]["badge"] == "✓ 403 missing"
    kinds = {entry["kind"] for entry in visits["log"].values() if entry["session"] == seen["shown"]["session-id"]}
    assert kinds == {"playlist", "key", "segment"}


def test_the_site_asks_for_nothing_else_from_its_other_address(visits):
    """Only the edge, and there only what is protected."""
    assert set(visits["asked"].values()) == {400}
