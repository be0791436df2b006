"""ffmpeg, GStreamer and VLC: each decodes a stream as fast as it arrives and reports every frame."""

import hashlib
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import programme
from support import places


@dataclass
class Outcome:
    """The result of a play: whether it came to its end, how many frames were decoded, their digest if there is one, and
    warnings after which the player continued."""

    ended: bool
    frames: int
    digest: str | None = None
    cues: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    report: dict = field(default_factory=dict, repr=False)  # all a browser's player said
    warnings: list = field(default_factory=list)


class Native:
    """The three, with a home of their own."""

    def __init__(self, home):
        self.home = Path(home)
        self.environment = {**{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
                            "HOME": str(self.home), "GST_REGISTRY": str(self.home / "gstreamer.bin")}
        self.gst = places.tool("gst-launch-1.0", install="gstreamer1.0-tools gstreamer1.0-plugins-{base,good,bad} gstreamer1.0-libav")
        self.ffmpeg = places.tool("ffmpeg", install="ffmpeg")
        self.vlc = places.tool("vlc", install="vlc-bin vlc-plugin-base")
        if os.geteuid() == 0:
            # VLC does not run as root and asks geteuid for that; a copy asks something else.
            copy = self.home / "vlc"
            copy.write_bytes(Path(self.vlc).read_bytes().replace(b"geteuid", b"getppid"))
            copy.chmod(0o755)
            self.vlc = str(copy)
        self.run([self.gst, "--version"], 60)  # reads all plug-ins once, before several start at the same time

    def run(self, command, seconds):
        """(exit status or None if it had to be ended, standard output, standard error)."""
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=complaints, env=self.environment)
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                status = None
            output.seek(0)
            complaints.seek(0)
            return status, output.read(), complaints.read().decode(errors="replace")

    def versions(self):
        lines = {
            "ffmpeg": self.run([self.ffmpeg, "-version"], 60)[1], "GStreamer": self.run([self.gst, "--version"], 60)[1],
            "VLC": self.run([self.vlc, "--version"], 60)[1],
        }
        return {name: re.search(r"(?<![-\w.])\d+\.\d+\.\d+(\.\d+)*", text.decode())[0] for name, text in lines.items()}

    def play(self, player, url, seconds, subtitles=False):
        return {"ffmpeg": self.by_ffmpeg, "GStreamer": self.by_gstreamer, "VLC": self.by_vlc}[player](url, seconds, subtitles)

    def by_ffmpeg(self, url, seconds, subtitles):
        status, output, complaints = self.run([*self.reading(url), "-map", "0:v", "-map", "0:a", "-map", "0:s?", "-c:s", "copy",
                                                "-f", "framehash", "-"], seconds)
        lines = [line for line in output.decode().splitlines() if not line.startswith("#")]
        frames = [line for line in lines if line.startswith("0,")]
        cues = [line for line in lines if line.startswith("2,")]
        return Outcome(status == 0, len(frames), digest(lines), cues, complaints.splitlines())

    def reading(self, url, *options):
        return [self.ffmpeg, "-v", "error", "-nostdin", "-threads", "1", *options, "-protocol_whitelist", "file,http,tcp,crypto", "-i", url]

    def frames(self, url, seconds, *options, key=None):
        """What ffmpeg decodes, and decrypts if there is a key: (exit status, {stream: hashes of its frames in order},
        complaints)."""
        decryption = ["-cenc_decryption_key", key] if key else []
        status, output, complaints = self.run([*self.reading(url, *decryption), "-fps_mode", "passthrough", *options, "-f", "framemd5", "-"],
                                              seconds)
        frames = {}
        for line in output.decode().splitlines():
            if not line.startswith("#"):
                frames.setdefault(line.partition(",")[0], []).append(line.rpartition(",")[2].strip())
        return status, frames, complaints.splitlines()

    def cues(self, url, seconds):
        """The subtitles that ffmpeg finds."""
        _, output, _ = self.run([*self.reading(url), "-map", "0:s", "-f", "webvtt", "-"], seconds)
        return re.findall(r"second \d+", output.decode())

    def by_gstreamer(self, url, seconds, subtitles):
        sinks = ["video-sink=checksumsink sync=false", "audio-sink=fakesink sync=false",
                 f"text-sink=fakesink sync=false dump={'true' if subtitles else 'false'}"]
        status, output, complaints = self.run([self.gst, "-q", "playbin3", f"uri={url}", *sinks], seconds)
        frames = re.findall(r"^\d+:\d\d:\d\d\.\d+ ([0-9a-f]{40})$", output.decode(), re.M)
        dump = "".join(re.findall(r"^[0-9a-f]{8} \(0x[0-9a-f]+\): (?:[0-9a-f]{2} )+ +(.*?) *$", output.decode(), re.M))
        cues = re.findall(r"second \d+", dump.replace("second", "\nsecond"))
        return Outcome(status == 0, len(frames), digest(frames), cues, [l for l in complaints.splitlines() if "ERROR" in l])

    def by_vlc(self, url, seconds, subtitles):
        # The pictures as they are, one after the other; subtitles as the MP4 boxes they are inside VLC.
        chain = "#transcode{vcodec=I420}:std{access=file,mux=dummy,dst=-}"
        options = ["-I", "dummy", "--no-sout-audio", "--sub-track=0" if subtitles else "--no-sout-spu"]
        status, output, complaints = self.run([self.vlc, *options, "--sout", chain, url, "vlc://quit"], seconds)
        # It also misses a desktop, a sound card and a remote control.
        errors = [line for line in complaints.splitlines() if re.search(r"(adaptive|http|input|decoder|ts|mp4).* error", line)]
        # A box says how long it is; what follows the line is padding that VLC should have taken off (see docs/players.md).
        boxes = re.finditer(rb"(\0\0\0.)payl", output)
        texts = (output[box.end():box.end() + int.from_bytes(box[1], "big") - 8].decode() for box in boxes)
        cues = [text.partition("\n")[0] for text in texts]
        size = programme.WIDTH * programme.HEIGHT * 3 // 2
        return Outcome(status == 0, len(output) // size, None if subtitles else digest([output]), cues, errors)


def digest(pieces):
    made = hashlib.sha256()
    for piece in pieces:
        made.update(piece if isinstance(piece, bytes) else piece.encode() + b"\n")
    return made.hexdigest()
