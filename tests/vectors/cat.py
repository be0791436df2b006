"""Makes the vectors of Common Access Tokens: tokens of PyPI `cwt` (signed) and `cbor2` (forms that `cwt` does not write),
and the result that CTA-5007, RFC 8392 and RFC 9052 give for a request. Nothing here is playlock's.

    python tests/vectors/cat.py > tests/vectors/cat.json
"""

import base64
import hashlib
import hmac
import json

import cbor2
from cbor2 import CBORTag
from cwt import COSE, COSEAlgs, COSEHeaders, COSEKey

NOW = 1700000000
END = 4102444800
SECRET = bytes.fromhex("403697de87af64611c1d32a05dab0fe1fcb715a86ab435f1ec99192d79569388")
# RFC 6979, A.2.5.
PRIVATE = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
X = "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
Y = "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
URL = "https://tv.example/vod/film/master.m3u8"
EXACT, PREFIX, SUFFIX, CONTAINS, REGEX, SHA256, SHA512_256 = 0, 1, 2, 3, 4, -1, -2
SCHEME, HOST, PORT, PATH, QUERY, PARENT, FILENAME, STEM, EXTENSION = range(9)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unhex(text):
    return bytes.fromhex(text)


def mac_key(kid="Symmetric256"):
    return COSEKey.from_symmetric_key(SECRET, alg="HS256", kid=kid)


def ec_key(kid="Elliptic"):
    return COSEKey.from_jwk({"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": kid, "d": b64(unhex(PRIVATE)), "x": b64(unhex(X)), "y": b64(unhex(Y))})


def signed(claims, key=None):
    """A token of `cwt`'s, tagged 61(17(...)) or 61(18(...)), its kid in the protected header."""
    key = key or mac_key()
    header = {COSEHeaders.ALG: key.alg, COSEHeaders.KID: key.kid}
    token = COSE.new().encode(cbor2.dumps(claims), key, protected=header)
    return cbor2.dumps(CBORTag(61, cbor2.loads(token)))


def by_hand(payload, protected=None, unprotected=None, tags=(61, 17), secret=SECRET, context="MAC0"):
    """A MACed token in a form that `cwt` does not write. `payload` may be bytes."""
    payload = payload if isinstance(payload, bytes) else cbor2.dumps(payload)
    protected = cbor2.dumps({1: 5} if protected is None else protected)
    tag = hmac.new(secret, cbor2.dumps([context, protected, b"", payload]), hashlib.sha256).digest()
    value = [protected, {4: b"Symmetric256"} if unprotected is None else unprotected, payload, tag]
    for number in reversed(tags):
        value = CBORTag(number, value)
    return cbor2.dumps(value)


vectors = []


def vector(about, token, expected="valid", claim=None, acl=None, **request):
    """`token` is bytes, or claims in addition to `exp`."""
    if isinstance(token, dict):
        token = signed({4: END, **token})
    made = {"about": about, "token": b64(token) if isinstance(token, bytes) else token, "expected": expected}
    made.update({"claim": claim} if claim else {})
    made.update({"acl": acl} if acl is not None else {})
    made.update(request)
    vectors.append(made)


def good(about, token, **more):
    vector(about, token, **more)


def bad(about, token, reason, claim=None, **more):
    vector(about, token, reason, claim, **more)


# Forms of the envelope.
sheet = "2D3RhEOhAQWhBExTeW1tZXRyaWMyNTZQogFnZXlldmlubgQa9IZXAFggxqTpC-mkF0QqglZ-uSS_-oZh4b_2uyAV5blJRJ2vBfU"
good("iss and exp, as two other verifiers accept it", sheet, acl="/*")
good("catu and catm, as two other verifiers accept it", "2D3RhEOhAQWhBExTeW1tZXRyaWMyNTZYJaQBZ2V5ZXZpbm4EGvSGVwAZATihA6EBZS92b2QvGQE5gWNHRVRYIHJzuzLtt-zeaeos-OobZBnr6ScCi9-hNya6fOgZsxm5", acl="/vod/*")
good("HS256 of cwt", {}, acl="/*")
good("ES256 of cwt", signed({4: END}, ec_key()), acl="/*")
bare = {4: END}
good("by hand, as cwt writes it", by_hand(bare))
good("without the tag of CWT", by_hand(bare, tags=(17,)))
good("without any tag", by_hand(bare, tags=()))
good("with the tag of CWT alone", by_hand(bare, tags=(61,)))
good("the kid as text", by_hand(bare, unprotected={4: "Symmetric256"}))
good("the kid in the protected header", by_hand(bare, protected={1: 5, 4: b"Symmetric256"}, unprotected={}))
good("no kid", by_hand(bare, unprotected={}))
good("a content type", by_hand(bare, protected={1: 5, 3: 61}))
good("lengths that are longer than necessary", by_hand(b"\xb9\x00\x01\x18\x04\x1b" + END.to_bytes(8, "big")))
good("percent-encoded", sheet.replace("-", "%2D").replace("_", "%5f"))
bad("the kid in both headers", by_hand(bare, protected={1: 5, 4: b"Symmetric256"}), "malformed")
bad("the kid as a number", by_hand(bare, unprotected={4: 1}), "malformed")
bad("the kid of no key", by_hand(bare, unprotected={4: b"other"}), "algorithm")
bad("the kid of a key of another algorithm", by_hand(bare, unprotected={4: b"Elliptic"}), "algorithm")
bad("no algorithm", by_hand(bare, protected={}), "malformed")
bad("the algorithm in the unprotected header", by_hand(bare, protected={}, unprotected={1: 5}), "malformed")
bad("the algorithm in both headers", by_hand(bare, unprotected={1: 5}), "malformed")
bad("HMAC 256/64", by_hand(bare, protected={1: 4}), "algorithm")
bad("HMAC 512/512", by_hand(bare, protected={1: 7}), "algorithm")
bad("PS256", by_hand(bare, protected={1: -37}), "algorithm")
bad("an algorithm by its name", by_hand(bare, protected={1: "HS256"}), "algorithm")
bad("a critical header parameter", by_hand(bare, protected={1: 5, 2: [99], 99: 1}), "malformed")
bad("another tag", by_hand(bare, tags=(61, 18)), "malformed")
bad("the tag of COSE_Mac", by_hand(bare, tags=(61, 97)), "malformed")
bad("the tag of CWT twice", by_hand(bare, tags=(61, 61, 17)), "malformed")
bad("the tags in the other order", by_hand(bare, tags=(17, 61)), "malformed")
bad("the context of a signature", by_hand(bare, context="Signature1"), "signature")
bad("another secret", by_hand(bare, secret=bytes(32)), "signature")
bad("an empty secret", by_hand(bare, secret=b""), "signature")
bad("a byte behind it", by_hand(bare) + b"\0", "malformed")
bad("padded", b64(by_hand(bare)) + "=", "malformed")
bad("in base64 with + and /", base64.b64encode(by_hand(bare)).decode().rstrip("=") + "+", "malformed")
bad("with dots, as the appendix of CAT-4-MOQT", sheet[:40] + "." + sheet[40:], "malformed")
bad("empty", "", "malformed")
bad("too long", "A" * 2049, "malformed")
bad("a signature in place of a MAC", by_hand(bare, protected={1: -7}, unprotected={4: b"Elliptic"}, tags=(61, 18)), "signature")
bad("claims that are no map", by_hand(cbor2.dumps([4, END])), "malformed")
bad("a claim twice", by_hand(b"\xa2\x04\x1a\xf4\x86\x57\x00\x04\x1a\xf4\x86\x57\x00"), "malformed")
bad("a claim twice, in two spellings", by_hand(b"\xa2\x04\x1a\xf4\x86\x57\x00\x18\x04\x1a\xf4\x86\x57\x00"), "malformed")
bad("an indefinite length", by_hand(b"\xbf\x04\x1a\xf4\x86\x57\x00\xff"), "malformed")
bad("a byte behind the claims", by_hand(cbor2.dumps(bare) + b"\0"), "malformed")

# Times.
good("exp as a float", signed({4: float(END)}))
good("exp in the tolerance", signed({4: NOW - 9}))
bad("exp now", signed({4: NOW - 10}), "expired", "exp")
bad("exp as a float in the past", signed({4: NOW - 10.5}), "expired", "exp")
good("exp as a float, a fraction left", signed({4: NOW - 9.5}))
bad("no exp", signed({1: "eyevinn"}), "claim", "exp")
bad("exp as a text", signed({4: "4102444800"}), "malformed", "exp")
bad("exp before 1970", signed({4: -1}), "malformed", "exp")
bad("exp that is not a number", signed({4: float("nan")}), "malformed", "exp")
bad("exp that is infinite", signed({4: float("inf")}), "malformed", "exp")
good("nbf now", {5: NOW + 10})
bad("nbf in the future", {5: NOW + 11}, "early", "nbf")
bad("nbf as a float in the future", {5: NOW + 10.25}, "early", "nbf")
good("iat in the future", {6: NOW + 1000})

# Who.
good("the issuer's own key", signed({4: END, 1: "issuer"}, mac_key("of-issuer")))
bad("another issuer's key", signed({4: END, 1: "eyevinn"}, mac_key("of-issuer")), "claim", "iss")
bad("an issuer's key without iss", signed({4: END}, mac_key("of-issuer")), "claim", "iss")
good("aud, if none is configured", {3: "cdn.example"})
good("aud", {3: "cdn.example"}, audience=["edge", "cdn.example"])
good("aud among others", {3: ["a", "edge"]}, audience=["edge"])
bad("another aud", {3: "cdn.example"}, "claim", "aud", audience=["edge"])
bad("no aud", {}, "claim", "aud", audience=["edge"])
bad("an aud that is a number", {3: 1}, "malformed", "aud", audience=["edge"])
good("sub and cti", {2: "viewer-7", 7: b"\x01\xff"}, id="01ff", payload="viewer-7")
bad("sub as bytes", {2: b"x"}, "malformed", "sub")
bad("cti as a text", {7: "x"}, "malformed", "cti")

# Versions, and claims that are not enforced.
good("catv 1", {310: 1})
bad("catv 2", {310: 2}, "claim", "catv")
good("catreplay 0", {308: 0})
bad("catreplay 1", {308: 1}, "claim", "catreplay")
bad("catreplay 2", {308: 2}, "claim", "catreplay")
for label, name, value in [
    (8, "cnf", {3: b"x"}), (44, "enc", {312: b"x"}), (282, "geohash", "u33d"), (309, "catpor", [50]), (317, "catgeocoord", [[1.0, 2.0, 3.0]]),
    (318, "catgeoalt", [0, 100]), (319, "cattpk", b"x"), (321, "catdpop", {0: 60}), (324, "cattprint", {0: 2, 1: "t13d"}),
    (325, "325", 1), (270, "270", {3: {1: "/"}}), (275, "275", 60), (40, "40", 1), (511, "511", 1),
]:
    bad(f"{name} is not enforced", {label: value}, "claim", name)
    bad(f"{name} is not enforced within or", {41: [{313: ["GET"]}, {label: value}]}, "claim", name)
    bad(f"{name} is not enforced within nor", {42: [{label: value, 313: ["PUT"]}]}, "claim", name)
bad("a name in place of a label", {"catu": {3: {1: "/"}}}, "claim", '"catu"')
bad("a name of the standard in place of a label", {"nbf": NOW}, "claim", '"nbf"')
bad("an unknown name that begins with cat", {"catx": 1}, "claim", '"catx"')
bad("a label that is an array", by_hand(cbor2.dumps({4: END, (1, 2): 1})), "claim", "a label that is neither an integer nor a text")
good("other claims", {"role": "x", 65000: 1, -70001: {1: 2}, 600: [1]})
good("catif and catifdata are not honoured", {322: {4: [302, {"Location": "https://a/"}]}, 320: "x"})
good("catr is no restriction", {323: {0: 1, 1: 120}})
bad("catr within or", {41: [{323: {0: 1, 1: 120}}]}, "claim", "catr")
bad("catr of a wrong type", {323: 1}, "malformed", "catr")
good("crit", {45: [4, 313], 313: ["GET"]})
bad("crit with an unknown claim", {45: [700], 700: 1}, "claim", "crit")
bad("crit with a name", {45: ["role"], "role": 1}, "claim", "crit")
bad("crit with a claim that is not there", {45: [313]}, "claim", "crit")
bad("crit with catif", {45: [322], 322: {}}, "claim", "crit")
bad("an empty crit", {45: []}, "malformed", "crit")

# catu.
def catu(**components):
    labels = dict(zip("scheme host port path query parent filename stem extension".split(), range(9)))
    return {312: {labels[name]: matches for name, matches in components.items()}}


P = "/vod/film/master.m3u8"
sha256 = lambda text: hashlib.sha256(text.encode()).digest()
sha512_256 = lambda text: hashlib.new("sha512_256", text.encode()).digest()
for about, claims, acl in [
    ("path exact", catu(path={EXACT: P}), P),
    ("path prefix", catu(path={PREFIX: "/vod/"}), "/vod/*"),
    ("path suffix", catu(path={SUFFIX: ".m3u8"}), "*.m3u8"),
    ("path contains", catu(path={CONTAINS: "/film/"}), "*/film/*"),
    ("path prefix and suffix", catu(path={PREFIX: "/vod/", SUFFIX: ".m3u8"}), "/vod/*.m3u8"),
    ("path prefix, contains and suffix", catu(path={PREFIX: "/vod/", CONTAINS: "film", SUFFIX: "8"}), "/vod/*film*8"),
    ("path exact and sha256", catu(path={EXACT: P, SHA256: sha256(P)}), P),
    ("path sha256", catu(path={SHA256: sha256(P)}), None),
    ("path sha256 in hex", catu(path={SHA256: sha256(P).hex()}), None),
    ("path sha512/256", catu(path={SHA512_256: sha512_256(P)}), None),
    ("path prefix and sha256", catu(path={PREFIX: "/vod/", SHA256: sha256(P)}), None),
    ("scheme, host and port", catu(scheme={EXACT: "https"}, host={EXACT: "TV.example"}, port={EXACT: "443"}), "/*"),
    ("an empty port", catu(port={EXACT: ""}), "/*"),
    ("host suffix", catu(host={SUFFIX: ".example"}), "/*"),
    ("host sha256", catu(host={SHA256: sha256("tv.example")}), "/*"),
    ("no query", catu(query={EXACT: ""}), None),
    ("parent path", catu(parent={EXACT: "/vod/film"}), None),
    ("file name", catu(filename={EXACT: "master.m3u8"}), None),
    ("stem", catu(stem={EXACT: "master"}), None),
    ("extension", catu(extension={EXACT: ".m3u8"}), None),
    ("path prefix and extension", catu(path={PREFIX: "/vod/"}, extension={EXACT: ".m3u8"}), None),
]:
    good(f"catu: {about}", claims, acl=acl or "none")
    # The same claims for another URL.
    if about not in ("no query", "an empty port", "scheme, host and port", "host suffix", "host sha256"):
        bad(f"catu: not {about}", claims, "path", "catu", url="https://tv.example/other/x.ts")
for about, claims, url in [
    ("scheme", catu(scheme={EXACT: "http"}), URL),
    ("host", catu(host={EXACT: "tv.example"}), "https://tv.example.evil/vod/film/master.m3u8"),
    ("host suffix", catu(host={SUFFIX: ".example"}), "https://evilexample/vod/film/master.m3u8"),
    ("port", catu(port={EXACT: "443"}), "https://tv.example:8443/vod/film/master.m3u8"),
    ("one of two matches", catu(path={PREFIX: "/vod/", SUFFIX: ".mpd"}), URL),
    ("one of two components", catu(path={PREFIX: "/vod/"}, host={EXACT: "x"}), URL),
    ("upper case in the path", catu(path={PREFIX: "/VOD/"}), URL),
    ("query", catu(query={EXACT: "a=1"}), URL + "?a=2"),
    ("more query", catu(query={EXACT: "a=1"}), URL + "?a=1&b=2"),
    ("query with an escaped separator", catu(query={EXACT: "a=1&b=2"}), URL + "?a=1%26b=2"),
    ("an escaped wildcard", catu(path={EXACT: "/vod/*"}), "https://tv.example/vod/x"),
]:
    bad(f"catu: wrong {about}", claims, "path", "catu", url=url)
good("catu: query", catu(query={EXACT: "a=1&b=2"}), url=URL + "?a=1&cat=x&b=2&hdntl=y")
good("catu: query with a question mark", catu(query={PREFIX: "?a="}), url=URL + "?a=1")
good("catu: query, escaped otherwise", catu(query={EXACT: "a=%2Fx"}), url=URL + "?%61=/x")
good("catu: port", catu(port={EXACT: "8443"}), url="https://tv.example:8443/vod/film/master.m3u8")
good("catu: default port of http", catu(port={EXACT: "80"}), url="http://tv.example/vod/film/master.m3u8")
good("catu: host is an IPv6 address", catu(host={EXACT: "[2001:db8::1]"}), url="https://[2001:db8::1]:443/vod/film/master.m3u8")
good("catu: escaped path", catu(path={PREFIX: "/a%20b/"}), url="https://tv.example/%61%20b/master.m3u8", acl="/a%20b/*")
good("catu: wildcards are literal", catu(path={PREFIX: "/a*!b/"}), url="https://tv.example/a*!b/master.m3u8", acl="/a%2a%21b/*")
bad("catu: a stem that libraries read in two ways", catu(stem={EXACT: "a"}), "claim", "catu", url="https://tv.example/a.b.m3u8")
good("catu: a stem that both read alike", catu(stem={PREFIX: "a"}), url="https://tv.example/a.b.m3u8")
bad("catu: an extension that libraries read in two ways", catu(extension={EXACT: ".m3u8"}), "claim", "catu", url="https://tv.example/a.b.m3u8")
bad("catu: regex", catu(path={REGEX: ["^/vod/"]}), "claim", "catu")
bad("catu: an unknown component", {312: {9: {0: "x"}}}, "claim", "catu")
bad("catu: an unknown match", catu(path={PREFIX: "/vod/", 5: "x"}), "claim", "catu")
bad("catu: an unknown match beside one that does not hold", catu(path={PREFIX: "/x", -3: "x"}), "claim", "catu")
bad("catu: no component", {312: {}}, "malformed", "catu")
bad("catu: no match", catu(path={}), "malformed", "catu")
bad("catu: a match with bytes", catu(path={PREFIX: b"/vod/"}), "malformed", "catu")
bad("catu: a digest of SHA-512", catu(path={SHA512_256: hashlib.sha512(P.encode()).hexdigest()}), "malformed", "catu")
bad("catu: a name in place of a label", {312: {"path": {1: "/"}}}, "malformed", "catu")
good("or of paths", {41: [catu(path={PREFIX: "/vod/film/"}), catu(path={PREFIX: "/vod/audio/"})]}, acl="/vod/film/*!/vod/audio/*")
good("or of paths on hosts", {41: [catu(path={PREFIX: "/vod/"}), catu(path={PREFIX: "/x/"}, host={EXACT: "b"})]}, acl="none")
good("or of a path and a method", {41: [catu(path={PREFIX: "/vod/"}), {313: ["GET"]}]}, acl="none")
good("or of methods", {41: [{313: ["PUT"]}, {313: ["GET"]}]}, acl="/*")
good("catu and or of paths", {**catu(path={PREFIX: "/vod/"}), 41: [catu(path={SUFFIX: ".m3u8"})]}, acl="none")
good("catu of a host and or of paths", {**catu(host={EXACT: "tv.example"}), 41: [catu(path={SUFFIX: ".m3u8"})]}, acl="*.m3u8")
good("and of a path", {43: [catu(path={PREFIX: "/vod/"}), {313: ["GET"]}]}, acl="/vod/*")
bad("or of other paths", {41: [catu(path={PREFIX: "/a/"}), catu(path={PREFIX: "/b/"})]}, "path", "or")
bad("nor of a path", {42: [catu(path={PREFIX: "/secret/"})]}, "claim", "catu")
bad("nor of a path within and", {43: [{42: [{41: [catu(path={PREFIX: "/secret/"})]}]}]}, "claim", "catu")

# The other claims about the request.
good("catm", {313: ["GET", "HEAD"]})
bad("catm of another method", {313: ["POST"]}, "claim", "catm")
bad("catm without HEAD", {313: ["GET"]}, "claim", "catm", method="HEAD")
bad("catm in lower case", {313: ["get"]}, "claim", "catm")
bad("catm as a text", {313: "GET"}, "malformed", "catm")
good("cath", {315: {"X-Device": {EXACT: "tv"}}}, headers={"x-device": "tv"})
good("cath of two matches", {315: {"x-device": {PREFIX: "t", SUFFIX: "v"}}}, headers={"x-device": "tv"})
bad("cath of another value", {315: {"x-device": {EXACT: "tv"}}}, "claim", "cath", headers={"x-device": "TV"})
bad("cath without the header", {315: {"x-device": {PREFIX: ""}}}, "claim", "cath")
bad("cath with an unknown match, without the header", {41: [{315: {"x-device": {9: ""}}}, {313: ["GET"]}]}, "claim", "cath")
bad("cath of one header of two", {315: {"x-device": {EXACT: "tv"}, "x-b": {EXACT: "1"}}}, "claim", "cath", headers={"x-device": "tv"})
good("catalpn", {314: [b"h2", b"h3"]}, protocol="HTTP/2")
good("catalpn as a text", {314: ["http/1.1"]})
bad("catalpn of another protocol", {314: [b"h2"]}, "claim", "catalpn")
bad("catalpn of an unknown protocol", {314: [b"h2"]}, "claim", "catalpn", protocol="")
nip = lambda *networks: {311: list(networks)}
good("catnip: an address", nip(CBORTag(52, unhex("cb007107"))))
good("catnip: a prefix", nip(CBORTag(52, [24, unhex("cb0071")])))
good("catnip: a prefix with its zeros", nip(CBORTag(52, [24, unhex("cb007100")])))
good("catnip: one of several", nip(CBORTag(54, [32, unhex("20010db8")]), CBORTag(52, unhex("cb007107"))))
good("catnip: IPv6", nip(CBORTag(54, [32, unhex("20010db8")])), client="[2001:db8::7]:443")
good("catnip: an IPv4 client as IPv6", nip(CBORTag(52, [24, unhex("cb0071")])), client="[::ffff:203.0.113.9]:443")
bad("catnip: another address", nip(CBORTag(52, unhex("cb007108"))), "ip", "catnip")
bad("catnip: another prefix", nip(CBORTag(52, [28, unhex("cb007110")])), "ip", "catnip")
bad("catnip: another family", nip(CBORTag(54, [0, b""])), "ip", "catnip")
bad("catnip: an unknown client", nip(CBORTag(52, [0, b""])), "ip", "catnip", client="")
bad("catnip: an unknown client within nor", {42: [nip(CBORTag(52, unhex("cb007108")))]}, "ip", "catnip", client="")
bad("catnip: a text", nip("203.0.113.7"), "malformed", "catnip")
bad("catnip: none", nip(), "malformed", "catnip")
bad("catnip: an AS number, location off", nip(64496), "claim", "catnip")
good("catnip: an AS number", nip(64496), location=True, headers={"x-geo-asn": "64496"})
good("catnip: an AS number with its letters", nip(1, 64496), location=True, headers={"x-geo-asn": "AS64496"})
good("catnip: an AS number beside a prefix", nip(64496, CBORTag(52, [24, unhex("cb0071")])))
bad("catnip: another AS number", nip(64496), "ip", "catnip", location=True, headers={"x-geo-asn": "64497"})
bad("catnip: no AS number", nip(64496), "ip", "catnip", location=True)
bad("catnip: two AS numbers", nip(64496), "ip", "catnip", location=True, headers={"x-geo-asn": "64497, 64496"})
geo = lambda *places: {316: list(places)}
good("catgeoiso3166", geo("US", "DE"), location=True, headers={"x-geo-country": "DE"})
good("catgeoiso3166: a region", geo("US-CA"), location=True, headers={"x-geo-country": "US", "x-geo-region": "CA"})
bad("catgeoiso3166: another country", geo("US"), "geo", "catgeoiso3166", location=True, headers={"x-geo-country": "DE"})
bad("catgeoiso3166: another region", geo("US-CA"), "geo", "catgeoiso3166", location=True, headers={"x-geo-country": "US", "x-geo-region": "NY"})
bad("catgeoiso3166: the region of another country", geo("US-CA"), "geo", "catgeoiso3166", location=True, headers={"x-geo-country": "MX", "x-geo-region": "CA"})
bad("catgeoiso3166: an unknown region", geo("US-CA"), "geo", "catgeoiso3166", location=True, headers={"x-geo-country": "US"})
bad("catgeoiso3166: an unknown country", geo("US"), "geo", "catgeoiso3166", location=True)
bad("catgeoiso3166: an unknown country within nor", {42: [geo("US")]}, "geo", "catgeoiso3166", location=True)
good("catgeoiso3166: another country within nor", {42: [geo("US")]}, location=True, headers={"x-geo-country": "DE"})
bad("catgeoiso3166: this country within nor", {42: [geo("DE")]}, "claim", "nor", location=True, headers={"x-geo-country": "DE"})
bad("catgeoiso3166: location off", geo("DE"), "claim", "catgeoiso3166", headers={"x-geo-country": "DE"})

# Composites.
good("and", {43: [{313: ["GET"]}, {5: NOW}]})
bad("and of one that does not hold", {43: [{313: ["GET"]}, {5: NOW + 100}]}, "early", "and")
good("or of one that holds", {41: [{4: 1}, {313: ["GET"]}]})
bad("or of none that holds", {41: [{4: 1}, {313: ["PUT"]}]}, "expired", "or")
good("nor of none that holds", {42: [{4: 1}, {313: ["PUT"]}]})
bad("nor of one that holds", {42: [{4: 1}, {313: ["GET"]}]}, "claim", "nor")
bad("nor of the empty set, which holds", {42: [{}]}, "claim", "nor")
good("nested composites", {41: [{43: [{42: [{313: ["PUT"]}]}, {313: ["GET"]}]}]})
for name, label in [("or", 41), ("nor", 42), ("and", 43)]:
    bad(f"{name} of nothing", {label: []}, "malformed", name)
    bad(f"{name} that is no array", {label: {313: ["GET"]}}, "malformed", name)
    bad(f"{name} of what is no claim set", {label: [313]}, "malformed", name)
deep = {313: ["GET"]}
for _ in range(9):
    deep = {43: [deep]}
bad("composites that are nested too deep", deep, "malformed")

print(json.dumps({
    "source": "tests/vectors/cat.py: PyPI cwt 3.3.0 and cbor2 5.9.0",
    "now": NOW, "skew": 10, "url": URL, "client": "203.0.113.7:4711", "protocol": "HTTP/1.1",
    "keys": [
        {"kty": "oct", "kid": "Symmetric256", "k": b64(SECRET)},
        {"kty": "EC", "crv": "P-256", "kid": "Elliptic", "x": b64(unhex(X)), "y": b64(unhex(Y))},
        {"kty": "oct", "kid": "of-issuer", "k": b64(SECRET), "iss": "issuer"},
    ],
    "vectors": vectors,
}, indent=1, ensure_ascii=False))
