"""The viewers of one subscription: ffmpeg at the pace of the film, and hls.js. Both keep when they were where in the film. ffmpeg
goes on after a key that it was refused, with the one before: of its pictures only those count that are right."""

import os
import subprocess
import threading
import time
from dataclasses import dataclass

from browser import Driver, command
from leases_film import FPS, film
from support import places

# hls.js as delivered would hold up to ten minutes of so small a film; this is the buffer that a test can wait for.
BUFFER = {"maxBufferLength": 6, "maxMaxBufferLength": 6}
AS_DELIVERED = {}


@dataclass
class Shown:
    """A picture of ffmpeg, or a moment of hls.js: seconds since the epoch, and seconds of the film."""

    time: float
    at: float


class Ffmpeg:
    """A viewer. `paced`: it reads the film at its pace, as one who watches does; else as fast as it comes."""

    player = "ffmpeg"

    def __init__(self, name, url, paced=True):
        self.name = name
        self.shown, self.wrong, self.lock = [], 0, threading.Lock()
        arguments = [places.tool("ffmpeg", install="ffmpeg"), "-v", "error", "-nostdin", "-threads", "1",
                     *(["-re"] if paced else []), "-protocol_whitelist", "http,tcp,crypto", "-i", url, "-map", "0:v", "-fps_mode", "passthrough",
                     "-flush_packets", "1", "-f", "framemd5", "-"]
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        # What it complains of is in Envoy's access log.
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True, env=environment)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        """Takes each right picture that is further than the last: a decoder without the next one may repeat what it has."""
        number = -1
        for line in self.process.stdout:
            if line.startswith("#"):
                continue
            found = film().pictures.get(line.rpartition(",")[2].strip(), -1)
            with self.lock:
                if found > number:
                    number = found
                    self.shown.append(Shown(time.time(), found / FPS))
                else:
                    self.wrong += 1

    def diary(self):
        """What was shown so far."""
        with self.lock:
            return list(self.shown)

    def position(self):
        """Seconds of the film at which it is; None before the first picture."""
        with self.lock:
            return self.shown[-1].at if self.shown else None

    def over(self):
        """Whether it has come to the end of the film."""
        return self.process.poll() is not None

    def end(self, limit=60):
        """Waits until it ends by itself."""
        self.process.wait(limit)
        self.reader.join(limit)

    def close(self):
        """Ends it by its process id."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(10)


class HlsJs:
    """A viewer: a page of the browser."""

    player = "hls.js"

    def __init__(self, name, url, browser, config=None):
        self.name, self.browser = name, browser
        self.browser.ask(60, do="open", viewer=name, url=url, config=BUFFER if config is None else config)

    def whole(self):
        """All that the page has noted."""
        return self.browser.ask(60, do="diary", viewer=self.name)

    def diary(self):
        """What was shown so far."""
        return placed(self.whole())

    def position(self):
        shown = self.diary()
        return shown[-1].at if shown else None

    def over(self):
        """It goes on until its page is closed."""
        return False

    def close(self):
        self.browser.ask(60, do="close", viewer=self.name)


def placed(whole):
    """The moments of a page's diary by position of the film: segments have a second, and are numbered from 0. hls.js does not
    name the segments on show any more once it has given up."""
    found, segments, begin = [], list(whole["shown"]), None
    for milliseconds, position, *_ in whole["moments"]:
        while segments and segments[0][0] <= milliseconds:
            _, number, start = segments.pop(0)
            begin = number - start
        if begin is not None:
            found.append(Shown(milliseconds / 1000, position + begin))
    return found


def pages(log):
    """The browser for hls.js viewers."""
    places.node_modules("hls.js")
    return Driver(command("leases.mjs"), log)


def longest_pause(shown):
    """The longest time, in seconds, between two pictures."""
    return max((after.time - before.time for before, after in zip(shown, shown[1:])), default=0.0)


def missing(play):
    """Seconds of the film that were left out between the first and the last picture. hls.js has gone over what it went through
    in less time than it takes."""
    pairs = list(zip(play.shown, play.shown[1:]))
    if play.player == "ffmpeg":
        return sum(after.at - before.at - 1 / FPS for before, after in pairs if after.at - before.at > 1.5 / FPS)
    skipped = (after.at - before.at - (after.time - before.time) for before, after in pairs)
    return sum(one for one in skipped if one > 0.5)
