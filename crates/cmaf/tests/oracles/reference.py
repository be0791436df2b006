"""Encrypts single samples after ISO/IEC 23001-7, with pycryptodome: an implementation that shares nothing with the crate."""

import itertools
import math

from Crypto.Cipher import AES
from Crypto.Util import Counter

NAL = {b"avc1", b"avc3", b"hvc1", b"hev1"}
TEXT = {b"wvtt", b"stpp"}
LEAD = 4 + 32


def ranges(kind, data, scheme, coverage):
    """The (clear, protected) pairs of a sample, however many bytes are clear. `coverage`: percent."""
    if kind in TEXT:
        return [(len(data), 0)]
    if kind not in NAL:
        return [(0, len(data))]
    found, clear, at = [], 0, 0
    while at < len(data):
        whole = 4 + int.from_bytes(data[at : at + 4], "big")
        behind = max(whole - LEAD, 0)
        behind -= behind % 16 if scheme == "cenc" else 0
        behind = behind if behind >= 16 else 0
        protected = 16 * math.ceil(behind // 16 * coverage / 100) if scheme == "cenc" else behind
        clear += whole - behind
        if protected:
            found.append((clear, protected))
            clear = behind - protected
        at += whole
    assert at == len(data)
    return found + [(clear, 0)] if clear else found


def split(pairs):
    """The same pairs as `senc` holds them: clear bytes have 16 bits."""
    for clear, protected in pairs:
        while clear > 0xFFFF:
            yield 0xFFFF, 0
            clear -= 0xFFFF
        yield clear, protected


def poly1305(key, blocks):
    """RFC 8439 section 2.5, of whole blocks."""
    factor, total = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF, 0
    for block in blocks:
        total = (total + int.from_bytes(block, "little") + 2**128) * factor % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def groups(samples):
    """The samples of a fragment, group by group: a group ends before the sample with which it would pass 64 KiB."""
    group = []
    for sample in samples:
        if group and sum(map(len, group)) + len(sample) > 65536:
            yield group
            group = []
        group.append(sample)
    if group:
        yield group


def sample_ivs(kind, samples, secret, coverage):
    """The IVs of a fragment's samples under cenc, as the crate's documentation defines them."""
    for group in groups(samples):
        blocks, befores = [], []
        for data in group:
            befores.append(sum(len(text) for text in blocks) // 16 - len(befores))
            protected, at = b"", 0
            for clear, length in ranges(kind, data, "cenc", coverage):
                at += clear + length
                protected += data[at - length : at]
            blocks.append(protected + bytes(-len(protected) % 16) + len(protected).to_bytes(16, "little"))
        text = b"".join(blocks)
        digest = poly1305(secret[:32], [text[at : at + 16] for at in range(0, len(text), 16)])
        begin = AES.new(secret[32:], AES.MODE_ECB).encrypt(digest)[:12]
        yield from (begin + before.to_bytes(4, "big") for before in befores)


def all_ivs(kind, samples, secret, coverage):
    """The IVs of all samples of `mp4.samples`, which know their fragments."""
    for _, fragment in itertools.groupby(samples, lambda sample: sample["fragment"]):
        yield from sample_ivs(kind, [sample["data"] for sample in fragment], secret, coverage)


def pattern(coverage):
    """The sparsest pattern of one block in so many, up to ten, that covers so many percent."""
    return max(every for every in range(1, 11) if 100 / every >= min(max(coverage, 10), 100))


def encrypt(kind, data, scheme, key, iv, coverage):
    """The encrypted sample."""
    out, at = bytearray(data), 0
    if scheme == "cenc":
        block = iv.ljust(16, b"\0")
        low = Counter.new(64, prefix=block[:8], initial_value=int.from_bytes(block[8:], "big"), allow_wraparound=True)
        counter = AES.new(key, AES.MODE_CTR, counter=low)
    for clear, protected in ranges(kind, data, scheme, coverage):
        at += clear
        if scheme == "cenc":
            out[at : at + protected] = counter.encrypt(bytes(out[at : at + protected]))
        else:
            cipher, step = AES.new(key, AES.MODE_CBC, iv), 16 * pattern(coverage) if kind in NAL else 16
            for block in range(at, at + protected - 15, step):
                out[block : block + 16] = cipher.encrypt(bytes(out[block : block + 16]))
        at += protected
    return bytes(out)
