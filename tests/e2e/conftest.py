"""What the end-to-end tests share: which build they drive, and a fleet of real services."""

import os
import pathlib

import pytest

from fleet import RATE, Fleet, Server

TOP = pathlib.Path(__file__).resolve().parents[2]


def pytest_configure(config):
    config.addinivalue_line("markers", "release_only: measures or scans something that a sanitizer changes")


@pytest.fixture(scope="session")
def build():
    path = TOP / os.environ.get("TROTH_BUILD", "build")
    assert (path / "troth").is_file(), f"{path}/troth is missing: run scripts/build"
    return path


@pytest.fixture(scope="module")
def fleet(build, request):
    """nginx, PostgreSQL, Redis and three clients under traffic: scripts/quickstart --hold.  The module may say its rate."""
    with Fleet(build, rate=getattr(request.module, "HANDSHAKES", RATE)) as f:
        yield f


@pytest.fixture(scope="module")
def server(build):
    """A server alone, just initialised."""
    with Server(build) as s:
        yield s
