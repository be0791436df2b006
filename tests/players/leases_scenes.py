"""Scenes with the viewers of one or more policies, from the first viewer to the last. Each returns their plays."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from leases_film import PERIOD, live, vod
from leases_house import OUTAGES, SUBSCRIBER, UNAVAILABLE, until
from leases_viewers import AS_DELIVERED
from support import curl
from support.hls import Viewer

TEN = 10 * PERIOD  # seconds of the film


@dataclass
class Scene:
    """The plays of a scene in the order of their begin, and the times of what happened."""

    plays: list
    times: dict = field(default_factory=dict)


def decided(house, viewer, count=1):
    """Waits until so many of a viewer's key requests have a response. Returns them."""
    return until(lambda: len(found := house.keys(viewer)) >= count and found, f"{viewer.name}: {count} keys")


def playing(viewer, seconds=0.0):
    """Waits until a viewer has seen so many seconds of the film from now on, or its first picture."""
    all_playing([viewer], seconds)


def all_playing(viewers, seconds=0.0):
    """As `playing`, for several at the same time."""
    first = [until(lambda: one.position() is not None and one.position() + 1e-9, f"{one.name}: a picture") for one in viewers]
    for one, at in zip(viewers, first):
        until(lambda: one.position() - at >= seconds, f"{one.name}: {seconds} s of film")


def emptied(house, viewer):
    """Waits until a viewer has shown the last picture, or nearly, that it has a key for."""
    last = max(key.period for key in house.keys(viewer) if key.status == 200)
    until(lambda: viewer.position() >= (last + 1) * PERIOD - 1, f"{viewer.name}: the end of period {last}")


def six(house, rule, kind):
    """Six viewers, one after another: each begins once the one before it shows a picture or has been refused."""
    name = f"{rule}-{kind}"
    house.theatre.stage(name, live() if kind == "live" else vod())
    viewers = []
    try:
        for number in range(6):
            viewers.append(house.viewer(("hls.js", "ffmpeg")[number % 2], name, str(number)))
            if decided(house, viewers[-1])[0].status == 200:
                playing(viewers[-1])
        begun = time.time()
        all_playing(viewers[:2] if rule == "refuse-new" else viewers[-2:], TEN)
        return Scene([house.seen(one) for one in viewers], {"begun": begun})
    finally:
        house.close(name)


def asked(house, viewers, moment):
    """Waits until each viewer has asked for a key since a time, and has the response."""
    for one in viewers:
        until(lambda: any(key.began > moment for key in house.keys(one)), f"{one.name}: a question since {moment}")


def grants(house, viewer, moment):
    """How many keys a viewer got since a time."""
    return sum(key.began > moment and key.status == 200 for key in house.keys(viewer))


def outage(house, films, kill, start, crowded=()):
    """Two viewers of each policy play; what answers is killed; each asks without it; it is started again, empty; two of each
    policy get keys of three more periods. `films`: policy → stream. `crowded`: policies with a third viewer, who comes in the
    outage. Returns the scene of each policy."""
    viewers, times = {policy: [] for policy in films}, {}
    try:
        for policy, film in films.items():
            house.theatre.stage(policy, film)
            viewers[policy] = [house.viewer(player, policy, player) for player in ("hls.js", "ffmpeg")]
        first = [one for pair in viewers.values() for one in pair]
        all_playing(first, PERIOD)
        kill()
        times["killed"] = time.time()
        asked(house, first, times["killed"])
        for policy in crowded:
            viewers[policy].append(house.viewer("ffmpeg", policy, "third"))
            playing(viewers[policy][-1])
        start()
        times["back"] = time.time()
        for policy, found in viewers.items():
            # A denied ffmpeg runs through a film without a pause, and may be at its end.
            left = [one for one in found if not one.over()]
            asked(house, left, times["back"])
            until(lambda: sum(grants(house, one, times["back"]) >= 4 for one in left) >= min(2, len(left)),
                  f"{policy}: keys after the outage")
        return {policy: Scene([house.seen(one) for one in found], times) for policy, found in viewers.items()}
    finally:
        for policy in films:
            house.close(policy)


def memory(house):
    """The service with leases in memory is killed."""
    films = {f"memory-{unavailable}-{kind}": live() if kind == "live" else vod() for unavailable, kind in OUTAGES}
    return outage(house, films, house.mortal.kill, house.mortal.start, ("memory-allow-live",))


def redis(house):
    """Redis is killed; afterwards, with new viewers, one of the two services that share it."""
    films = {f"redis-{unavailable}": live() for unavailable in UNAVAILABLE}
    return outage(house, films, house.redis.kill, house.redis.start) | one_of_two(house)


def one_of_two(house):
    """Two viewers of each policy play and a third is refused; one of the services is killed; the two get keys of five more
    periods."""
    viewers, times = {f"half-{unavailable}": [] for unavailable in UNAVAILABLE}, {}
    try:
        for policy, found in viewers.items():
            house.theatre.stage(policy, live())
            for player in ("hls.js", "ffmpeg", "ffmpeg"):
                found.append(house.viewer(player, policy, str(len(found))))
                decided(house, found[-1])
        playing = [one for found in viewers.values() for one in found[:2]]
        all_playing(playing, PERIOD)
        house.sharing[0].kill()
        times["killed"] = time.time()
        for one in playing:
            until(lambda: grants(house, one, times["killed"]) >= 5, f"{one.name}: keys from one of two")
        return {policy: Scene([house.seen(one) for one in found], times) for policy, found in viewers.items()}
    finally:
        for policy in viewers:
            house.close(policy)


def greedy(house):
    """A player as fast as it can, and a program that asks for all keys at once."""
    house.theatre.stage("greedy", vod(seconds=24))
    try:
        player = house.viewer("ffmpeg", "greedy", "fast", paced=False)
        player.end()
        reader = Viewer()
        (playlist,) = reader.media(house.link("greedy", "greedy.program"))
        urls = [key.url for key in playlist.keys]
        with ThreadPoolExecutor(len(urls)) as pool:
            answers = list(pool.map(curl.fetch, urls))
        return Scene([house.seen(player)]), answers
    finally:
        house.close("greedy")


def eager(house):
    """hls.js as delivered, which holds as much of the film as it can get, until an operator ends it."""
    house.theatre.stage("eager", vod())
    times = {}
    try:
        one = house.viewer("hls.js", "eager", "as-delivered", config=AS_DELIVERED)
        playing(one, 5 * PERIOD)
        times["ended"] = time.time()
        assert house.service.end(group="eager", viewer=SUBSCRIBER) == 1
        asked(house, [one], times["ended"])
        emptied(house, one)
        return Scene([house.seen(one)], times)
    finally:
        house.close("eager")


def quick(house, name, kind):
    """Three players of a short film, one after another, as fast as they can."""
    house.theatre.stage(name, vod(kind, seconds=12))
    plays = []
    try:
        for number in range(3):
            one = house.viewer("ffmpeg", name, str(number), paced=False)
            one.end()
            plays.append(house.seen(one))
        return Scene(plays)
    finally:
        house.close(name)


def operator(house):
    """Two viewers play, and an operator ends the first; once it is refused, a third comes."""
    house.theatre.stage("operator", live())
    times = {}
    try:
        viewers = [house.viewer(player, "operator", player) for player in ("hls.js", "ffmpeg")]
        all_playing(viewers, PERIOD)
        listed = house.service.sessions(viewer=SUBSCRIBER, policy="operator")
        times["ended"] = time.time()
        count = house.service.end(group="operator", viewer=SUBSCRIBER, session=house.session(viewers[0]))
        times["answered"] = time.time()
        until(lambda: any(key.status == 403 for key in house.keys(viewers[0])), "the ended one is refused")
        viewers.append(house.viewer("ffmpeg", "operator", "third"))
        all_playing(viewers[1:], 3 * PERIOD)
        emptied(house, viewers[0])
        sessions = {house.session(one): one.name for one in viewers}
        named = {sessions[one["session"]] for one in listed}
        return Scene([house.seen(one) for one in viewers], times), count, named
    finally:
        house.close("operator")


def leaver(house):
    """Two viewers play and a third is refused; the first leaves; once its lease is over, a fourth comes."""
    house.theatre.stage("leaver", live())
    try:
        viewers = []
        for number in range(3):
            viewers.append(house.viewer("ffmpeg", "leaver", str(number)))
            decided(house, viewers[-1])
        first, second, third = viewers
        plays = [house.seen(first), house.seen(third)]
        until(lambda: len(house.service.sessions(policy="leaver")) == 1, "one session is over")
        fourth = house.viewer("ffmpeg", "leaver", "3")
        all_playing([second, fourth], 2 * PERIOD)
        return Scene(plays + [house.seen(one) for one in (second, fourth)])
    finally:
        house.close("leaver")
