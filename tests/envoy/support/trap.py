"""A module that traps on purpose: the shipped filter, with one callback changed to check a parameter first.

The binary is modified, not rebuilt: everything else is the code that runs in production, whose sources contain no trap on
demand.
"""

TYPE, IMPORT, FUNCTION, EXPORT, CODE = 1, 2, 3, 7, 10
EQUAL, AT_LEAST = b"\x46", b"\x4f"  # i32.eq, i32.ge_u


def trapping(module, callback, parameter, compare, value):
    """`module` with an export `callback` that traps if the comparison of its parameter of that number with `value`
    holds, and otherwise does the same as before."""
    parts, at = [], 8
    while at < len(module):
        size, start = unsigned(module, at + 1)
        parts.append((module[at], module[start:start + size]))
        at = start + size
    sections = {kind: payload for kind, payload in parts if kind}
    imported, types = functions_of(sections[IMPORT]), indices(sections[FUNCTION])
    old, place = exported(sections[EXPORT], callback)
    kind, new = types[old - imported], imported + len(types)
    forward = b"".join(b"\x20" + number(each) for each in range(parameters(sections[TYPE], kind)))
    # No locals; if (parameter compares to value) unreachable; return what the old one does.
    body = b"\x00\x20" + number(parameter) + b"\x41" + signed(value) + compare + b"\x04\x40\x00\x0b" + \
        forward + b"\x10" + number(old) + b"\x0b"
    export = sections[EXPORT]
    sections[EXPORT] = export[:place] + number(new) + export[place + len(number(old)):]
    sections[FUNCTION] = appended(sections[FUNCTION], number(kind))
    sections[CODE] = appended(sections[CODE], number(len(body)) + body)
    payloads = [(kind, sections[kind] if kind else payload) for kind, payload in parts]
    return module[:8] + b"".join(bytes([kind]) + number(len(payload)) + payload for kind, payload in payloads)


def number(value):
    """Unsigned LEB128."""
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def signed(value):
    """Signed LEB128 of a number that is not negative."""
    out = number(value)
    return out if out[-1] < 64 else out[:-1] + bytes([out[-1] | 128, 0])


def unsigned(data, at):
    """(number, its end)."""
    value = shift = 0
    while True:
        byte = data[at]
        at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
        if byte < 128:
            return value, at


def text(data, at):
    """(bytes, their end)."""
    size, start = unsigned(data, at)
    return data[start:start + size], start + size


def appended(section, entry):
    """The list of a section, with one more entry."""
    count, start = unsigned(section, 0)
    return number(count + 1) + section[start:] + entry


def indices(section):
    """The function section: the type of each function."""
    count, at = unsigned(section, 0)
    found = []
    for _ in range(count):
        index, at = unsigned(section, at)
        found.append(index)
    return found


def functions_of(section):
    """The number of imported functions; the module imports nothing else (tests/module.rs)."""
    return unsigned(section, 0)[0]


def parameters(section, wanted):
    """The number of parameters of functions of a type."""
    count, at = unsigned(section, 0)
    for index in range(count):
        assert section[at] == 0x60
        taken, at = unsigned(section, at + 1)
        given, after = unsigned(section, at + taken)
        if index == wanted:
            return taken
        at = after + given
    raise ValueError(f"no type {wanted}")


def exported(section, name):
    """(function, position of its number) of an export."""
    count, at = unsigned(section, 0)
    for _ in range(count):
        found, at = text(section, at)
        index, after = unsigned(section, at + 1)
        if found == name.encode() and section[at] == 0:
            return index, at + 1
        at = after
    raise ValueError(f"no function {name} is exported")
