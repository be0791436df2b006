"""Measures how the encryption of samples (cbcs) grows with the size of the fragments: Envoy's CPU per MB and its memory per
stream, for the same video in fragments of several sizes."""

import subprocess

import growth
import table
import variants
from load import load
from names import CBCS
from support import places
from variants import Edge
from viewer import by_mpd, check_samples

# Bytes; and the source's length in seconds, of which the largest fragment is a part.
SIZES = (250_000, 1_000_000, 4_000_000, 16_000_000)
LENGTH = 18
# Memory per stream is the difference between one stream and so many, over all but the first.
STREAMS, SECONDS = 64, 4
TINY = {"SIZES": (250_000, 1_000_000), "LENGTH": 2, "STREAMS": 4, "SECONDS": 1}
FIGURE = "cost"


def write(folder, video):
    """The origin's files: one video, encoded once (`video`: ffmpeg's options), in fragments of each size, and MPDs that lead
    to them."""
    ffmpeg = [places.tool("ffmpeg", install="ffmpeg"), "-v", "error", "-y"]
    source = folder / "source.mp4"
    subprocess.run([*ffmpeg, *video, source], check=True, timeout=300)
    for size in SIZES:
        subprocess.run([*ffmpeg, "-i", source, "-c", "copy", "-frag_size", str(size), "-movflags", "+empty_moov+default_base_moof",
                        folder / f"{size}.mp4"], check=True, timeout=60)
        (folder / f"{size}.mpd").write_text(mpd("video", f"{size}.mp4"))


def mpd(kind, file):
    """An MPD of one file."""
    return (f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet mimeType="{kind}/mp4"><Representation id="0" bandwidth="1">'
            f'<SegmentList><SegmentURL media="{file}"/></SegmentList></Representation></AdaptationSet></Period></MPD>')


def measure(origin, folder, rounds):
    """The result: a fresh Envoy for every size, because a module's memory never shrinks."""
    axis, edges, asked = growth.Axis("fragment bytes", "CPU ms/MB", "cpu_ms_mb", SIZES), [], {}
    per_stream = {}
    try:
        for size in SIZES:
            edges.append(Edge(f"{size} {axis.name}", origin.port, variants.FILES[CBCS], variants.DOCUMENTS[CBCS]))
            asked[size] = edges[-1], by_mpd(edges[-1], str(size))
            check_samples(*asked[size], (folder / f"{size}.mp4").read_bytes(), b"cbcs")
            few = load(*asked[size], 1, SECONDS)["resident"]
            many = load(*asked[size], STREAMS, SECONDS)["resident"]
            per_stream[size] = (many - few) / (STREAMS - 1)
        for number in range(rounds):
            for size in SIZES[:: -1 if number % 2 else 1]:
                axis.samples[size].append(load(*asked[size], STREAMS, SECONDS))
    finally:
        for edge in edges:
            edge.stop()
    rows = [{**row, "per_stream": per_stream[row["at"]]} for row in axis.points()]
    return {"rows": rows, "exponent": axis.exponent(), "streams": STREAMS}


def show(result):
    """The table."""
    print(f"Fragments: the same video under cbcs, {result['streams']} connections, by the size of its fragments.")
    table.show(["fragment bytes", "CPU ms/MB", "MB per stream", "RSS MB", ""], [
        [f"{row['at']:,}", table.number(row["cost"], 3), table.number(row["per_stream"] / 1e6, 3), table.number(row["resident"] / 1e6),
         "doubtful" if row["doubtful"] else ""] for row in result["rows"]])
    verdict = growth.verdict(result["exponent"])
    print(f"  CPU per MB grows as the size's power {result['exponent']:.2f}: {verdict}\n")
