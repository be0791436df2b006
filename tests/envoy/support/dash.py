"""A small DASH client and a packager: the URLs in an MPD as a player resolves them, a viewer with a license, and MPDs that ffmpeg
makes of the demo."""

import json
import re
import subprocess
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from functools import partial
from urllib.parse import urljoin
from xml.etree import ElementTree

from support import curl, places, tokens

NAMESPACE = "{urn:mpeg:dash:schema:mpd:2011}"
PROTECTION = "urn:mpeg:dash:mp4protection:2011"
SEGMENTS = ("SegmentTemplate", "SegmentList", "SegmentBase")
# Ways of ffmpeg's packager to address segments.
KINDS = {
    "timeline": ("-use_template", "1", "-use_timeline", "1"),
    "numbers": ("-use_template", "1", "-use_timeline", "0"),
    "list": ("-use_template", "0"),
    "file": ("-single_file", "1"),
}
# What ffmpeg 5.1 reports of plain presentations that it plays to their end, too.
HARMLESS = ("Error when loading first fragment of playlist", "Cannot get fragment, missing template URL", "Last message repeated")
# Files with an index, which ffmpeg plays but does not write.
FILES = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT24S" minBufferTime="PT4S"
 profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>
<AdaptationSet mimeType="video/mp4"><Representation id="0" bandwidth="68990" codecs="avc1.4d400d">
<BaseURL>x-stream0.mp4</BaseURL><SegmentBase indexRange="0-99"/></Representation></AdaptationSet>
<AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="21152" codecs="mp4a.40.2">
<BaseURL>x-stream1.mp4</BaseURL><SegmentBase indexRange="0-99"/></Representation></AdaptationSet>
</Period></MPD>
"""


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
    response: curl.Response | None = None


def read(url, text, response=None):
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
    return Presentation(url, text, urljoin(url, location[0].text.strip()) if location else None, made, response)


def follow(url, get=curl.fetch):
    """The response at a URL or where it redirects to, and that URL."""
    response = get(url)
    if response.status == 302:
        url = urljoin(url, response.header("location"))
        response = get(url)
    return response, url


def fetch(url, get=curl.fetch):
    """The MPD at a URL."""
    response, url = follow(url, get)
    assert response.status == 200 and not response.broken, response
    return read(url, response.text, response)


class Viewer:
    """A viewer of an MPD over a version of HTTP: the URL that it ended at, its text, and what identifies the session."""

    def __init__(self, edge, path, http="1.1"):
        self.get = partial(edge.get, http=http)
        response = self.get(edge.link(path, tokens.by_python(acl=path.rpartition("/")[0] + "/*"), http=http))
        self.url = edge.base(http) + path
        assert response.status == 200 and not response.broken, response
        in_path = re.search(r"<BaseURL>[^<]*(/~[^/<]+)/", response.text)
        if in_path:
            self.url = edge.base(http) + in_path[1] + path
        cookies = [cookie.partition(";")[0] for cookie in response.all("set-cookie")]
        self.headers = {"Cookie": "; ".join(cookies)} if cookies else {}
        self.mpd = read(self.url, response.text)
        root = ElementTree.fromstring(response.text)
        self.kids = {one.attrib["{urn:mpeg:cenc:2013}default_KID"] for one in root.iter(f"{NAMESPACE}ContentProtection")
                     if one.attrib["schemeIdUri"] == PROTECTION}
        named = re.search(r"[?&;](hdntl=[^&\"<]+)", response.text)
        if named:
            self.url += f"?{named[1]}"
        self.licenses = {one.text for one in root.iter() if one.tag.endswith("}Laurl")}

    def key(self):
        """The key of the license, in hex, and its key ID."""
        (url,), (kid,) = self.licenses, self.kids
        answer = self.get(url, {**self.headers, "content-type": "application/json"}, method="POST", body=b'{"kids":[]}')
        assert answer.status == 200, answer
        (key,) = json.loads(answer.body)["keys"]
        digits = {name: urlsafe_b64decode(key[name] + "==").hex() for name in ("kid", "k")}
        assert digits["kid"] == kid.replace("-", "")
        return digits["k"], digits["kid"]

    def file(self, representation, numbers):
        """The init section and some segments of a template, one after another."""
        urls = [representation.url(representation.attribute("initialization"))]
        urls += [representation.url(representation.attribute("media"), number) for number in numbers]
        bodies = [self.get(url, self.headers) for url in urls]
        assert all(body.status == 200 and not body.broken for body in bodies)
        return b"".join(body.body for body in bodies)


def package(kind, folder):
    """Packages the demo's programme into a folder as `KINDS` says; the MPD is `x.mpd`."""
    source = places.content() / "cmaf"
    command = [places.tool("ffmpeg", install="ffmpeg"), "-v", "error", "-nostdin", "-i", str(source / "v180/index.m3u8"),
               "-i", str(source / "audio/index.m3u8"), "-map", "0:v:0", "-map", "1:a:0", "-c", "copy",
               "-seg_duration", "4", *KINDS[kind], "-f", "dash", "x.mpd"]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    if kind == "file":
        (folder / "x.mpd").write_text(FILES)


def frames(url, *before):
    """The hash of every decoded frame of video and audio, by ffmpeg. `before`: options of the input."""
    command = [places.tool("ffmpeg", install="ffmpeg"), "-v", "error", "-nostdin", "-threads", "1",
               "-protocol_whitelist", "http,tcp,crypto", *before, "-i", url, "-map", "0:v", "-map", "0:a", "-f", "framehash", "-"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    errors = [line for line in run.stderr.splitlines() if not any(known in line for known in HARMLESS)]
    assert run.returncode == 0 and not errors, run.stderr
    return [line for line in run.stdout.splitlines() if not line.startswith("#")]
