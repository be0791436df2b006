"""The published vectors are what an independent implementation gives."""

import json
import pathlib

import derive


def test_derivation():
    published = json.loads((pathlib.Path(__file__).parent / "derivation.json").read_text())
    assert published == derive.vectors()
