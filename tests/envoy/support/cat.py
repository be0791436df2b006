"""Common Access Tokens from two libraries: npm `@eyevinn/cat`, and `cwt` from PyPI."""

import base64
import json
import subprocess

from support import places

# In hex.
SECRET = "403697de87af64611c1d32a05dab0fe1fcb715a86ab435f1ec99192d79569388"
EDGE_SECRET = "ab494b649d72b0b88b35b9d8f2c24bbd5e62e5582a2ec2b7999baf426d7ebbbb"
# RFC 6979, A.2.5.
PRIVATE = {"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "Elliptic",
           "d": "ya-p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyE",
           "x": "YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y", "y": "eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk"}

MAKE = """
const [folder, kid, key, claims] = JSON.parse(process.argv[1]);
const { CAT } = require(folder);
const cat = new CAT({ keys: { [kid]: Buffer.from(key, "hex") }, expectCwtTag: true });
cat.generateFromJson(claims, { type: "mac", alg: "HS256", kid }).then((token) => process.stdout.write(token));
"""
VALIDATE = """
const [folder, kid, key, issuer, token] = JSON.parse(process.argv[1]);
const { CAT } = require(folder);
const cat = new CAT({ keys: { [kid]: Buffer.from(key, "hex") }, expectCwtTag: true });
cat.validate(token, "mac", { issuer }).then(({ cat, error }) =>
  process.stdout.write(JSON.stringify({ error: error?.message, claims: cat?.claims })));
"""


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def keys():
    """The issuers' public keys, as `tokenAuth.cat.keys`."""
    public = {name: value for name, value in PRIVATE.items() if name != "d"}
    return [{"kty": "oct", "kid": "Symmetric256", "k": b64(bytes.fromhex(SECRET))}, public]


def renewal():
    """The edge's own key, as `tokenAuth.cat.renewal`."""
    return {"key": {"kty": "oct", "kid": "edge", "k": b64(bytes.fromhex(EDGE_SECRET))}, "issuer": "edge.example"}


def run_node(script, *arguments):
    argument = json.dumps([str(places.node_modules("@eyevinn/cat")), *arguments])
    node = places.tool("node", install="nodejs")
    run = subprocess.run([node, "--no-deprecation", "-e", script, argument], capture_output=True, text=True)
    assert run.returncode == 0 and run.stdout, run.stderr
    return run.stdout


def by_node(claims):
    """A token of npm's `@eyevinn/cat`; claims and parts have the names of that library."""
    return run_node(MAKE, "Symmetric256", SECRET, claims)


def validated_by_node(token, key=EDGE_SECRET, kid="edge", issuer="edge.example"):
    """The claims of a token, if npm's `@eyevinn/cat` accepts it."""
    result = json.loads(run_node(VALIDATE, kid, key, issuer, token))
    assert "error" not in result, result
    return result["claims"]


def by_python(claims, algorithm="HS256"):
    """A token of PyPI's `cwt`; claims have their labels."""
    from cbor2 import CBORTag, dumps, loads
    from cwt import COSE, COSEHeaders, COSEKey

    key = (COSEKey.from_symmetric_key(bytes.fromhex(SECRET), alg="HS256", kid="Symmetric256") if algorithm == "HS256"
           else COSEKey.from_jwk(PRIVATE))
    token = COSE.new().encode(dumps(claims), key, protected={COSEHeaders.ALG: key.alg, COSEHeaders.KID: key.kid})
    return b64(dumps(CBORTag(61, loads(token))))


def decoded_by_python(token, key=EDGE_SECRET):
    """The claims of a token, if PyPI's `cwt` accepts it."""
    import cwt

    key = cwt.COSEKey.from_symmetric_key(bytes.fromhex(key), alg="HS256", kid="edge")
    return cwt.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)), key)
