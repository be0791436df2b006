"""Implements `make bench-report`: renders target/bench.json as docs/performance.md and its pictures. The text comes from
benches/performance.md; this file fills in figures. tools/bench-report.sh runs it with a Python that has matplotlib.
    report.py [RESULT [DOCUMENT]]"""

import json
import re
import sys
import time
from pathlib import Path

import goals
import names
import pictures
from table import number

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "benches/performance.md"
MISSING = "*Not measured in this run.*"
# Streams of so many Mbit/s, in segments of so many seconds, whose playlist of ten segments is asked for each time.
RATES, SECONDS = (2, 5, 10, 20), 6


def table(head, rows):
    """A table in Markdown: what is no number to the left, numbers to the right. No rows: that it was not measured."""
    if not rows:
        return MISSING
    right = [all(re.fullmatch(r"[-–\d.,% ~]*", row[i]) for row in rows) for i in range(len(head))]
    lines = [head, ["--:" if r else ":--" for r in right], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figure(value, digits, doubtful=False):
    """A number; with a tilde if every sample that it rests on was disturbed."""
    return ("~" if doubtful and value is not None else "") + number(value, digits)


def picture(file, about):
    """A picture's place."""
    return f"![{about}]({file.parent.name}/{file.name})"


def goal_table(parts):
    """What was to be reached."""
    rows = []
    for what, value, least, aim in goals.goals(parts):
        more = aim > least
        verdict = "not measured" if value is None else \
            "stretch goal met" if (value >= aim if more else value <= aim) else \
            "met" if (value >= least if more else value <= least) else "not met"
        rows.append([what, number(value, 2), f"{'≥' if more else '≤'} {least}", str(aim), verdict])
    return table(["goal", "measured", "target", "stretch goal", "result"], rows)


def segment_table(parts):
    """End to end."""
    return table(["connections", "candidate", "MB/s", "× RustCrypto", "CPU ms/MB", "CPU × no-op", "p50 ms", "p99 ms", "RSS MB"], [
        [str(r["connections"]), r["what"], figure(r["mb_s"], 0, r["doubtful"]), number(r["over_rustcrypto"], 2),
         number(r["cpu_ms_mb"], 2), number(r["cpu_over_noop"], 2), number(r["p50"], 0), number(r["p99"], 0),
         number(r["resident"] / 1e6)] for r in parts.get("segments", {}).get("rows", [])])


def share_table(parts):
    """Where a MB's CPU goes."""
    shares = parts.get("segments", {}).get("shares", [])
    whats = list(dict.fromkeys(s["what"] for s in shares))
    return table(["connections", *(f"{what}, ms/MB" for what in whats)], [
        [str(count), *(number(s["ms_per_mb"], 2) for s in shares if s["connections"] == count)]
        for count in dict.fromkeys(s["connections"] for s in shares)])


def sample_table(parts):
    """Samples beside whole segments."""
    return table(["file", "candidate", "MB/s", "CPU ms/MB", "÷ whole segments", "cbcs ÷ its CPU", "ms/MB over no-op", "÷ whole segments",
                  "RSS MB"], [
        [r["file"], r["what"], figure(r["mb_s"], 0, r["doubtful"]), number(r["cpu_ms_mb"], 2), number(r["over_segments"], 2),
         number(r.get("cbcs_over_it"), 2), number(r["added"], 2), number(r["added_over_segments"], 2), number(r["resident"] / 1e6)]
        for r in parts.get("samples", {}).get("rows", [])])


def fragment_table(parts):
    """Samples by the size of fragments."""
    found = parts.get("samples", {}).get("fragments", {})
    return table(["fragment, bytes", "CPU ms/MB", "MB per stream", "RSS MB"], [
        [f"{r['at']:,}", figure(r["cost"], 2, r["doubtful"]), number(r["per_stream"] / 1e6, 2), number(r["resident"] / 1e6)]
        for r in found.get("rows", [])])


def peer_table(parts):
    """The same encryption elsewhere."""
    return table(["connections", "candidate", "MB/s", "CPU ms/MB", "playlock ÷ its CPU", "p50 ms", "p99 ms", "RSS MB"], [
        [str(r["connections"]), r["what"], figure(r["mb_s"], 0, r["doubtful"]), number(r["cpu_ms_mb"], 2),
         number(r["ours_over_it_cpu"], 2), number(r["p50"], 0), number(r["p99"], 0), number(r["resident"] / 1e6)]
        for r in parts.get("peers", {}).get("rows", [])])


def kernel_table(parts):
    """The cipher."""
    return table(["host", "cipher", "MB/s", "× RustCrypto", "× OpenSSL's vector-permute"], [
        [r["where"], r["what"], figure(r["mb_s"], 0, r["doubtful"]), number(r["over_rustcrypto"], 2),
         number(r["over_openssl_vpaes"], 2)] for r in parts.get("kernel", {}).get("rows", [])])


def request_table(parts):
    """Small requests."""
    return table(["request", "candidate", "CPU µs", "over no filter", "over no-op", "over reply-only", "ms/MB over no-op",
                  "bytes out ÷ in", "p50 ms", "p99 ms"], [
        [r["case"], r["what"], figure(r["cpu_us_request"], 1, r["doubtful"]), number(r["over_none"], 1),
         number(r["over_noop"], 1), number(r.get("over_answer"), 1), number(r["ms_per_mb"], 2), number(r.get("growth"), 2),
         number(r["p50"], 2), number(r["p99"], 2)]
        for r in parts.get("requests", {}).get("rows", [])])


def growth_table(parts):
    """What grows."""
    grown = parts.get("growth", {})
    exponents, rows = grown.get("exponents", {}), grown.get("rows", [])
    last = {r["axis"]: r["at"] for r in rows}
    return table(["axis", "value", "cost", "unit", "exponent", "RSS MB", "start-up s"], [
        [r["axis"], f"{r['at']:,}", figure(r["cost"], 3, r["doubtful"]), r["unit"],
         number(exponents.get(r["axis"]), 2) if last[r["axis"]] == r["at"] else "", number(r["resident"] / 1e6),
         number(r.get("start_seconds"), 2)] for r in rows])


def stream_table(parts):
    """How many viewers of a stream a core serves."""
    whole, small = parts.get("segments", {}), parts.get("requests", {})
    playlist = {r["what"]: r["cpu_us_request"] for r in small.get("rows", []) if r["case"].startswith("playlist, 10 ")}
    rows = []
    for what in (names.NONE, names.NOOP, names.BATCHED, names.RELAXED, names.PORTABLE):
        cost = goals.row(whole, connections=64, what=what).get("cpu_ms_mb")
        # The cipher has no part in a playlist.
        each = playlist.get(what, playlist.get(names.RELAXED))
        if cost and each:
            used = [rate / 8 * cost / 1e3 + each / 1e6 / SECONDS for rate in RATES]
            rows.append([what, *(number(1 / seconds) for seconds in used)])
    return table(["candidate", *(f"{rate} Mbit/s" for rate in RATES)], rows)


def disturbed(part):
    """(how many of a part's samples were disturbed, of how many)."""
    found = [0, 0]

    def look(value):
        if isinstance(value, dict) and "disturbed" in value:
            found[0] += bool(value["disturbed"])
            found[1] += 1
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            look(inner)

    look(part)
    return tuple(found)


def machine_list(parts):
    """On what, when, how undisturbed."""
    lines = []
    for name, part in parts.items():
        about = part["machine"]
        day = time.strftime("%Y-%m-%d", time.gmtime(about["time"]))
        versions = ", ".join(about[key] for key in ("envoy", "openssl") if about.get(key))
        bad, of = disturbed(part)
        pace = about.get("pace")
        lines.append([name, day, f"{about['cpu']}, {about['cores']} cores", versions, number(pace and pace * 100),
                      f"{bad} of {of}" if of else "–"])
    return table(["part", "date", "machine", "software", "pace %", "disturbed samples"], lines)


def fill(parts, folder):
    """What stands for each of the template's names; draws the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {}
    for name, needs, draw, about in (
            ("segments", "segments", lambda file: pictures.segments(parts["segments"], parts.get("peers", {}), file),
             "Bar chart: throughput and CPU per MB, end to end"),
            ("shares", "segments", lambda file: pictures.shares(parts["segments"], file), "Bar chart: CPU per MB by component"),
            ("kernel", "kernel", lambda file: pictures.kernel(parts["kernel"], file), "Bar chart: throughput of the ciphers"),
            ("requests", "requests", lambda file: pictures.requests(parts["requests"], file), "Bar chart: CPU per request"),
            ("growth", "growth", lambda file: pictures.growth(parts["growth"], file),
             "Logarithmic line charts: cost and memory against each growing quantity")):
        file = folder / f"{name}.svg"
        file.unlink(missing_ok=True)
        part = parts.get(needs, {})
        if part.get("shares" if name == "shares" else "rows"):
            draw(file)
            drawn[f"{name} picture"] = picture(file, about)
        else:
            drawn[f"{name} picture"] = ""
    slope = parts.get("growth", {}).get("mb_per_stream")
    grown = parts.get("samples", {}).get("fragments", {})
    return {
        **drawn, "goals": goal_table(parts), "segments": segment_table(parts), "samples": sample_table(parts),
        "fragments": fragment_table(parts), "shares": share_table(parts),
        "peers": peer_table(parts), "kernel": kernel_table(parts), "requests": request_table(parts),
        "growth": growth_table(parts), "streams": stream_table(parts), "machine": machine_list(parts),
        "engine": parts.get("kernel", {}).get("engine", "a Node"), "seconds": str(SECONDS),
        "fragment streams": str(grown.get("streams", 0)), "fragment exponent": number(grown.get("exponent"), 2),
        "memory": "was not measured" if slope is None else f"{slope:.2f} MB",
    }


def main(result=ROOT / "target/bench.json", document=ROOT / "docs/performance.md"):
    """Writes the document and its pictures."""
    result, document = Path(result), Path(document)
    if not result.exists():
        sys.exit(f"{result} does not exist: run `make bench` first")
    parts = json.loads(result.read_text())["parts"]
    filled = fill(parts, document.with_suffix(""))
    text = re.sub(r"\{\{([\w ]+)\}\}", lambda found: filled[found[1]], TEMPLATE.read_text())
    document.write_text(re.sub(r"\n{3,}", "\n\n", text))
    missing = [name for name in ("kernel", "segments", "samples", "requests", "growth", "peers") if name not in parts]
    print(f"{document}" + (f"; not in {result}: {', '.join(missing)}" if missing else ""))


if __name__ == "__main__":
    main(*sys.argv[1:])
