"""The matrix of players and streams, with unsupported combinations and reasons, and its table in docs/players.md."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import programme
from live import Files, Live
from support import places

BROWSERS = ("hls.js", "Shaka", "video.js")
PLAYERS = ("ffmpeg", "GStreamer", "VLC", *BROWSERS)
ELEMENT = "video element"  # Chromium's own HLS: no column of the table
OBSERVED = places.REPOSITORY / "target/players.json"
DOCUMENT = places.REPOSITORY / "docs/players.md"
BEGIN, END = "<!-- from here on written by make test-players -->", "<!-- up to here -->"


TRANSPORTS = ("path", "query")  # values of sessionTokenTransport
EVERY = ("ts", "live", "low-latency")  # every player plays these with both


@dataclass(frozen=True)
class Column:
    """A stream: its title, its source, its policy (mediaEncryption, tokenAuth), and its players. `foreign`: a multivariant
    playlist on another host names the protected playlist `entry`. `sessions`: reloads open further sessions."""

    title: str
    stream: Callable
    media: dict = field(default_factory=dict)
    players: tuple = PLAYERS
    live: bool = False
    subtitles: bool = False
    until: float | None = None
    entry: str = "master.m3u8"
    auth: dict = field(default_factory=dict)
    foreign: bool = False
    first: str = "path"  # the only transport of the rows in FIRST
    sessions: bool = False


def one_file_each():
    """A media playlist with picture and sound in every segment, so that it plays by itself."""
    segments = programme.live_ts().segments
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{segments[0].seconds:.0f}"]
    lines += [line for one in segments for line in (f"#EXTINF:{one.seconds:.5f},", one.name)]
    playlist = "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()
    return Files({"live/index.m3u8": playlist, **{f"live/{one.name}": one.body for one in segments}})


def live_ts():
    """Twelve segments of two seconds, six in the playlist; seven have passed when the viewer arrives."""
    video = programme.live_ts()
    return Live(programme.master("avc1.4d400d", (), "live/index.m3u8"), {"live": video}, head=14, window=6)


def low_latency():
    """Two renditions of twelve segments in parts; enough have passed for delta updates to skip some."""
    renditions = programme.live_parts()
    codec = programme.codec(renditions["video"].init)
    return Live(programme.master(codec, video="video/index.m3u8"), renditions, head=16, window=9)


ROTATION = {"keyRotation": {"segments": 2}}
SEQUENCE = ROTATION | {"ivMode": "sequence"}
OWN_IVS = {"keyScope": "stream", "ivMode": "segment"}
REDIRECT, DIRECT = {"redirectPlaylists": True}, "live/index.m3u8"
COLUMNS = {
    "ts": Column("MPEG-TS", lambda: Files(programme.segmented("ts"))),
    "fmp4": Column("fMP4", lambda: Files(programme.segmented("cmaf"))),
    "ts-ranges": Column("byte-range MPEG-TS", lambda: Files(programme.single_files("ts"))),
    "fmp4-ranges": Column("byte-range fMP4", lambda: Files(programme.single_files("cmaf"))),
    "vtt": Column("WebVTT", lambda: Files(programme.segmented("ts", subtitles=True)), subtitles=True),
    "rotation": Column("key rotation", lambda: Files(programme.segmented("ts")), ROTATION),
    "sequence": Column("key rotation, fMP4, sequence IVs", lambda: Files(programme.segmented("cmaf")), SEQUENCE),
    "ivs": Column("an IV for each segment", lambda: Files(programme.segmented("ts")), OWN_IVS),
    "ivs-fmp4": Column("an IV for each segment, fMP4", lambda: Files(programme.segmented("cmaf")), OWN_IVS),
    "live": Column("live", live_ts, live=True),
    "live-direct": Column("live, media playlist opened directly, `redirectPlaylists`", live_ts, live=True, entry=DIRECT,
                          auth=REDIRECT),
    # Shaka and video.js leave the last frames of a low-latency stream unplayed when it ends, protected or not.
    "low-latency": Column("LL-HLS", low_latency, players=BROWSERS, live=True, until=programme.SECONDS - 0.1),
    "low-latency-rotation": Column("LL-HLS, key rotation", low_latency, ROTATION, BROWSERS, live=True,
                                   until=programme.SECONDS - 0.1),
}
# The ways in which a player may come to a media playlist, with the access token in its URL. The stream is MPEG-TS.
FIRST = {
    "first-vod": Column("VOD, opened directly", one_file_each, entry=DIRECT),
    "first-live": Column("live, opened directly", live_ts, live=True, entry=DIRECT, sessions=True),
    "first-named": Column("live, named by another host's multivariant playlist", live_ts, live=True, entry=DIRECT, foreign=True,
                          sessions=True),
    "first-named-redirect": Column("named by another host's, `redirectPlaylists`", live_ts, live=True, entry=DIRECT, foreign=True,
                                   auth=REDIRECT, sessions=True),
    "first-named-query": Column("named by another host's, transport `query`", live_ts, live=True, entry=DIRECT, foreign=True, sessions=True,
                                first="query"),
}
ALL = COLUMNS | FIRST


def transports(player, key):
    """The transports with which a player plays a stream: both, or one of them, in turn from player to player and from stream
    to stream."""
    if key in FIRST:
        return (FIRST[key].first,)
    if key in EVERY:
        return TRANSPORTS
    return (TRANSPORTS[(PLAYERS.index(player) + list(COLUMNS).index(key)) % 2],)


YES, NO, NEITHER = "yes", "no", "not even the plain stream"


@dataclass(frozen=True)
class Limit:
    """A limitation of a player: NO (not with AES-128, regardless of who encrypts) or NEITHER, the reason, and its
    behaviour."""

    verdict: str
    reason: str
    cell: str = "no"


GSTREAMER = Limit(NO, "GStreamer 1.22 does not play fMP4 under AES-128 from any packager: it detects the file type before "
                      "decryption. MPEG-TS plays.")
LIMITS = {
    ("GStreamer", "fmp4"): GSTREAMER,
    ("GStreamer", "fmp4-ranges"): GSTREAMER,
    ("GStreamer", "sequence"): GSTREAMER,
    ("GStreamer", "ivs-fmp4"): GSTREAMER,
    ("ffmpeg", "vtt"): Limit(NEITHER, "ffmpeg reads no subtitles from a master playlist, protected or not; video and audio "
                                      "play. Opening the subtitles' own playlist, by its URL in the protected master "
                                      "playlist, returns every cue.",
                             "without subtitles"),
}
BEFORE = Limit(NO, "VLC and video.js do not follow a redirect of a media playlist that a multivariant playlist names: VLC resolves "
                   "segments against the URL before the redirect, video.js reloads that URL.")
LIMITS |= {(player, "first-named-redirect"): BEFORE for player in ("VLC", "video.js")}
for native, key in itertools.product(PLAYERS[:3], ("low-latency", "low-latency-rotation")):
    LIMITS[native, key] = Limit(NEITHER, "Not tested: these players do not support low-latency HLS.", "–")

# What a player does only most of the time; it gets more than one try.
PADDING = ("VLC 3.0 sometimes fails to remove the padding of a decrypted segment, from any packager (13 of 200 plays of a stream "
           "without playlock). MPEG-TS is not affected; fMP4 ends early, and a subtitle cue contains control characters. Serve "
           "MPEG-TS to VLC, or play again.")
UNSTEADY = {("VLC", key): PADDING for key in ("fmp4", "fmp4-ranges", "sequence", "ivs-fmp4", "vtt")}
TRIES, LIVE_TRIES = 5, 2  # live: players skip what they were too slow for, on a machine that is busy


def tries(player, key):
    """How many attempts a player has to play the protected stream like the plain one."""
    return TRIES if (player, key) in UNSTEADY else LIVE_TRIES if ALL[key].live else 0


def over(column, outcome):
    """A play that came to its end. The player says so; or it has warned of something, gone on, and shown every frame of a
    film, and only its clock stands before the end."""
    recovered = outcome.warnings and not outcome.errors and not column.live and outcome.frames >= programme.FRAMES
    return bool(outcome.ended or recovered)


def good(column, outcome):
    """Whether a play came to its end and showed something."""
    return over(column, outcome) and outcome.frames > 0 and bool(outcome.cues) == column.subtitles


def same(column, plain, protected):
    """The protected play showed what the plain one did: the very same pictures where a player tells them, else as many."""
    if plain.digest or not column.live and not plain.report:
        return (protected.digest, protected.frames, protected.cues) == (plain.digest, plain.frames, plain.cues)
    if column.live:  # started when the player was ready, so from somewhere else each time
        return protected.frames >= 0.9 * programme.FPS * (protected.report["currentTime"] - protected.report["first"])
    # Some seek at the start and decode a few frames twice: more is as good as all.
    return protected.frames >= programme.FRAMES and protected.cues == plain.cues


def verdict(column, plain, protected):
    """The verdict of a cell. A failure is a fatal error, or anything that the plain stream did not show; no warning is."""
    if not good(column, plain):
        return NEITHER
    return YES if good(column, protected) and same(column, plain, protected) else NO


def expected(player, key):
    limit = LIMITS.get((player, key))
    return limit.verdict if limit else YES


def table(verdicts, versions):
    """The tables and their notes, from {column: {player: {transport: verdict}}}."""
    notes, lines = [], [f"| | {' | '.join(PLAYERS)} |", "|---" * (len(PLAYERS) + 1) + "|"]
    browser = f" in Chromium {versions['Chromium'].partition('.')[0]}"
    lines.append("| version | " + " | ".join(versions[player] + browser * (player in BROWSERS) for player in PLAYERS) + " |")
    for key, column in ALL.items():
        if key == next(iter(FIRST)):
            lines += ["", f"| media playlist | {' | '.join(PLAYERS)} |", "|---" * (len(PLAYERS) + 1) + "|"]
        cells = [cell(player, key, verdicts.get(key, {}).get(player, {}), notes) for player in PLAYERS]
        lines.append(f"| {column.title} | {' | '.join(cells)} |")
    return [*lines, "", *(f"{number}. {reason}" for number, reason in enumerate(notes, 1))]


def cell(player, key, found, notes):
    """What a table shows of {transport: verdict}. A note is added to `notes`."""
    limit = LIMITS.get((player, key))
    known = limit and set(found.values()) <= {limit.verdict}
    reason = limit.reason if known else UNSTEADY.get((player, key))
    if reason and reason not in notes:
        notes.append(reason)
    words = [limit.cell] if known else sorted(set(found.values())) or ["?"]
    if len(words) > 1:
        words = [f"{transport}: {verdict}" for transport, verdict in found.items()]
    elif len(found) == 1 and key in COLUMNS:
        words += found
    return ", ".join(words) + (f" ({notes.index(reason) + 1})" if reason else "")


def written(begin=BEGIN, end=END):
    """The table as in the document, between these lines."""
    text = DOCUMENT.read_text()
    return text[text.index(begin) + len(begin):text.index(end)].strip().splitlines()


def write(lines, begin=BEGIN, end=END):
    text = DOCUMENT.read_text()
    head, tail = text[:text.index(begin) + len(begin)], text[text.index(end):]
    DOCUMENT.write_text("\n".join([head, *lines, tail]))
