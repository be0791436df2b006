"""Measures small requests: playlists, keys and refusals. Reports Envoy's CPU per request and the filter's share of it."""

import machine
import nginx
import table
import variants
from load import alternating
from names import ANSWER, FORMATS, NONE, NOOP, PATH, RELAXED
from viewer import Viewer, get, link

LENGTHS = (10, 1_000, 10_000)
CONNECTIONS = 8
# A playlist that leaves the origin as long as playlock's leaves Envoy: what the bytes alone cost.
AS_LONG = "plain file, size of rewritten playlist"
NAMES = (NONE, NOOP, ANSWER, RELAXED, PATH, FORMATS)
OURS = (RELAXED, PATH, FORMATS)
TINY = {"LENGTHS": (10, 1_000)}
FIGURE = "cpu_us_request"


def playlist(segments):
    """A media playlist as packagers write it."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:6", "#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD"]
    for i in range(segments):
        lines += ["#EXTINF:6.00600,", f"720p/segment_{i:06}.ts"]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def tampered(query):
    """A token whose signature is wrong in its last digit."""
    return query[:-1] + ("0" if query[-1] != "0" else "1")


def cases(viewers):
    """The requests: name → (by name of a playlock: its path; path through the others, whether playlock refuses).
    `viewers`: by name of a playlock."""
    made = {}
    for n in LENGTHS:
        by_name = {name: viewer.resumed(f"/{n}.m3u8") for name, viewer in viewers.items()}
        made[f"playlist, {n:,} segments"] = (by_name, by_name[RELAXED], False)
    opened = link(f"/{LENGTHS[-1]}.m3u8")
    made[f"playlist, {LENGTHS[-1]:,} segments, opening a session"] = (dict.fromkeys(viewers, opened), opened, False)
    made[AS_LONG] = ({}, "/long.m3u8", False)
    # Envoy's own answer is what a key or a refusal is compared with: no origin is asked for it either.
    keys = {name: viewer.key for name, viewer in viewers.items()}
    made["key"] = (keys, "/direct" + keys[RELAXED], False)
    for name, query in variants.formats.QUERIES.items():
        made[f"opening a session: {name}"] = ({FORMATS: f"/10.m3u8?{query()}"}, "/10.m3u8", False)
    session = viewers[RELAXED].session
    made["refused: bad signature"] = ({RELAXED: tampered(f"/10.m3u8?{session}")}, f"/direct/10.m3u8?{session}", True)
    made["refused: no token"] = (dict.fromkeys(viewers, "/10.m3u8"), "/direct/10.m3u8", True)
    return made


def original(case):
    """The number of segments of a case's playlist; `None` if it has none."""
    return next((n for n in LENGTHS if case.startswith(f"playlist, {n:,} ")), None)


def is_answer(case):
    """Whether Envoy answers by itself, without the origin."""
    return case.startswith(("key", "refused"))


def takes_part(name, case, ours):
    """Whether a case is measured with this Envoy. `ours`: the paths of those with playlock."""
    return name in ours if name in OURS else name != ANSWER or is_answer(case)


def measure(rounds, seconds=1):
    """The part's result: samples by case and name. In a round of a case the Envoys take turns many times."""
    folder = variants.WORK / "content"
    folder.mkdir(parents=True, exist_ok=True)
    for n in LENGTHS:
        (folder / f"{n}.m3u8").write_text(playlist(n))
    origin = nginx.origin(variants.WORK, folder)
    sizes = {}
    try:
        with variants.Fleet(origin.port, NAMES) as edges:
            viewers = {name: Viewer(edges[name], "/10.m3u8", name == PATH) for name in (RELAXED, PATH)}
            asked = cases(viewers)
            longest = asked[f"playlist, {LENGTHS[-1]:,} segments"][0][RELAXED]
            (folder / "long.m3u8").write_bytes(get(edges[RELAXED].url + longest))
            samples = {case: {name: [] for name in NAMES if takes_part(name, case, ours)}
                       for case, (ours, _, _) in asked.items()}
            for case, (ours, direct, refused) in asked.items():
                for name in samples[case]:
                    path = ours.get(name, direct)
                    sizes[case, name] = 0 if refused or name == ANSWER else len(get(edges[name].url + path))
            for _ in range(rounds):
                for case, (ours, direct, refused) in asked.items():
                    runs = {name: (edges[name], ours.get(name, direct), refused and name in OURS or name == ANSWER)
                            for name in samples[case]}
                    for name, sample in alternating(runs, CONNECTIONS, seconds).items():
                        samples[case][name].append(sample)
    finally:
        origin.stop()
    originals = {case: (folder / f"{original(case)}.m3u8").stat().st_size for case in samples if original(case)}
    originals[AS_LONG] = (folder / "long.m3u8").stat().st_size
    rows = []
    for case, by_name in samples.items():
        for name, row in by_name.items():
            cell = {key: machine.median(row, key)[0] for key in ("cpu_us_request", "p50", "p99")}
            # Over what is below it.
            cell["over_none"], cell["over_noop"], cell["over_answer"] = (
                machine.difference(row, by_name[base], "cpu_us_request", quieter=True)[0]
                if base in by_name and NAMES.index(name) > NAMES.index(base) else None for base in (NONE, NOOP, ANSWER))
            length = originals.get(case) if name in OURS else None
            cell["ms_per_mb"] = cell["over_noop"] * 1e3 / length if length else None
            cell["growth"] = sizes[case, name] / length if length else None
            rows.append({"case": case, "what": name, **cell, "answer_bytes": sizes[case, name],
                         "doubtful": machine.median(row, "cpu_us_request")[1]})
    return {"rows": rows, "samples": samples, "playlist_bytes": originals}


def show(result):
    """The part's table."""
    print("Small requests: Envoy's CPU per request, 8 connections. Keys and refusals are compared with Envoy's own\n"
          "direct_response, and with a filter that reads the headers, logs two words and refuses every request.\n"
          "ms/MB: CPU over the no-op filter per MB of the origin's playlist. out/in: bytes of the response per byte of that.")
    table.show(["request", "what", "CPU µs", "over none", "over no-op", "over reply-only", "ms/MB", "out/in", "p50 ms", "p99 ms",
                "answer KB", ""], [
        [row["case"], row["what"], table.number(row["cpu_us_request"], 1), table.number(row["over_none"], 1),
         table.number(row["over_noop"], 1), table.number(row["over_answer"], 1), table.number(row["ms_per_mb"], 2),
         table.number(row["growth"], 2), table.number(row["p50"], 2),
         table.number(row["p99"], 2), table.number(row["answer_bytes"] / 1e3, 1), "doubtful" if row["doubtful"] else ""]
        for row in result["rows"]])
