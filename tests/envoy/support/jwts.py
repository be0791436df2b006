"""JSON Web Tokens from two published libraries: `joserfc` from PyPI and `jose` from npm. Their keys are made at test time."""

import json
import subprocess

from joserfc import jwk, jwt

from support import places, tokens

ISSUER = "https://login.example"

KEYS = {
    "HS256": jwk.OctKey.generate_key(256, {"kid": "secret", "alg": "HS256"}),
    "ES256": jwk.ECKey.generate_key("P-256", {"kid": "curve", "alg": "ES256", "use": "sig"}),
    "EdDSA": jwk.OKPKey.generate_key("Ed25519", {"kid": "edwards", "alg": "EdDSA"}),
    "RS256": jwk.RSAKey.generate_key(2048, {"kid": "rsa", "alg": "RS256", "key_ops": ["verify", "sign"]}),
}

SCRIPT = """
const [folder, key, header, claims] = JSON.parse(process.argv[1]);
const { SignJWT, importJWK } = await import(folder + "/dist/webapi/index.js");
const { key_ops, use, ...imported } = key;
process.stdout.write(await new SignJWT(claims).setProtectedHeader(header).sign(await importJWK(imported, header.alg)));
"""


def public(*algorithms):
    """The keys of these algorithms as a verifier gets them."""
    return [KEYS[one].as_dict(private=one == "HS256") for one in algorithms or KEYS]


def claims(**changes):
    """The claims of a token for everything below /jwt, valid for a minute. Those changed to None are left out."""
    made = {"iss": ISSUER, "paths": ["/jwt/*"], "exp": tokens.now() + 60, **changes}
    return {name: value for name, value in made.items() if value is not None}


def by_python(algorithm="ES256", key=None, header=None, **changes):
    """A token from the Python library."""
    key = key or KEYS[algorithm]
    return jwt.encode(header or {"alg": algorithm, "kid": key.kid}, claims(**changes), key, algorithms=[algorithm])


def by_node(algorithm="ES256", key=None, header=None, **changes):
    """A token from the Node library."""
    key = key or KEYS[algorithm]
    arguments = [str(places.node_modules("jose")), key.as_dict(private=True), header or {"alg": algorithm, "kid": key.kid},
                 claims(**changes)]
    node = places.tool("node", install="nodejs")
    run = subprocess.run([node, "--input-type=module", "-e", SCRIPT, json.dumps(arguments)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


MAKERS = {"python": by_python, "node": by_node}
