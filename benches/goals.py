"""The project's performance goals, and how a result compares with them."""

import names


def row(part, **wanted):
    """The row of a part's result that has these values; an empty one if there is none."""
    return next((r for r in part.get("rows", []) if all(r.get(name) == value for name, value in wanted.items())), {})


def goals(parts):
    """(name, measured value or None, target, stretch goal) of each goal."""
    kernel, segments, samples, requests, growth, peers = (
        parts.get(name, {}) for name in ("kernel", "segments", "samples", "requests", "growth", "peers"))

    def cipher(lanes):
        return row(kernel, where="Envoy", what=f"playlock, relaxed, {lanes} lane{'s' if lanes > 1 else ''}")

    def whole(what):
        return row(segments, connections=8, what=what)

    def added(case, what=names.RELAXED):
        return row(requests, case=case, what=what)

    longest = added("playlist, 10,000 segments", names.PATH)

    return [
        ("kernel in Envoy, one stream: playlock ÷ RustCrypto", cipher(1).get("over_rustcrypto"), 5.5, 6.5),
        ("kernel in Envoy, four lanes: playlock ÷ RustCrypto", cipher(4).get("over_rustcrypto"), 9, 10),
        ("kernel in Envoy, one stream: playlock ÷ native OpenSSL vector-permute", cipher(1).get("over_openssl_vpaes"), 0.95, 1.05),
        ("end to end, 8 connections: playlock ÷ RustCrypto", whole(names.BATCHED).get("over_rustcrypto"), 8, 9),
        ("end to end, CPU per MB: playlock ÷ ext_proc with AES-NI",
         row(peers, connections=8, what=names.EXT_PROC).get("ours_over_it_cpu"), 0.8, 0.7),
        ("copying and bookkeeping ÷ no-op filter's CPU per MB", whole(names.IDENTITY).get("added_over_noop"), 0.5, 0.25),
        ("cbcs video, CPU per MB: samples ÷ whole segments", row(samples, file="video", what=names.CBCS).get("over_segments"), 0.45, 0.4),
        ("cbcs audio, CPU per MB: samples ÷ whole segments", row(samples, file="audio", what=names.CBCS).get("over_segments"), 1, 0.9),
        ("key: µs of CPU over the no-op filter", added("key").get("over_noop"), 8, 5),
        ("refusal (bad signature): µs of CPU over the no-op filter", added("refused: bad signature").get("over_noop"), 8, 5),
        ("playlist of 10,000 segments: ms of CPU per MB over the no-op filter", added("playlist, 10,000 segments").get("ms_per_mb"), 3, 1.5),
        ("the same with tokens in the path", longest.get("ms_per_mb"), 1.5, 1),
        ("the same with tokens in the path: bytes out ÷ bytes in", longest.get("growth"), 1.1, 1.01),
        ("memory per stream in MB (RSS slope)", growth.get("mb_per_stream"), 0.4, 0.3),
    ]
