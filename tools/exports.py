"""Owns which functions the module exports: takes those out that the filter has no use for.

The SDK exports every callback of the ABI, and the host crosses into the VM for each one that is there, about half a
microsecond a time and several times a request. A callback that is missing is one that lets everything pass.
    exports.py MODULE... (in place)
"""

import sys
from pathlib import Path

EXPORT_SECTION = 7
USED = {
    "memory", "malloc", "_initialize", "proxy_abi_version_0_2_1", "proxy_on_vm_start", "proxy_on_configure",
    "proxy_on_context_create", "proxy_on_request_headers", "proxy_on_response_headers", "proxy_on_response_body",
    "proxy_on_response_trailers", "proxy_on_log", "proxy_on_delete",
}


def number(data, at):
    """An unsigned LEB128 number at a position: (value, position after it)."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def encoded(value):
    """A number as unsigned LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def kept(section):
    """The export section without what is not used. Anything that is no callback of the ABI stays."""
    count, at = number(section, 0)
    entries = []
    for _ in range(count):
        start = at
        length, at = number(section, at)
        name = section[at:at + length].decode()
        _, at = number(section, at + length + 1)  # one byte of kind, then the index
        if name in USED or not name.startswith("proxy_"):
            entries.append(section[start:at])
    return encoded(len(entries)) + b"".join(entries)


def stripped(module):
    """The module with fewer exports."""
    assert module[:8] == b"\0asm\1\0\0\0", "not a WebAssembly module"
    out, at = bytearray(module[:8]), 8
    while at < len(module):
        kind = module[at]
        size, start = number(module, at + 1)
        body = module[start:start + size]
        at = start + size
        if kind == EXPORT_SECTION:
            body = kept(body)
        out += bytes([kind]) + encoded(len(body)) + body
    return bytes(out)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_bytes(stripped(path.read_bytes()))
