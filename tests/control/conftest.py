"""Fixtures: control planes, which end with the test."""

import json

import pytest

from support.control_plane import ControlPlane, story
from support.postgres import Postgres


@pytest.fixture
def control_planes(tmp_path_factory):
    """Starts control planes with options of the command line."""
    started = []

    def start(*options, **named):
        plane = ControlPlane(tmp_path_factory.mktemp("control-"), *options, **named)
        started.append(plane)
        return plane

    yield start
    for plane in started:
        plane.stop(kill=True)


@pytest.fixture
def dmas(tmp_path):
    """The story's Designated Market Areas, as an operator's file."""
    file = tmp_path / "dmas.json"
    file.write_text(json.dumps(story("dmas")))
    return file


@pytest.fixture
def control_plane(control_planes, dmas):
    """A control plane of the test's own."""
    return control_planes("--dmas", str(dmas), "--failures-per-minute", "1000")


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server."""
    server = Postgres()
    yield server
    server.stop()
