"""The matrix of DASH players and streams, with unsupported combinations and reasons, and its table in docs/players.md."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import dash_programme as programme
from dash_live import Live
from live import Files
from matrix import NEITHER, NO, YES, Limit
from support import places, tokens
from support.edge import document, policy

FFMPEG = "ffmpeg"
# The columns: a player, and the browser in which it runs.
BROWSERS = {f"{player}, {browser}": (player, browser) for browser in ("Chromium", "Firefox") for player in ("Shaka", "dash.js")}
PLAYERS = (FFMPEG, *BROWSERS)
OBSERVED = places.REPOSITORY / "target/players-dash.json"
BEGIN, END = "<!-- DASH, from here on written by make test-players -->", "<!-- DASH, up to here -->"


@dataclass(frozen=True)
class Way:
    """A way to a stream through Envoy: its policy, whether URLs need an access token, and whether pictures and sound are
    encrypted, with a license."""

    policy: Callable
    token: bool = True
    licensed: bool = False


def tokens_by(transport):
    return Way(lambda: policy(token_auth={"sessionTokenTransport": transport}, media_encryption={"enabled": False}))


WAYS = {
    "open": Way(lambda: {"policyName": "open"}, False),  # a policy that lets everything pass
    "path": tokens_by("path"),
    "query": tokens_by("query"),
    "cookie": tokens_by("cookie"),
    "cbcs": Way(lambda: policy(media_encryption={"scheme": "cbcs"}), licensed=True),
}
TRANSPORTS = ("path", "query", "cookie")
# The ways that are played. A cell of tokens has one of the transports in ON, in turn, unless the stream is in EVERY.
ON = (*TRANSPORTS, "cbcs")
EVERY = ("timeline", "live-timeline")


def configuration(way):
    """Envoy's document for a way: its policy for everything but the page."""
    made = document(WAYS[way].policy(), hold=True)
    made["policies"].append({"policyName": "page", "policyId": 2})
    made["assignments"].append({"policyName": "page", "path": "/page/...", "startTime": "*", "endTime": "*"})
    return made


def link(site, name, way):
    """The URL of a play's MPD."""
    token = f"?hdnts={tokens.by_python(acl='/*')}" if way and WAYS[way].token else ""
    return f"{site}/{name}/{programme.MPD}{token}"


@dataclass(frozen=True)
class Stream:
    """A stream: its title, its source, its players, the programme's times at which pictures are compared (in the first half
    of a frame), and how fast it is played."""

    title: str
    source: Callable
    players: tuple = PLAYERS
    live: bool = False
    cues: bool = False
    rate: int = 8
    times: tuple = (1.01, 4.49, 2.97)


@functools.cache
def package(make):
    """A package that is made once."""
    return make()


def files(make):
    return lambda: Files(package(make))


def live(title, addressing):
    """Pictures are sought behind the live edge."""
    return Stream(title, lambda: Live(addressing), live=True, rate=1, times=(5.01, 7.49, 8.97))


def vtt():
    return programme.text("vtt")


def ttml():
    return programme.text("ttml")


STREAMS = {
    "timeline": Stream("AVC, AAC, SegmentTimeline", files(programme.timeline)),
    "number": Stream("AVC in four slices, `$Number$` with a duration", files(programme.numbers)),
    "list": Stream("SegmentList", files(programme.lists)),
    "base": Stream("SegmentBase", files(programme.single_files)),
    "periods": Stream("two periods", files(programme.periods)),
    "hevc": Stream("HEVC", files(programme.hevc), (FFMPEG,)),
    "av1": Stream("AV1, Opus", files(programme.av1)),
    "vp9": Stream("VP9, Opus", files(programme.vp9)),
    # Subtitles load behind the picture, and at a high rate too late.
    "vtt": Stream("WebVTT in MP4", files(vtt), tuple(BROWSERS), cues=True, rate=2),
    "ttml": Stream("TTML in MP4", files(ttml), tuple(BROWSERS), cues=True, rate=2),
    "live-timeline": live("live, SegmentTimeline with `$Time$`", "timeline"),
    "live-number": live("live, `$Number$` with a duration", "number"),
    "low-latency": live("low latency, `$Number$`, chunks", "chunks"),
}
SUBTITLES = Limit(NEITHER, "Not tested: ffmpeg 5.1 reads no subtitles in MP4 from an MPD.", "–")
LIMITS = {
    (FFMPEG, "periods"): Limit(NEITHER, "ffmpeg 5.1 plays the first period alone, protected or not.", "one period"),
    (FFMPEG, "base"): Limit(NO, "ffmpeg 5.1 misreads a `BaseURL` that names a file if the MPD's URL has a `/` in its query, as access "
                                "tokens have (without playlock, too), and refuses one with a query. Segment templates play."),
    (FFMPEG, "vtt"): SUBTITLES,
    (FFMPEG, "ttml"): SUBTITLES,
} | {(player, "hevc"): Limit(NEITHER, "Not tested: HEVC depends on the machine's decoders.", "–") for player in BROWSERS}

# What differs with samples encrypted: (player, stream).
ENCRYPTED = {(player, "vp9"): Limit(NO, "Firefox shows decrypted VP9 to the end, in slightly other colours: it converts them by another matrix.")
             for player in BROWSERS if player.endswith("Firefox")}
# With samples encrypted, an MPD with byte ranges is refused: see tests/envoy/test_dash_samples.py.
RANGES = ("base",)


def ways(player, key):
    """The ways by which a player plays a stream."""
    transports = [way for way in ON if way in TRANSPORTS]
    if transports and key not in EVERY:
        transports = [transports[(PLAYERS.index(player) + list(STREAMS).index(key)) % len(transports)]]
    others = [way for way in ON if way not in TRANSPORTS and not (WAYS[way].licensed and key in RANGES)]
    return (*transports, *others)


@dataclass
class Outcome:
    """The result of a play. `pictures`: hashes of the screenshots, or, by ffmpeg, of all decoded frames and sound; `played`:
    ranges of the programme in seconds; `frames`: how many pictures were decoded."""

    ended: bool
    pictures: list = field(default_factory=list, repr=False)
    errors: list = field(default_factory=list)
    cues: list = field(default_factory=list)
    played: list = field(default_factory=list)
    frames: int = 0
    reloads: int | None = None  # of a live MPD, by a player that reloads it
    report: dict = field(default_factory=dict, repr=False)


ADVANCE, RELOADS = 4, 2  # a live stream plays for so many seconds, and at least so many MPDs came meanwhile
SLACK = 0.25  # seconds by which a player may begin or end beside the programme


def whole(stream, outcome):
    """Whether the outcome covers the programme without a gap, or of a live one enough."""
    if len(outcome.played) != 1:
        return False
    ((begin, end),) = outcome.played
    if stream.live:
        return end - begin >= ADVANCE - SLACK and (outcome.reloads is None or outcome.reloads >= RELOADS)
    return begin <= SLACK and end >= programme.SECONDS - SLACK


def good(stream, outcome):
    """Whether a play came to its end without an error and showed moving pictures, and subtitles if there are some."""
    moving = len(outcome.pictures) >= len(stream.times) and len(set(outcome.pictures)) >= len(stream.times)
    return bool(outcome.ended and not outcome.errors and outcome.frames and moving and whole(stream, outcome)
                and outcome.cues == (programme.CUES if stream.cues else []))


def verdict(stream, plain, protected):
    """The verdict of a cell: whether the play through Envoy showed the very pictures of the plain stream, to the end."""
    if not good(stream, plain):
        return NEITHER
    return YES if good(stream, protected) and protected.pictures == plain.pictures else NO


def limit_of(player, key, way):
    """The limit of a cell, if there is one."""
    return ENCRYPTED.get((player, key)) if WAYS[way].licensed and (player, key) in ENCRYPTED else LIMITS.get((player, key))


def expected(player, key, way):
    limit = limit_of(player, key, way)
    return limit.verdict if limit else YES


def table(verdicts, versions):
    """The table and its notes, from {stream: {player: {way: verdict}}}. `versions`: of ffmpeg, the players and the browsers."""
    notes, lines = [], [f"| DASH | {' | '.join(PLAYERS)} |", "|---" * (len(PLAYERS) + 1) + "|"]
    lines.append("| version | " + " | ".join(version(player, versions) for player in PLAYERS) + " |")
    for key, stream in STREAMS.items():
        cells = [cell(player, key, verdicts.get(key, {}).get(player, {}), notes) for player in PLAYERS]
        lines.append(f"| {stream.title} | {' | '.join(cells)} |")
    return [*lines, "", *(f"{number}. {reason}" for number, reason in enumerate(notes, 1))]


def version(player, versions):
    name, browser = BROWSERS.get(player, (player, None))
    return versions[name] + (f" in {versions[browser].partition('.')[0]}" if browser else "")


def cell(player, key, found, notes):
    """What the table shows of {way: verdict}. A note is added to `notes`."""
    licensed = {way: verdict for way, verdict in found.items() if WAYS[way].licensed}
    found = {way: verdict for way, verdict in found.items() if way not in licensed}
    shown = cell_of_tokens(player, key, found, notes)
    for way, verdict in licensed.items():
        limit = limit_of(player, key, way)
        if verdict == YES:
            shown += f", {way}"
        elif limit is not LIMITS.get((player, key)):
            shown += f"; {way}: {limit.cell} ({note_of(limit, notes)})"
    return shown


def note_of(limit, notes):
    """The number of a limit's note, which is added to `notes`."""
    if limit.reason not in notes:
        notes.append(limit.reason)
    return notes.index(limit.reason) + 1


def cell_of_tokens(player, key, found, notes):
    """What it shows of tokens without encryption."""
    limit = LIMITS.get((player, key))
    if limit and set(found.values()) <= {limit.verdict}:
        return f"{limit.cell} ({note_of(limit, notes)})"
    words = sorted(set(found.values())) or ["?"]
    if len(words) > 1:
        return ", ".join(f"{way}: {verdict}" for way, verdict in found.items())
    transports = [way for way in found if way in TRANSPORTS]
    return ", ".join(words + transports * (len(transports) < sum(way in TRANSPORTS for way in ON)))
