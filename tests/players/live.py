"""The content of one play: a package of files, or a live program whose clock starts with its first viewer."""

import math
import threading
import time
from urllib.parse import parse_qs, urlsplit

from support.origin import Reply, Site


class Files:
    """A package of files."""

    def __init__(self, package):
        self.package, self.requests = package, []

    def answer(self, path, query, request):
        self.requests.append((path, query))
        body = self.package.get(path)
        if body is None:
            return Reply(b"the origin has no such file\n", (("Content-Type", "text/plain"),), status=404)
        return Reply(body, Site.validators(path, body), ranges=True).of(request)


def moments(rendition):
    """Every segment and part, with the time at which it ends."""
    at = 0.0
    for segment in rendition.segments:
        end = at
        for part in segment.parts:
            end += part.seconds
            yield end, part
        at += segment.seconds
        yield at, segment


class Live:
    """A live programme: renditions by folder. `head` seconds have passed when the first viewer arrives; a playlist
    contains the last `window` segments. With parts it is low-latency HLS: reloads and hinted parts block, and delta
    updates skip segments."""

    def __init__(self, master, renditions, head, window):
        self.master, self.renditions, self.head, self.window = master, renditions, head, window
        self.low_latency = any(segment.parts for rendition in renditions.values() for segment in rendition.segments)
        self.target = max(math.ceil(s.seconds - 0.1) for rendition in renditions.values() for s in rendition.segments)
        self.part_target = max((p.seconds for r in renditions.values() for s in r.segments for p in s.parts), default=0)
        self.skip_until = 6 * self.target
        self.files = {f"{folder}/{part.name}": (end, part) for folder, rendition in renditions.items()
                      for end, part in moments(rendition)}  # and when they are there
        self.requests, self.deltas, self.blocked = [], 0, 0
        self.began, self.lock = None, threading.Lock()

    def elapsed(self):
        """Seconds of the programme that have passed."""
        with self.lock:
            self.began = self.began or time.monotonic()
            return self.head + (time.monotonic() - self.began)

    def wait(self, moment):
        """Waits until a time of the programme has passed. Returns whether it had to wait."""
        left = moment - self.elapsed()
        if left > 0:
            time.sleep(left + 0.005)
        return left > 0

    def answer(self, path, query, request):
        self.requests.append((path, query))
        if path == "master.m3u8":
            return self.reply(path, self.master)
        folder, _, name = path.partition("/")
        rendition = self.renditions.get(folder)
        if rendition and name == "index.m3u8":
            return self.reply(path, self.playlist(folder, rendition, parse_qs(query)).encode())
        if rendition and name == "init.mp4" and rendition.init:
            return self.reply(path, rendition.init)
        end, part = self.files.get(path, (math.inf, None))
        # A hinted part is asked for before it is there; anything further ahead is a mistake.
        if end <= self.elapsed() + (2 * self.part_target if part and not part.parts else 0):
            self.wait(end)
            return self.reply(path, part.body)
        return Reply(b"not (yet) there\n", (("Content-Type", "text/plain"),), status=404)

    @staticmethod
    def reply(path, body):
        headers = dict(Site.validators(path, body))
        if path.endswith(".m3u8"):
            headers["Cache-Control"] = "no-cache"
        return Reply(body, tuple(headers.items()), ranges=True)

    def playlist(self, folder, rendition, query):
        """The current media playlist or, if the request asks for it, a later one."""
        segments = rendition.segments
        ends = [sum(s.seconds for s in segments[:n + 1]) for n in range(len(segments))]
        if "_HLS_msn" in query:
            number = int(query["_HLS_msn"][0])
            if number < len(segments):
                parts, moment = segments[number].parts, ends[number]
                if "_HLS_part" in query and parts:
                    moment -= sum(p.seconds for p in parts[int(query["_HLS_part"][0]) + 1:])
                self.blocked += self.wait(moment)
            else:
                self.wait(ends[-1] + self.part_target)
        now = self.elapsed() + 0.002
        out = [n for n, end in enumerate(ends) if end <= now]
        # The last part is announced before the end is: players that hear of both at once do not ask for it.
        ended = now > ends[-1] + self.part_target
        shown = out[-self.window:]
        lines = ["#EXTM3U", f"#EXT-X-VERSION:{9 if self.low_latency else 6}", f"#EXT-X-TARGETDURATION:{self.target}"]
        if self.low_latency:
            lines += [f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={3 * self.part_target:.3f},"
                      f"CAN-SKIP-UNTIL={self.skip_until:.1f}", f"#EXT-X-PART-INF:PART-TARGET={self.part_target:.5f}"]
        lines.append(f"#EXT-X-MEDIA-SEQUENCE:{shown[0]}")
        skipped = 0
        if query.get("_HLS_skip") == ["YES"] and self.low_latency:
            skipped = sum(ends[n] < now - self.skip_until for n in shown)
        if skipped:
            self.deltas += 1
            lines.append(f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}")
        elif rendition.init:
            lines.append('#EXT-X-MAP:URI="init.mp4"')
        for number in shown[skipped:]:
            if ends[number] > now - 3 * self.target:
                lines += [self.part(part) for part in segments[number].parts]
            lines += [f"#EXTINF:{segments[number].seconds:.5f},", segments[number].name]
        if ended:
            return "\n".join([*lines, "#EXT-X-ENDLIST", ""])
        if self.low_latency and len(out) < len(segments):
            lines += self.edge(segments[len(out)], ends[len(out)], now)
            for other in self.renditions:
                if other != folder:
                    lines.append(self.report(other, now))
        return "\n".join([*lines, ""])

    @staticmethod
    def part(part):
        return f'#EXT-X-PART:DURATION={part.seconds:.5f},INDEPENDENT=YES,URI="{part.name}"'

    def edge(self, segment, end, now):
        """The parts of the segment in progress, and a hint at the next part."""
        at = end - segment.seconds
        for part in segment.parts:
            at += part.seconds
            if at > now:
                yield f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{part.name}"'
                return
            yield self.part(part)

    def report(self, folder, now):
        """The rendition report about another rendition: its newest part."""
        names = [part.name for end, part in moments(self.renditions[folder]) if end <= now and not part.parts]
        segment, part = names[-1].removeprefix("seg").split(".")[:2]
        return f'#EXT-X-RENDITION-REPORT:URI="../{folder}/index.m3u8",LAST-MSN={segment},LAST-PART={part}'


class Theatre:
    """The streams that Envoy's origin serves: one for each play, in the folder of the play's name."""

    def __init__(self):
        self.streams = {}

    def stage(self, name, stream):
        self.streams[name] = stream

    def answer(self, request):
        path, query = urlsplit(request.target).path, urlsplit(request.target).query
        _, name, rest = path.split("/", 2) if path.count("/") > 1 else ("", "", "")
        stream = self.streams.get(name)
        if not stream:
            return Reply(b"nothing plays here\n", (("Content-Type", "text/plain"),), status=404)
        return stream.answer(rest, query, request)
