"""Compares rewritten MPDs with the same MPDs in lxml and mpegdash: tokens stand exactly in the URLs that lead here.

Run in the repository's root, with the example built:
cargo build -p playlock-dash --example rewrite && target/venv/bin/python -m pytest crates/dash/tests/oracle
It needs the npm package mpd-parser in target/node (or below PLAYLOCK_NODE_MODULES), and pytest, lxml and mpegdash.
"""

import os
import random
import re
import subprocess
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape, quoteattr

import pytest
from lxml import etree
from mpegdash.parser import MPEGDASHParser

ROOT = Path(__file__).parents[4]
REWRITE = ROOT / "target/debug/examples/rewrite"
DOCUMENT = "https://own.example/live/a.mpd"
OWN = "own.example"
TOKEN = "t=$1&s='\""
NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
MPD = f"{{{NAMESPACE}}}"
LAURL = ("{https://dashif.org/CPS}Laurl", "{http://dashif.org/guidelines/clearKey}Laurl")
LEVELS = ("Period", "AdaptationSet", "Representation")
SEGMENTS = ("SegmentBase", "SegmentList", "SegmentTemplate")
FILES = ("SegmentURL", "Initialization", "RepresentationIndex", "BitstreamSwitching")


def rewrite(folder, documents, links, scheme="clear"):
    """The output of each document, or the name of the error."""
    files = []
    for number, document in enumerate(documents):
        files.append(folder / f"{number}.mpd")
        files[-1].write_bytes(document)
    subprocess.run([REWRITE, links, DOCUMENT, scheme, *files], check=True)
    return [output.read_bytes() if (output := Path(f"{file}.out")).exists() else Path(f"{file}.error").read_text()
            for file in files]


def collection():
    """Real documents."""
    modules = Path(os.environ.get("PLAYLOCK_NODE_MODULES", ROOT / "target/node/node_modules"))
    found = sorted((modules / "mpd-parser").rglob("*.mpd"))
    assert len(found) >= 15, f"npm package mpd-parser not found in {modules}: make setup installs it"
    if corpus := os.environ.get("PLAYLOCK_CORPUS"):
        found += sorted(Path(corpus).rglob("*.mpd"))
    return [file.read_bytes() for file in found]


class Generator:
    """Documents in the order of the schema, with all that a URL can be."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.prefix = self.random.choice(["", "", "d:", "mpd:"])
        self.hosts = self.random.choice([[OWN], [OWN], ["cdn.example"], [OWN, "cdn.example"]])

    def pick(self, *choices):
        return self.random.choice(choices)

    def url(self):
        path = self.pick("a", "b/", "../c", "/d/e", "f?g=1&h=2", "i'j", 'k"l', "m;n", "?o=p", "q%20r")
        host = self.random.choice(self.hosts)
        return self.pick(path, path, path, f"https://{host}/{path.lstrip('/')}", f"//{host}/{path.lstrip('/')}")

    def attribute(self, name, value):
        quoted = quoteattr(value) if self.pick(0, 1) else "'" + escape(value, {"'": "&#39;"}) + "'"
        return f"{self.pick(' ', '  ', chr(10))}{name}{self.pick('=', ' = ')}{quoted}"

    def tag(self, name, attributes="", content=""):
        if not content and self.pick(0, 1):
            return f"<{self.prefix}{name}{attributes}/>"
        return f"<{self.prefix}{name}{attributes}>{content}</{self.prefix}{name}>"

    def text(self, url):
        plain = escape(url)
        return self.pick(plain, plain, f"\n {plain} ", f"<![CDATA[{url}]]>", f"<!-- a -->{plain}")

    def bases(self):
        return "".join(self.tag("BaseURL", "", self.text(self.url())) for _ in range(self.pick(0, 0, 0, 1, 1, 2)))

    def segments(self):
        if self.pick(0, 1):
            return ""
        initialization = self.tag("Initialization", self.attribute("sourceURL", self.url()))
        if self.pick(0, 1):
            timeline = self.tag("SegmentTimeline", "", f'<{self.prefix}S t="0" d="2" r="9"/>')
            attributes = self.attribute("media", self.url() + "$Number%05d$") + self.attribute("timescale", "1")
            return self.tag("SegmentTemplate", attributes + self.attribute("initialization", self.url()), timeline)
        urls = "".join(self.tag("SegmentURL", self.attribute("media", self.url())) for _ in range(3))
        return self.tag("SegmentList", "", initialization + urls)

    def level(self, name, attributes, below):
        return self.tag(name, attributes, self.bases() + self.segments() + self.pick("", "\n", "<!-- b -->") + below)

    def set(self):
        mime = self.pick("video/mp4", "audio/mp4", "text/vtt", "application/mp4")
        codecs = {"application/mp4": self.pick("stpp", "avc1.64001f"), "audio/mp4": "mp4a.40.2"}.get(mime, "")
        described = self.attribute("mimeType", mime) + (self.attribute("codecs", codecs) if codecs else "")
        on_set = self.pick(0, 1)
        count = self.pick(1, 2)
        below = "".join(self.level("Representation", self.attribute("id", f"{i}") + ("" if on_set else described), "")
                        for i in range(count))
        return self.level("AdaptationSet", described if on_set else "", below)

    def document(self):
        declared = f'xmlns{":" + self.prefix[:-1] if self.prefix else ""}="{NAMESPACE}"'
        locations = "".join(self.tag("Location", "", self.text(self.url())) for _ in range(self.pick(0, 0, 0, 1)))
        periods = "".join(self.level("Period", "", self.set() + self.set()) for _ in range(self.pick(1, 2)))
        head = self.pick("", "<?xml version='1.0' encoding=\"UTF-8\"?>\n", "\ufeff<!-- c -->")
        return (head + self.tag("MPD", f" {declared}", self.bases() + locations + periods)).encode()


class Mixed(Exception):
    """A reference may lead here or to another host, by the choice of the player."""


def child_urls(element, name):
    return [text(child) for child in element.findall(MPD + name) if text(child)]


def text(element):
    return "".join(element.xpath("text()")).strip()


def own(base, reference):
    return urlsplit(urljoin(base, reference)).hostname == OWN


def leads_here(bases, reference):
    verdicts = {own(base, reference) for base in bases}
    if len(verdicts) > 1:
        raise Mixed
    return verdicts == {True}


def with_token(reference, template=False):
    inserted = TOKEN.replace("$", "$$") if template else TOKEN
    return f"{reference}{'&' if '?' in reference else '?'}{inserted}"


def expected(root):
    """Puts tokens into a tree, with all of it at hand: a reference is looked at under every base that it may get."""
    documents = [DOCUMENT] + [urljoin(DOCUMENT, url) for url in child_urls(root, "Location")]
    walk(root, documents)
    for element in root.iter(*LAURL, MPD + "ContentSteering"):
        if leads_here(documents, text(element)):
            replace(element)
    for element in root.findall(MPD + "Location"):
        if text(element) and own(DOCUMENT, text(element)):
            replace(element)


def walk(level, parents):
    """Returns every base that a reference within the level may get, and handles those in it."""
    bases = parents
    urls = [element for element in level.findall(MPD + "BaseURL") if text(element)]
    if urls:
        bases = [urljoin(base, text(url)) for url in urls for base in parents]
    for url in urls:
        if leads_here(parents, text(url)):
            replace(url)
    everywhere = list(bases)
    for child in level.iterchildren(*(MPD + name for name in LEVELS)):
        everywhere += walk(child, bases)
    for segments in level.iterchildren(*(MPD + name for name in SEGMENTS)):
        attributes(segments, ("media", "initialization", "index", "bitstreamSwitching"), everywhere)
        for file in segments.iterchildren(*(MPD + name for name in FILES)):
            attributes(file, ("media", "index", "sourceURL"), everywhere)
    return everywhere


def attributes(element, names, bases):
    template = element.tag == MPD + "SegmentTemplate"
    if element.tag in (MPD + "SegmentList", MPD + "SegmentBase"):
        return
    for name in names:
        if name in element.attrib and leads_here(bases, element.attrib[name]):
            element.attrib[name] = with_token(element.attrib[name], template)


def replace(element):
    element.text, comments = with_token(text(element)), list(element)
    for comment in comments:
        element.remove(comment)


def flat(root):
    """All that a reader can see, in order; the texts of URLs without comments and white space around them."""
    urls = {MPD + name for name in ("BaseURL", "Location", "ContentSteering")} | set(LAURL)
    for element in root.iter("*"):
        yield element.tag, sorted(element.attrib.items())
        yield text(element) if element.tag in urls else element.xpath("text()")


def without_patches(root):
    for patch in root.findall(MPD + "PatchLocation"):
        # lxml removes the text behind an element with it.
        before = patch.getprevious()
        owner, name = (root, "text") if before is None else (before, "tail")
        setattr(owner, name, (getattr(owner, name) or "") + (patch.tail or ""))
        root.remove(patch)


def compare(document, output):
    try:
        root = etree.fromstring(document)
    except etree.XMLSyntaxError:
        return "faulty"
    if root.tag != MPD + "MPD":
        assert output == "NotMpd"
        return "faulty"
    without_patches(root)
    try:
        expected(root)
    except Mixed:
        assert output == "SeveralHosts", document.decode()
        return "mixed"
    assert isinstance(output, bytes), f"{output}\n{document.decode()}"
    assert list(flat(etree.fromstring(output))) == list(flat(root)), f"{document.decode()}\n{output.decode()}"
    return "tokens" if output != document else "same"


def test_tokens_of_real_documents(tmp_path):
    documents = collection()
    for document, output in zip(documents, rewrite(tmp_path, documents, "query"), strict=True):
        compare(document, output)


def test_tokens_of_generated_documents(tmp_path):
    documents = [Generator(seed).document() for seed in range(1500)]
    outputs = rewrite(tmp_path, documents, "query")
    verdicts = [compare(*pair) for pair in zip(documents, outputs, strict=True)]
    counts = {verdict: verdicts.count(verdict) for verdict in ("tokens", "same", "mixed")}
    assert min(counts.values()) > 40, counts


def test_nothing_changes_without_links(tmp_path):
    documents = [document for document in collection() if b"PatchLocation" not in document]
    documents += [Generator(seed).document() for seed in range(300)]
    for document, output in zip(documents, rewrite(tmp_path, documents, "none"), strict=True):
        assert output in (document, "NotMpd") or output.startswith("Xml"), output


@pytest.mark.parametrize("scheme", ["cbcs", "cenc"])
def test_protection(tmp_path, scheme):
    """Every set of video and audio has the two elements and no other set, and nothing else changes."""
    documents = collection() + [Generator(seed).document() for seed in range(1500)]
    protected = 0
    for document, output in zip(documents, rewrite(tmp_path, documents, "none", scheme), strict=True):
        if not isinstance(output, bytes):
            continue
        before, after = etree.fromstring(document), etree.fromstring(output)
        without_patches(before)
        for adaptation_set in after.iter(MPD + "AdaptationSet"):
            protections = adaptation_set.findall(MPD + "ContentProtection")
            assert len(protections) == (2 if is_media(adaptation_set) else 0), output.decode()
            if protections:
                protected += 1
                check_protection(protections, scheme)
            for element in protections:
                adaptation_set.remove(element)
        assert list(flat(after)) == list(flat(before))
    assert protected > 100


def is_media(adaptation_set):
    representations = adaptation_set.findall(MPD + "Representation")
    if not representations:
        return False
    kinds = set()
    for representation in representations:
        mime = representation.get("mimeType") or adaptation_set.get("mimeType") or ""
        codecs = representation.get("codecs") or adaptation_set.get("codecs") or ""
        kinds.add(mime.startswith(("video/", "audio/")) or (mime == "application/mp4" and codecs.startswith("avc1")))
    assert len(kinds) == 1
    return kinds == {True}


def check_protection(protections, scheme):
    common, clear_key = protections
    assert common.get("schemeIdUri") == "urn:mpeg:dash:mp4protection:2011"
    assert common.get("value") == scheme
    assert common.get("{urn:mpeg:cenc:2013}default_KID") == "a5a5a5a5-a5a5-a5a5-a5a5-a5a5a5a5a5a5"
    assert clear_key.get("schemeIdUri") == "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"
    license_url = "/license?session=1&content=2"
    assert [(child.tag, child.text) for child in clear_key] == [(name, license_url) for name in LAURL]


def test_mpegdash_reads_what_is_written(tmp_path):
    """Of documents without prefixes: mpegdash knows no namespaces."""
    documents = [document for document in collection() + [Generator(seed).document() for seed in range(400)]
                 if b"<MPD" in document]
    seen = 0
    outputs = rewrite(tmp_path, documents, "query", "cbcs")
    for output in outputs:
        if not isinstance(output, bytes):
            continue
        mpd = MPEGDASHParser.parse(re.sub(r"^\ufeff|<\?xml.*?\?>", "", output.decode()))
        for period in mpd.periods:
            for adaptation_set in period.adaptation_sets or ():
                protections = adaptation_set.content_protections or ()
                assert [protection.value for protection in protections] in ([], ["cbcs", "ClearKey1.0"])
                for template in adaptation_set.segment_templates or ():
                    seen += template.media is not None and template.media.endswith(TOKEN.replace("$", "$$"))
    assert seen > 5
