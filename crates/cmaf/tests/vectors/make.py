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
    samples = [one["data"] for one in mp4.samples(data)]
    for scheme, (scheme_name, iv, size) in SCHEMES.items():
        digest = hashlib.sha256()
        for number, sample in enumerate(samples):
            used = reference.sample_iv(iv, number, size) if size else IV
            digest.update(reference.encrypt(kind, sample, scheme_name, KEY, used, OWN[scheme_name]))
        yield f"{name} {scheme} {len(samples)} {digest.hexdigest()}\n"


if __name__ == "__main__":
    for stream in [*STREAMS, *TEXTS]:
        make(stream, FOLDER / f"{stream}.mp4")
    (FOLDER / "expected.txt").write_text("".join(line for stream in [*STREAMS, *TEXTS] for line in expected(stream)))
