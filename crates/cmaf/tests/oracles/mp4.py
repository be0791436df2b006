"""Reads the samples of fragmented MP4 files: a small reader that shares nothing with the crate's."""

import struct

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf", b"sinf", b"schi"}


def boxes(data, start=0, end=None):
    """Yields (type, start, start of the body, end) of the boxes one after another."""
    end = len(data) if end is None else end
    while start < end:
        size, kind = struct.unpack_from(">I4s", data, start)
        header = 8
        if size == 1:
            size, header = struct.unpack_from(">Q", data, start + 8)[0], 16
        size = size or end - start
        assert size >= header and start + size <= end, (kind, size)
        yield kind, start, start + header, start + size
        start += size


def find_all(data, *path, start=0, end=None):
    """Yields (start of the body, end) of every box at the path of types."""
    for kind, _, body, stop in boxes(data, start, end):
        if kind == path[0]:
            if len(path) == 1:
                yield body, stop
            else:
                yield from find_all(data, *path[1:], start=body, end=stop)


def entry(data):
    """The type and the bytes of the first sample entry, as it was before encryption."""
    ((body, stop),) = find_all(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    kind, _, start, end = next(boxes(data, body + 8, stop))
    if kind in (b"encv", b"enca"):
        at = data.index(b"frma", start)
        kind = data[at + 4 : at + 8]
    return kind, data[start:end]


def senc(data, start, end, iv_size):
    """The (IV, ranges) of every sample of a `senc`."""
    flags, count = struct.unpack_from(">II", data, start)
    at, found = start + 8, []
    for _ in range(count):
        iv, at = data[at : at + iv_size], at + iv_size
        ranges = None
        if flags & 2:
            number = struct.unpack_from(">H", data, at)[0]
            ranges = [struct.unpack_from(">HI", data, at + 2 + 6 * i) for i in range(number)]
            at += 2 + 6 * number
        found.append((iv, ranges))
    assert at == end
    return found


def samples(data, iv_size=0):
    """Every sample: dict of data, time, duration, flags, offset (composition), fragment, iv, ranges."""
    trex = {}
    for body, _ in find_all(data, b"moov", b"mvex", b"trex"):
        track, _, duration, size, flags = struct.unpack_from(">IIIII", data, body + 4)
        trex[track] = (duration, size, flags)
    found, fragment = [], 0
    for kind, moof, body, end in boxes(data):
        if kind != b"moof":
            continue
        fragment += 1
        for start, stop in find_all(data, b"traf", start=body, end=end):
            found += traf(data, moof, start, stop, trex, fragment, iv_size)
    return found


def traf(data, moof, start, stop, trex, fragment, iv_size):
    ((at, _),) = find_all(data, b"tfhd", start=start, end=stop)
    flags, track = struct.unpack_from(">II", data, at)
    assert flags & 0x20000, "default-base-is-moof"
    at += 8
    duration, size, default_flags = trex.get(track, (0, 0, 0))
    if flags & 2:
        at += 4
    if flags & 8:
        duration, at = struct.unpack_from(">I", data, at)[0], at + 4
    if flags & 16:
        size, at = struct.unpack_from(">I", data, at)[0], at + 4
    if flags & 32:
        default_flags = struct.unpack_from(">I", data, at)[0]
    ((at, _),) = find_all(data, b"tfdt", start=start, end=stop)
    time = struct.unpack_from(">Q" if data[at] else ">I", data, at + 4)[0]
    found = []
    for at, end in find_all(data, b"trun", start=start, end=stop):
        flags, count = struct.unpack_from(">II", data, at)
        version, at, first_flags = flags >> 24, at + 8, None
        if flags & 1:
            position, at = moof + struct.unpack_from(">i", data, at)[0], at + 4
        if flags & 4:
            first_flags, at = struct.unpack_from(">I", data, at)[0], at + 4
        for number in range(count):
            one = {"duration": duration, "size": size, "flags": default_flags, "offset": 0}
            for flag, name in ((0x100, "duration"), (0x200, "size"), (0x400, "flags"), (0x800, "offset")):
                if flags & flag:
                    signed = name == "offset" and version
                    one[name], at = struct.unpack_from(">i" if signed else ">I", data, at)[0], at + 4
            if number == 0 and first_flags is not None:
                one["flags"] = first_flags
            one |= {"data": data[position : position + one["size"]], "time": time, "fragment": fragment, "track": track}
            assert len(one["data"]) == one["size"]
            time, position = time + one["duration"], position + one["size"]
            found.append(one)
        assert at == end
    for at, end in find_all(data, b"senc", start=start, end=stop):
        for one, (iv, ranges) in zip(found, senc(data, at, end, iv_size), strict=True):
            one |= {"iv": iv, "ranges": ranges}
    return found
