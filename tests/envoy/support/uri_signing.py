"""URI Signing tokens (RFC 9246) from two libraries: `joserfc` from PyPI and `jose` from npm."""

import base64
import hashlib
import json
import subprocess

from support import places

# The example key of RFC 9246 appendix A, and others.
KEYS = {
    "ES256": {"kty": "EC", "kid": "site-es", "alg": "ES256", "crv": "P-256", "x": "be807S4O7dzB6I4hTiCUvmxCI6FuxWba1xYBlLSSsZ8",
              "y": "rOGC4vI69g-WF9AGEVI37sNNwbjIzBxSjLvIL7f3RBA", "d": "yaowezrCLTU6yIwUL5RQw67cHgvZeMTLVZXjUGb1A1M"},
    # RFC 8037 appendix A.1.
    "EdDSA": {"kty": "OKP", "kid": "site-ed", "alg": "EdDSA", "crv": "Ed25519", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
              "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    "HS256": {"kty": "oct", "kid": "site-hs", "alg": "HS256", "k": "Kh_RkUMj-fzbD37qBnDf_3e_RvQ3RP9PaSmVEpE24AM"},
}
EDGE = {"kty": "oct", "kid": "edge-1", "alg": "HS256", "k": "fZBpDBNbk2GqhwoB_DGBAsBxqQZVix04rIoLJ7p_RlE"}
OTHER = {"kty": "EC", "kid": "other-1", "alg": "ES256", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
         "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}
CLAIMS = {"kty": "oct", "kid": "claims-1", "alg": "A128GCM", "k": "4uFxxV7fhNmrtiah2d1fFg"}

SCRIPT = """
import {pathToFileURL} from "node:url";
const [folder, header, claims, key] = JSON.parse(process.argv[1]);
const {SignJWT, importJWK} = await import(pathToFileURL(folder + "/dist/webapi/index.js").href);
process.stdout.write(await new SignJWT(claims).setProtectedHeader(header).sign(await importJWK(key)));
"""


def rsa():
    """A new RSA key as a JWK, private."""
    from joserfc.jwk import RSAKey

    return {**RSAKey.generate_key(2048).as_dict(private=True), "kid": "site-rs", "alg": "RS256"}


def public(key, issuer=None):
    """The part of a key that verifies, bound to an issuer."""
    private = {"d", "p", "q", "dp", "dq", "qi", "oth"}
    made = {name: value for name, value in key.items() if name not in private}
    return {**made, "iss": issuer} if issuer else made


def header(key):
    return {"alg": key["alg"], "kid": key["kid"]}


def by_python(claims, key=KEYS["ES256"]):
    """A token from the Python library."""
    from joserfc import jws
    from joserfc.jwk import JWKRegistry

    algorithms = [key["alg"]]
    return jws.serialize_compact(header(key), json.dumps(claims), JWKRegistry.import_key(key), algorithms=algorithms)


def by_node(claims, key=KEYS["ES256"]):
    """A token from the Node library."""
    argument = json.dumps([str(places.node_modules("jose")), header(key), claims, key])
    node = places.tool("node", install="nodejs")
    run = subprocess.run([node, "--input-type=module", "-e", SCRIPT, argument], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


MAKERS = {"python": by_python, "node": by_node}


def encrypted(text, key=CLAIMS):
    """A claim as a JWE."""
    from joserfc import jwe
    from joserfc.jwk import OctKey

    made = OctKey.import_key({"kty": "oct", "k": key["k"]})
    return jwe.encrypt_compact({"alg": "dir", "enc": key["alg"], "kid": key["kid"]}, text, made, algorithms=["dir", key["alg"]])


def read(token, key):
    """The header and the claims of a token, verified with a key."""
    from joserfc import jws
    from joserfc.jwk import JWKRegistry

    made = jws.deserialize_compact(token, JWKRegistry.import_key(key), algorithms=[key["alg"]])
    return made.protected, json.loads(made.payload)


def hashed(uri):
    """The container of one URI (RFC 6920)."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(uri.encode()).digest()).decode().rstrip("=")
    return f"hash:sha-256;{digest}"


def below(folder):
    """The container of all URIs below a folder on this machine, whatever the port."""
    return f"regex:http://127\\.0\\.0\\.1:[0-9]+{folder}/.*"
