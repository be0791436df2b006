"""Fixtures: control planes, which end with the test, on the database that the test is for."""

import json

import pytest

from support.control_plane import ControlPlane, story
from support.postgres import Postgres


def pytest_generate_tests(metafunc):
    """Runs each test that is marked `both_databases` on SQLite and on PostgreSQL."""
    if metafunc.definition.get_closest_marker("both_databases"):
        metafunc.parametrize("database", ["sqlite", "postgres"], indirect=True, scope="module")


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server, one for each process of the tests."""
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def database(request):
    """Makes the options of a control plane for an empty database: SQLite, unless the test is marked."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return list
    server = request.getfixturevalue("postgres")
    return lambda: ["--database", server.new()]


@pytest.fixture
def control_planes(tmp_path_factory, database):
    """Starts control planes with options of the command line."""
    started = []

    def start(*options, **named):
        plane = ControlPlane(tmp_path_factory.mktemp("control-"), *options, *database(), **named)
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
