"""Plays DASH streams: each by all its players together, from the plain origin and through Envoy."""

import json
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import dash_license
import dash_matrix as matrix
import dash_programme as programme

AT_ONCE = 6  # plays that are limited by the machine; live ones take their own time
SECONDS = 40  # until a play counts as stuck
PATIENCE = 200  # looks at a log, twenty to a second, until it has a play


@dataclass
class Play:
    """One play of a stream by one player."""

    name: str
    url: str
    stream: object
    outcome: matrix.Outcome
    log: list

    @property
    def requests(self):
        """What a browser asked for, below the play's folder and beside it."""
        return [one for one in self.outcome.report.get("requests", []) if "/page/" not in one["url"]]


@dataclass
class Watched:
    """The plays of one stream by one player: of the plain stream, and through Envoy by each way."""

    plain: Play
    protected: dict

    def verdict(self, stream, way):
        return matrix.verdict(stream, self.plain.outcome, self.protected[way].outcome)


class Screen:
    """The players. `edges`: a function of a way that returns its Envoy; `browsers`: a function of a browser's name."""

    def __init__(self, theatre, origin, edges, native, browsers):
        self.theatre, self.origin, self.edges, self.native, self.browsers = theatre, origin, edges, native, browsers
        self.seen, self.whole = {}, None

    def play(self, name, player, stream, source, way=None, **options):
        """Plays what `source` serves under a name, through Envoy if there is a way. `options`: `seconds` until a play counts as
        stuck, the URL of a `license` where the MPD has none; for ffmpeg the `key` itself, or `licensed`: there is one to ask."""
        self.theatre.stage(name, source)
        proxy = self.edges(way) if way else None
        site = proxy.url if proxy else self.origin
        url = matrix.link(site, name, way)
        if player == matrix.FFMPEG:
            licensed = bool(way) and matrix.WAYS[way].licensed
            outcome = self.by_ffmpeg(url, stream, source, {"licensed": licensed, **options})
        else:
            outcome = self.by_browser(player, site, url, stream, source, options)
        return Play(name, url, source, outcome, logged(proxy, name) if proxy else [])

    def by_browser(self, player, site, url, stream, source, options):
        script, browser = matrix.BROWSERS[player]
        options = {"seconds": SECONDS, "rate": stream.rate, "advance": matrix.ADVANCE, **options}
        try:
            report = self.browsers(browser).play(script, site, url, list(stream.times), **options)
        except AssertionError as crash:
            return matrix.Outcome(False, errors=[str(crash)])
        return matrix.Outcome(report["ended"], report["pictures"], report["errors"], report["cues"], report["played"],
                              report["frames"], source.reloads if stream.live else None, report)

    def by_ffmpeg(self, url, stream, source, options):
        """All pictures and all sound; of a live stream its pictures alone, for ffmpeg mixes up the clocks of live tracks."""
        live = ["-map", "0:v", "-frames:v", str(matrix.ADVANCE * programme.FPS)]
        maps = live if stream.live else ["-map", "0:v", "-map", "0:a"]
        with TemporaryDirectory() as folder:
            key = options.get("key")
            if options["licensed"]:
                key, manifest = dash_license.opened(url)
                url = str(Path(folder, programme.MPD))
                Path(url).write_text(manifest)
            status, frames, complaints = self.native.frames(url, options.get("seconds", SECONDS), *maps, key=key)
        shown = frames.get("0", [])
        errors = [] if status == 0 else [f"ended with {status}", *complaints]
        played = [[0, len(shown) / programme.FPS]]
        if not stream.live:
            pictures = [digest for number in sorted(frames) for digest in frames[number]]
            return matrix.Outcome(status == 0, pictures, errors, [], played, len(shown), report={"complaints": complaints})
        # It begins where it begins, and from $Number$ it takes the segment that its clock calls for, be it the last one again.
        if not set(shown) <= set(self.whole):
            errors.append("other pictures than the programme's")
        return matrix.Outcome(status == 0, self.whole, errors, [], played, len(shown), report={"complaints": complaints})

    def prepare(self, folder):
        """Decodes the live programme by itself."""
        if self.whole is None:
            file = Path(folder, "live.mp4")
            _, _, init, segments = programme.live()["0"]
            file.write_bytes(init + b"".join(body for _, _, body in segments))
            self.whole = self.native.frames(str(file), SECONDS)[1]["0"]

    def watched(self, key):
        """The plays of a stream: player → its plays."""
        if key not in self.seen:
            stream = matrix.STREAMS[key]
            # Made before anything plays: what encodes and starts takes time from players.
            for player in stream.players:
                if player in matrix.BROWSERS:
                    self.browsers(matrix.BROWSERS[player][1])
                for way in matrix.ways(player, key):
                    self.edges(way)
            tasks = [(player, way, stream.source()) for way in (None, *matrix.ON) for player in stream.players
                     if way is None or way in matrix.ways(player, key)]

            def one(task):
                player, way, source = task
                return self.play(f"{key}.{player.replace(', ', '.')}.{way or 'plain'}", player, stream, source, way)

            made = self.together(one, tasks, len(tasks) if stream.live else AT_ONCE)
            plays = {task[:2]: play for task, play in zip(tasks, made)}
            self.seen[key] = {player: Watched(plays[player, None], {way: plays[player, way] for way in matrix.ways(player, key)})
                              for player in stream.players}
            self.again(key, stream)
        return self.seen[key]

    @staticmethod
    def together(play, tasks, workers=AT_ONCE):
        """The results of plays that go on side by side."""
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(play, tasks))

    def again(self, key, stream):
        """On a machine that is busy, players of live streams skip what they were too slow for, and a screenshot may come before
        its picture. They get a second try, one by one."""
        for player, tried in self.seen[key].items():
            for way in tried.protected:
                if tried.verdict(stream, way) != matrix.expected(player, key, way):
                    warnings.warn(f"{player} plays {key} anew, the last time it went {tried.plain.outcome} "
                                  f"and {tried.protected[way].outcome}")
                    name = f"{key}.{player.replace(', ', '.')}"
                    tried.plain = self.play(f"{name}.plain.again", player, stream, stream.source())
                    tried.protected[way] = self.play(f"{name}.{way}.again", player, stream, stream.source(), way)


def logged(proxy, name):
    """The access log's entries of one play. Envoy writes its log with a delay: the first ones are awaited."""
    for _ in range(PATIENCE):
        entries = [json.loads(line) for line in Path(proxy.access_log).read_text().splitlines() if line.endswith("}")]
        found = [entry for entry in entries if (entry["path"] or "").startswith(f"/{name}/")]
        if found:
            return found
        time.sleep(0.05)
    return []
