"""A small DASH client and a packager: the URLs in an MPD as a player resolves them, and MPDs that ffmpeg makes of the demo."""

import subprocess
from dataclasses import dataclass
from urllib.parse import urljoin
from xml.etree import ElementTree

from support import curl, places

NAMESPACE = "{urn:mpeg:dash:schema:mpd:2011}"
SEGMENTS = ("SegmentTemplate", "SegmentList", "SegmentBase")
# Ways of ffmpeg's packager to address segments.
KINDS = {
    "timeline": ("-use_template", "1", "-use_timeline", "1"),
    "numbers": ("-use_template", "1", "-use_timeline", "0"),
    "list": ("-use_template", "0"),
    "ranges": ("-single_file", "1"),
}


@dataclass
class Representation:
    """A Representation: its base URL, and the elements and attributes with its segments, inner ones first."""

    id: str
    base: str
    elements: list

    def attribute(self, name):
        return next((element.attrib[name] for element in self.elements if name in element.attrib), None)

    def url(self, reference, number=1, time=0):
        """The URL that a reference or template leads to."""
        filled = reference.replace("$RepresentationID$", self.id).replace("$Number$", str(number)) \
            .replace("$Number%05d$", f"{number:05}").replace("$Time$", str(time)).replace("$$", "$")
        return urljoin(self.base, filled)


@dataclass
class Presentation:
    """An MPD: the URL that it came from, its text, and its Representations."""

    url: str
    text: str
    location: str | None
    representations: list


def read(url, text):
    """The MPD `text` that came from `url`."""
    def children(node, name):
        return node.findall(NAMESPACE + name)

    def enter(node, base, elements):
        found = children(node, "BaseURL")
        base = urljoin(base, found[0].text.strip()) if found else base
        return base, [element for name in SEGMENTS for element in children(node, name)] + elements

    root = ElementTree.fromstring(text)
    made = []
    base, none = enter(root, url, [])
    for period in children(root, "Period"):
        in_period = enter(period, base, none)
        for group in children(period, "AdaptationSet"):
            in_group = enter(group, *in_period)
            for node in children(group, "Representation"):
                made.append(Representation(node.attrib["id"], *enter(node, *in_group)))
    location = children(root, "Location")
    return Presentation(url, text, urljoin(url, location[0].text.strip()) if location else None, made)


def fetch(url, headers=None):
    """The MPD at a URL."""
    response = curl.fetch(url, headers)
    assert response.status == 200 and not response.broken, response
    return read(url, response.text)


def package(kind, folder):
    """Packages the demo's programme into a folder as `KINDS` says; the MPD is `x.mpd`."""
    source = places.content() / "ts"
    command = [places.tool("ffmpeg", install="ffmpeg"), "-v", "error", "-nostdin", "-i", str(source / "v180/index.m3u8"),
               "-i", str(source / "audio/index.m3u8"), "-map", "0:v:0", "-map", "1:a:0", "-c", "copy", "-bsf:a", "aac_adtstoasc",
               "-seg_duration", "4", *KINDS[kind], "-f", "dash", "x.mpd"]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
