"""The demo's programme as Shaka Packager encrypts it with keys of playlock's key server, and as a packager that reads CPIX signals
it: what the document has for each track and DRM system stands in MPD and playlists as it came. A package is {path: bytes}."""

import functools
import re
import tempfile
import urllib.request
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import dash_programme
from support.packaging import programme

TOKEN = "7d0fc1a2b3c4d5e6f708192a3b4c5d6e"  # of the packager, at the key server
MPD = "film.mpd"
TRACKS = {"video": "SD", "audio": "AUDIO"}
KIDS = {"video": "98ee5596-cd3e-420d-963a-e382420c6eff", "audio": "53abdba2-f210-43cb-bc90-f18f9a890a02"}
SAMPLE_AES, CLEAR_KEY, COMMON = (
    "be58615b-19c4-4684-88b3-c8c57e99e957", "e2719d58-a985-b3c9-781a-b030af78d30e", "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b")
# The multivariant playlists of a package, by the system whose lines stand in it and in its media playlists.
PLAYLISTS = {"identity.m3u8": SAMPLE_AES, "clearkey.m3u8": CLEAR_KEY}

CPIX, PSKC = "{urn:dashif:org:cpix}", "{urn:ietf:params:xml:ns:keyprov:pskc}"
HLS = '<HLSSignalingData playlist="media"/><HLSSignalingData playlist="master"/>'
GAPS = {SAMPLE_AES: HLS, CLEAR_KEY: f"<ContentProtectionData/>{HLS}", COMMON: "<PSSH/><ContentProtectionData/>"}
FILTERS = {"video": "<VideoFilter/>", "audio": "<AudioFilter/>"}


@dataclass(frozen=True)
class Key:
    """A track's key, and what players are told of it: fragments of an MPD by system, lines of playlists by (system, kind)."""

    kid: str
    key: str
    iv: str
    protections: dict
    lines: dict


def asked(content, scheme):
    """The document that a packager posts for both tracks."""
    keys = "".join(f'<ContentKey kid="{kid}" commonEncryptionScheme="{scheme}"/>' for kid in KIDS.values())
    systems = "".join(f'<DRMSystem kid="{kid}" systemId="{system}">{gaps}</DRMSystem>'
                      for kid in KIDS.values() for system, gaps in GAPS.items())
    rules = "".join(f'<ContentKeyUsageRule kid="{KIDS[track]}" intendedTrackType="{label}">{FILTERS[track]}</ContentKeyUsageRule>'
                    for track, label in TRACKS.items())
    return (f'<CPIX xmlns="urn:dashif:org:cpix" contentId="{content}" version="2.3"><ContentKeyList>{keys}</ContentKeyList>'
            f"<DRMSystemList>{systems}</DRMSystemList><ContentKeyUsageRuleList>{rules}</ContentKeyUsageRuleList></CPIX>").encode()


def keys(server, content, scheme):
    """The tracks' keys, from the key server at this URL."""
    headers = {"X-Speke-Version": "2.0", "Content-Type": "application/xml", "x-playlock-speke-token": TOKEN}
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(urllib.request.Request(server, asked(content, scheme), headers), timeout=30) as answer:
        root = ElementTree.fromstring(answer.read())

    def text(element):
        return b64decode(element.text)

    made = {}
    for track, kid in KIDS.items():
        content_key = root.find(f".//{CPIX}ContentKey[@kid='{kid}']")
        protections, lines = {}, {}
        for system in root.iterfind(f".//{CPIX}DRMSystem[@kid='{kid}']"):
            name = system.get("systemId")
            for fragment in system.iterfind(f"{CPIX}ContentProtectionData"):
                protections[name] = text(fragment).decode()
            for line in system.iterfind(f"{CPIX}HLSSignalingData"):
                lines[name, line.get("playlist")] = text(line).decode().strip()
        made[track] = Key(kid, text(content_key.find(f".//{PSKC}PlainValue")).hex(),
                          b64decode(content_key.get("explicitIV")).hex(), protections, lines)
    return made


@functools.cache
def sources():
    """The programme's tracks."""
    with tempfile.TemporaryDirectory() as folder:
        return [programme(Path(folder), name).read_bytes() for name in ("v180", "audio")]


def packed(*options):
    """What Shaka Packager makes of the programme: an MPD, playlists, and segments that both share."""
    def write(files, folder):
        streams = [f"in={file},stream={track},init_segment={folder}/{track}/init.mp4,segment_template={folder}/{track}/$Number$.m4s,"
                   f"playlist_name={track}.m3u8" for file, track in zip(files, TRACKS)]
        dash_programme.packager(*streams, "--segment_duration", 4, "--generate_static_live_mpd", *options, "--mpd_output", folder / MPD,
                                "--hls_master_playlist_output", folder / "film.m3u8")

    return dash_programme.packed(write, sources())


def encrypted(server, content, scheme):
    """The programme, encrypted, with both tracks' keys in its MPD and in two sets of playlists."""
    of = keys(server, content, scheme)
    named = ",".join(f"label={TRACKS[track]}:key_id={key.kid.replace('-', '')}:key={key.key}:iv={key.iv}" for track, key in of.items())
    package = packed("--enable_raw_key_encryption", "--keys", named, "--protection_scheme", scheme, "--protection_systems",
                     "CommonSystem", "--clear_lead", 0)
    package[MPD] = signalled(package[MPD].decode(), of).encode()
    playlists = {name: package.pop(name).decode() for name in ("film.m3u8", *(f"{track}.m3u8" for track in TRACKS))}
    for name, system in PLAYLISTS.items():
        for track, key in of.items():
            # Of cenc, the packager itself tells HLS players nothing.
            text = re.sub(r"^#EXT-X-KEY:.*\n", "", playlists[f"{track}.m3u8"], flags=re.M)
            package[f"{track}-{name}"] = re.sub(r"^(#EXT-X-MAP:.*)$", rf"\1\n{key.lines[system, 'media']}", text, flags=re.M).encode()
        session = "\n".join(key.lines[system, "master"] for key in of.values())
        master = re.sub(r"\b(video|audio)\.m3u8", rf"\1-{name}", playlists["film.m3u8"])
        package[name] = re.sub(r"^(#EXT-X-MEDIA:)", rf"{session}\n\1", master, count=1, flags=re.M).encode()
    return package


def signalled(mpd, of):
    """The MPD with a ContentProtection of DASH-IF ClearKey for each track, after that of the scheme."""
    for key in of.values():
        mpd, number = re.subn(
            rf'(<ContentProtection [^>]*cenc:default_KID="{key.kid}"[^>]*?(?:/>|>\s*</ContentProtection>))',
            lambda found: f'{found[1]}<ContentProtection schemeIdUri="urn:uuid:{CLEAR_KEY}" value="ClearKey1.0">'
                          f"{key.protections[CLEAR_KEY]}</ContentProtection>", mpd)
        assert number == 1, mpd
    return mpd
