"""Chromium and Firefox, each one process that plays many MPDs by Shaka and dash.js, several at a time."""

import base64
import hashlib
import json
from pathlib import Path

from browser import Driver
from live import Files
from support import places

PROGRAMS = {
    "Chromium": ("chrome", ("chromium", "chromium-browser", "google-chrome"), "chromium"),
    "Firefox": ("firefox", ("firefox-esr", "firefox"), "firefox-esr"),
}
SCRIPTS = {
    "Shaka": ("shaka-player", "dist/shaka-player.compiled.js"), "dash.js": ("dashjs", "dist/modern/umd/dash.all.min.js"),
}
HTML = """<!doctype html><meta charset="utf-8"><title>player</title><link rel="icon" href="data:,">
<style>body { margin: 0; overflow: hidden; background: #000 } video { display: block } div { position: absolute; top: 0 }</style>
<video muted width="320" height="180"></video><div></div>
<script src="PLAYER.js"></script><script src="dash_page.js"></script>
"""


def page():
    """The files of the pages in which the players run. They come from the stream's own site, so that nothing here depends on
    CORS or on cookies of other sites."""
    files = {"dash_page.js": Path(__file__).with_name("dash_page.js").read_bytes()}
    for player, (package, path) in SCRIPTS.items():
        files[f"{player}.html"] = HTML.replace("PLAYER", player).encode()
        files[f"{player}.js"] = (places.node_modules(package) / path).read_bytes()
    return Files(files)


class DashBrowser(Driver):
    """Drives dash.mjs with the browser of a name."""

    def __init__(self, name, log):
        browser, programs, install = PROGRAMS[name]
        how = {"modules": str(places.node_modules("puppeteer-core").parent), "browser": browser,
               "program": places.tool(*programs, install=install)}
        script = Path(__file__).with_name("dash.mjs")
        super().__init__([places.tool("node", install="nodejs"), str(script), json.dumps(how)], log)

    def play(self, player, site, url, times, folder="page", **options):
        """The report of a play of `url`, by the page in a folder of `site`; `pictures` are hashes of the screenshots at these
        times."""
        report = self.ask(options["seconds"], player=player, page=f"{site}/{folder}/{player}.html", url=url, times=times, **options)
        report["pictures"] = [hashlib.sha256(base64.b64decode(picture)).hexdigest() for picture in report["pictures"]]
        return report
