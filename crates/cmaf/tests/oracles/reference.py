"""Encrypts single samples after ISO/IEC 23001-7, with pycryptodome: an implementation that shares nothing with the crate."""

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


def sample_iv(base, number, size):
    """The IV of a sample under cenc, as the crate's documentation defines it."""
    if size == 8:
        return ((int.from_bytes(base, "big") + number) % 2**64).to_bytes(8, "big")
    return base + number.to_bytes(4, "big") + bytes(4)


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
