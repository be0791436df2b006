"""Streams at the same time: segments of many sizes, and viewers that keep an edge busy."""

import itertools
import random
import threading

from support.curl import fetch
from support.hls import Viewer

LARGE = 2_000_000
folders = (f"batch{n}" for n in itertools.count())


def bodies(*sizes):
    """Segments of these sizes, each different."""
    return {f"s{n:02}_ts": random.Random(n).randbytes(size) for n, size in enumerate(sizes)}


def opened(edge, segments, http="1.1"):
    """A viewer and the items of a playlist of these segments."""
    viewer = Viewer(http)
    items = viewer.playlist(edge.link(edge.site.stream(next(folders), **segments))).segments
    viewer.key(items[0].key)
    return viewer, items


def batches(edge):
    return edge.proxy.counters()["playlock.batches"]


def plain_of(segments):
    return [how[0] if isinstance(how, tuple) else how for how in segments.values()]


class Crowd:
    """Viewers that keep the edge busy, one download after the other, until the end of the block."""

    def __init__(self, edge, streams=3):
        self.viewer, self.items = opened(edge, bodies(*[LARGE] * streams))
        self.end, self.failed, self.done = threading.Event(), [], 0
        self.threads = [threading.Thread(target=self._watch, args=(item,)) for item in self.items]

    def _watch(self, item):
        while not self.end.is_set():
            answer = fetch(item.url)
            if (answer.status, answer.exit, len(answer.body)) != (200, 0, LARGE + 16):
                self.failed.append((answer.status, answer.exit, len(answer.body), answer.error))
                return
            self.done += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        for thread in self.threads:
            thread.join()
        assert not self.failed and self.done, self.failed
