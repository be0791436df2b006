"""Owns `make bench`: measures the parts named on the command line, prints their tables, keeps everything in
target/bench.json. A part that is not measured keeps what the file had. Run by tools/bench.sh in target/venv."""

import argparse
import json
import os
import shutil
import signal
import sys

import machine
import table
import variants

import exchanges
import growth
import kernel
import peers
import segments

PARTS = {"kernel": (kernel, 5), "segments": (segments, 3), "requests": (exchanges, 3), "growth": (growth, 1),
         "peers": (peers, 3)}
RESULT = variants.ROOT / "target/bench.json"
# Others were at work before we began.
BUSY = 0.7


def row(result, **wanted):
    """The row of a part's result that has these values; an empty one if there is none."""
    return next((r for r in result.get("rows", []) if all(r[name] == value for name, value in wanted.items())), {})


def goals(parts):
    """(what, measured, unit) of what the project sets itself."""
    alone, whole, small, grown, others = (parts.get(name, {}) for name in PARTS)

    def added(case):
        return row(small, case=case, what=variants.RELAXED)

    return [
        ("one stream, kernel in Envoy, ours / RustCrypto",
         row(alone, where="Envoy", what="ours, relaxed, 1 lane").get("over_rustcrypto"), 5.5, 6.5),
        ("four lanes, ours / RustCrypto",
         row(alone, where="Envoy", what="ours, relaxed, 4 lanes").get("over_rustcrypto"), 9, 10),
        ("one stream, ours / OpenSSL's native vpaes",
         row(alone, where="Envoy", what="ours, relaxed, 1 lane").get("over_openssl_vpaes"), 0.95, 1.05),
        ("end to end, 8 connections, ours / RustCrypto",
         row(whole, connections=8, what=variants.RELAXED).get("over_rustcrypto"), 8, 9),
        ("end to end, CPU per MB, ours / ext_proc with AES-NI",
         row(others, connections=8, what=peers.EXT_PROC).get("ours_over_it_cpu"), 0.8, 0.7),
        ("key, added µs of CPU over a no-op filter", added("key").get("over_noop"), 8, 5),
        ("refusal (bad signature), the same", added("refused: bad signature").get("over_noop"), 8, 5),
        ("playlist of 10,000, ms per MB over a no-op filter", added("playlist, 10,000 segments").get("ms_per_mb"), 3, 1.5),
        ("memory per stream, MB (RSS slope)", grown.get("mb_per_stream"), 0.4, 0.3),
    ]


def show_goals(parts):
    """Where things stand."""
    rows = [[what, table.number(value, 2), str(least), str(aim)] for what, value, least, aim in goals(parts)]
    print("Goals")
    table.show(["what", "measured", "must reach", "aim"], rows)


def main():
    """Measures and shows."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("parts", nargs="*", default=["all"], metavar="|".join([*PARTS, "all"]))
    arguments.add_argument("--rounds", type=int, help="how often everything is measured")
    chosen = arguments.parse_args()
    unknown = set(chosen.parts) - set(PARTS) - {"all"}
    if unknown:
        arguments.error(f"no such part: {' '.join(unknown)}")
    names = list(PARTS) if "all" in chosen.parts else [name for name in PARTS if name in chosen.parts]
    shutil.rmtree(variants.WORK, ignore_errors=True)
    variants.WORK.mkdir(parents=True)
    # However it ends, the proxies and the origin end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found = json.loads(RESULT.read_text()) if RESULT.exists() else {"parts": {}}
    about = machine.describe()
    print(f"{about['cpu']}, {about['cores']} cores; Envoy on core {about['envoy_on']}, load and origin on "
          f"{about['others_on']}; load average {about['load_before']:.2f}")
    if about["load_before"] > BUSY:
        print("DOUBTFUL: others were using this machine when the run began; trust only ratios, and few of those.")
    print()
    for name in names:
        part, rounds = PARTS[name]
        result = part.measure(chosen.rounds or rounds)
        part.show(result)
        found["parts"][name] = {"machine": {**about, "load_after": os.getloadavg()[0]}, **result}
        # At once, so that a later part's failure costs nothing.
        RESULT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    show_goals(found["parts"])
    print(f"everything, with each round's samples: {RESULT.relative_to(variants.ROOT)}")


if __name__ == "__main__":
    main()
