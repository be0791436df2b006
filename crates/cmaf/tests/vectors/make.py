"""Makes the vectors: the streams in clear, and the hashes of their encrypted samples."""

import hashlib
import pathlib
import sys

FOLDER = pathlib.Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent / "oracles"))

import mp4
import reference
from streams import STREAMS, TEXTS, make
from test_oracles import IV, KEY, OWN, SCHEMES


def expected(name):
    """One line for each scheme."""
    data = (FOLDER / f"{name}.mp4").read_bytes()
    kind, _ = mp4.entry(data)
    samples = mp4.samples(data)
    for scheme, (secret, iv_size) in SCHEMES.items():
        ivs = reference.all_ivs(kind, samples, secret, OWN[scheme]) if iv_size else [IV] * len(samples)
        digest = hashlib.sha256()
        for sample, iv in zip(samples, ivs, strict=True):
            digest.update(reference.encrypt(kind, sample["data"], scheme, KEY, iv, OWN[scheme]))
        yield f"{name} {scheme} {len(samples)} {digest.hexdigest()}\n"


if __name__ == "__main__":
    for stream in [*STREAMS, *TEXTS]:
        make(stream, FOLDER / f"{stream}.mp4")
    (FOLDER / "expected.txt").write_text("".join(line for stream in [*STREAMS, *TEXTS] for line in expected(stream)))
