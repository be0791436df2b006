"""Makes oaep.json of RSA Laboratories' vectors for PKCS #1 v2.1, RSAES-OAEP with SHA-1: the examples with 2048 bits.

    pip download --no-deps cryptography-vectors==50.0.2 && unzip cryptography_vectors-*.whl
    python3 crates/drm/tests/vectors/oaep.py cryptography_vectors/asymmetric/RSA/pkcs-1v2-1d2-vec/oaep-vect.txt \\
        > crates/drm/tests/vectors/oaep.json
"""

import json
import re
import sys
from pathlib import Path


def fields(text):
    """Name and digits of each field of a section."""
    found = re.findall(r"^# ([A-Za-z ]+):\s*\n((?:[0-9a-f]{2}[0-9a-f ]*\n)+)", text, re.MULTILINE)
    return {name.lower(): "".join(digits.split()) for name, digits in found}


def main():
    """Prints the vectors."""
    text = Path(sys.argv[1]).read_text()
    example = text.split("# Example 10: A 2048-bit RSA key pair")[1]
    key, *cases = re.split(r"# OAEP Example 10\.\d\n", example)
    public = fields(key.split("# Private key")[0])
    vectors = {"modulus": public["modulus"], "exponent": public["exponent"]}
    print(json.dumps(vectors | {"cases": [fields(case) for case in cases]}, indent=1))


if __name__ == "__main__":
    main()
