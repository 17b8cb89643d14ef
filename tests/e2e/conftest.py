"""What the end-to-end tests share: which build they drive, and a fleet of real services."""

import os
import pathlib

import pytest

from fleet import RATE, Fleet, Server

TOP = pathlib.Path(__file__).resolve().parents[2]


# The longest first, so that none of them runs alone at the end.  test_members counts seconds: it begins beside two quiet ones.
FIRST = ["test_members", "test_outside", "test_hierarchy", "test_rolling", "test_main_path", "test_deadlines", "test_emergency", "test_quickstart"]


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: FIRST.index(item.module.__name__) if item.module.__name__ in FIRST else len(FIRST))


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
