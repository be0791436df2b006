#!/usr/bin/env python3
"""Generates fuzz/seeds/ from the test cases, vectors and documents. Findings, whose names start with `found-`, are kept.

    python3 fuzz/seeds.py

The input format of each target is documented at its property in fuzz/src/.
"""

import base64
import copy
import json
import pathlib
import re

import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEEDS = ROOT / "fuzz" / "seeds"
CASES = [(path.stem, tomllib.loads(path.read_text())) for path in sorted((ROOT / "tests/cases").glob("*.toml"))]
SITES = 13
NOW = 1_700_000_000


def put(target, name, data):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def steps():
    """Every step of every case, with a name of its own."""
    for name, case in CASES:
        for index, step in enumerate(case.get("step", [])):
            yield f"{name}-{index}", step


def config():
    base = json.loads((ROOT / "tests/cases/config/vod.json").read_text())
    put("config", "vod", json.dumps(base).encode())
    for name, case in CASES:
        document = copy.deepcopy(base)
        for pointer, value in case.get("set", {}).items():
            *parents, last = [int(key) if key.isdigit() else key for key in pointer.strip("/").split("/")]
            place = document
            for key in parents:
                place = place[key] if isinstance(key, int) else place.setdefault(key, {})
            if isinstance(place, list):
                place[last : last + 1] = [value]
            else:
                place[last] = value
        if document != base:
            put("config", name, json.dumps(document, separators=(",", ":")).encode())
    documents = ["policies/*.json", "targeting/policies.json", "assignments/policies.json"]
    for path in sorted(path for pattern in documents for path in (ROOT / "tests").glob(pattern)):
        text = json.dumps(json.loads(path.read_text()), separators=(",", ":"))
        put("config", f"{path.parent.name}-{path.stem}", text.encode())
    put("config", "broken", b'{"policies": [}')
    put("config", "broken-inside", b'{"policies": [{"policyName": "x" "y": 1}]}')
    for index, (pointer, value) in enumerate([
        ("tokenAuth/accessTokenName", "hdntl"), ("tokenAuth/sessionTokenName", "plk"), ("tokenAuth/password", "abc"),
        ("tokenAuth/password", 12345678901234567890), ("tokenAuth/sessionTtl", "0s"), ("tokenAuth/sessionTtl", "11y"),
        ("tokenAuth/hosts", ["a/b"]), ("tokenAuth/sessionAcl", "/a~b"), ("tokenAuth/algorithms", ["sha3"]),
        ("mediaEncryption/secret", "0123456789abcdef"), ("mediaEncryption/keyPath", "serve.key"),
        ("mediaEncryption/keyUrl", "https://keys.example/{nobody}"), ("mediaEncryption/keyRotation", {"segments": 0}),
        ("mediaEncryption/key", "c319f970fd89b9f8c3d48e25548c793d"), ("policyName", "a\nb"), ("a?b", 1),
        ("tokenAuth/password", "c319f970fd89b9f8c3d48e25548c793e"),
    ]):
        document = copy.deepcopy(base)
        *parents, last = pointer.split("/")
        place = document["policies"][0]
        for parent in parents:
            place = place[parent]
        place[last] = value
        put("config", f"wrong-{index}", json.dumps(document, separators=(",", ":")).encode())


def cat():
    def after(data, at):
        """The position behind the CBOR item at `at`, and the item's contents if it is a string."""
        major, info = data[at] >> 5, data[at] & 31
        size = {24: 1, 25: 2, 26: 4, 27: 8}.get(info, 0)
        number = int.from_bytes(data[at + 1:at + 1 + size], "big") if size else info
        at += 1 + size
        if major in (2, 3):
            return at + number, data[at:at + number]
        for _ in range({4: number, 5: 2 * number, 6: 1}.get(major, 0)):
            at, _ = after(data, at)
        return at, None

    for index, vector in enumerate(json.loads((ROOT / "tests/vectors/cat.json").read_text())["vectors"]):
        sent = re.sub("%2D", "-", re.sub("%5f", "_", vector["token"]))
        try:
            data = base64.b64decode(sent + "=" * (-len(sent) % 4), "-_", validate=True)
            at = 0
            while data[at] >> 5 == 6:
                at += 1 + {24: 1}.get(data[at] & 31, 0)
            at, _ = after(data, at + 1)
            at, _ = after(data, at)
            _, claims = after(data, at)
        except (ValueError, IndexError, RecursionError):
            claims = b""
        path = re.sub("^https?://[^/]*/", "", vector.get("url", "/vod/film/master.m3u8")).lstrip("/")
        settings = vector.get("location", False) + 2 * ("audience" in vector)
        put("cat", f"vector-{index}", bytes([settings, index % 256, 1 << index % 8]) + path.encode() + b"\n" + (claims or b""))
    # catr with a deadline that has come: {type: 1, expadd: 600}, exp in 50 seconds.
    claims = bytes.fromhex(f"a2041a{NOW + 50:08x}190143a20001011902 58".replace(" ", ""))
    put("cat", "renewed", b"\0\x20\1vod/master.m3u8\n" + claims)


def token():
    def seed(site, hash, place, spelling, changes, path, url, text):
        head = bytes([site, hash, place, spelling, len(changes)]) + b"".join(map(bytes, changes))
        return head + f"{path}\n{url}\n{text}".encode()

    for index, vector in enumerate(json.loads((ROOT / "tests/vectors/edge-auth.json").read_text())["vectors"]):
        text = vector["token"].rsplit("~hmac=", 1)[0]
        hash = {"sha1": 1, "md5": 2}.get(vector.get("algorithm"), 0)
        site = 9 if "salt" in vector or hash else 0
        put("token", f"vector-{index}", seed(site, hash, index % 3, index // 3 % 3, [], "a/master", "/vod/a/master.m3u8", text))
    sent = {match for _, step in steps() for match in re.findall(r"\{token:([^}]*)\}", step["send"])}
    for index, fields in enumerate(sorted(sent)):
        given = dict(field.split("=", 1) for field in fields.split(",") if "=" in field)
        exp = given.get("exp", "+3600")
        given["exp"] = str(NOW + int(exp)) if exp[0] in "+-" else exp
        order = ["ip", "st", "exp", "acl", "id", "data"]
        text = "~".join(f"{name}={given[name]}" for name in order if given.get(name, "none") != "none")
        put("token", f"case-{index}", seed(index % SITES, 0, index % 3, index % 2, [], "a/b", "/vod/a/b.m3u8", text))
    for site in range(SITES):
        text = f"exp={NOW + 60}~acl=/vod/*"
        put("token", f"session-{site}", seed(site, 0, site % 3, 1, [], "a", "", text))
        put("token", f"changed-{site}", seed(site, 0, site % 2, site % 3, [(site, 0, 40 + site, 65), (5, 0, 7, 0)], "a", "", text))
    for name, text in {
        "tildes": "exp=1700000100~acl=/vod/*~id=a~b~data=x~y~",
        "twice": "exp=1700000100~acl=/vod/*~acl=/*",
        "unknown": "exp=1700000100~acl=/*~role=admin",
        "no-exp": "acl=/vod/*",
        "escaped": "exp=1700000100~acl=%2fvod%2f*!/live/??/*~data=a%7eb",
        "early": "st=1700000011~exp=1700000100~acl=/*",
        "edge": "st=1700000010~exp=1699999990~acl=/*",
        "mapped": "ip=%3a%3affff:203.0.113.7~exp=1700000100~acl=/*",
    }.items():
        put("token", name, seed(0, 0, 0, 1, [], "a/b", "", text))


def media_cdn():
    def seed(text, changes=(), place=0, spelling=0, path="a/m", signed="/vod/a/m.m3u8", value="v", covered="v"):
        head = bytes([place, spelling, len(changes)]) + b"".join(map(bytes, changes))
        return head + f"{path}\n{signed}\n{value}\n{covered}\n{text}".encode()

    def b64(text):
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    ends = f"Expires={NOW + 60}"
    prefix = f"URLPrefix={b64('https://tv.example/vod/')}"
    everything = f"PathGlobs=/vod/*~Starts={NOW}~{ends}~SessionID=s~Data=d=1~Headers=x~IPRanges={b64('203.0.113.0/24')}"
    for index, text in enumerate([
        f"PathGlobs=/*~{ends}", f"FullPath~{ends}", f"{prefix}~{ends}", f"{prefix}=~{ends}", everything,
        f"exp={NOW + 60}~acl=/a/*!/vod/*~id=s~payload=d", f"paths=/a,/vod/*~exp={NOW + 60}", f"acl=/a,/vod/*~exp={NOW + 60}",
        f"URLPrefix={b64('HTTPS://TV.example:443')}~{ends}", f"URLPrefix={b64('https://tv.example/vod/a/m.m3u8?')}~{ends}",
        f"URLPrefix={b64('http://tv.example/')}~{ends}", f"URLPrefix={b64('https://tv')}~{ends}", f"PathGlobs=/*~Expires={NOW - 10}",
        f"PathGlobs=/*~Expires={NOW - 11}", f"PathGlobs=/*~Starts={NOW + 11}~{ends}", f"PathGlobs=/*~{ends}~Data=", ends,
        f"PathGlobs=/*~{ends}~IPRanges={b64('::ffff:203.0.113.7/128,::1')}", f"PathGlobs=/%2a~{ends}", f"PathGlobs=/*~{ends}~{ends}",
        f"PathGlobs=/*~{ends}~Headers=y", f"PathGlobs=/*~{ends}~Headers=x,X",
    ]):
        put("media_cdn", f"text-{index}", seed(text, place=index % 3, spelling=index // 3 % 3))
    for what in range(6):
        put("media_cdn", f"changed-{what}", seed(everything, [(what, 0, 20, 65)], what % 2, what % 3))
    for name, value in {"field": "v~Data=x", "header": "v,y=z", "comma": "v, y=z", "tilde": "v~w", "latin": "\u00e9"}.items():
        put("media_cdn", f"header-{name}", seed(f"PathGlobs=/*~{ends}~Headers=x", value=value, covered=value))
    put("media_cdn", "moved", seed(f"PathGlobs=/*~{ends}~Headers=x~Data=d", [(3, 0, 5, 9)], value="v~Data=d"))


def session():
    def seed(fields=b"\n\n/vod/*\n", flags=0, bits=0, lifetime=86400, changes=(), rest=b"", site=0):
        numbers = NOW.to_bytes(4, "big") + lifetime.to_bytes(4, "big")
        address = bytes([203, 0, 113, 7]) + bytes(range(12))
        changed = bytes([len(changes)]) + b"".join(map(bytes, changes))
        return bytes([site]) + numbers + bytes([7, flags, bits]) + address + changed + fields + rest

    for index, lifetime in enumerate([0, 1, 127, 128, 16383, 16384, 2**21, 2**28, 2**32 - 1]):
        put("session", f"lifetime-{index}", seed(lifetime=lifetime, site=index))
    for kind in (1, 2):
        for bits in (0, 7, 8, 23, 31, 47, 127):
            put("session", f"network-{kind}-{bits}", seed(flags=kind, bits=bits))
    put("session", "header", seed(flags=0x81, bits=23))
    put("session", "granted", seed("order-17\n{\"name\": \"Zo\u00eb\"}\n/a/*!/b/%2a\n".encode(), flags=0x82, bits=55))
    put("session", "long", seed(b"i" * 200 + b"\n" + b"p" * 300 + b"\n/" + b"a" * 200 + b"*\n"))
    put("session", "too-long", seed(b"i" * 300 + b"\n" + b"p" * 300 + b"\n/" + b"a" * 200 + b"*\n"))
    for name, acl in {"empty": b"", "pattern": b"/a!", "escape": b"/%z", "space": b"/a b", "latin": b"/\xe9"}.items():
        put("session", f"acl-{name}", seed(b"\n\n" + acl + b"\n"))
    for what in range(6):
        put("session", f"changed-{what}", seed(changes=[(what, 0, 20, 65)], flags=1, bits=23))
    # A digit of the MAC's second half.
    for digit in b"AB":
        put("session", f"changed-mac-{digit}", seed(changes=[(0, 0, 58, digit)]))
    head = NOW.to_bytes(4, "big") + bytes(16)
    for name, tail in {"plain": b"\x00/*", "long-varint": b"\x80\x00/*", "six": b"\x80" * 5 + b"\x01/*", "none": b""}.items():
        put("session", f"signed-{name}", seed(rest=head + tail))
    put("session", "signed-network", seed(flags=16, rest=head + b"\x01\x17\xcb\x00\x71/*"))
    put("session", "signed-id", seed(flags=2, rest=head + b"\x01\x00/*"))


def jwt():
    """Every place, header, time and pattern; claims; changes."""
    for place in range(2):
        for head in range(6):
            put("jwt", f"header-{place}-{head}", bytes([place, head, 2, 1, 0, 0]))
        for times in ((0, 0), (1, 1), (2, 2), (2, 1), (1, 2)):
            put("jwt", f"times-{place}-{times[0]}{times[1]}", bytes([place, 0, *times, 1, 0]))
    put("jwt", "other-path", bytes([0, 0, 2, 1, 2, 0]))
    for index, claims in enumerate(('"iss":"site"', '"paths":"/*"', '"aud":"tv"', '"sub":"anna"', '"exp":1', '"x":[1,{"y":2}]', '"x":"}"', '"paths":[]')):
        put("jwt", f"claims-{index}", bytes([index % 2, 0, 2, 1, 0, 0]) + claims.encode())
    for index in range(12):
        put("jwt", f"changed-{index}", bytes([index % 2, 0, 2, 1, 0, 1, index, 0, 10 * index + 3, 65]))


def urisigning():
    """Both policies, every place, time and renewal; patterns; changes."""
    made = 0
    for policy in range(2):
        for place in range(3):
            for times in ((0, 0), (1, 1), (2, 2), (3, 3), (2, 3)):
                line = bytes([policy, place, *times, made % 4, 0, 0])
                put("urisigning", f"times-{made}", line + b"film\nfilm|clip\n")
                made += 1
    patterns = ("film", "fil", "film|", "(film)", "f.*", ".{4}", ".{3}", "f(i|l)+m", "(f|i|l|m){4}", "f?i?l?m?x*", "(a*)*film",
                "^film$", "f^ilm", "film$", "a**", "{1}", "(", "f{2,1}", "((f)(i(l)))m", ".{1,3}m", "fi{1}l{1,}m")
    for index, pattern in enumerate(patterns):
        put("urisigning", f"pattern-{index}", bytes([index % 2, index % 3, 2, 3, 1, 0, 0]) + b"film\n" + pattern.encode() + b"\n")
    for index, pattern in enumerate(("film", "fil", "film.*", ".*", "f")):
        for ending in range(3):
            put("urisigning", f"ending-{index}-{ending}", bytes([index % 2, index % 3, 2, 3, 1, ending, 0]) + b"film\n" + pattern.encode() + b"\n")
    for index, claims in enumerate(('"iss":"site"', '"iss":"edge"', '"jti":"1"', '"cdniuc":"regex:.*"', '"cdnicrit":"x"', '"cdniv":1',
                                    '"aud":"x"', '"sub":"a..b.c.d"', '"cdniip":"a..b.c.d"', '"cdnistd":1', '"x":[1,{"y":2}]')):
        put("urisigning", f"claims-{index}", bytes([index % 2, index % 3, 2, 3, index % 3, 0, 0]) + b"film\nfilm\n" + claims.encode())
    for index in range(12):
        change = bytes([index, 0, 10 * index + 3, 65])
        put("urisigning", f"changed-{index}", bytes([index % 2, index % 3, 2, 3, 1, 0, 1]) + change + b"film\nfilm\n")


def path():
    hostile = [
        "/a/../b", "/a/%2e%2e/b", "/a%2fb", "/a%5cb", "/a\\b", "//a", "/a//b", "/a;x/b", "/..;/a", "/a/..;x=1/b",
        "/a%00", "/a%252e", "/%c0%ae%c0%ae/a", "/%e9", "/a%", "/a/.", "/a/b.m3u8.", "/A/B", "/a%3fb", "/a%23b", "/;/a",
        "/100%25.ts", "/%c3%a9/\u00e9", "/a%2520b", "/a/b/", "", "/%25%32%66", "/a?b/../c", "/a/...", "/a%0ab",
    ]
    patterns = ["/vod/*", "*", "/vod/?/*", "*/a/*", "/vod%2f*", "/vod/a!/vod/b/*", "/vod/%2a", "/vod/*.ts", "", "/vod/a%zz"]
    for index, raw in enumerate(hostile):
        put("path", f"{index}", bytes([index * 37 % 256, index * 11 % 256]) + f"{patterns[index % len(patterns)]}\n{raw}".encode())
    put("path", "stars", b"\x00\x00/" + b"*a" * 60 + b"\n/" + b"a" * 120)
    put("path", "latin", b"\x00\x00*\n/caf\xe9")


def playlist():
    seen = set()
    for name, step in steps():
        body = step.get("origin", {}).get("body", "").lstrip("\n")
        if not body or body in seen:
            continue
        seen.add(body)
        cuts = [0, 3, 17, 64, 1]
        for kind in range(2 if body.startswith("#EXTM3U") else 1):
            what = kind if body.startswith("#EXTM3U") else 2
            site = (len(seen) + kind * 5) % SITES
            head = bytes([site, what, len(seen) & 1, len(seen) >> 1 & 1, 0, len(cuts), *cuts])
            put("playlist", f"{name}-{kind}", head + body.encode())
    usual = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n1.ts\n"
    for name, much, text in [
        ("live", 1, usual * 3),
        ("long-line", 1, b"#EXTM3U\n#EXTINF:4,\n# \x1a\x7f\n\x1a\x010.ts\n"),
        ("line-forever", 1, b"#EXTM3U\n# \x1a\x10"),
        ("segment-forever", 1, b"#EXTM3U\n#EXTINF:4,\n# \x1a\x04\n"),
        ("definitions-forever", 1, b'#EXTM3U\n#EXT-X-DEFINE:NAME="a",VALUE="\x1a\x02"\n1.ts\n'),
        ("between", 0, b"#EXTM3U\n#EXTINF:4,\n1.ts\n#EXTINF:4,\nhttps://other.example/2.ts\n#EXTINF:4,\n3.ts\n"),
        ("too-long", 0, b"#EXTM3U\n# \x1a\x81\n1.ts\n"),
        ("bom-crlf", 0, b"\xef\xbb\xbf#EXTM3U\r\n#EXT-X-VERSION:1\r\n#EXTINF:4,\r\n1.ts\r\n"),
        ("blanks", 0, b"  \t#EXTM3U \n #EXTINF:4,\n  1.ts  \n"),
        ("no-playlist", 0, b"<html></html>"),
        ("open-parts", 0, b'#EXTM3U\n#EXTINF:4,\n#EXT-X-PART:DURATION=1,URI="p.mp4"\n1.ts\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="q.mp4"\n'),
        ("open-quote", 0, b'#EXTM3U\n#EXT-X-MAP:URI="i.mp4\n#EXTINF:4,\n1.ts'),
        ("hosts", 0, b"#EXTM3U\n#EXTINF:4,\nhttps://TV.example:443/a\n#EXTINF:4,\n//cdn.example:8443/b?x#y\n#EXTINF:4,\nhttp://u@tv.example/c\n#EXTINF:4,\ndata:,d\n"),
        ("key-none", 0, b'#EXTM3U\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\n1.ts\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:4,\n2.ts\n'),
        ("climbing", 0, b'#EXTM3U\n#EXTINF:4,\n1.ts\n#EXTINF:4,\n../2.ts\n#EXTINF:4,\n../../3.ts\n#EXTINF:4,\n../../../4.ts\n#EXTINF:4,\nb/../../../../5.ts\n#EXTINF:4,\n/vod/a/6.ts\n#EXTINF:4,\n/../7.ts\n#EXTINF:4,\nlonger-than-a-block/../../../../8.ts\n#EXTINF:4,\n9.ts\n#EXT-X-ENDLIST\n'),
        ("empty-segments", 0, b'#EXTM3U\n#EXTINF:4,\n.//1.ts\n#EXTINF:4,\nb//2.ts\n#EXTINF:4,\n?x=https://y/\n#EXTINF:4,\nb?x=//y\n#EXTINF:4,\nhttps://tv.example//3.ts\n#EXT-X-ENDLIST\n'),
    ]:
        # With tokens in the query, in both, and in the path.
        for site in (0, 2, 11):
            put("playlist", f"{name}-{site}", bytes([site, 0, 0, 0, much, 3, 1, 7, 65]) + text)
        put("playlist", f"{name}-entry", bytes([11, 1, 0, 0, 0, 1, 65]) + text)
    tags = b"".join(b'#EXT-X-%s:%s="%s"\n' % (tag, name, uri) for tag, name, uri in [
        (b"RENDITION-REPORT", b"URI", b"../b/v.m3u8"), (b"SESSION-DATA", b"URI", b"data.json"), (b"MAP", b"URI", b"i.mp4"),
        (b"CONTENT-STEERING", b"SERVER-URI", b"/vod/steer?v=1"), (b"DATERANGE", b"X-ASSET-URI", b"ad.m3u8"),
        (b"DATERANGE", b"X-ASSET-LIST", b"ads.json"), (b"DATERANGE", b"X-URI", b"x"), (b"MEDIA", b"URI", b"a.m3u8"),
        (b"I-FRAME-STREAM-INF", b"URI", b"i.m3u8"), (b"IMAGE-STREAM-INF", b"URI", b"p.m3u8"), (b"PART", b"URI", b"p.mp4"),
        (b"PRELOAD-HINT", b"URI", b"h.mp4"), (b"STREAM-INF", b"BANDWIDTH", b"1"),
    ])
    for site in range(SITES):
        put("playlist", f"tags-{site}", bytes([site, 0, 0, 0, 0, 2, 5, 70]) + b"#EXTM3U\n" + tags + b"v.m3u8\n")
    for site, text in [(0, b'{"VERSION":1,"TTL":300,"RELOAD-URI":"a?b=1","PATHWAY-PRIORITY":["x"]}'), (1, b'{"ASSETS":[{"URI":"/vod/ad.m3u8","DURATION":1.5},{"URI":"https://other.example/x"}]}')]:
        put("playlist", f"document-{site}", bytes([site, 2, 0, 1, 0, 1, 9]) + text)


def query():
    put("query", "plain", bytes([0, 0]) + b"\x01&a=1&b\n")
    put("query", "escaped", bytes([0, 0]) + b"\x01&hdnt%73=x&x=%zz&=&&\n")
    put("query", "twice", bytes([0, 1]) + b"\x01&\x01\n")
    put("query", "signed", bytes([0, 3]) + b"\x03&\x01\n")
    put("query", "access", bytes([9, 0]) + b"a=1&\x02&ticket=\n")
    put("query", "header", bytes([0, 0]) + b"\n\x02" + b"exp=1~acl=/*~hmac=00\n")
    put("query", "cookie", bytes([1, 1]) + b"a=1\n\x00x=1; \x01; y=\"2\"\n\x01z=3;\x02\n")
    put("query", "cookie-latin", bytes([2, 1]) + b"\x01\n\x00name=Jos\xe9; \x01\n")
    put("query", "skip", bytes([2, 0]) + b"\x01&_HLS_skip=YES&_HLS_msn=3\n\x04\"e\"\n")
    put("query", "free", bytes([4, 1]) + b"hdntl=x&hdntl=y\n\x03bytes=0-1\n")
    put("query", "unknown", bytes([8, 2]) + b"?x?&\x01#\n\x05one\n\x05two\n")


def in_path():
    for name, target, cookie in [
        ("plain", b"/~\x01/vod/a/1.ts", b""),
        ("playlist", b"/~\x01/vod/a/media.m3u8?a=1", b"x=1"),
        ("escaped", b"/%7E\x01/vod/a/1.ts", b""),
        ("escaped-inside", b"/~%41\x01/vod/a/1.ts", b""),
        ("access", b"/~\x02/vod/a/media.m3u8", b""),
        ("twice", b"/~\x01/~\x01/vod/a/1.ts", b""),
        ("query", b"/~\x01/vod/a/1.ts?\x03=\x01", b""),
        ("query-only", b"/vod/a/1.ts?\x03=\x01", b""),
        ("access-in-query", b"/~\x01/vod/a/media.m3u8?\x02", b""),
        ("both-access", b"/~\x02/vod/a/media.m3u8?\x02", b""),
        ("cookie", b"/~\x01/vod/a/1.ts", b"a=1; \x04=\x01"),
        ("cookie-only", b"/vod/a/1.ts", b"\x04=\x01"),
        ("cookie-access", b"/vod/a/media.m3u8", b"\x02"),
        ("dots", b"/~\x01/../~\x01/vod/a/1.ts", b""),
        ("slashes", b"/~\x01//vod/a/1.ts", b""),
        ("slash-escaped", b"/~\x01%2fvod/vod/a/1.ts", b""),
        ("later", b"/vod/~\x01/1.ts", b""),
        ("elsewhere", b"/~\x01/elsewhere/1.ts", b""),
        ("alone", b"/~\x01", b""),
        ("question", b"/~\x01?/vod/a/1.ts", b""),
        ("fragment", b"/~\x01#/vod/a/1.ts", b""),
        ("marker", b"/~/vod/a/1.ts", b""),
        ("markers", b"/~~\x01/vod/a/1.ts", b""),
        ("latin", b"/%7e\xc3\xa4%c3%a4/vod/a/1.ts", b""),
        ("not-utf-8-behind", b"/~\x01/vod/\xff", b""),
        ("not-utf-8", b"/~\xff/vod/a/1.ts", b""),
    ]:
        for site in (0, 1):
            put("in_path", f"{name}-{site}", bytes([site]) + target + b"\n" + cookie)


def range_():
    wanted = ["bytes=0-0", "bytes=5-", "bytes=-7", "bytes=0-15", "bytes=16-47", "bytes=5-4", "bytes=0-1,3-4", "bytes=-0",
              "bytes=999999-", "items=0-1", "bytes=0-18446744073709551615", " bytes=3-9 ", "bytes=+1-2", "", "bytes=-99999"]
    for index, text in enumerate(wanted):
        for origin in {index % 8, 0}:
            head = bytes([index % 4, origin, 9, 1, 44 * (index % 5), index % 13, index % 7 == 6, index & 1])
            put("range", f"{index}-{origin}", head + text.encode() + bytes([10, 1, 3, 64, 17]))


def parameter():
    for site in range(SITES):
        for which in range(7):
            numbers = (100 + site).to_bytes(8, "big") + (1 << which * 8).to_bytes(8, "big")
            put("parameter", f"{site}-{which}", bytes([site, which, which, which % 3]) + numbers + b"\x00")
    none = bytes(7) + b"\x05" + bytes(8)
    put("parameter", "moved", bytes([0, 3, 1, 0]) + none + b"\x00")
    # From `clear` to `media`, which is as long and says as little.
    put("parameter", "renamed", bytes([0, 3, 3, 0]) + bytes(16) + b"\x05" + b"".join(bytes([0, 0, at, byte]) for at, byte in enumerate(b"media")))
    for at in (8, 20, 26):
        put("parameter", f"flipped-{at}", bytes([0, 3, 3, 0]) + bytes(16) + bytes([1, 0, 0, at, ord("-")]))
    put("parameter", "flipped", bytes([0, 2, 2, 0]) + none + b"\x01\x00\x00\x09\x41")
    put("parameter", "huge", bytes([0, 5, 5, 1]) + b"\xff" * 7 + b"\x00" + bytes(8) + b"\x00")


def segment():
    key = bytes(range(16)) + bytes(range(240, 256))
    for name, size, lanes, cuts in [
        ("empty", bytes([0, 0, 0]), 0, b""),
        ("one", bytes([0, 0, 1]), 1, b"\x01"),
        ("block", bytes([4, 0, 16]), 2, b"\x10"),
        ("odd", bytes([9, 3, 217]), 5, b"\x01\x0f\x10\x11\x40\x00\x07"),
        ("large", bytes([13, 80, 3]), 4, b"\xff\x80\x01\xbf\x3f"),
        ("lanes", bytes([11, 32, 5]), 6, bytes(range(1, 60))),
    ]:
        put("segment", name, key + size + bytes([lanes]) + cuts)


def exchange():
    # Whose headers: what, denied, method, range, status, (206: its place,) type, size (3), length, coding, tag, caching.
    def stream(what, denied=0, method=0, range=0, status=0, kind=0, size=(9, 4, 1), end=0, length=1):
        return bytes([what, denied, method, range, status, kind, *size, end, length, 0, 0, 0])

    for what in range(8):
        events = bytes([0x05, 20, 0x04, 0x06, 200, 0x09, 1, 0, 0x03])
        for hold in (0, 1):
            put("exchange", f"plain-{what}-{hold}", bytes([what, hold, 0, 0]) + stream(what) + events)
        put("exchange", f"denied-{what}", bytes([what, 0, 0, 0]) + stream(what, denied=1) + events)
    for end in range(6):
        for length in (0, 1, 6, 7, 8, 9):
            head = bytes([end, end & 1, 0, 0])
            put("exchange", f"end-{end}-{length}", head + stream(0, end=end, length=length) + bytes([0x05, 33, 0x04, 0x03]))
    for status in range(21):
        put("exchange", f"status-{status}", bytes([0, 0, 0, 0]) + stream(0, status=status) + bytes([0x07, 99]))
    together = b"".join(stream(0, size=(14, 40, which)) for which in range(4))
    # Also twice the same, so that a chunk that waits is followed by its own next one.
    order = [0, 1, 2, 3, 0, 0, 1, 1, 2, 0, 0, 3, 3, 1, 2, 2] * 3
    events = b"".join(bytes([which << 4 | 9, 1 + at % 5, at * 7 % 256]) for at, which in enumerate(order)) + b"\x00\x00\x12\x00"
    for site in (0, 3, 5):
        put("exchange", f"together-{site}", bytes([site, 0, 1, 3]) + together + events)
    put("exchange", "unnamed-playlist", bytes([0, 1, 0, 0]) + stream(6, kind=1) + b"\x03")


def speke():
    """The requests of the crate's tests, each in its version and in another."""
    for file in sorted((ROOT / "crates/speke/tests/requests").glob("*.xml")):
        version = ("1.0", "2.0", "2.1").index(file.name[:3])
        put("speke", file.stem, bytes([version]) + file.read_bytes())
        put("speke", f"{file.stem}-other", bytes([(version + 1) % 3]) + file.read_bytes())


def cmaf():
    """The small streams of the crate's tests, whole, cut off and with a wrong size."""
    for name in ("stpp", "wvtt", "av1", "avc"):
        stream = (ROOT / f"crates/cmaf/tests/vectors/{name}.mp4").read_bytes()
        for scheme, coverage in ((0, 10), (0, 50), (1, 100), (1, 30)):
            put("cmaf", f"{name}-{scheme}-{coverage}", bytes([scheme, coverage, 0, 6]) + stream[:6000])
        put("cmaf", f"{name}-cut", bytes([0, 100, 3, 0]) + stream[: len(stream) * 2 // 3][:6000])
        put("cmaf", f"{name}-size", bytes([1, 100, 0, 99]) + stream[:2] + b"\xff" + stream[3:3000])


def dash():
    """The inputs of the crate's cases, with tokens in the query and in the path, under protection if the case is."""
    for file in sorted((ROOT / "crates/dash/tests/cases").glob("*.txt")):
        for index, case in enumerate(file.read_text().split("\n== ")[1:]):
            lines = case.split("\n")[1:]
            document = "\n".join(line[1:] for line in lines if line[:1] in (" ", "-"))
            for name, character in {"BOM": "\ufeff", "CR": "\r", "TAB": "\t"}.items():
                document = document.replace("{" + name + "}", character)
            document = re.sub(r"\{([^{}*]+)\*(\d+)\}", lambda match: match[1] * min(int(match[2]), 40), document)
            for kind in (0, 1):
                added = 2 * ("@scheme" in case) + ("@location" in case)
                put("dash", f"{file.stem}-{index}-{kind}", bytes([kind, added, 0, 77]) + document.encode())


def samples():
    """Real streams, whole, cut and changed; fragments of audio and of NAL units; text, an image and neither."""
    for stream in range(9):
        for scheme in range(2):
            put("samples", f"stream-{stream}-{scheme}", bytes([scheme, 1, 1, 0, stream, 0, 5, 70, 130, 255]))
        put("samples", f"stream-{stream}-byte", bytes([0, 1, 1, 0, stream, 1, 9, stream * 9, 3, 200, 140]))
        put("samples", f"stream-{stream}-cut", bytes([1, 1, 1, 0, stream, 1, 8, 0, 2, 255, 140]))
        put("samples", f"stream-{stream}-gap", bytes([0, 2, 0, 0, stream, 1, 8, 0, 1, 16, 90]))
    for scheme in range(2):
        for units in range(2):
            sizes = b"".join(bytes([*([1] * units), 10, size, 77, *([6, 0, size] * units)]) for size in range(5))
            put("samples", f"built-{scheme}-{units}", bytes([scheme, 3, 1, 0, units, 4]) + sizes + bytes([3, 17, 80]))
            put("samples", f"built-{scheme}-{units}-trailers", bytes([scheme, 3, 1, 1, units, 4]) + sizes + bytes([63]))
            put("samples", f"built-{scheme}-{units}-open", bytes([scheme, 3, 0, 1, units, 4]) + sizes + bytes([63]))
            put("samples", f"built-{scheme}-{units}-short", bytes([scheme, 3, 2, 0, units, 4]) + sizes + bytes([63]))
    for name, body in {"text": b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n", "image": b"\x89PNG\r\n\x1a\n" + bytes(40),
                       "ts": b"\x47" + bytes(range(187)), "html": b"<!DOCTYPE html><p>plaintext", "empty": b"",
                       "mdat": b"\0\0\0\x40mdat" + bytes(56), "free": b"\0\0\0\x20free" + b"plaintext" * 3,
                       "endless": b"\0\0\0\0mdat" + bytes(90), "large": b"\0\0\0\1moof" + b"\xff" * 60}.items():
        put("samples", f"bytes-{name}", bytes([0, 0, 1, 0, 3, 9, 0]) + body)


def license():
    kids = json.dumps({"kids": ["Dwg-TrgxSj2Rfs54B25Uqg", "AAAAAAAAAAAAAAAAAAAAAA"], "type": "temporary"}).encode()
    for packaged in range(2):
        for asker in range(6):
            put("license", f"asker-{packaged}-{asker}", bytes([packaged, asker, 0, 1, 0, 5, 9, 0]) + kids)
        for method in range(4, 7):
            put("license", f"method-{packaged}-{method}", bytes([packaged, 0, method, 0, 0, 0]) + (kids if method == 5 else b""))
        for announced in range(4):
            put("license", f"length-{packaged}-{announced}", bytes([packaged, 0, 0, announced, 0, 1, 0]) + kids)
        put("license", f"long-{packaged}", bytes([packaged, 0, 0, 0, 255, 200, 0]) + kids * 7)
        for index, body in enumerate([b"{}", b"[]", b'{"kids":[]}', b'{"kids":["AAAA"]}', b'{"kids":[1]}', b'{"kids":null}', b"\xff",
                                      b'{"kids":["AAAAAAAAAAAAAAAAAAAAAB"]}', b'{"kids":["AAAAAAAAAAAAAAAAAAAAAA"],"kids":[]}',
                                      b'{"kids":["Dwg-TrgxSj2Rfs54B25Uqg=="]}', kids + b" ", kids + b"x", b"[" * 200]):
            put("license", f"body-{packaged}-{index}", bytes([packaged, 0, 0, 0, 0, 7, 0]) + body)


for make in (config, token, cat, jwt, media_cdn, session, speke, cmaf, dash, samples, license, urisigning, path, in_path, playlist, query, range_, parameter, segment, exchange):
    folder = SEEDS / make.__name__.rstrip("_")
    for old in folder.glob("*") if folder.exists() else ():
        if not old.name.startswith("found-"):
            old.unlink()
    make()
