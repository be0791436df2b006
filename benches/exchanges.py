"""Measures small requests: playlists, keys and refusals. Reports Envoy's CPU per request and the filter's share of it."""

import machine
import nginx
import table
import variants
from load import alternating
from names import ANSWER, NONE, NOOP, RELAXED
from viewer import Viewer, get

LENGTHS = (10, 1_000, 10_000)
CONNECTIONS = 8
# A playlist that leaves the origin as long as playlock's leaves Envoy: what the bytes alone cost.
AS_LONG = "plain file, size of rewritten playlist"
NAMES = (NONE, NOOP, ANSWER, RELAXED)
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


def cases(viewer):
    """What is asked for: name → (path through playlock, path through the others, whether playlock refuses)."""
    made = {f"playlist, {n:,} segments": (f"/{n}.m3u8?{viewer.session}",) * 2 + (False,) for n in LENGTHS}
    made[AS_LONG] = ("/long.m3u8",) * 2 + (False,)
    # Envoy's own answer is what a key or a refusal is compared with: no origin is asked for it either.
    made["key"] = (viewer.key, "/direct" + viewer.key, False)
    made["refused: bad signature"] = (tampered(f"/10.m3u8?{viewer.session}"), f"/direct/10.m3u8?{viewer.session}", True)
    made["refused: no token"] = ("/10.m3u8", "/direct/10.m3u8", True)
    return made


def is_answer(case):
    """Whether Envoy answers by itself, without the origin."""
    return case != AS_LONG and not case.startswith("playlist")


def takes_part(name, case):
    """Whether a case is measured with this Envoy."""
    return name in (NONE, NOOP) if case == AS_LONG else name != ANSWER or is_answer(case)


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
            viewer = Viewer(edges[RELAXED], "/10.m3u8")
            asked = cases(viewer)
            longest = asked[f"playlist, {LENGTHS[-1]:,} segments"][0]
            (folder / "long.m3u8").write_bytes(get(edges[RELAXED].url + longest))
            samples = {case: {name: [] for name in NAMES if takes_part(name, case)} for case in asked}
            for case, (path, _, refused) in asked.items():
                # From playlock, the last one, where that takes part.
                *_, last = samples[case]
                sizes[case] = 0 if refused else len(get(edges[last].url + path))
            for _ in range(rounds):
                for case, (path, direct, refused) in asked.items():
                    runs = {name: {RELAXED: (edge, path, refused), ANSWER: (edge, path, True)}.get(name, (edge, direct, False))
                            for name, edge in edges.items() if name in samples[case]}
                    for name, sample in alternating(runs, CONNECTIONS, seconds).items():
                        samples[case][name].append(sample)
    finally:
        origin.stop()
    originals = {f"playlist, {n:,} segments": (folder / f"{n}.m3u8").stat().st_size for n in LENGTHS}
    originals[AS_LONG] = (folder / "long.m3u8").stat().st_size
    rows = []
    for case, by_name in samples.items():
        for name, row in by_name.items():
            cell = {key: machine.median(row, key)[0] for key in ("cpu_us_request", "p50", "p99")}
            # Over what is below it.
            cell["over_none"], cell["over_noop"], cell["over_answer"] = (
                machine.difference(row, by_name[base], "cpu_us_request", quieter=True)[0]
                if base in by_name and NAMES.index(name) > NAMES.index(base) else None for base in (NONE, NOOP, ANSWER))
            mb = originals.get(case, 0) / 1e6
            cell["ms_per_mb"] = cell["over_noop"] / 1e3 / mb if mb and name == RELAXED else None
            rows.append({"case": case, "what": name, **cell, "answer_bytes": sizes[case],
                         "doubtful": machine.median(row, "cpu_us_request")[1]})
    return {"rows": rows, "samples": samples, "playlist_bytes": originals}


def show(result):
    """The part's table."""
    print("Small requests: Envoy's CPU per request, 8 connections. Keys and refusals are compared with Envoy's own\n"
          "direct_response, and with a filter that reads the headers, logs two words and refuses every request.\n"
          "ms/MB: CPU over the no-op filter per MB of the origin's playlist.")
    table.show(["request", "what", "CPU µs", "over none", "over no-op", "over reply-only", "ms/MB", "p50 ms", "p99 ms",
                "answer KB", ""], [
        [row["case"], row["what"], table.number(row["cpu_us_request"], 1), table.number(row["over_none"], 1),
         table.number(row["over_noop"], 1), table.number(row["over_answer"], 1), table.number(row["ms_per_mb"], 2), table.number(row["p50"], 2),
         table.number(row["p99"], 2), table.number(row["answer_bytes"] / 1e3, 1), "doubtful" if row["doubtful"] else ""]
        for row in result["rows"]])
