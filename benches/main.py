"""Implements `make bench`: measures the parts named on the command line, prints their tables and stores the results in
target/bench.json. Parts that are not measured keep their stored results. tools/bench.sh runs it in target/venv."""

import argparse
import json
import os
import shutil
import signal
import sys
import time

import exchanges
import fragments
import goals
import growth
import kernel
import machine
import peers
import samples
import segments
import table
import variants

PARTS = {"kernel": (kernel, 15), "segments": (segments, 7), "samples": (samples, 5), "requests": (exchanges, 7), "growth": (growth, 3),
         "peers": (peers, 7)}
RESULT = variants.ROOT / "target/bench.json"
TINY_RESULT = variants.ROOT / "target/bench-tiny.json"
# Others were at work before we began.
BUSY = 0.7


def show_goals(parts):
    """Where things stand."""
    rows = [[what, table.number(value, 2), str(least), str(aim)] for what, value, least, aim in goals.goals(parts)]
    print("Goals")
    table.show(["what", "measured", "must reach", "aim"], rows)


def shrink():
    """Leaves one short round of every part: what it shows is that they all measure, not how fast anything is. What needs a
    build of its own beyond `tools/bench.sh tiny` is left out."""
    machine.patience = 0
    for part in (*(part for part, _ in PARTS.values()), fragments):
        vars(part).update(part.TINY)


def check_figures(parts):
    """That every row of every part has its figure."""
    measured = [(name, PARTS[name][0], result) for name, result in parts.items()]
    measured += [("fragments", fragments, parts["samples"]["fragments"])] if "samples" in parts else []
    for name, part, result in measured:
        figures = [row[part.FIGURE] for row in result["rows"]]
        if not figures or not all(figure and figure > 0 for figure in figures):
            raise RuntimeError(f"{name}: rows without a figure: {figures}")


def main():
    """Measures and shows."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("parts", nargs="*", default=["all"], metavar="|".join([*PARTS, "all"]))
    arguments.add_argument("--rounds", type=int, help="how often everything is measured")
    arguments.add_argument("--tiny", action="store_true", help="one short round that only shows that everything measures")
    chosen = arguments.parse_args()
    unknown = set(chosen.parts) - set(PARTS) - {"all"}
    if unknown:
        arguments.error(f"no such part: {' '.join(unknown)}")
    names = list(PARTS) if "all" in chosen.parts else [name for name in PARTS if name in chosen.parts]
    shutil.rmtree(variants.WORK, ignore_errors=True)
    variants.WORK.mkdir(parents=True)
    # However it ends, the proxies and the origin end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if chosen.tiny:
        shrink()
    kept = TINY_RESULT if chosen.tiny else RESULT
    found = json.loads(kept.read_text()) if kept.exists() and not chosen.tiny else {"parts": {}}
    about = {**machine.describe(), "envoy": variants.envoy()}
    if found.get("best_pace", {}).get("cpu") == about["cpu"]:
        machine.best_pace = found["best_pace"]["seconds"]
    print(f"{about['cpu']}, {about['cores']} cores; Envoy on core {about['envoy_on']}, load and origin on "
          f"{about['others_on']}; load average {about['load_before']:.2f}")
    if about["load_before"] > BUSY:
        print("DOUBTFUL: others were using this machine when the run began; trust only ratios, and few of those.")
    print()
    for name in names:
        part, rounds = PARTS[name]
        machine.paces.clear()
        began = time.monotonic()
        result = part.measure(1 if chosen.tiny else chosen.rounds or rounds)
        seconds = time.monotonic() - began
        part.show(result)
        found["parts"][name] = {"machine": {**about, "load_after": os.getloadavg()[0], "pace": machine.pace(),
                                            "seconds": seconds}, **result}
        print(f"The core's pace was {machine.pace() * 100:.0f} % of the best seen on this machine; {seconds:.0f} s.\n")
        found["best_pace"] = {"cpu": about["cpu"], "seconds": machine.best_pace}
        # At once, so that a later part's failure costs nothing.
        kept.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    if chosen.tiny:
        check_figures(found["parts"])
    else:
        show_goals(found["parts"])
    print(f"everything, with each round's samples: {kept.relative_to(variants.ROOT)}")


if __name__ == "__main__":
    main()
