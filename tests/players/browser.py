"""One headless Chromium, shared by hls.js, Shaka and video.js, with several plays at a time."""

import itertools
import json
import os
import queue
import subprocess
import threading
from pathlib import Path

from native import Outcome
from support import places


def command(script, **options):
    """The command line of a script that drives Chromium, beside this one or elsewhere, with its own further options."""
    how = {
        "modules": str(places.node_modules("playwright-core").parent),
        "chromium": places.tool("chromium", "chromium-browser", "google-chrome", install="chromium"),
        **options,
    }
    return [places.tool("node", install="nodejs"), str(Path(__file__).parent / script), json.dumps(how)]


def direct():
    """An environment without proxies: all requests are to this machine."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


class Driver:
    """A program that is told on its standard input what to play, a line each, and reports on its standard output."""

    def __init__(self, command, log):
        self.log = Path(log)
        with open(self.log, "wb") as file:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, text=True,
                                            env=direct())
        self.ids, self.waiting, self.lock = itertools.count(1), {}, threading.Lock()
        first = self.process.stdout.readline()
        assert first, f"the browser did not start: {self.log.read_text()}"
        self.versions = json.loads(first)["versions"]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            answer = json.loads(line)
            self.waiting.pop(answer["id"]).put(answer["report"])

    def ask(self, limit, **options):
        """The report of one play."""
        answer = queue.Queue()
        with self.lock:
            command = {"id": next(self.ids), **options}
            self.waiting[command["id"]] = answer
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
        report = answer.get(timeout=limit + 60)
        assert "crashed" not in report, report["crashed"]
        return report

    def stop(self):
        """Closes its input, which ends it; otherwise ends it by its process id."""
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Browser(Driver):
    """Drives browser.mjs."""

    def __init__(self, log):
        for package in ("hls.js", "shaka-player", "video.js"):
            places.node_modules(package)
        super().__init__(command("browser.mjs"), log)

    def play(self, player, url, seconds, subtitles=False, live=False, until=None, license=None):
        """Plays to the end, or up to `until` (in seconds). `license`: the URL of hls.js's ClearKey licenses."""
        report = self.ask(seconds, player=player, url=url, seconds=seconds, subtitles=subtitles, live=live, until=until,
                          license=license, rate=1 if live else 8)
        complaints = [one for one in (report["fatal"], report["mediaError"]) if one]
        warnings = [one for one in report["errors"] if one not in complaints]
        return Outcome(report["ended"] and not complaints, report["frames"], None, report["cues"], complaints, report, warnings)
