"""Plays a URL: the frames that ffmpeg decodes, and the report of hls.js in Chromium."""

import json
import os
import subprocess

from support import places


def frames(url, *maps):
    """The hash of every decoded frame of every video and audio rendition (or of the streams of `maps`), by ffmpeg."""
    command = [places.tool("ffmpeg", install="ffmpeg"), "-v", "error", "-nostdin", "-threads", "1",
               "-protocol_whitelist", "http,tcp,crypto", "-i", url, *(maps or ("-map", "0:v", "-map", "0:a")), "-f", "framehash", "-"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0 and not run.stderr, run.stderr
    return [line for line in run.stdout.splitlines() if not line.startswith("#")]


def packets(url):
    """The hash of every frame of the video as it is coded, which costs little."""
    return frames(url, "-map", "0:v", "-c", "copy")


def played(url, profile, **how):
    """The report of hls.js in headless Chromium after playing a URL; `how`: further options of play.mjs."""
    how = {
        "modules": str(places.node_modules("hls.js").parent),
        "chromium": places.tool("chromium", "chromium-browser", "google-chrome", install="chromium"),
        "profile": str(profile), "url": url, "rate": 8, **how,
    }
    places.node_modules("playwright-core")
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    run = subprocess.run([places.tool("node", install="nodejs"), str(places.REPOSITORY / "tests/envoy/play.mjs"), json.dumps(how)],
                         capture_output=True, text=True, timeout=120, env=environment)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def elsewhere(page):
    """The same page on another host, which for cookies is another site, too."""
    return page.replace("127.0.0.1", "localhost")
