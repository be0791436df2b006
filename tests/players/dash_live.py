"""A live MPD: a programme whose clock starts with its first viewer."""

import re
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone

import dash_programme as programme
from support.origin import Reply, Site

# Seconds: of the programme that have passed when the first viewer arrives, that can be sought, until the MPD is asked for anew.
HEAD, WINDOW, UPDATE = 12, 40, 1


@dataclass
class Chunked(Reply):
    """A body whose chunks are there only by and by: each is sent once `wait` has returned for the time at which it ends."""

    chunks: tuple = ()  # (time, bytes)
    wait: object = None

    def pieces(self):
        for moment, body in self.chunks:
            self.wait(moment)
            yield body


def utc(seconds):
    """Seconds since 1970 as in an MPD."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Live:
    """`addressing`: `timeline` ($Time$, and a SegmentTimeline that grows), `number` ($Number$ with a duration; reloads bring
    nothing new), or `chunks` (the same; each segment can be asked for while it is made, chunk by chunk)."""

    def __init__(self, addressing):
        self.addressing, self.renditions = addressing, programme.live()
        self.requests, self.early, self.missed = [], 0, []
        self.began, self.lock = None, threading.Lock()

    def elapsed(self):
        """Seconds of the programme that have passed."""
        with self.lock:
            self.began = self.began or time.time()
            return HEAD + time.time() - self.began

    def wait(self, moment):
        """Waits until a time of the programme has passed."""
        left = moment - self.elapsed()
        if left > 0:
            time.sleep(left + 0.005)

    @property
    def reloads(self):
        return sum(path == programme.MPD for path, _ in self.requests)

    def answer(self, path, query, request):
        self.requests.append((path, query))
        now = self.elapsed()
        if path == programme.MPD:
            return self.reply(path, self.manifest(now).encode())
        init, segment = re.fullmatch(r"(\d+)\.mp4", path), re.fullmatch(r"(\d+)-(\d+)\.m4s", path)
        if init and init[1] in self.renditions:
            return self.reply(path, self.renditions[init[1]][2])
        if segment and segment[1] in self.renditions:
            _, scale, _, segments = self.renditions[segment[1]]
            names = [start for start, _, _ in segments] if self.addressing == "timeline" else range(1, len(segments) + 1)
            if int(segment[2]) in names:
                start, length, body = segments[names.index(int(segment[2]))]
                if (start + length) / scale <= now + 0.05:  # a player's clock may be ahead a little
                    self.wait((start + length) / scale)
                    return self.reply(path, body)
                if self.addressing == "chunks" and start / scale <= now + 1:
                    self.early += 1
                    return self.in_chunks(path, start / scale, body)
        self.missed.append((path, now))
        return Reply(b"the origin has no such file\n", (("Content-Type", "text/plain"),), status=404)

    def reply(self, path, body):
        headers = tuple(field for field in Site.validators(path, body) if field[0] != "Cache-Control")
        # A private copy of an MPD would hide what the next one says.
        return Reply(body, (*headers, ("Cache-Control", "no-cache" if path == programme.MPD else "max-age=60")))

    def in_chunks(self, path, start, body):
        chunks = programme.chunks(body)
        timed = tuple((start + (number + 1) * programme.CHUNK, chunk) for number, chunk in enumerate(chunks))
        kind = dict(Site.validators(path, b""))["Content-Type"]
        return Chunked(body, (("Content-Type", kind),), framing="chunked", chunks=timed, wait=self.wait)

    def manifest(self, now):
        low_latency = self.addressing == "chunks"
        ahead = programme.LIVE_SEGMENT - programme.CHUNK
        sets = []
        for id, (attributes, scale, _, segments) in self.renditions.items():
            common = f'timescale="{scale}" initialization="$RepresentationID$.mp4"'
            if self.addressing == "timeline":
                shown = [(start, length) for start, length, _ in segments if now - WINDOW < (start + length) / scale <= now]
                lines = "".join(f'<S t="{start}" d="{length}"/>' for start, length in shown)
                template = (f'<SegmentTemplate {common} media="$RepresentationID$-$Time$.m4s"><SegmentTimeline>{lines}'
                            "</SegmentTimeline></SegmentTemplate>")
            else:
                early = f' availabilityTimeOffset="{ahead:.1f}" availabilityTimeComplete="false"' * low_latency
                template = (f'<SegmentTemplate {common} media="$RepresentationID$-$Number$.m4s" startNumber="1" '
                            f'duration="{programme.LIVE_SEGMENT * scale}"{early}/>')
            kind = "video" if "video/" in attributes else "audio"
            sets.append(f'<AdaptationSet id="{id}" contentType="{kind}" segmentAlignment="true" startWithSAP="1">'
                        f"<Representation {attributes}>{template}</Representation></AdaptationSet>")
        delay = "" if low_latency else ' suggestedPresentationDelay="PT3S"'
        service = '<ServiceDescription id="0"><Latency target="2000" min="1000" max="6000"/></ServiceDescription>\n' * low_latency
        return "\n".join([
            '<?xml version="1.0" encoding="utf-8"?>',
            '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="dynamic"',
            f'  availabilityStartTime="{utc(self.began - HEAD)}" publishTime="{utc(time.time())}"',
            f'  minimumUpdatePeriod="PT{UPDATE}S" timeShiftBufferDepth="PT{WINDOW}S" minBufferTime="PT1S"{delay}'
            f' maxSegmentDuration="PT{programme.LIVE_SEGMENT}S">',
            f'{service}<Period id="0" start="PT0S">', *sets, "</Period>",
            f'<UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="{utc(time.time())}"/>', "</MPD>", "",
        ])
