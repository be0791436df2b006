"""Measures the encryption of samples end to end: fragmented MP4 of 8 Mbit/s video and of audio through Envoy with one worker,
beside the encryption of the same files as whole segments."""

import re
import subprocess
from xml.etree import ElementTree

import machine
import nginx
import table
import variants
from load import load
from names import BATCHED, CBCS, CENC, NOOP
from support import places
from viewer import Viewer, get, link, target

NAMES = (NOOP, BATCHED, CBCS, CENC)
# What is asked for: as fragments of 6 s, video with one slice to a picture.
SOURCES = {
    "video": ("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=50,noise=alls=24:allf=t", "-t", "6", "-c:v", "libx264", "-preset", "ultrafast",
              "-threads", "2", "-x264-params", "sliced-threads=0:slices=1", "-b:v", "8M", "-maxrate", "8M", "-bufsize", "8M", "-g", "300"),
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
        fragments = ("-frag_duration", "6000000", "-movflags", "+empty_moov+default_base_moof")
        subprocess.run([places.tool("ffmpeg", install="ffmpeg"), "-v", "error", "-y", *source, *fragments, folder / f"{name}.mp4"],
                       check=True, timeout=120)
        (folder / f"{name}.m3u8").write_text(f"#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{name}.mp4\n#EXT-X-ENDLIST\n")
        (folder / f"{name}.mpd").write_text(
            f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet mimeType="{name}/mp4"><Representation id="0" bandwidth="1">'
            f'<SegmentList><SegmentURL media="{name}.mp4"/></SegmentList></Representation></AdaptationSet></Period></MPD>')
    return folder, {name: (folder / f"{name}.mp4").read_bytes() for name in SOURCES}


def by_mpd(edge, name):
    """The target of a file as its MPD names it, in a session of its own."""
    root = ElementTree.fromstring(get(edge.url + link(f"/{name}.mpd")))
    (media,) = (one.attrib["media"] for one in root.iter() if one.tag.endswith("}SegmentURL"))
    return target(media)


def check(edge, path, plain, scheme):
    """That an Envoy encrypts a file by a scheme."""
    body = get(edge.url + path)
    middle = plain[len(plain) // 2:][:2048]
    # An index at the file's end (mfra) is left out.
    if not re.search(b"enc[av]", body) or scheme not in body or middle in body or len(body) < 0.99 * len(plain):
        raise RuntimeError(f"{edge.name} does not encrypt {path.partition('?')[0]} as it should: nothing to measure")


def measure(count):
    """The part's result: samples by file and name, of so many rounds."""
    folder, files = content()
    origin = nginx.origin(variants.WORK, folder)
    samples = {name: {what: [] for what in NAMES} for name in files}
    try:
        with variants.Fleet(origin.port, NAMES) as edges:
            asked = {}
            for name, body in files.items():
                viewer = Viewer(edges[BATCHED], f"/{name}.m3u8")
                viewer.check(edges[BATCHED], f"/{name}.mp4", body)
                asked[name, NOOP] = f"/{name}.mp4"
                asked[name, BATCHED] = f"/{name}.mp4?{viewer.session}"
                for what, scheme in ((CBCS, b"cbcs"), (CENC, b"cenc")):
                    asked[name, what] = by_mpd(edges[what], name)
                    check(edges[what], asked[name, what], body, scheme)
            for (_, what), path in asked.items():
                load(edges[what], path, 2, 1)  # warm
            for number in range(count):
                for (name, what), path in list(asked.items())[:: -1 if number % 2 else 1]:
                    samples[name][what].append(load(edges[what], path, CONNECTIONS, SECONDS))
    finally:
        origin.stop()
    rows = []
    for name, by_what in samples.items():
        for what, row in by_what.items():
            cell = {key: machine.median(row, key)[0] for key in ("mb_s", "cpu_ms_mb", "resident")}
            cell["over_segments"] = machine.ratio(row, by_what[BATCHED], "cpu_ms_mb")[0]
            cell["added"] = machine.difference(row, by_what[NOOP], "cpu_ms_mb")[0]
            cell["added_over_segments"] = over(by_what, what)
            rows.append({"file": name, "what": what, **cell, "doubtful": machine.median(row, "mb_s")[1]})
    return {"rows": rows, "samples": samples, "bytes": {name: len(body) for name, body in files.items()}}


def over(by_what, what):
    """What a candidate adds to the no-op filter's CPU per MB, in units of what whole segments add; None without a figure."""
    added, segments = (machine.difference(by_what[one], by_what[NOOP], "cpu_ms_mb")[0] for one in (what, BATCHED))
    return added / segments if added is not None and segments else None


def show(result):
    """The part's table."""
    print(f"Samples: fragmented MP4, {CONNECTIONS} connections, Envoy with one worker. CPU is Envoy's alone.")
    table.show(["file", "what", "MB/s", "CPU ms/MB", "÷ whole segments", "over no-op ms/MB", "÷ whole segments", ""], [
        [row["file"], row["what"], table.number(row["mb_s"], 1), table.number(row["cpu_ms_mb"], 3), table.number(row["over_segments"], 2),
         table.number(row["added"], 3), table.number(row["added_over_segments"], 2), "doubtful" if row["doubtful"] else ""]
        for row in result["rows"]])
