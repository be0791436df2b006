"""The house in which the tests of leases play: one Envoy before the origin, with the services that count, and the key requests
that Envoy has logged."""

import json
import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from leases_film import PERIOD, key_period
from leases_viewers import Ffmpeg, HlsJs
from live import Theatre
from support import tokens
from support.authorize import Authorize
from support.edge import document, environment, policy
from support.origin import Http1
from support.proxy import Proxy, bootstrap, wasm_filter
from support.redis_server import Redis

SUBSCRIBER = "subscriber-1"
LIMIT = 2
WAIT = 90  # seconds until something that takes a few periods counts as never


def until(condition, what, seconds=WAIT):
    """Waits until a condition has a true value, and returns it."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.1)
    return value


def leases(name, cluster="leases", on_limit="refuse-new", unavailable="deny", scope="session", auth=None, **terms):
    """A policy with leases, for the folder of its name. A key period is announced as long as it is."""
    # On a busy machine a player may be late for its next key: nobody else shall have its place meanwhile.
    terms = {"limit": LIMIT, "onLimit": on_limit, "period": f"{PERIOD}s", "grace": "60s", **terms}
    authorizer = {"cluster": cluster, "path": "/lease", "onUnavailable": unavailable, "leases": terms}
    return policy(name, auth, {"keyScope": scope, "keyRotation": {"segments": PERIOD}, "keyAuthorizer": authorizer})


UNAVAILABLE = ("allow", "deny")
SIXES = [(rule, kind) for rule in ("refuse-new", "end-oldest") for kind in ("live", "vod")]
OUTAGES = [(unavailable, kind) for unavailable in UNAVAILABLE for kind in ("live", "vod")]
GRACE = 8  # seconds, for those who leave
# Of the cluster that several services answer: one that has ended is out of it a second later.
HEALTH = {"health_checks": [{"timeout": "1s", "interval": "1s", "unhealthy_threshold": 1, "healthy_threshold": 1,
                             "tcp_health_check": {}}]}
MATRIX = [(scope, kind) for scope in ("session", "stream") for kind in ("ts", "fmp4")]
BINDING = {"sessionBinding": {"addressPrefix": {"ipv4": 24}, "headers": ["user-agent"]}}
# Half of a minute passes between two keys of a session in the long run: longer than a test takes.
LONG = {"period": "60s", "keysAhead": 3}


def policies():
    """All policies, each for the folder of its name."""
    return [
        *(leases(f"{rule}-{kind}", on_limit=rule) for rule, kind in SIXES),
        *(leases(f"memory-{unavailable}-{kind}", "mortal", unavailable=unavailable) for unavailable, kind in OUTAGES),
        *(leases(f"{name}-{unavailable}", "shared", unavailable=unavailable)
          for name in ("redis", "half") for unavailable in UNAVAILABLE),
        leases("greedy", **LONG), leases("eager", keysAhead=3),
        *(leases(f"{scope}-{kind}", scope=scope) for scope, kind in MATRIX),
        leases("bound", auth=BINDING), leases("operator"), leases("leaver", grace=f"{GRACE}s"),
    ]


@dataclass
class Key:
    """A key request in Envoy's access log: seconds since the epoch at its begin and its end, the period, and the response."""

    began: float
    ended: float
    period: int
    status: int
    reason: str | None


@dataclass
class Seen:
    """One viewer's play, once it is over."""

    name: str
    player: str
    keys: list = field(repr=False)
    shown: list = field(repr=False)
    fault: str | None = None
    over: bool = False  # whether it came to the end of the film
    whole: dict = field(default_factory=dict, repr=False)

    def __str__(self):
        """For messages of tests: by the time since its first key, its key requests and what it showed."""
        start = self.keys[0].began if self.keys else 0
        keys = " ".join(f"{key.period}:{key.reason or key.status}@{key.began - start:.1f}" for key in self.keys)
        shown = " ".join(f"{one.at:.1f}@{one.time - start:.1f}" for one in self.shown[::5] + self.shown[-1:])
        events = {name: [[round(one[0] / 1000 - start, 1), *one[1:]] for one in self.whole[name]]
                  for name in ("shown", "errors") if self.whole}
        return f"{self!r}\nkeys {keys}\nfilm {shown}\n{events}"

    @property
    def granted(self):
        return [key for key in self.keys if key.status == 200]

    @property
    def reasons(self):
        """The reasons of refusals."""
        return {key.reason for key in self.keys if key.status != 200}

    @property
    def periods(self):
        """The key periods of the pictures. Positions in hls.js are right to a tenth of a second; so near to a border they count
        for neither side."""
        off = 0.15 if self.player == "hls.js" else 0.0
        sides = [(int((one.at - off) // PERIOD), int((one.at + off) // PERIOD)) for one in self.shown]
        return {one for one, other in sides if one == other}

    def after(self, moment):
        """The pictures shown after a time."""
        return [one for one in self.shown if one.time > moment]


class House:
    """Starts it all. `folder`: for logs."""

    def __init__(self, folder, browser):
        self.folder, self.browser, self.viewers, self.owned = Path(folder), browser, [], []
        self.theatre, self.lock, self.read, self.entries, self.sessions = Theatre(), threading.Lock(), 0, {}, {}
        try:
            self.origin = self.own(Http1(self.theatre))
            self.service = self.own(Authorize(self.made("leases")))
            self.mortal = self.own(Authorize(self.made("mortal")))
            self.redis = self.own(Redis(self.made("redis")), "kill")
            options = ("--redis", self.redis.url, "--redis-timeout", "1s")
            self.sharing = [self.own(Authorize(self.made(f"sharing-{number}"), *options)) for number in range(2)]
            clusters = {"leases": [self.service.port], "mortal": [self.mortal.port], "shared": [one.port for one in self.sharing]}
            log = self.made("envoy") / "access.log"
            filters = [wasm_filter(document(*policies(), hold=True), environment(), True)]
            made = bootstrap(self.origin.port, "h1", filters, log, clusters=clusters)
            (shared,) = [one for one in made["static_resources"]["clusters"] if one["name"] == "shared"]
            shared.update(HEALTH)
            self.proxy = self.own(Proxy(self.folder / "envoy", made))
        except BaseException:
            self.stop()
            raise

    def made(self, name):
        """A new folder."""
        folder = self.folder / name
        folder.mkdir()
        return folder

    def own(self, server, end="stop"):
        """Has a server ended with the house."""
        self.owned.append(getattr(server, end))
        return server

    def stop(self):
        for end in reversed(self.owned):
            end()

    def link(self, policy_name, viewer):
        """The URL that the subscriber's page gives to a player."""
        token = tokens.by_python(acl=f"/{policy_name}/*", id=SUBSCRIBER)
        return f"{self.proxy.url}/{policy_name}/master.m3u8?viewer={viewer}&hdnts={token}"

    def viewer(self, player, policy_name, name, **how):
        """Starts a player."""
        name = f"{policy_name}.{name}"
        url = self.link(policy_name, name)
        one = Ffmpeg(name, url, **how) if player == "ffmpeg" else HlsJs(name, url, self.browser, **how)
        with self.lock:
            self.viewers.append(one)
        return one

    def keys(self, viewer):
        """The key requests of a viewer's session so far."""
        with self.lock:
            self._read()
            return list(self.entries.get(self.sessions.get(viewer.name), ()))

    def session(self, viewer):
        """The id of a viewer's session."""
        with self.lock:
            self._read()
            return self.sessions[viewer.name]

    def _read(self):
        """Reads on in the access log."""
        with open(self.proxy.access_log, "rb") as file:
            file.seek(self.read)
            lines, _, _ = file.read().rpartition(b"\n")
        self.read += len(lines) + bool(lines)
        for line in lines.splitlines():
            entry = json.loads(line)
            path = urlsplit(entry["path"] or "")
            if entry["kind"] == "key":
                began = float(entry["time"])
                # Both are cut to milliseconds.
                ended = began + entry["duration"] / 1000 + 0.002
                key = Key(began, ended, key_period(entry["path"]), entry["status"], entry["reason"])
                self.entries.setdefault(entry["session"], []).append(key)
            elif path.path.endswith("/master.m3u8") and (name := parse_qs(path.query).get("viewer")):
                self.sessions[name[0]] = entry["session"]

    def seen(self, viewer):
        """Ends a viewer's play and returns it."""
        whole = viewer.whole() if viewer.player == "hls.js" else {}
        seen = Seen(viewer.name, viewer.player, [], viewer.diary(), whole.get("fatal"), viewer.over(), whole)
        viewer.close()
        time.sleep(0.1)  # Envoy writes its log every 20 ms
        with self.lock:
            self.viewers.remove(viewer)
        seen.keys = self.keys(viewer)
        return seen

    def close(self, policy_name):
        """Ends what still plays under a policy."""
        for viewer in [one for one in self.viewers if re.match(rf"{policy_name}\.", one.name)]:
            viewer.close()
            self.viewers.remove(viewer)
