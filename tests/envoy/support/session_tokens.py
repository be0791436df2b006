"""Reads session tokens, without verification: an independent decoder of the format in crates/core/src/session/token.rs."""

import base64
import ipaddress
import re
import struct
from dataclasses import dataclass

FLAGS = {"ipv4": 16, "ipv6": 8, "header": 4, "access_token": 2, "payload": 1}


@dataclass
class Fields:
    """The fields of a session token. Times are in seconds."""

    opened: int
    id: str
    lifetime: int
    network: str | None
    header: bytes | None
    access_token: str | None
    payload: str | None
    acl: str


def read(token):
    """The fields of a token; ValueError if it is none."""
    if not re.fullmatch("[A-Za-z0-9_-]{50,1023}", token):
        raise ValueError(token)
    data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    rest = data[22:-16]

    def take(length):
        nonlocal rest
        taken, rest = rest[:length], rest[length:]
        if len(taken) < length:
            raise ValueError(token)
        return taken

    def number():
        byte = take(1)[0]
        return byte if byte < 128 else byte - 128 + 128 * number()

    def network(length):
        bits = take(1)[0]
        return str(ipaddress.ip_network((take(-(-bits // 8)).ljust(length, b"\0"), bits)))

    def has(flag):
        return data[0] & FLAGS[flag]

    if data[0] >> 5 != 1:
        raise ValueError(token)
    (opened,) = struct.unpack(">I", data[2:6])
    return Fields(
        opened=opened,
        id=base64.urlsafe_b64encode(data[6:22]).decode().rstrip("="),
        lifetime=number(),
        network=network(4) if has("ipv4") else network(16) if has("ipv6") else None,
        header=take(8) if has("header") else None,
        access_token=take(number()).decode() if has("access_token") else None,
        payload=take(number()).decode() if has("payload") else None,
        acl=rest.decode("ascii"),
    )


def is_one(token):
    """Whether this is a session token by its grammar."""
    try:
        return "/" in read(token).acl
    except ValueError:
        return False


def inside(text):
    """Whether a session token is anywhere in these bytes."""
    return any(is_one(word.decode()) for word in re.findall(rb"[A-Za-z0-9_-]{50,}", text))


def prolonged(token):
    """The token with a later start, and so a later end, under the old MAC."""
    return f"{token[:6]}{'A' if token[6] != 'A' else 'B'}{token[7:]}"
