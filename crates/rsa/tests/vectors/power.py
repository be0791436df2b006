"""Makes power.json: powers modulo n by Python's integers, for moduli at the edges of limbs and bytes.

    python3 crates/rsa/tests/vectors/power.py > crates/rsa/tests/vectors/power.json
"""

import json
import random

SIZES = [2048, 2049, 2072, 4096]
EXPONENTS = [3, 65537, 65539, 2**32 - 1]


def moduli(bits, source):
    """Random ones, and ones whose limbs are nearly all zeros or ones."""
    top = 1 << (bits - 1)
    yield source.getrandbits(bits) | top | 1
    yield top + 1
    yield (1 << bits) - 1
    yield (1 << bits) - (1 << 1024) + 1
    yield top + (1 << 1023) - 1


def main():
    """Prints the vectors: modulus, exponent, and pairs of message and power, all in hexadecimal digits."""
    source = random.Random(1)
    vectors = []
    for bits in SIZES:
        for n in moduli(bits, source):
            size = (bits + 7) // 8
            exponent = source.choice(EXPONENTS)
            messages = [n - 1, source.randrange(n), (1 << 1100) - 1]
            powers = [[m.to_bytes(size, "big").hex(), pow(m, exponent, n).to_bytes(size, "big").hex()] for m in messages]
            vectors.append({"modulus": n.to_bytes(size, "big").hex(), "exponent": exponent, "powers": powers})
    print(json.dumps(vectors, indent=1))


if __name__ == "__main__":
    main()
