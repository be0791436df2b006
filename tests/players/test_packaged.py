"""Tests that players play what Shaka Packager made with keys of playlock's key server, through Envoy, by the settings of
docs/speke.md alone: pictures are those of the plain programme, and without a right to the keys there is none."""

import json
import re
import subprocess
import warnings
from base64 import b64decode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

import dash_browser
import packaged
import programme
from live import Files
from support import curl, pages, places, tokens
from support.dynamic import Dynamic
from support.edge import document, environment

SCHEMES = ("cenc", "cbcs")
# Policies: what they do with encrypted media, and how session tokens come. The first is that of docs/speke.md.
POLICIES = {"vod": ("expect", "path"), "query": ("expect", "query"), "deny-path": ("deny", "path"), "deny-query": ("deny", "query")}
SHAKA_DASH, SHAKA_HLS, HLS_JS = ("Shaka", packaged.MPD), ("Shaka", "identity.m3u8"), ("hls.js", "clearkey.m3u8")
BROWSERS = (SHAKA_DASH, SHAKA_HLS, HLS_JS)
TIMES, RATE, SECONDS = (1.01, 13.01, 21.97), 8, 40
# (policy, scheme, way to play): each way by each scheme and transport; under `deny` playlists must name the keys.
CASES = [(name, scheme, way) for name in ("vod", "query") for scheme in SCHEMES for way in BROWSERS] + [
    ("deny-path", "cenc", HLS_JS), ("deny-path", "cbcs", SHAKA_HLS), ("deny-query", "cenc", SHAKA_HLS), ("deny-query", "cbcs", HLS_JS)]
# What a viewer tries to get a license with, and what the page then says.
REFUSED = {
    "missing": "Please sign in to watch this film.", "path": "Your ticket is for another film.",
    "revoked": "Your access to this film has ended.",
}
SECRETS = {"PLAYLOCK_SPEKE_SECRET": "9b1c2d3e4f5a69788796a5b4c3d2e1f01a2b3c4d5e6f70819b1c2d3e4f5a6978", "PLAYLOCK_PACKAGER": packaged.TOKEN}


def documented(kind):
    """A block of docs/speke.md."""
    return pages.block(pages.read("speke.md"), kind)


def page():
    """A site's page, with the players and what the documentation gives to pages."""
    files = dash_browser.page().package
    hls_js = (places.node_modules("hls.js") / "dist/hls.min.js").read_bytes()
    made = "\n".join([
        documented("js refusals"),
        f"async function by_shaka(video, url, tell) {{\n{documented('js shaka')}\nreturn player;\n}}",
        f"async function by_hls_js(video, url, tell) {{\n{documented('js hls.js')}\nreturn hls;\n}}",
    ])
    scripts = "".join(f'<script src="{name}"></script>' for name in ("hls.js", "documented.js", "packaged_page.js"))
    html = files["Shaka.html"].decode().replace("<div></div>", '<div id="message"></div>') + scripts
    own = Path(__file__).with_name("packaged_page.js").read_bytes()
    return Files({**files, "Shaka.html": html.encode(), "hls.js.html": html.encode(), "hls.js": hls_js, "documented.js": made.encode(), "packaged_page.js": own})


def configuration(site, revoked=()):
    """The policies, each for the folder of its name, with a key server of its own."""
    made = []
    for name, (origin, transport) in POLICIES.items():
        one = json.loads(documented("json policy").replace("https://tv.example", site))
        one["policyName"], one["tokenAuth"]["sessionTokenTransport"] = name, transport
        one["mediaEncryption"]["onEncryptedOrigin"] = origin
        one["mediaEncryption"]["speke"] |= {"path": f"/speke-{name}", "viewerUrl": f"/{name}/{{contentId}}/keys"}
        made.append(one | {"revocation": {"accessTokenIds": list(revoked)}})
    return document(*made, hold=True)


@dataclass
class Cinema:
    """An Envoy, a site with a page, an origin with what was packaged, and the players."""

    edge: Dynamic
    site: str
    origin: str
    theatre: object
    browser: object
    native: object

    def link(self, name, scheme, file, id=None):
        """The URL that a site gives to a viewer: with an access token for this content."""
        token = tokens.by_python(acl=f"/{name}/film-{scheme}/*", id=id)
        return f"{self.edge.proxy.url}/{name}/film-{scheme}/{file}?hdnts={token}"

    def play(self, way, url):
        """The report of a play by the site's page, which is on another host than the edge. Only the plain programme has no headers
        for other sites' pages."""
        site = self.origin if url.startswith(self.origin) else self.site
        return self.browser.play(way[0], site, url, list(TIMES), "cinema", rate=RATE, advance=0, seconds=SECONDS)

    def frames(self, url):
        """What ffmpeg decodes: (exit status, hashes by stream, complaints)."""
        return self.native.frames(url, SECONDS, "-map", "0:v", "-map", "0:a")


@pytest.fixture(scope="module")
def cinema(theatre, origin, native, tmp_path_factory):
    site = origin.replace("127.0.0.1", "localhost")
    edge = Dynamic(tmp_path_factory.mktemp("envoy"), None, SimpleNamespace(port=urlsplit(origin).port), configuration(site),
                   environment=environment() | SECRETS, options=["--with-secrets"])
    browser = None
    try:
        theatre.stage("cinema", page())
        theatre.stage("plain", Files(packaged.packed()))
        for name in POLICIES:
            server = f"{edge.proxy.url}/speke-{name}"
            packages = {f"film-{scheme}": packaged.encrypted(server, f"film-{scheme}", scheme) for scheme in SCHEMES}
            theatre.stage(name, Files({f"{film}/{path}": body for film, package in packages.items() for path, body in package.items()}))
        browser = dash_browser.DashBrowser("Chromium", tmp_path_factory.mktemp("browser") / "log")
        yield Cinema(edge, site, origin, theatre, browser, native)
    finally:
        if browser:
            browser.stop()
        complaint = edge.proxy.complaint()
        edge.proxy.stop()
    assert complaint is None, complaint


@pytest.fixture(scope="module")
def plays(cinema):
    """All plays that are to go well, and those of the plain programme: {case: report}."""
    tasks = {("plain", way): f"{cinema.origin}/plain/{'film.m3u8' if way != SHAKA_DASH else packaged.MPD}" for way in BROWSERS}
    tasks |= {case: cinema.link(case[0], case[1], case[2][1]) for case in CASES}
    with ThreadPoolExecutor(5) as pool:
        made = dict(zip(tasks, pool.map(lambda task: cinema.play(task[0][-1], task[1]), tasks.items())))
    ((usual, _),) = Counter(tuple(report["pictures"]) for report in made.values()).most_common(1)
    for case, report in made.items():
        if not whole(report) or tuple(report["pictures"]) != usual:
            # On a machine that is busy, a screenshot may come before its picture.
            warnings.warn(f"{case} is played anew, the last time it had {report['pictures']} and {report['errors']}")
            made[case] = cinema.play(case[-1], tasks[case])
    return made


def whole(report):
    """Whether a play came to its end without an error, and without a gap."""
    if not report["ended"] or report["errors"] or len(report["played"]) != 1:
        return False
    ((begin, end),) = report["played"]
    return begin < 0.25 and end > programme.SECONDS - 0.25 and report["frames"] > 0


@pytest.mark.parametrize("name, scheme, way", CASES, ids=lambda part: part if isinstance(part, str) else "-".join(part))
def test_pictures_are_those_of_the_plain_programme(cinema, plays, name, scheme, way):
    plain, report = plays["plain", way], plays[name, scheme, way]
    assert whole(plain) and len(set(plain["pictures"])) == len(TIMES), plain
    assert whole(report) and report["pictures"] == plain["pictures"], report
    # Licenses or keys came from the edge, to one session, and all was allowed.
    asked = [one for one in report["requests"] if "/keys/" in urlsplit(one["url"]).path]
    assert asked and all(one["url"].startswith(cinema.edge.proxy.url) for one in asked)
    assert all(one["status"] in (200, 206, 302) for one in report["requests"]), report["requests"]
    last = {urlsplit(one["url"]).path.rpartition("/")[2] for one in asked}
    assert last == (set(packaged.KIDS.values()) if way == SHAKA_HLS else {"license"})


def test_the_command_prints_what_belongs_into_files(cinema):
    """As the page says of Shaka Packager. The tag of hls.js is one that the key server writes, too."""
    command = [places.command(), "speke", "request", f"{cinema.edge.proxy.url}/speke-vod", "--token", packaged.TOKEN, "--content-id",
               "film-cbcs", "--track", "SD,AUDIO", "--kid", ",".join(packaged.KIDS.values()), "--system",
               "clearkey,common,hls-sample-aes", "--scheme", "cbcs", "--output", "json"]
    printed = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)["keys"]
    of = packaged.keys(f"{cinema.edge.proxy.url}/speke-vod", "film-cbcs", "cbcs")
    for key, one in zip(of.values(), printed):
        written = {name: {gap: b64decode(text).decode() for gap, text in gaps.items() if gap != "PSSH"}
                   for name, gaps in one["systems"].items()}
        assert written["clearkey"]["ContentProtectionData"] == key.protections[packaged.CLEAR_KEY]
        assert written["hls-sample-aes"]["HLSSignalingData[media]"] == key.lines[packaged.SAMPLE_AES, "media"]
    tag = re.sub(r"keys/[0-9a-f]{8}/", "keys/4a4773e4/", of["video"].lines[packaged.CLEAR_KEY, "media"])
    assert tag.replace("film-cbcs", "film-7") == documented("text").strip()


@pytest.mark.parametrize("name", POLICIES)
def test_ffmpeg_decodes_the_plain_programme(cinema, plain_frames, name):
    """By key URLs, all pictures and all sound."""
    status, frames, complaints = cinema.frames(cinema.link(name, "cbcs", "identity.m3u8"))
    assert status == 0 and frames == plain_frames, complaints


@pytest.fixture(scope="module")
def plain_frames(cinema):
    status, frames, complaints = cinema.frames(f"{cinema.origin}/plain/film.m3u8")
    assert status == 0 and [len(hashes) > 500 for hashes in frames.values()] == [True, True], complaints
    return frames


def session(cinema, scheme, id):
    """The query with the token of a new session for a content."""
    (token,) = set(re.findall(r"hdntl=([^\s\"&<]+)", curl.fetch(cinema.link("query", scheme, packaged.MPD, id)).text))
    return f"?hdntl={token}"


def stolen(cinema, name, query="", content="film-cbcs"):
    """The files of a content in a folder, with key and license URLs of `content` and with this query."""
    films, made = cinema.theatre.streams["query"].package, {}
    for path, body in films.items():
        film, _, rest = path.partition("/")
        if film == "film-cbcs":
            urls = re.compile(rb"/query/film-cbcs(/keys/[0-9a-f]{8}/[-a-z0-9]+)")
            made[f"{name}/{rest}"] = urls.sub(f"{cinema.edge.proxy.url}/query/{content}\\1{query}".encode(), body)
    return made


@pytest.fixture(scope="module")
def denied(cinema, plays):
    """Plays by someone who has all files of a content, on a site of their own, and asks for its keys with a session token
    that gives no right to them: {(reason, way): report}. Then of viewers whose access token has been revoked since."""
    other = session(cinema, "cenc", "viewer-8")
    files = {**stolen(cinema, "missing"), **stolen(cinema, "path", other), **stolen(cinema, "foreign", other, "film-cenc"),
             **stolen(cinema, "own", session(cinema, "cbcs", "viewer-8")), **stolen(cinema, "revoked", session(cinema, "cbcs", "viewer-9"))}
    cinema.theatre.stage("open", Files(files))
    link = cinema.link("query", "cbcs", "{}", "viewer-9")
    cinema.edge.replace(configuration(cinema.site, ["viewer-9"]), environment=environment() | SECRETS, options=["--with-secrets"])
    tasks = {(reason, way): f"{cinema.site}/open/{reason}/{way[1]}" for reason in REFUSED for way in BROWSERS}
    tasks |= {("again", way): link.format(way[1]) for way in BROWSERS}
    with ThreadPoolExecutor(5) as pool:
        return dict(zip(tasks, pool.map(lambda task: cinema.play(task[0][1], task[1]), tasks.items())))


def nothing(report):
    """Whether playback did not even start."""
    return not report["ended"] and report["played"] == [] and report["currentTime"] == 0 and report["frames"] == 0


@pytest.mark.parametrize("way", BROWSERS, ids="-".join)
@pytest.mark.parametrize("reason", REFUSED)
def test_no_license_no_picture(denied, reason, way):
    """The page can say why."""
    report = denied[reason, way]
    asked = [one for one in report["requests"] if "/keys/" in one["url"]]
    assert asked and {one["status"] for one in asked} == {403} and nothing(report), report
    assert report["message"] == REFUSED[reason], report


@pytest.mark.parametrize("way", BROWSERS, ids="-".join)
def test_who_is_revoked_gets_no_playlist_either(denied, way):
    report = denied["again", way]
    assert nothing(report) and report["message"] == REFUSED["revoked"], report
    assert [one for one in report["requests"] if "/keys/" in one["url"]] == []


def test_others_keep_their_keys(cinema, denied):
    """After the revocation, ffmpeg's next session is like the one before."""
    assert cinema.frames(cinema.link("query", "cbcs", "identity.m3u8", "viewer-8"))[0] == 0


def test_a_key_opens_no_other_content(cinema, denied, plain_frames):
    """Both were packaged with the same key IDs, so a viewer of one gets keys with these IDs for the other, too. The files are the
    ones that play with the content's own keys."""
    assert cinema.frames(f"{cinema.site}/open/own/identity.m3u8")[:2] == (0, plain_frames)
    _, frames, complaints = cinema.frames(f"{cinema.site}/open/foreign/identity.m3u8")
    assert not set(frames.get("0", [])) & set(plain_frames["0"]) and "403" not in str(complaints), complaints
