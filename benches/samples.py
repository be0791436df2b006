"""Measures the encryption of samples end to end: fragmented MP4 of 8 Mbit/s video and of audio through Envoy with one worker,
beside the encryption of the same files as whole segments, by playlock and by its peers; and its growth with the size of fragments."""

import contextlib
import subprocess

import fragments
import machine
import nginx
import peers
import table
import variants
from load import load
from names import BATCHED, CBCS, CENC, NOOP
from support import places
from viewer import Viewer, by_mpd, check_samples

NAMES = (NOOP, BATCHED, CBCS, CENC)
SCHEMES = {CBCS: b"cbcs", CENC: b"cenc"}
# ffmpeg's options for a video of 8 Mbit/s with one slice to a picture.
VIDEO = ("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=50,noise=alls=24:allf=t", "-c:v", "libx264", "-preset", "ultrafast",
         "-threads", "2", "-x264-params", "sliced-threads=0:slices=1", "-b:v", "8M", "-maxrate", "8M", "-bufsize", "8M", "-g", "300")
# The files, as fragments of 6 s.
SOURCES = {
    "video": (*VIDEO, "-t", "6"),
    "audio": ("-f", "lavfi", "-i", "anoisesrc=r=48000:d=240", "-c:a", "aac", "-b:a", "128k"),
}
CONNECTIONS, SECONDS = 8, 2
TINY = {"SECONDS": 1, "SOURCES": {"audio": SOURCES["audio"]}}
FIGURE = "cpu_ms_mb"


def content():
    """The origin's folder: each file, with a playlist and an MPD that lead to it. Returns the files' bytes by name."""
    folder = variants.WORK / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in SOURCES.items():
        fragmented = ("-frag_duration", "6000000", "-movflags", "+empty_moov+default_base_moof")
        subprocess.run([places.tool("ffmpeg", install="ffmpeg"), "-v", "error", "-y", *source, *fragmented, folder / f"{name}.mp4"],
                       check=True, timeout=120)
        (folder / f"{name}.m3u8").write_text(f"#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{name}.mp4\n#EXT-X-ENDLIST\n")
        (folder / f"{name}.mpd").write_text(fragments.mpd(name, f"{name}.mp4"))
    fragments.write(folder, (*VIDEO, "-t", str(fragments.LENGTH)))
    return folder, {name: (folder / f"{name}.mp4").read_bytes() for name in SOURCES}


@contextlib.contextmanager
def candidates(origin):
    """Everything that is compared, by name, in front of this origin; ended together, whatever happens."""
    with variants.Fleet(origin.port, NAMES) as edges, contextlib.ExitStack() as ended:
        others = [kind(origin.port) for kind in peers.KINDS]
        for peer in others:
            ended.callback(peer.stop)
        yield {**edges, **{peer.name: peer for peer in others}}


def targets(edges, files):
    """The target of each file and candidate, which has shown that it does what is to be measured."""
    asked = {}
    for name, body in files.items():
        path = f"/{name}.mp4"
        viewer = Viewer(edges[BATCHED], f"/{name}.m3u8")
        viewer.check(edges[BATCHED], path, body)
        for what, edge in edges.items():
            asked[name, what] = path
            if what == BATCHED:
                asked[name, what] = f"{path}?{viewer.session}"
            elif what in SCHEMES:
                asked[name, what] = by_mpd(edge, name)
                check_samples(edge, asked[name, what], body, SCHEMES[what])
            elif what != NOOP:
                peers.check(edge, path, body)
    return asked


def measure(count):
    """The part's result: samples by file and name, of so many rounds; and by the size of fragments."""
    folder, files = content()
    origin = nginx.origin(variants.WORK, folder)
    try:
        with candidates(origin) as edges:
            asked, samples = targets(edges, files), {name: {what: [] for what in edges} for name in files}
            for (_, what), path in asked.items():
                load(edges[what], path, 2, 1)  # warm
            for number in range(count):
                for (name, what), path in list(asked.items())[:: -1 if number % 2 else 1]:
                    samples[name][what].append(load(edges[what], path, CONNECTIONS, SECONDS))
        grown = fragments.measure(origin, folder, count)
    finally:
        origin.stop()
    rows = []
    for name, by_what in samples.items():
        for what, row in by_what.items():
            cell = {key: machine.median(row, key)[0] for key in ("mb_s", "cpu_ms_mb", "resident")}
            cell["over_segments"] = machine.ratio(row, by_what[BATCHED], "cpu_ms_mb")[0]
            cell["cbcs_over_it"] = machine.ratio(by_what[CBCS], row, "cpu_ms_mb")[0]
            # A peer does without the no-op filter, too.
            ours = what in NAMES
            cell["added"] = machine.difference(row, by_what[NOOP], "cpu_ms_mb")[0] if ours else None
            cell["added_over_segments"] = over(by_what, what) if ours else None
            rows.append({"file": name, "what": what, **cell, "doubtful": machine.median(row, "mb_s")[1]})
    return {"rows": rows, "samples": samples, "bytes": {name: len(body) for name, body in files.items()}, "fragments": grown}


def over(by_what, what):
    """A candidate's CPU per MB over the no-op filter's, in units of that of whole segments; None without a figure."""
    added, segments = (machine.difference(by_what[one], by_what[NOOP], "cpu_ms_mb")[0] for one in (what, BATCHED))
    return added / segments if added is not None and segments else None


def show(result):
    """The part's tables."""
    print(f"Samples: fragmented MP4, {CONNECTIONS} connections, Envoy with one worker. CPU is Envoy's alone; the peers encrypt\n"
          "whole files, and their helpers' CPU counts.")
    table.show(["file", "what", "MB/s", "CPU ms/MB", "÷ whole segments", "cbcs ÷ it", "over no-op ms/MB", "÷ whole segments", "RSS MB", ""], [
        [row["file"], row["what"], table.number(row["mb_s"], 1), table.number(row["cpu_ms_mb"], 3), table.number(row["over_segments"], 2),
         table.number(row["cbcs_over_it"], 2), table.number(row["added"], 3), table.number(row["added_over_segments"], 2),
         table.number(row["resident"] / 1e6), "doubtful" if row["doubtful"] else ""] for row in result["rows"]])
    fragments.show(result["fragments"])
