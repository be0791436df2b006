"""Tests the page in Chromium against `playlock serve`: a policy's whole life by mouse, by finger on a phone and by keyboard
alone; a user who may only read; states that a fresh server does not have; layouts, contrast and axe's rules for each part."""

import csv
import io
import json
import re
import subprocess

import pytest

from browser import command, direct
from support import places
from support.control_plane import SECURITY, ControlPlane, NoAuth, story
from support.leases import Asker, session

SCRIPT = places.REPOSITORY / "tests/control/page.mjs"
STORIES = ("mouse", "phone", "keyboard")
VISITS = (*STORIES, "canned")
HTML = "<img src=x onerror=\"document.title='owned'\">"
SECRETS = ["5ec2e7ab" * 4, "a1b2c3d4" * 8]
KEPT = {"policyName": "kept", "tokenAuth": {"enabled": True, "password": SECRETS[0]},
        "mediaEncryption": {"enabled": True, "secret": SECRETS[1]}}
PARTS = {"fault", "assigning", "assignments", "promote", "policy", "why", "audit", "access", "settings", "nodes", "refusals", "login", "sessions", "ending"}


def watch(plane):
    """Begins the sessions that the visits see: three of each visit's viewer, and one that nobody ends."""
    production, staging = Asker(plane, "node-production"), Asker(plane, "node-staging")
    for visit in STORIES:
        for name in ("tv", "phone", "car"):
            assert production.ask(f"{visit} {HTML}", f"{visit} {name}", policy="kept", limit=3).status_code == 204
    assert staging.ask("kept", "kept", policy="kept").status_code == 204


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    """The reports of all visits, by name."""
    places.node_modules("axe-core")
    folder = tmp_path_factory.mktemp("page-")
    (folder / "dmas.json").write_text(json.dumps(story("dmas")))
    plane = ControlPlane(folder, "--failures-per-minute", "1000", "--dmas", str(folder / "dmas.json"), "--authorize-listen",
                         "127.0.0.1:0")
    try:
        client = plane.client()
        kept = client.post(f"{SECURITY}/policies", KEPT | {"promote": True})
        assert kept.status_code == 202, kept.text
        watch(plane)
        codes = {visit: plane.page_login().partition("#")[2] for visit in (*VISITS, "again")}
        options = command(SCRIPT, url=plane.url, codes=codes, pictures=str(places.REPOSITORY / "target"))
        run = subprocess.run(options, capture_output=True, text=True, timeout=600, env=direct())
        assert run.returncode == 0, run.stderr
        read = client.get(f"{SECURITY}/policies/1").json()
        assert [read["tokenAuth"]["password"], read["mediaEncryption"]["secret"]] == SECRETS
        log = plane.stderr()
        headers = [plane.client(NoAuth()).get(path).headers for path in ("/", "/login", "/app.js", "/page.css")]
    finally:
        plane.stop(kill=True)
    reports = json.loads(run.stdout)
    for visit in STORIES:
        reports[f"{visit}-reader"] = reports[visit].pop("reader")
    return reports | {"log": log, "headers": headers}


EVERYONE = (*VISITS, *(f"{visit}-reader" for visit in STORIES))


@pytest.mark.parametrize("visit", EVERYONE)
def test_the_browser_has_nothing_to_complain_about(visits, visit):
    """No error, no violation of the Content Security Policy, no request to another site."""
    assert visits[visit]["complaints"] == [] and visits[visit]["others"] == []


@pytest.mark.parametrize("visit", EVERYONE)
def test_every_part_fits(visits, visit):
    """In light and dark: nothing beyond the window, targets of at least 24 pixels, contrast of at least 4.5."""
    layouts = visits[visit]["layouts"]
    faults = {part: each for part, each in layouts.items() if each["wide"] or each["faint"] or each["small"]}
    assert faults == {}
    assert all(each["heights"] for each in layouts.values())
    if visit in STORIES:
        assert {part.split()[0] for part in layouts} == PARTS
        assert min(min(each["heights"]) for each in layouts.values()) >= 24


@pytest.mark.parametrize("visit", EVERYONE)
def test_axe_finds_nothing(visits, visit):
    """Labels, roles, names, contrast, order of headings: the rules of axe-core."""
    assert {part: each for part, each in visits[visit]["unlabelled"].items() if each} == {}


@pytest.mark.parametrize("visit", STORIES)
def test_a_fault_is_shown_at_its_line(visits, visit):
    """Of the syntax, and of the API; the line is a button that leads there, and help for the member is beside it."""
    came = visits[visit]
    assert came["syntax"].startswith("Line 2 ")
    assert re.match(r"Line 5 tokenAuth\.password: .*hex digits", came["fault"])
    assert came["caret"] == {"id": "editor-text", "line": 5} and came["marked"] == ["5\n"]
    assert came["help"].startswith("tokenAuth.password\n") and "`" not in came["help"]
    assert "tokenAuth.password" in came["refusedSave"]
    value, choices = came["choice"]
    assert value == "session" and re.search(r'"stream": All viewers of a stream', choices) and '"application": ' in choices


@pytest.mark.parametrize("visit", STORIES)
def test_a_market_area_that_is_not_listed_is_a_warning(visits, visit):
    """Beside no fault."""
    warning = "Warning: contentTargeting.geoProtection.dmas[0].dmaCode: found \"999\", which is not in the file of --dmas"
    assert visits[visit]["warning"].startswith(warning) and "Line" not in visits[visit]["warning"]


@pytest.mark.parametrize("visit", STORIES)
def test_a_confirmation_says_what_changes_for_whom(visits, visit):
    """Hosts, paths, Envoys, and the members that differ."""
    came = visits[visit]
    assert "No assignment on production uses this policy" in came["promoteAsked"]
    for asked in (came["editAsked"], came["rollBackAsked"]):
        assert f"{visit}.example, *.{visit}.example /vod/..." in asked and "0 Envoys on production get the change." in asked
        assert "tokenAuth.enforceOnContentRequest" in asked and "Production then" in asked
        assert [line for line in asked.split("\n") if "." in line and "tokenAuth" in line] == ["tokenAuth.enforceOnContentRequest"]
    assert "Staging then" in came["resetAsked"] and f"{visit}.example" in came["resetAsked"]
    assert f"{visit}.example, *.{visit}.example" in came["assignmentsAsked"] and "/vod/..." in came["assignmentsAsked"]
    assert "tokenAuth.enforceOnContentRequest" in came["difference"]
    assert "assignments[0].path" in came["assignmentFault"] and came["bars"] == 1
    assert "assign" in came["deleteRefused"]


@pytest.mark.parametrize("visit", STORIES)
def test_edits_are_not_lost_unasked(visits, visit):
    """Leaving a part with edits that are not saved asks first."""
    assert visits[visit]["leaving"].startswith("Leave without saving?")


@pytest.mark.parametrize("visit", STORIES)
def test_a_secret_is_exchanged_in_three_steps(visits, visit):
    """Each step says what it does."""
    add, swap, drop = visits[visit]["steps"]
    assert add.startswith("Add the new secret?") and swap.startswith("Swap?") and drop.startswith("Drop the old secret?")
    assert "Change your token generator now." in swap


@pytest.mark.parametrize("visit", STORIES)
def test_why_shows_the_checks(visits, visit):
    """Of a request without a token."""
    why = visits[visit]["why"]
    assert re.search(r"refused\s+403\s+missing", why) and HTML in why


@pytest.mark.parametrize("visit", STORIES)
def test_everything_is_in_the_audit_trail(visits, visit):
    """Each of the visit's writes, without the secrets."""
    came = visits[visit]
    assert came["password"] not in came["audit"]
    assert came["audit"].count(f"policy {came['id']}") >= 9
    assert HTML not in came["policies"].split("kept")[0] and "kept" in came["policies"]


@pytest.mark.parametrize("visit", STORIES)
def test_a_login_and_a_token_are_shown_once(visits, visit):
    """The login's code leaves the URL at once; the token is nowhere after its dialog."""
    came = visits[visit]
    assert came["login"]["hash"] == "" and len(came["login"]["code"]) > 20
    assert came["token"] and all(came["token"] not in text for text in came["texts"].values())
    assert came["login"]["code"] not in visits["log"] and came["token"] not in visits["log"]
    assert "One-time code" in came["texts"]["login"]


@pytest.mark.parametrize("visit", EVERYONE)
def test_names_stay_text(visits, visit):
    """Names with HTML in them: none runs."""
    shown = "".join(visits[visit]["texts"].values())
    assert "owned" not in visits[visit].get("title", "")
    assert visit.endswith("-reader") or HTML in shown


@pytest.mark.parametrize("visit", [f"{visit}-reader" for visit in STORIES])
def test_a_reader_sees_why_nothing_can_be_done_and_no_secret(visits, visit):
    """Of a policy whose secrets the first client reads in clear."""
    came = visits[visit]
    assert set(came["actions"]) == {"Promote", "Reset staging", "Mark for deletion", "Delete", "Save on staging", "Discard edits", "End"}
    assert all(disabled == "true" and "Your login lacks the role" in title for disabled, title in came["actions"].values())
    assert came["readonly"] is not None and "********" in came["texts"]["policy"]
    assert "Your login lacks the role admin." in came["texts"]["access"]
    assert [part for part, text in came["texts"].items() for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize("visit", STORIES)
def test_an_operator_sees_who_is_watching_and_ends_it(visits, visit):
    """Counts, a search by viewer, the CSV file; the question names the sessions, the effect, and what ends them at once."""
    came, viewer = visits[visit], f"{visit} {HTML}"
    assert re.search(r"\d+ viewers, \d+ sessions", came["counted"]) and "kept" in came["counted"]
    assert len(came["watching"]) == 3
    for row in came["watching"]:
        assert viewer in row and "/vod/*" in row and "production" in row and "203.0.113.0/24" in row
    name, text = came["csv"]
    ids = {session(f"{visit} {name}") for name in ("tv", "phone", "car")}
    rows = list(csv.DictReader(io.StringIO(text)))
    assert name == "sessions.csv" and {row["session"] for row in rows} == ids and rows[0]["viewer"] == viewer
    (asked, one), (all_asked, others) = came["endAsked"], came["endAllAsked"]
    assert len(json.loads(one)) == 1 and len(json.loads(others)) == 2 and {*json.loads(one), *json.loads(others)} == ids
    assert asked.startswith("End this session?") and all_asked.startswith(f"End all sessions of {viewer}?")
    for text in (asked, all_asked):
        assert "no further key" in text and "can begin another" in text and "revocation.sessionIds of kept, and promote" in text
    assert came["focused"] and "session.end" in came["ended"] and viewer in came["ended"]


def test_very_many_sessions_come_page_by_page(visits):
    """A page may be empty; a search sends what was typed; a server without leases, or without its store, says so."""
    came = visits["canned"]
    assert came["queries"] == [{"limit": "50"}, {"limit": "50", "cursor": "1"}, {"limit": "50", "cursor": "2"},
                               {"limit": "50", "stream": "/a b&c=d/*"}]
    assert came["moreHidden"]
    assert "This server counts no sessions." in came["withoutLeases"] and "--authorize-listen" in came["withoutLeases"]
    assert "The store is away." in came["storeAway"] and "Try again" in came["storeAway"]


def test_nodes_that_need_someone_come_first(visits):
    """With the reason of a refusal; a page that is hidden asks for nothing; a lost server shows since when."""
    came = visits["canned"]
    states = [re.search("refused|never ran|disconnected|behind|updating|in force", row)[0] for row in came["nodes"]]
    assert states == ["refused", "never ran", "disconnected", "behind", "updating", "in force"]
    assert "revision 12: Unable to create Wasm plugin" in came["nodes"][0]
    assert came["askedWhileHidden"] == 0 and "does not answer. The list is from" in came["gone"]


def test_long_lists_can_be_filtered(visits):
    """200 nodes, 200 policies."""
    assert visits["canned"]["filtered"] == "9 of 200" and visits["canned"]["policiesShown"] == "12 of 200"


def test_refusals_are_counted_by_reason_and_policy(visits):
    """Over the hour, most first."""
    assert visits["canned"]["ofOnePolicy"] == ["expired\nkept\n2,100", "missing\nkept\n1,890"]
    assert len(visits["canned"]["refusals"]) == 4


def test_the_exchange_names_who_is_behind(visits):
    """And goes on by itself once they are not."""
    came = visits["canned"]
    assert f"Not yet in force on: production/edge-7 staging/{HTML}" in came["exchange"]
    assert came["swap"] == ["true", f"Waiting for production/edge-7, staging/{HTML}."]


def test_a_long_policy_keeps_its_line_numbers(visits):
    """Of 589 lines; the mask of a secret is explained."""
    came = visits["canned"]
    numbers, text = came["scrolled"]
    assert came["lines"] == 589 and numbers == text > 1000
    assert "leave it to keep the secret" in came["mask"]


def test_settings_are_edited_and_promoted(visits):
    """With their faults, and the members that differ."""
    came = visits["canned"]
    assert re.match(r"Line \d+ batching: ", came["settingsFault"])
    assert "0 Envoys on production get the change." in came["settingsAsked"]
    assert re.search(r"batching\s+not set\s+true", came["settingsAsked"])


def test_an_edgegrid_client_is_shown_once(visits):
    """As a section of an .edgerc file."""
    lines = dict(re.findall(r"^(\w+) = (\S+)$", visits["canned"]["edgerc"], re.M))
    assert {"host", "client_token", "client_secret", "access_token"} <= set(lines)
    assert lines["client_secret"] not in "".join(visits["canned"]["texts"].values()) + visits["log"]


def test_a_login_that_ended_leads_to_the_form(visits):
    """A wrong code says so, and the right one leads back."""
    came = visits["canned"]
    assert came["ended"] and "code" in came["wrongCode"] and came["back"] == "#/audit"


def test_two_clicks_are_one_request(visits):
    """And the focus stays in the part that is shown."""
    assert visits["canned"]["writes"] == 1 and visits["canned"]["focus"] == "main"


def test_only_files_of_the_server_are_loaded(visits):
    """By the Content Security Policy of each file; nothing inline, no frames, no HTML from scripts."""
    for headers in visits["headers"]:
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'" and policy["base-uri"] == "'none'"
        assert {policy[each] for each in ("script-src", "style-src", "img-src", "connect-src", "form-action")} == {"'self'"}
        assert policy["require-trusted-types-for"] == "'script'" and policy["trusted-types"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
