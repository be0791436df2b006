"""Tests the gauge of the revision: it shows the document in force, in spite of what Envoy says about a refused one."""

import os
import re
import threading

import pytest

from support.dynamic import Dynamic
from support.edge import document, environment, policy

GAUGE = "playlock.revision"
LONG = b"G" * 188 * 20_000


@pytest.fixture
def dynamic(site, origins, tmp_path):
    """Starts an edge whose filter is discovered from a file."""
    started = []

    def start(config, **how):
        started.append(Dynamic(tmp_path, site, origins["h1"], config, proxy_environment=environment(), **how))
        return started[-1]

    yield start
    for one in started:
        one.proxy.stop()


class Seen:
    """Every value of the gauge while it runs."""

    def __init__(self, proxy):
        self.values, self.ended = [], threading.Event()
        self.proxy, self.thread = proxy, threading.Thread(target=self._poll, daemon=True)
        self.thread.start()

    def _poll(self):
        while not self.ended.wait(0.01):
            value = self.proxy.metrics().get(GAUGE)
            if value is not None and self.values[-1:] != [value]:
                self.values.append(value)

    def end(self):
        self.ended.set()
        self.thread.join()
        return self.values


def numbered(revision, **members):
    made = document(policy("vod", **members))
    return made if revision is None else {**made, "revision": revision}


def shows(on, revision):
    on.until(lambda: on.proxy.metrics().get(GAUGE) == revision, f"showed revision {revision}")


def put(on, text, version):
    """Replaces the file as it is, under another version."""
    on.new.write_text(re.sub(r'version_info: "\w+"', f'version_info: "{version}"', text))
    os.replace(on.new, on.file)


def test_a_refused_document_never_shows(dynamic):
    """Envoy takes a refused document for applied when it arrives again, and says so everywhere else."""
    on = dynamic(numbered(17))
    shows(on, 17)
    seen = Seen(on.proxy)
    on.replace(numbered(18))
    shows(on, 18)
    good = on.file.read_text()
    bad = good.replace('"revision": 18', '"revision": 19').replace('"policyName": "vod"', '"policyNam": "vod"')
    mark = on.proxy.log.stat().st_size
    put(on, bad, "bad1")
    on.until(lambda: "configuration refused: policies[0].policyNam" in on.proxy.log_text(mark), "refused the document")
    assert on.proxy.version() != "bad1"
    put(on, bad, "bad2")
    on.until(lambda: on.proxy.version() == "bad2", "took the refused document for applied")
    dump = on.proxy.admin("/config_dump")
    assert '\\"revision\\": 19' in dump and on.proxy.metrics()[GAUGE] == 18
    # What was defined by then would show by the next revision.
    on.replace(numbered(20))
    shows(on, 20)
    assert seen.end() == [17, 18, 20]
    assert "revision 20, configuration " in on.proxy.log_text()


def test_going_back_while_streams_run(dynamic, site):
    """The configuration of a worker that a running stream has kept alive is not read again."""
    rest, done = threading.Event(), []
    site.put("/vod/long.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nlong.ts\n#EXT-X-ENDLIST\n")
    site.put("/vod/long.ts", LONG, until=rest)
    on = dynamic(numbered(17), workers=1)
    shows(on, 17)
    playlist = on.edge.get(on.edge.link("/vod/long.m3u8")).text
    target = re.search(r"^long\.ts\S*$", playlist, re.M)[0]
    download = threading.Thread(target=lambda: done.append(on.edge.get(f"/vod/{target}")), daemon=True)
    download.start()
    on.until(lambda: on.edge.asked("/vod/long.ts"), "asked for the long file")
    for revision in (18, 17, None, 17):
        on.replace(numbered(revision))
        shows(on, revision or 0)
    assert download.is_alive()
    rest.set()
    download.join()
    assert done[0].status == 200


def test_a_filter_in_the_listener(edges):
    """Without discovery, too; and 0 where the document has no number."""
    for config, expected in [(dict(document(), revision=9_007_199_254_740_991), 9_007_199_254_740_991), (document(), 0)]:
        edge = edges(config)
        for _ in range(600):
            if edge.proxy.metrics().get(GAUGE) == expected:
                break
            edge.proxy.process.poll()
            threading.Event().wait(0.05)
        assert edge.proxy.metrics()[GAUGE] == expected
