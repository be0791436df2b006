"""Tests that a subscription of two screens has two: real players, a real Envoy, and the service that counts, which is killed in
between. A key period has two seconds."""

import json
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

import leases_scenes
from leases_film import FPS, PERIOD
from leases_house import GRACE, LONG, MATRIX, OUTAGES, SIXES, UNAVAILABLE, House
from leases_viewers import longest_pause, missing, pages
from support import places

OBSERVED = places.REPOSITORY / "target/leases.json"
TEN = 10 * PERIOD * FPS  # pictures of ten periods
figures = {}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    browser = pages(tmp_path_factory.mktemp("browser") / "log")
    try:
        made = House(tmp_path_factory.mktemp("house"), browser)
        yield made
        complaint = made.proxy.complaint()
        made.stop()
        assert complaint is None, complaint
    finally:
        browser.stop()
    OBSERVED.write_text(json.dumps(figures, indent=1, sort_keys=True))


def together(scenes):
    """Scenes at the same time: name → its future, done."""
    with ThreadPoolExecutor(len(scenes)) as pool:
        futures = {name: pool.submit(*scene) for name, scene in scenes.items()}
    wait(futures.values())
    return futures


@pytest.fixture(scope="module")
def sixes(house):
    """Six viewers of each rule, live and VOD."""
    return together({case: (leases_scenes.six, house, *case) for case in SIXES})


@pytest.fixture(scope="module")
def others(house):
    """Everything else."""
    return together({
        "memory": (leases_scenes.memory, house), "redis": (leases_scenes.redis, house), "greedy": (leases_scenes.greedy, house),
        "eager": (leases_scenes.eager, house), "operator": (leases_scenes.operator, house),
        "leaver": (leases_scenes.leaver, house),
        "bound": (leases_scenes.quick, house, "bound", "ts"),
        **{case: (leases_scenes.quick, house, "-".join(case), case[1]) for case in MATRIX},
    })


def sound(play):
    """Checks that a play shows nothing without its key."""
    assert play.periods <= {key.period for key in play.granted}, str(play)
    return play


def without_gap(play):
    """Checks that a play has left out no picture (ffmpeg), or no segment (hls.js)."""
    assert missing(play) < (1 / FPS if play.player == "ffmpeg" else 1), str(play)


def whole(play, since=0.0):
    """Checks that a play has no fault, no refusal and no gap, and says how many pictures it has had since a time."""
    sound(play)
    assert not play.fault and not play.reasons, str(play)
    without_gap(play)
    later = play.after(since)
    return round((later[-1].at - later[0].at) * FPS) + 1


def refused(play, reason):
    """Checks that a play has never had a key, and why its player thinks so."""
    assert sound(play).shown == [] and play.granted == [] and play.reasons == {reason}, str(play)
    seen(play, reason)


def seen(play, reason):
    """Checks a denial as hls.js sees it: the status, and the type of the problem."""
    if play.player == "hls.js":
        denied = {(key["status"], key["problem"]) for key in play.whole["keys"] if key["status"] not in (200, 503)}
        assert denied == {(403, reason)}, str(play)
        assert play.whole["errors"] and {what for _, what in play.whole["errors"]} == {"networkError keyLoadError 403"}, str(play)


def stopped(play, moment):
    """Checks that a play that was ended at some time got no key afterwards, and showed what it had keys for: no further than a
    period beyond its buffer. Returns the seconds until its last picture."""
    sound(play)
    later = [key for key in play.keys if key.began > moment]
    assert later and {(key.status, key.reason) for key in later} == {(403, "ended")}, str(play)
    seen(play, "ended")
    if play.player == "hls.js":
        buffered = next((end for milliseconds, _, end in play.whole["moments"] if milliseconds / 1000 >= moment), None)
        assert buffered is None or play.whole["moments"][-1][1] <= buffered + PERIOD, str(play)
    return round(play.shown[-1].time - moment, 1)


def noted(name, **values):
    """Keeps what was measured."""
    figures[name] = values
    print(name, values)


@pytest.mark.parametrize("kind", ["live", "vod"])
def test_new_viewers_are_refused(sixes, kind):
    """The first two of six play on, over ten periods; the others never see a picture."""
    scene = sixes["refuse-new", kind].result()
    for play in scene.plays[:2]:
        assert whole(play, scene.times["begun"]) >= TEN, str(play)
    for play in scene.plays[2:]:
        refused(play, "limit")


@pytest.mark.parametrize("kind", ["live", "vod"])
def test_the_oldest_viewers_end(sixes, kind):
    """The last two of six play on, over ten periods; each of the others ends once the next but one has its first key."""
    scene = sixes["end-oldest", kind].result()
    for play in scene.plays[-2:]:
        assert whole(play, scene.times["begun"]) >= TEN, str(play)
    for number, play in enumerate(scene.plays[:-2]):
        newcomer = scene.plays[number + 2].granted[0]
        noted(f"{kind} {play.player} {number} ended by a newcomer", seconds_to_last_picture=stopped(play, newcomer.ended))


def back(play, times):
    """Checks that a play got keys again after an outage, and notes its pauses."""
    since = [key for key in play.granted if key.began > times["back"]]
    assert len(since) >= 4, str(play)
    noted(f"{play.name} in an outage of {times['back'] - times['killed']:.1f} s", pause=round(longest_pause(play.shown), 1),
          refused=sorted({key.period for key in play.keys if key.status != 200}),
          missing=round(missing(play), 1))


def lost(play):
    """Checks that a denied ffmpeg lost the pictures of the periods that it got no key for, and nothing else."""
    had = {key.period for key in play.granted}
    without = {key.period for key in play.keys if key.status == 503} - had
    assert play.reasons == {"unanswered"} and sound(play).periods.isdisjoint(without), str(play)
    assert set(range(min(sound(play).periods), max(play.periods))) - play.periods <= without, str(play)


@pytest.mark.parametrize("unavailable, kind", OUTAGES)
def test_viewers_survive_a_service_that_was_killed(house, others, unavailable, kind):
    """Leases are in memory. With `allow` nobody notices; of three viewers, one of whom came in the outage, two play on. With `deny`
    hls.js waits, and ffmpeg loses the periods that it was denied: of a film, all that is left."""
    policy = f"memory-{unavailable}-{kind}"
    scene = others["memory"].result()[policy]
    if len(scene.plays) == 3:
        (out,) = [play for play in scene.plays if play.reasons]
        scene.plays.remove(out)
        assert sound(out).reasons == {"limit"}, str(out)
        first = next(key.began for key in out.keys if key.status == 403)
        assert not [key for key in out.granted if key.began > first], str(out)
    survived(house, policy, scene, unavailable)


def survived(house, policy, scene, unavailable):
    """Checks two viewers in an outage."""
    undecided = house.proxy.metrics()[f"playlock.policy.{policy}.unauthorized_keys"]
    assert undecided >= len(scene.plays) if unavailable == "allow" else undecided == 0
    for play in scene.plays:
        if unavailable == "allow":
            whole(play)
            back(play, scene.times)
        elif play.player == "hls.js":
            assert play.reasons == {"unanswered"} and not sound(play).fault, str(play)
            without_gap(play)
            back(play, scene.times)
        else:
            lost(play)
            if not play.over:
                back(play, scene.times)


@pytest.mark.parametrize("unavailable", UNAVAILABLE)
def test_viewers_survive_a_redis_that_was_killed(house, others, unavailable):
    """As with leases in memory."""
    policy = f"redis-{unavailable}"
    survived(house, policy, others["redis"].result()[policy], unavailable)


@pytest.mark.parametrize("unavailable", UNAVAILABLE)
def test_one_of_two_services_is_enough(others, unavailable):
    """Until Envoy's next health check, keys asked of the killed one are without a decision, as in an outage; the limit holds."""
    scene = others["redis"].result()[f"half-{unavailable}"]
    *two, third = scene.plays
    assert third.keys[0].reason == "limit", str(third)
    for play in two:
        if unavailable == "allow":
            whole(play)
        elif play.player == "hls.js":
            assert play.reasons <= {"unanswered"} and not sound(play).fault, str(play)
        elif play.reasons:
            lost(play)
        refusals = [key.period for key in play.keys if key.status != 200]
        noted(f"{play.name} with one of two services", refused=refusals, pause=round(longest_pause(play.shown), 1))


def test_a_greedy_player_gets_the_keys_of_some_periods(others):
    """At once, and no more within half a period, which is longer here than the test."""
    scene, answers = others["greedy"].result()
    (play,), most = scene.plays, LONG["keysAhead"] + 1
    assert [key.status for key in play.keys] == [200] * most + [503] * (len(play.keys) - most) and play.reasons == {"ahead"}, str(play)
    assert sound(play).periods == set(range(most))
    got = [answer for answer in answers if answer.status == 200]
    assert len(answers) == 12 and len(got) == most and all(len(answer.body) == 16 for answer in got)
    for answer in answers:
        if answer not in got:
            assert answer.status == 503 and b'"type":"ahead"' in answer.body, answer


def test_a_browser_waits_for_keys_and_plays_on(others):
    """hls.js as delivered holds ten minutes of so small a film. It is told to wait, asks again, and plays on, until it is
    ended: then it plays all that it holds."""
    scene = others["eager"].result()
    (play,) = scene.plays
    ended = scene.times["ended"]
    assert "ahead" in play.reasons <= {"ahead", "ended"}, str(play)
    assert not [moment for moment, _ in play.whole["errors"] if moment / 1000 < ended], str(play)
    without_gap(play)
    noted("vod hls.js as delivered ended by an operator", seconds_to_last_picture=round(play.shown[-1].time - ended, 1),
          asked_to_wait=sum(key.reason == "ahead" for key in play.keys), granted=len(play.granted))


@pytest.mark.parametrize("case", [*MATRIX, "bound"], ids=str)
def test_every_kind_of_key_and_media_is_counted(others, case):
    """Two sessions get every picture, a third none, whether the others are still there or hold their keys."""
    scene = others[case].result()
    for play in scene.plays[:2]:
        assert whole(play) == 12 * FPS, str(play)
    refused(scene.plays[2], "limit")


def test_an_operator_ends_a_viewer(others):
    """At its next key; the other plays on, and a third has the place."""
    scene, count, listed = others["operator"].result()
    first, *rest = scene.plays
    assert count == 1 and listed == {play.name for play in scene.plays[:2]}
    noted("live hls.js ended by an operator", seconds_to_last_picture=stopped(first, scene.times["answered"]))
    for play in rest:
        assert whole(play, scene.times["ended"]) >= 3 * PERIOD * FPS, str(play)


def test_a_viewer_who_leaves_frees_the_place(others):
    """Once the lease is over: a key period and the grace after the last key, at the earliest."""
    first, third, *playing = others["leaver"].result().plays
    refused(third, "limit")
    for play in (first, *playing):
        whole(play)
    waited = playing[-1].granted[0].ended - first.granted[-1].began
    assert waited >= PERIOD + GRACE, (first, playing)
    noted("live ffmpeg in the place of one who left", seconds_after_the_last_key=round(waited, 1))
